import assert from "node:assert/strict";
import { test } from "node:test";

import { chance, figure, liveTrace, restingTrace, seedOf, tracePath } from "../../assets/js/trace.js";
import { catalog } from "./catalog.mjs";

const figures = catalog("trace");
const speech = Array.from({ length: figures.points }, (_, at) => [
  Math.round(Math.abs(Math.sin(at / 4)) * 1000) / 1000,
  0.3 + 0.5 * Math.abs(Math.sin(at / 7)),
]);
const box = { width: 1200, height: 160, wear: 0, seed: 7, figures };

/** The points a path passes through, absolute. */
function walk(d) {
  const passed = [];
  let x = 0;
  let y = 0;
  for (const [, command, body] of d.matchAll(/([Ms])([^Ms]*)/g)) {
    const numbers = body.match(/-?\d+(\.\d+)?/g).map(Number);
    if (command === "M") [x, y] = numbers;
    else [x, y] = [x + numbers[2], y + numbers[3]];
    passed.push({ x, y, lifted: command === "M" });
  }
  return passed;
}

const reach = (passed) => Math.max(...passed.map((point) => Math.abs(point.y - box.height / 2)));
const runs = (d) => d.match(/M/g).length;

test("the same voice is drawn alike every time, and another seed draws it otherwise", () => {
  assert.deepEqual(tracePath(speech, box), tracePath(speech, box));
  assert.notEqual(tracePath(speech, box).d, tracePath(speech, { ...box, seed: 8 }).d);
});

test("a trace stays inside its box and runs from its start to its end", () => {
  for (const wear of [0, 0.3, 1]) {
    const passed = walk(tracePath(speech, { ...box, wear }).d);
    for (const { x, y } of passed) {
      assert.ok(x >= 0 && x <= box.width + 0.2, `x ${x}`);
      assert.ok(y >= 0 && y <= box.height, `y ${y}`);
    }
    assert.ok(Math.abs(passed.at(-1).x - box.width) < 0.2);
  }
});

test("a fresh trace is one clean stroke", () => {
  const trace = tracePath(speech, box);
  assert.equal(runs(trace.d), 1);
  assert.equal(trace.dash, undefined);
  assert.equal(trace.opacity, 1);
});

test("wear thins, fades and breaks the line more and more, and leaves it readable", () => {
  const worn = [0, 0.25, 0.5, 0.75, 1].map((wear) => tracePath(speech, { ...box, wear }));
  for (let at = 1; at < worn.length; at += 1) {
    assert.ok(worn[at].strokeWidth < worn[at - 1].strokeWidth);
    assert.ok(worn[at].opacity < worn[at - 1].opacity);
    assert.ok(runs(worn[at].d) >= runs(worn[at - 1].d));
    assert.ok(worn[at].dash.split(" ").length === 2 * figures.wear.dash_count);
  }
  assert.ok(runs(worn[4].d) > 5);
  assert.ok(worn[4].opacity >= 0.5);
  assert.ok(reach(walk(worn[4].d)) > 0.5 * reach(walk(worn[0].d)));
});

test("silence is a line that barely trembles", () => {
  const { d } = restingTrace({ width: 600, height: box.height, seed: 1, figures });
  assert.ok(reach(walk(d)) <= figures.tremor_px * 1.5);
});

test("a louder voice draws higher, a brighter one finer", () => {
  const even = (level, centroid) => Array.from({ length: figures.points }, () => [level, centroid]);
  const low = walk(tracePath(even(0.2, 0.4), box).d);
  const high = walk(tracePath(even(0.9, 0.4), box).d);
  assert.ok(reach(high) > 2 * reach(low));
  assert.ok(walk(tracePath(even(0.5, 0.9), box).d).length > 1.5 * walk(tracePath(even(0.5, 0.2), box).d).length);
});

test("a small mark has fewer strokes, never finer than the eye can part", () => {
  const mark = walk(tracePath(speech, { ...box, width: 48, height: 20 }).d);
  assert.ok(mark.length <= 48 / (figures.wave_fine_px / 2));
});

test("a path is short enough to be sent around, at any width", () => {
  const busy = Array.from({ length: figures.points }, () => [1, 1]);
  for (const width of [320, 1280, 3840]) {
    assert.ok(tracePath(busy, { ...box, width, height: 340 }).d.length < 12_000);
  }
});

test("numbers carry one decimal at most", () => {
  assert.doesNotMatch(tracePath(speech, box).d, /\.\d{2}|NaN|Infinity|e-/);
});

test("a growing trace keeps what it has drawn, but for its two newest slices", () => {
  const options = { width: 640, height: 100, seed: 3, figures, capacity: 64, grow: true };
  const settled = 10 * 28;
  const before = walk(liveTrace(speech.slice(0, 30), options).d).filter((point) => point.x < settled);
  const after = walk(liveTrace(speech.slice(0, 40), options).d).filter((point) => point.x < settled);
  assert.deepEqual(before, after);
});

test("a scrolling trace carries its shape along", () => {
  const options = { width: 640, height: 100, seed: 3, figures, capacity: 32, grow: false };
  const before = walk(liveTrace(speech.slice(0, 40), options).d);
  const after = walk(liveTrace(speech.slice(0, 41), options).d);
  for (const { x, y } of before.filter((point) => point.x > 60 && point.x < 600)) {
    assert.ok(after.some((point) => Math.abs(point.x + 20 - x) < 0.25 && Math.abs(point.y - y) < 0.25), `${x} ${y}`);
  }
});

test("a scrolling trace does not care how many points its caller has let go of", () => {
  const options = { width: 640, height: 100, seed: 3, figures, capacity: 32, grow: false };
  const whole = liveTrace(speech.slice(0, 50), options);
  assert.deepEqual(liveTrace(speech.slice(18, 50), { ...options, first: 18 }), whole);
});

test("the pen of a live trace stands at its newest point", () => {
  const options = { width: 640, height: 100, seed: 3, figures, capacity: 64 };
  assert.deepEqual(liveTrace(speech.slice(0, 16), { ...options, grow: true }).head, { x: 160, y: 50 });
  assert.deepEqual(liveTrace(speech.slice(0, 16), { ...options, grow: false }).head, { x: 640, y: 50 });
});

test("no points yet draw a line of no length", () => {
  assert.doesNotMatch(liveTrace([], { width: 640, height: 100, seed: 3, figures, capacity: 64, grow: true }).d, /NaN/);
});

test("a missing figure is named, not guessed", () => {
  assert.throws(() => tracePath(speech, { ...box, figures: {} }), /trace figure missing: slice_least_px/);
  assert.equal(figure({ nought: 0 }, "nought"), 0);
});

test("seeds and chances spread evenly", () => {
  const draws = Array.from({ length: 4000 }, (_, at) => chance(seedOf(at % 40), at, at % 9));
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  assert.ok(Math.abs(mean - 0.5) < 0.03, `mean ${mean}`);
  assert.equal(new Set(Array.from({ length: 1000 }, (_, id) => seedOf(id))).size, 1000);
});
