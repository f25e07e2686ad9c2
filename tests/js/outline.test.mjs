import assert from "node:assert/strict";
import { test } from "node:test";
import { createLiveOutline, outline, POINTS } from "outline";
import { catalog } from "./catalog.mjs";
import { concatenated, silence, sine } from "./sounds.mjs";

const RATE_HZ = 48000;
const figures = catalog("audio").take;

/** Where a frequency lies between 100 Hz and 8 kHz, in octaves. */
const placeOf = (hz) => Math.log2(hz / 100) / Math.log2(80);

test("an outline has 64 points between 0 and 1 with three decimals", () => {
  const points = outline(sine(440, 3.3, RATE_HZ), RATE_HZ);
  assert.equal(points.length, POINTS);
  for (const value of points.flat()) {
    assert.ok(value >= 0 && value <= 1);
    assert.equal(value, Math.round(value * 1000) / 1000);
  }
});

test("the loudest slice is 1 and half as loud is a half", () => {
  const points = outline(concatenated(sine(440, 1, RATE_HZ, 0.2), sine(440, 1, RATE_HZ, 0.4)), RATE_HZ);
  assert.ok(Math.abs(points[5][0] - 0.5) < 0.01);
  assert.ok(Math.abs(points[60][0] - 1) < 0.01);
});

test("the centroid of a tone lies where its frequency does", () => {
  for (const hz of [300, 1000, 4000]) {
    const points = outline(sine(hz, 2, RATE_HZ), RATE_HZ);
    assert.ok(Math.abs(points[30][1] - placeOf(hz)) < 0.02, `${hz} Hz`);
  }
});

test("a constant offset does not pull the centroid down", () => {
  const shifted = sine(1000, 2, RATE_HZ, 0.2).map((sample) => sample + 0.2);
  assert.ok(Math.abs(outline(shifted, RATE_HZ)[30][1] - placeOf(1000)) < 0.02);
});

test("silence, and nothing at all, are zeros", () => {
  const zeros = Array.from({ length: POINTS }, () => [0, 0]);
  assert.deepEqual(outline(silence(1, RATE_HZ), RATE_HZ), zeros);
  assert.deepEqual(outline(new Float32Array(0), RATE_HZ), zeros);
});

test("a take of fewer samples than points still has them all", () => {
  const points = outline(sine(1000, 10 / RATE_HZ, RATE_HZ), RATE_HZ);
  assert.equal(points.length, POINTS);
  assert.ok(points.flat().every(Number.isFinite));
});

test("two minutes take well under a second", () => {
  const take = sine(440, 120, RATE_HZ);
  const started = performance.now();
  outline(take, RATE_HZ);
  assert.ok(performance.now() - started < 1000);
});

function pushed(live, samples, chunkFrames = 4800) {
  for (let i = 0; i < samples.length; i += chunkFrames) live.push(samples.subarray(i, i + chunkFrames));
  return live.points();
}

test("a live outline grows with what is spoken and never exceeds 64 points", () => {
  const live = createLiveOutline({ sampleRateHz: RATE_HZ, keep: "all", figures });
  assert.deepEqual(live.points(), []);
  assert.equal(pushed(live, sine(440, 0.5, RATE_HZ)).length, 10);
  assert.ok(pushed(live, sine(440, 30, RATE_HZ)).length <= POINTS);
});

test("a live outline of a whole take keeps its loud and its soft half apart", () => {
  const live = createLiveOutline({ sampleRateHz: RATE_HZ, keep: "all", figures });
  const points = pushed(live, concatenated(sine(440, 8, RATE_HZ, 0.1), sine(1760, 8, RATE_HZ, 0.4)));
  const [first, last] = [points[2], points.at(-3)];
  assert.ok(Math.abs(first[0] - 0.25) < 0.02 && Math.abs(last[0] - 1) < 0.02);
  assert.ok(Math.abs(first[1] - placeOf(440)) < 0.03 && Math.abs(last[1] - placeOf(1760)) < 0.03);
});

test("a recent outline forgets what has passed", () => {
  const live = createLiveOutline({ sampleRateHz: RATE_HZ, keep: "recent", figures });
  pushed(live, sine(440, 1, RATE_HZ, 0.9));
  const points = pushed(live, silence(4, RATE_HZ));
  assert.equal(points.length, POINTS);
  assert.ok(points.every(([level, centroid]) => level === 0 && centroid === 0));
});

test("the noise of an empty room does not draw a full line", () => {
  const live = createLiveOutline({ sampleRateHz: RATE_HZ, keep: "recent", figures });
  assert.ok(pushed(live, sine(440, 1, RATE_HZ, 0.002)).every(([level]) => level < 0.1));
});

test("however a take is cut into chunks, its live outline is the same", () => {
  const take = sine(700, 3, RATE_HZ);
  const live = (chunk) => pushed(createLiveOutline({ sampleRateHz: RATE_HZ, keep: "all", figures }), take, chunk);
  assert.deepEqual(live(128), live(4801));
});
