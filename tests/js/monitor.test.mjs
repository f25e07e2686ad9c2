import assert from "node:assert/strict";
import { test } from "node:test";

import { howled, levelDb, peakDb } from "monitor";
import { transform } from "./monitor_spectrum.mjs";
import { catalog } from "./catalog.mjs";

const FIGURES = catalog("audio").monitor;
const RATE_HZ = 48_000;
const COUNT = 2048;

const sine = (hz, gain) => Float32Array.from({ length: COUNT }, (_, n) => gain * Math.sin((2 * Math.PI * hz * n) / RATE_HZ));
/** Vowel-like: many harmonics, none of them alone. */
const voiced = (gain) =>
  Float32Array.from({ length: COUNT }, (_, n) =>
    gain * Array.from({ length: 20 }, (__, k) => Math.sin((2 * Math.PI * 130 * (k + 1) * n) / RATE_HZ + k * k)).reduce((a, b) => a + b) / 8);
const heard = (samples) => ({ levelDb: levelDb(samples), peakDb: peakDb(transform(samples)) });

test("a full sine is 3 dB below full scale, silence is the floor", () => {
  assert.ok(Math.abs(levelDb(sine(440, 1)) + 3.01) < 0.1);
  assert.equal(levelDb(new Float32Array(64)), -120);
});

test("a howl is told by level, pitch and persistence together", () => {
  const howl = heard(sine(2600, 0.6));
  let ms = 0;
  for (let passed = 0; passed < FIGURES.guard_ms; passed += FIGURES.guard_every_ms) ms = howled(ms, howl, FIGURES.guard_every_ms, FIGURES);
  assert.ok(ms >= FIGURES.guard_ms);
});

test("a loud voice is no howl", () => {
  assert.equal(howled(300, heard(voiced(0.5)), 50, FIGURES), 0);
});

test("a quiet tone is no howl", () => {
  assert.equal(howled(300, heard(sine(2600, 0.02)), 50, FIGURES), 0);
});

test("one pause begins the count anew", () => {
  assert.equal(howled(300, heard(new Float32Array(COUNT)), 50, FIGURES), 0);
});
