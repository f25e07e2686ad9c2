import assert from "node:assert/strict";
import { test } from "node:test";
import { createAcknowledger } from "acks";
import { findColour } from "colours";
import { rampValue } from "envelope";
import { magnitudes } from "fft";
import { figure } from "figures";
import { qInDb } from "filters";
import { brownLoop, createNoise, noiseImpulse, seedOf } from "noise";
import { createScope } from "scope";
import { encodeWav, pcmOf } from "wav";
import { wearFigures } from "wear_chain";
import { catalog } from "./catalog.mjs";
import { sine } from "./sounds.mjs";

const audio = catalog("audio");

test("the same seed is the same noise, another seed is not", () => {
  const draw = (seed) => Array.from({ length: 50 }, createNoise(seed));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test("noise is centred and fills -1 to 1", () => {
  const noise = Array.from({ length: 20_000 }, createNoise(3));
  assert.ok(Math.abs(noise.reduce((sum, value) => sum + value, 0) / noise.length) < 0.02);
  assert.ok(Math.min(...noise) >= -1 && Math.max(...noise) < 1 && Math.max(...noise) > 0.99);
});

test("a take's seed depends on every sample and on nothing else", () => {
  const take = sine(440, 0.1, 8000);
  const changed = take.slice();
  changed[400] += 0.001;
  const seed = (samples, rateHz = 8000) => seedOf(pcmOf(encodeWav(samples, rateHz)));
  assert.equal(seed(take), seed(take.slice()));
  assert.equal(seed(take), seed(take, 48_000));
  assert.notEqual(seed(take), seed(changed));
});

test("brown noise repeats without a seam", () => {
  const loop = brownLoop(48_000, 5);
  let largest = 0;
  for (let i = 1; i < loop.length; i += 1) largest = Math.max(largest, Math.abs(loop[i] - loop[i - 1]));
  assert.ok(Math.abs(loop[0] - loop.at(-1)) <= largest);
  assert.ok(Math.abs(Math.max(...loop.map(Math.abs)) - 1) < 1e-6);
});

test("an impulse dies away to nothing", () => {
  const impulse = noiseImpulse(10_000, 3.2, 1);
  const energy = (part) => part.reduce((sum, value) => sum + value * value, 0);
  assert.ok(energy(impulse.subarray(0, 2000)) > 20 * energy(impulse.subarray(5000)));
});

test("a tone's spectrum peaks in its own bin", () => {
  const spectrum = magnitudes(sine(3000, 0.1, 48_000), 0, 4800);
  assert.equal(spectrum.indexOf(Math.max(...spectrum)), 64);
});

test("Q is told to Web Audio in decibels", () => {
  assert.equal(qInDb(1), 0);
  assert.ok(Math.abs(qInDb(0.6) + 4.437) < 0.001);
});

test("a ramp is known in its middle and at both ends", () => {
  const ramp = { from: 0, to: 2, startS: 10, endS: 12 };
  assert.deepEqual([9, 10, 11, 12, 13].map((at) => rampValue(ramp, at)), [0, 0, 1, 2, 2]);
});

test("wear is untouched at 0 and as the catalog says at 1", () => {
  assert.equal(wearFigures(0, audio.wear).bypassed, true);
  const worn = wearFigures(1, audio.wear);
  assert.deepEqual([worn.lowpassHz, worn.shelfDb, worn.bits, worn.holdSamples], [4500, -10, 12, 3]);
  assert.deepEqual([worn.noise, worn.dropoutsPerSample, worn.lfoHz, worn.lfoDepthHz], [0.004, 0.003, 0.12, 180]);
});

test("half worn is half of the way, a quarter is less than a quarter", () => {
  assert.equal(wearFigures(0.5, audio.wear).shelfDb, -5);
  assert.ok(wearFigures(0.25, audio.wear).shelfDb > -2.5);
});

test("a wear that cannot be is refused", () => {
  for (const wear of [-0.1, 1.1, NaN, undefined]) assert.throws(() => wearFigures(wear, audio.wear), RangeError);
});

test("no code is dry, an unknown code is an error", () => {
  const colours = [{ code: "clear" }];
  assert.deepEqual(["", null, undefined].map((code) => findColour(colours, code)), [null, null, null]);
  assert.equal(findColour(colours, "clear"), colours[0]);
  assert.throws(() => findColour(colours, "mauve"), RangeError);
});

test("a figure of 0 is a figure, a missing one is an error", () => {
  assert.equal(figure({ gain: 0 }, "gain"), 0);
  for (const section of [{}, undefined, { gain: "1" }, { gain: NaN }]) {
    assert.throws(() => figure(section, "gain"), RangeError);
  }
});

/** Lets promises settle between ticks of a mocked clock. */
async function elapse(t, seconds) {
  for (let i = 0; i < seconds; i += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(1000);
  }
  await new Promise((resolve) => setImmediate(resolve));
}

function acknowledging(t, answers) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const scope = createScope();
  const post = t.mock.fn(async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 0) throw new TypeError("Failed to fetch");
    return { status: answer };
  });
  createAcknowledger({ post, now: () => Date.now(), figures: audio.program, scope })("/heard");
  return { post, scope };
}

test("an acknowledgement is repeated until the server has it", async (t) => {
  const { post } = acknowledging(t, [0, 503, 429, 200]);
  await elapse(t, 60);
  assert.equal(post.mock.callCount(), 4);
});

test("a grant that the server does not know is not asked about again", async (t) => {
  const { post } = acknowledging(t, [404]);
  await elapse(t, 60);
  assert.equal(post.mock.callCount(), 1);
});

test("retries end when the grant has run out", async (t) => {
  const { post } = acknowledging(t, [0]);
  await elapse(t, 900);
  const tried = post.mock.callCount();
  assert.ok(tried > 10 && tried < 30);
  await elapse(t, 300);
  assert.equal(post.mock.callCount(), tried);
});

test("retries end with the page", async (t) => {
  const { post, scope } = acknowledging(t, [503]);
  await elapse(t, 2);
  scope.dispose();
  const tried = post.mock.callCount();
  await elapse(t, 60);
  assert.equal(post.mock.callCount(), tried);
});
