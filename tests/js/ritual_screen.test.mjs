import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { capturedLine, wholeLine } from "kiosk_line";
import { DOORS, ENDS, ERRORS, FLAWS, MODES, NOTICES, OUTCOMES, STAGES, initialState } from "ritual";
import {
  clockTime, codeGroups, colourChoices, consentWords, dayWords, meterHeight, printing, promptFor, readAloud, screenOf, sentence, span, toldWait,
} from "ritual_screen";
import { catalog } from "./catalog.mjs";

const figures = { trace: catalog("trace"), kiosk: catalog("kiosk"), take: catalog("audio").take };
const copy = kioskCopy();
const colours = catalogColours();
const first = initialState({
  figures: { ...figures.kiosk, countdown_s: figures.take.preroll_s },
  colours: colours.map(({ code }) => code),
  languages: ["en"],
  policy: { blocked: "", maxRecordingMs: 120_000, language: "en", topics: [], prints: false },
  nowMs: 0,
});
const take = { durationMs: 4000, flaw: "", key: "k" };

/** The memory colours there are, by their codes alone. */
function catalogColours() {
  const text = readFileSync(new URL("../../assets/catalogs/colours.toml", import.meta.url), "utf8");
  return [...text.matchAll(/^code = "(\w+)"$/gm)].map(([, code]) => ({ code }));
}

/** The section of the copy this surface reads: flat, one sentence a line. */
function kioskCopy() {
  const text = readFileSync(new URL("../../assets/copy/en.toml", import.meta.url), "utf8");
  const section = text.split(/^\[kiosk\]$/m)[1].split(/^\[/m)[0];
  return Object.fromEntries([...section.matchAll(/^(\w+) = (".*")$/gm)].map(([, key, value]) => [key, JSON.parse(value)]));
}

/** One state for everything the kiosk can show. */
function everyState() {
  const state = (more) => ({ ...first, ...more });
  return [
    ...["idle", "arming", "armed", "countdown", "recording", "submitting"].map((stage) => state({ stage, take })),
    ...DOORS.map((blocked) => state({ policy: { ...first.policy, blocked } })),
    state({ stage: "recording", stopping: true }),
    state({ stage: "submitting", playingOnce: true }),
    ...FLAWS.map((flaw) => state({ stage: "review", take: { ...take, flaw } })),
    ...ENDS.map((ended) => state({ stage: "review", take, ended })),
    ...["armed", "review"].map((stage) => state({ stage, take, sounding: "reading" })),
    ...["arming", "armed"].map((stage) => state({ stage, nowMs: 50_000 })),
    ...[false, true].map((listening) => state({ stage: "review", take, listening })),
    ...MODES.map((mode) => state({ stage: "review", take, mode })),
    ...NOTICES.flatMap((kind) => [0, 40].map((waitS) => state({ stage: "review", take, mode: "ROOM", notice: { kind, waitS } }))),
    state({ stage: "review", take, nowMs: 80_000 }),
    state({ stage: "idle", language: "en", nowMs: 50_000 }),
    ...OUTCOMES.map((outcome) => state({ stage: "complete", outcome })),
    ...ERRORS.map((error) => state({ stage: "error", error })),
  ];
}

test("every screen has its sentences and its verbs", () => {
  const shown = everyState();
  assert.deepEqual(new Set(shown.map(({ stage }) => stage)), new Set(STAGES));
  for (const state of shown) {
    const { heading, lead, primary, secondary, counted } = screenOf(state);
    const actions = [primary, ...secondary].filter(Boolean);
    for (const key of [heading, lead, ...actions.map(({ label }) => label), counted].filter(Boolean)) {
      assert.ok(copy[key], `${state.stage}: ${key}`);
    }
  }
});

test("every screen but the closed kiosk offers a way on or out, and none offers one twice", () => {
  for (const state of everyState()) {
    const { primary, secondary } = screenOf(state);
    const labels = [primary, ...secondary].filter(Boolean).map(({ label }) => label);
    assert.ok(labels.length > 0 || state.policy.blocked, state.stage);
    assert.equal(new Set(labels).size, labels.length);
  }
});

test("in review the primary action listens, then carries the verb of the mode, then sends again", () => {
  const label = (more) => screenOf({ ...first, stage: "review", take, ...more }).primary.label;
  assert.equal(label({}), "listen");
  assert.deepEqual(MODES.map((mode) => label({ mode })), ["verb_room", "verb_fossil", "verb_nosave"]);
  assert.equal(label({ mode: "ROOM", notice: { kind: "away", waitS: 0 } }), "send_again");
});

test("the review is counted only in its last third", () => {
  const counted = (seconds) => screenOf({ ...first, stage: "review", take, nowMs: seconds * 1000 }).counted;
  assert.equal(counted(59), "");
  assert.equal(counted(60), "review_counted");
});

test("a language somebody chose and left is counted before it goes", () => {
  const counted = (seconds, more) => screenOf({ ...first, nowMs: seconds * 1000, ...more }).counted;
  assert.equal(counted(59, {}), "");
  assert.equal(counted(10, { language: "en" }), "");
  assert.equal(counted(31, { language: "en" }), "language_returns");
});

test("a receipt that is printed by itself is said to be, until it is time to count", () => {
  const said = (seconds, more) => printing({
    ...first, stage: "complete", outcome: "kept", policy: { ...first.policy, prints: true }, nowMs: seconds * 1000, ...more,
  });
  assert.deepEqual([0, 59, 60].map((seconds) => said(seconds)), [true, true, false]);
  assert.equal(said(0, { policy: first.policy }), false);
  assert.equal(said(0, { stage: "idle", outcome: "" }), false);
});

test("a sentence names what it misses", () => {
  assert.equal(sentence({ a: "{n} of {m}" }, "a", { n: 0, m: 3 }), "0 of 3");
  assert.throws(() => sentence({}, "a", {}), /a is missing/);
  assert.throws(() => sentence({ a: "{n}" }, "a", {}), /wants \{n\}/);
});

test("codes stand in their own groups, or in fours", () => {
  assert.deepEqual(codeGroups("ABCDE-FGHJK-MNPQ2"), ["ABCDE", "FGHJK", "MNPQ2"]);
  assert.deepEqual(codeGroups("ABCDEFGHJ"), ["ABCD", "EFGH", "J"]);
});

test("times are told as one would say them", () => {
  assert.deepEqual([0, 59.9, 60, 125].map(clockTime), ["0:00", "0:59", "1:00", "2:05"]);
  assert.deepEqual([30, 60, 90, 120].map((seconds) => span("en-GB", seconds)), [
    "30 seconds", "60 seconds", "90 seconds", "2 minutes",
  ]);
  assert.deepEqual(["de-DE", "ja-JP", "ar"].map((locale) => span(locale, 120)), ["2 Minuten", "2 分", "دقيقتان"]);
  assert.deepEqual([12.2, 90, 91, 3590].map(toldWait), [13, 90, 120, 3600]);
});

test("the meter rests at the floor, is full at the ceiling, and never falls as the voice rises", () => {
  const heights = [0, 0.002, 0.01, 0.05, 0.2, 1].map((rms) => meterHeight(rms, figures.kiosk));
  assert.equal(heights[0], 0);
  assert.equal(heights.at(-1), 1);
  assert.deepEqual(heights, heights.toSorted((a, b) => a - b));
});

test("the line grows point by point, then runs out behind without forgetting where it was", () => {
  let levels = { points: [], gathered: [], left: 0 };
  const box = { width: 350, height: 100, seed: 1, figures, points: null };
  assert.ok(wholeLine({ ...box, levels }).d);
  for (let i = 0; i < 1100; i += 1) {
    levels = capturedLine({ ...levels, gathered: [{ rms: 0.01, centroid: 0.2 }, { rms: 0.1, centroid: 0.4 }] }, figures.kiosk);
    if (i === 9) assert.equal(wholeLine({ ...box, levels }).head.x, 10 * 7);
  }
  assert.equal(levels.points.length + levels.left, 1100);
  assert.deepEqual(levels.points[0], [meterHeight(0.1, figures.kiosk), 0.4]);
  assert.equal(wholeLine({ ...box, levels }).head.x, 350);
});

test("prompts take turns from one participant to the next", () => {
  assert.deepEqual([1, 2, 3, 4].map((run) => promptFor(["a", "b", "c"], run)), ["b", "c", "a", "b"]);
});

test("without prompts there is none", () => {
  assert.equal(promptFor([], 3), "");
});

test("a take may be heard as it was spoken, or in any colour of the catalog, in its order", () => {
  const choices = colourChoices(copy, colours);
  assert.deepEqual(choices.map(({ code }) => code), ["", ...colours.map(({ code }) => code)]);
  assert.equal(choices[0].words, copy.as_spoken);
  for (const { code, words } of choices.slice(1)) assert.equal(words, copy[`colour_${code}`]);
});

test("a colour that nobody has put into words goes by its code", () => {
  const choices = colourChoices(copy, [...colours, { code: "shellac" }]);
  assert.equal(choices.length, colours.length + 2);
  assert.deepEqual(choices.at(-1), { code: "shellac", words: "shellac" });
});

const notice = {
  version: "3", between: " ", spans: { room_span: "48 hours", fossil_span: "2 days" }, backup: "Gone by {copies_until}.", day: "{day} {month} {year}", zone: "Europe/Berlin",
  months: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
  modes: {
    ROOM: { name: "Room", promise: "For {room_span}." },
    FOSSIL: { name: "Fossil", promise: "For {fossil_span}, until day {fossil_days}." },
    NOSAVE: { name: "Once", promise: "In no backup." },
  },
};
const promise = { room_hours: 48, fossil_hours: 48, fossil_days: 365, backup_days: 7 };

test("consent is asked for in the words of the notice, with the day on which the last copy of that mode is gone", () => {
  const words = (mode, more) => consentWords(notice, mode, { ...promise, ...more }, new Date("2026-03-01T12:00:00Z"));
  assert.deepEqual(words("ROOM"), { name: "Room", promise: "For 48 hours. Gone by 10 March 2026." });
  assert.equal(words("FOSSIL").promise, "For 2 days, until day 365. Gone by 8 March 2027.");
  assert.equal(words("NOSAVE").promise, "In no backup.");
  assert.equal(words("ROOM", { backup_days: 0 }).promise, "For 48 hours.");
});

test("a day is the day of the place, whatever the browser thinks", () => {
  assert.equal(dayWords(new Date("2026-03-01T23:30:00Z"), notice), "2 March 2026");
  assert.equal(dayWords(new Date("2026-03-01T23:30:00Z"), { ...notice, zone: "America/Lima" }), "1 March 2026");
  assert.equal(dayWords(new Date("2026-03-01T12:00:00Z"), { ...notice, day: "{year}年{number}月{day}日" }), "2026年3月1日");
});

test("only a receipt can be printed and read", () => {
  const offered = (outcome) => screenOf({ ...first, stage: "complete", outcome }).secondary.map(({ event }) => event);
  assert.deepEqual(OUTCOMES.map(offered), [["read", "print"], [], [], []]);
});

test("what stands on a screen is read in its order: the question, the choices with their copies, the code twice", () => {
  const armed = { ...first, stage: "armed" };
  assert.deepEqual(readAloud(armed, { prompt: "prompt", backups: true }), ["prompt"]);
  assert.deepEqual(readAloud(armed, { prompt: "", backups: true }), []);
  const review = { ...first, stage: "review", take };
  assert.deepEqual(readAloud(review, { prompt: "", backups: true }), ["room", "backup", null, "fossil", "backup", null, "nosave"]);
  assert.deepEqual(readAloud(review, { prompt: "", backups: false }), ["room", null, "fossil", null, "nosave"]);
  const complete = { ...first, stage: "complete", receipt: { revocation_token: "AB2-9Z" } };
  const said = [null, "sign-a", "sign-b", "sign-2", null, "sign-9", "sign-z"];
  assert.deepEqual(readAloud(complete, { prompt: "", backups: true }), ["code", ...said, null, ...said, null, "keep"]);
  assert.deepEqual(readAloud({ ...first, stage: "recording" }, { prompt: "prompt", backups: true }), []);
});
