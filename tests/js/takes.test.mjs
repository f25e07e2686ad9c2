import assert from "node:assert/strict";
import { test } from "node:test";
import { clippedShare, cutTake, fadeEdges, isQuiet, measure, normalise, prepareTake, trimSilence } from "takes";
import { catalog } from "./catalog.mjs";
import { concatenated, silence, sine } from "./sounds.mjs";

const RATE_HZ = 8000;
const figures = catalog("audio").take;

test("silence is cut from both ends and 120 ms of it kept", () => {
  const take = concatenated(silence(1, RATE_HZ), sine(200, 2, RATE_HZ), silence(2, RATE_HZ));
  const { samples, startFrame, endFrame } = trimSilence(take, RATE_HZ, figures);
  assert.ok(Math.abs(startFrame / RATE_HZ - 0.88) < 0.002);
  assert.ok(Math.abs(endFrame / RATE_HZ - 3.12) < 0.002);
  assert.equal(samples.length, endFrame - startFrame);
});

test("silence in the middle of a take is not touched", () => {
  const take = concatenated(sine(200, 1, RATE_HZ), silence(3, RATE_HZ), sine(200, 1, RATE_HZ));
  assert.equal(trimSilence(take, RATE_HZ, figures).samples.length, take.length);
});

test("a short word keeps at least 700 ms around it", () => {
  for (const [before, after] of [[2, 2], [0, 4], [4, 0]]) {
    const take = concatenated(silence(before, RATE_HZ), sine(200, 0.05, RATE_HZ), silence(after, RATE_HZ));
    const { samples } = trimSilence(take, RATE_HZ, figures);
    assert.equal(samples.length, 0.7 * RATE_HZ);
    assert.ok(measure(samples).peak > 0.4);
  }
});

test("a take shorter than the minimum is never made longer", () => {
  const take = sine(200, 0.3, RATE_HZ);
  assert.equal(trimSilence(take, RATE_HZ, figures).samples.length, take.length);
});

test("a take below the threshold throughout stays whole", () => {
  const take = sine(200, 3, RATE_HZ, 0.01);
  assert.equal(trimSilence(take, RATE_HZ, figures).samples.length, take.length);
});

test("the threshold itself counts as sound", () => {
  const take = silence(4, RATE_HZ);
  take[2 * RATE_HZ] = figures.trim_below + 1e-6;
  assert.equal(trimSilence(take, RATE_HZ, figures).samples.length, 0.7 * RATE_HZ);
});

test("the peak is brought to 0.92", () => {
  for (const amplitude of [0.4, 1]) {
    const { peak } = measure(normalise(sine(200, 1, RATE_HZ, amplitude), figures).samples);
    assert.ok(Math.abs(peak - 0.92) < 1e-3);
  }
});

test("the gain never exceeds 3.2", () => {
  const { samples, gain } = normalise(sine(200, 1, RATE_HZ, 0.05), figures);
  assert.equal(gain, 3.2);
  assert.ok(Math.abs(measure(samples).peak - 0.16) < 1e-3);
});

test("a silent take is not amplified into noise", () => {
  assert.deepEqual(normalise(silence(1, RATE_HZ), figures).gain, 1);
});

test("fades of 16 ms begin and end at zero and leave the middle alone", () => {
  const faded = fadeEdges(new Float32Array(RATE_HZ).fill(1), RATE_HZ, figures);
  const frames = 0.016 * RATE_HZ;
  assert.equal(faded[0], 0);
  assert.equal(faded.at(-1), 0);
  assert.ok(Math.abs(faded[frames / 2] - 0.5) < 1e-6);
  assert.ok(faded.subarray(frames, faded.length - frames).every((sample) => sample === 1));
});

test("the fades of a very short take share it", () => {
  assert.deepEqual([...fadeEdges(new Float32Array(4).fill(1), RATE_HZ, figures)], [0, 0.5, 0.5, 0]);
  assert.equal(fadeEdges(new Float32Array(0), RATE_HZ, figures).length, 0);
});

test("a take is quiet only when it is long, low and without a peak", () => {
  assert.equal(isQuiet(sine(200, 2, RATE_HZ, 0.01), RATE_HZ, figures), true);
  assert.equal(isQuiet(sine(200, 1.7, RATE_HZ, 0.01), RATE_HZ, figures), false);
  assert.equal(isQuiet(sine(200, 2, RATE_HZ, 0.05), RATE_HZ, figures), false);
  const knocked = sine(200, 2, RATE_HZ, 0.01);
  knocked[100] = 0.5;
  assert.equal(isQuiet(knocked, RATE_HZ, figures), false);
});

test("a prepared take is judged raw, before it is made louder", () => {
  const raw = sine(200, 3, RATE_HZ, 0.018);
  const take = prepareTake(raw, RATE_HZ, figures);
  assert.equal(take.flaw, "quiet");
  assert.ok(Math.abs(take.peak - 0.018) < 1e-4);
  assert.ok(measure(take.samples).peak > 0.05);
});

test("a prepared take says what was cut from it", () => {
  const raw = concatenated(silence(1, RATE_HZ), sine(200, 2, RATE_HZ), silence(0.5, RATE_HZ));
  const take = prepareTake(raw, RATE_HZ, figures);
  assert.ok(Math.abs(take.trimmedStartS - 0.88) < 0.002);
  assert.ok(Math.abs(take.trimmedEndS - 0.38) < 0.002);
  assert.ok(Math.abs(take.durationMs - 2240) <= 2);
});

test("preparing leaves the raw take as it was", () => {
  const raw = sine(200, 1, RATE_HZ);
  const before = raw.slice();
  prepareTake(raw, RATE_HZ, figures);
  assert.deepEqual(raw, before);
});

test("a missing figure is an error", () => {
  assert.throws(() => prepareTake(sine(200, 1, RATE_HZ), RATE_HZ, { ...figures, fade_ms: undefined }), RangeError);
});

test("a take that stands at the most its microphone gives is clipped; one loud moment is not", () => {
  const loud = sine(200, 3, RATE_HZ, 1.4).map((sample) => Math.max(-1, Math.min(1, sample)));
  assert.ok(clippedShare(loud, figures) > 0.4);
  assert.equal(prepareTake(loud, RATE_HZ, figures).flaw, "clipped");
  assert.equal(prepareTake(sine(200, 3, RATE_HZ, 0.97), RATE_HZ, figures).flaw, "");
  const knocked = sine(200, 3, RATE_HZ, 0.3);
  knocked.fill(1, 5000, 5020);
  assert.equal(prepareTake(knocked, RATE_HZ, figures).flaw, "");
  assert.equal(clippedShare(new Float32Array(0), figures), 0);
});

test("a take without any sound is silent, and one with the faintest is not", () => {
  assert.equal(prepareTake(silence(2, RATE_HZ), RATE_HZ, figures).silent, true);
  assert.equal(prepareTake(sine(200, 2, RATE_HZ, 0.0005), RATE_HZ, figures).silent, false);
});

test("a cut leaves what lies between its handles, faded at both, and the whole as it is", () => {
  const { samples, durationMs } = prepareTake(sine(200, 3, RATE_HZ), RATE_HZ, figures);
  assert.equal(cutTake(samples, RATE_HZ, { startMs: 0, endMs: durationMs }, figures), samples);
  const part = cutTake(samples, RATE_HZ, { startMs: 500, endMs: 1500 }, figures);
  assert.equal(part.length, RATE_HZ);
  assert.equal(part[0], 0);
  assert.ok(Math.abs(part[RATE_HZ / 2] - samples[RATE_HZ]) < 1e-6);
});

test("takes of every rate from 16 to 96 kHz keep their length", () => {
  for (const rateHz of [16_000, 22_050, 44_100, 48_000, 96_000]) {
    const { samples, durationMs } = prepareTake(sine(200, 2, rateHz), rateHz, figures);
    assert.ok(Math.abs(durationMs - 2000) <= 3, rateHz);
    assert.equal(samples.length, Math.round((durationMs / 1000) * rateHz), rateHz);
  }
});
