import assert from "node:assert/strict";
import { test } from "node:test";
import { integratedLufs, truePeakDbtp } from "loudness";
import { concatenated, silence, sine } from "./sounds.mjs";

const about = (found, expected, within) => assert.ok(Math.abs(found - expected) < within, `${found} is not ${expected}`);

test("a full scale sine of 997 Hz in one channel is -3.01 LUFS, as the recommendation says, at any rate", () => {
  for (const rateHz of [44_100, 48_000]) about(integratedLufs(sine(997, 3, rateHz, 1), rateHz), -3.01, 0.02);
});

test("pauses are not counted", () => {
  const voice = sine(997, 3, 48_000, 0.1);
  about(integratedLufs(concatenated(silence(6, 48_000), voice, silence(6, 48_000)), 48_000), -23.01, 0.6);
});

test("a take that is shorter than a block has silence after it", () => {
  about(integratedLufs(sine(997, 0.2, 48_000, 1), 48_000), -6.02, 0.2);
});

test("silence has neither loudness nor peak", () => {
  assert.equal(integratedLufs(silence(1, 48_000), 48_000), null);
  assert.equal(truePeakDbtp(silence(1, 48_000)), null);
  assert.equal(truePeakDbtp(new Float32Array(0)), null);
});

test("a peak between two samples is found", () => {
  const between = Float32Array.from({ length: 48_000 }, (_, i) => Math.sin((Math.PI / 2) * (i + 0.5)));
  assert.ok(Math.max(...between) < 0.708);
  about(truePeakDbtp(between), 0, 0.2);
});

test("a peak at the border of two blocks is found too", () => {
  const samples = silence(1, 48_000);
  samples[16_383] = 0.5;
  samples[16_384] = 0.5;
  about(truePeakDbtp(samples), -3.9, 0.3);
});
