import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ackDelayS, checkProgram, dueTime, fadesOf, isAckSettled, isHeard, isStale, levelGain, measuredLevel, refusalOf,
  windowOf,
} from "plan";
import { catalog } from "./catalog.mjs";

const { level, program: timing } = catalog("audio");
const ITEM = Object.freeze({
  artifact_id: 7, url: "/a", ack_url: "/b", start_ms: 0, duration_ms: 2000, wear: 0.2, colour: "", level: null, gain: 1,
  delay_ms: 0, fade_in_ms: null, fade_out_ms: null,
});
const TONE = Object.freeze({ scale: 1, resting: "idle" });
const PROGRAM = Object.freeze({ seq: 1, rest_ms: 0, gap_ms: 950, good_until_ms: 1e12, tone: TONE, items: [ITEM] });

test("a program is due its gap after the end of the one before, or before that end", () => {
  assert.equal(dueTime({ precedingEndS: 10, readyS: 9.5, gapMs: 950 }), 10.95);
  assert.equal(dueTime({ precedingEndS: 10, readyS: 9.5, gapMs: -2500 }), 7.5);
});

test("the first program counts its gap from when it was ready", () => {
  assert.equal(dueTime({ precedingEndS: null, readyS: 3, gapMs: 1000 }), 4);
});

test("a window is taken from where it begins", () => {
  assert.deepEqual(windowOf({ start_ms: 4000, duration_ms: 3000 }, 20), { offsetS: 4, durationS: 3 });
});

test("a window past the end of a shortened take moves forward, then shrinks", () => {
  assert.deepEqual(windowOf({ start_ms: 60_000, duration_ms: 5000 }, 8), { offsetS: 3, durationS: 5 });
  assert.deepEqual(windowOf({ start_ms: 60_000, duration_ms: 45_000 }, 8), { offsetS: 0, durationS: 8 });
});

test("what would end after its right ends is stale, to the millisecond", () => {
  const times = { endS: 15, clockS: 10, epochMs: 1000 };
  assert.equal(isStale({ ...times, goodUntilMs: 6000 }), false);
  assert.equal(isStale({ ...times, goodUntilMs: 5999 }), true);
});

test("an unmeasured take is brought to a peak of 0.9 within its bounds", () => {
  assert.ok(Math.abs(levelGain({ peak: 0.6, item: ITEM }, level) - 1.5) < 1e-9);
  assert.equal(levelGain({ peak: 0.1, item: ITEM }, level), 2.1);
  assert.equal(levelGain({ peak: 1.2, item: ITEM }, level), 0.85);
  assert.equal(levelGain({ peak: 0, item: ITEM }, level), 1);
});

test("a measured take plays at the level it was given, and a level of 0 is silence", () => {
  assert.equal(levelGain({ peak: 0.1, item: { ...ITEM, level: 0.4 } }, level), 0.4);
  assert.equal(levelGain({ peak: 0.5, item: { ...ITEM, level: 0 } }, level), 0);
});

test("a take is brought to the target, or as near as its peak lets it come", () => {
  const gainDb = (loudness) => 20 * Math.log10(measuredLevel(loudness, level));
  assert.ok(Math.abs(gainDb({ lufs: -30, peakDbtp: -12 }) - 6) < 1e-9);
  assert.ok(Math.abs(gainDb({ lufs: -14, peakDbtp: -1 }) + 10) < 1e-9);
  assert.ok(Math.abs(gainDb({ lufs: -40, peakDbtp: -10 }) - 9) < 1e-9);
  assert.equal(measuredLevel({ lufs: null, peakDbtp: null }, level), 1);
});

test("fades are 0.12 s and 0.35 s, and share a window that is too short for both", () => {
  assert.deepEqual(fadesOf(5, ITEM, level), { fadeInS: 0.12, fadeOutS: 0.35, crossesIn: false, crossesOut: false });
  const { fadeInS, fadeOutS } = fadesOf(0.235, ITEM, level);
  assert.ok(Math.abs(fadeInS - 0.06) < 1e-9 && Math.abs(fadeOutS - 0.175) < 1e-9);
});

test("a crossfade takes the place of an edge, and shares a short window too", () => {
  const crossed = { ...ITEM, fade_out_ms: 2400 };
  assert.deepEqual(fadesOf(5, crossed, level), { fadeInS: 0.12, fadeOutS: 2.4, crossesIn: false, crossesOut: true });
  const { fadeInS, fadeOutS } = fadesOf(1, { ...ITEM, fade_in_ms: 3000, fade_out_ms: 1000 }, level);
  assert.deepEqual([fadeInS, fadeOutS], [0.75, 0.25]);
});

test("a voice is played on a clear yes alone", () => {
  assert.deepEqual([200, 206, 404, 0, 429, 503].map(refusalOf), ["", "", "gone", "unconfirmed", "unconfirmed", "unconfirmed"]);
});

test("what nobody could hear is not heard", () => {
  const audible = { running: true, outputGain: 0.7, silenced: false };
  assert.equal(isHeard(audible), true);
  assert.equal(isHeard({ ...audible, running: false }), false);
  assert.equal(isHeard({ ...audible, outputGain: 0 }), false);
  assert.equal(isHeard({ ...audible, silenced: true }), false);
});

test("an acknowledgement waits longer each time and stops when its grant has run out", () => {
  assert.deepEqual([1, 2, 3, 20].map((attempt) => ackDelayS(attempt, 0, timing)), [1, 2, 4, 60]);
  assert.equal(ackDelayS(20, 839, timing), 60);
  assert.equal(ackDelayS(20, 841, timing), null);
});

test("only a success or an unknown grant settles an acknowledgement", () => {
  assert.deepEqual([200, 204, 404].map(isAckSettled), [true, true, true]);
  assert.deepEqual([0, 301, 403, 429, 500, 503].map(isAckSettled), [false, false, false, false, false, false]);
});

test("a whole program and a rest are accepted", () => {
  checkProgram(PROGRAM);
  checkProgram({ seq: 2, rest_ms: 1500, tone: TONE, items: [] });
});

test("a program that lacks a figure is refused", () => {
  for (const key of ["seq", "gap_ms", "good_until_ms", "tone"]) {
    assert.throws(() => checkProgram({ ...PROGRAM, [key]: undefined }), RangeError, key);
  }
  for (const key of ["artifact_id", "start_ms", "duration_ms", "wear", "gain", "delay_ms", "level", "fade_in_ms", "fade_out_ms"]) {
    assert.throws(() => checkProgram({ ...PROGRAM, items: [{ ...ITEM, [key]: undefined }] }), RangeError, key);
  }
  assert.throws(() => checkProgram({ seq: 2, tone: TONE, items: [] }), RangeError);
  for (const tone of [{ ...TONE, scale: -1 }, { ...TONE, resting: "loud" }, { resting: "idle" }]) {
    assert.throws(() => checkProgram({ ...PROGRAM, tone }), RangeError);
  }
  assert.throws(() => checkProgram({ ...PROGRAM, items: [{ ...ITEM, wear: 1.1 }] }), RangeError);
});
