import assert from "node:assert/strict";
import { test } from "node:test";
import { createScope } from "scope";
import { createLapse, createWake, lapsedS, remedyFor, retryDelayS } from "wake";
import { catalog } from "./catalog.mjs";

const { wake: figures } = catalog("audio");

test("a lapse is what passed on the wall and not in the sound, whichever way the wall clock was put", () => {
  const before = { wallMs: 1000, clockS: 5 };
  assert.equal(lapsedS(before, { wallMs: 3000, clockS: 7 }), 0);
  assert.equal(lapsedS(before, { wallMs: 3_601_000, clockS: 5.5 }), 3599.5);
  assert.equal(lapsedS({ wallMs: 7_200_000, clockS: 5 }, { wallMs: 0, clockS: 6 }), 7199);
});

test("a lapse is told once, when the sound goes on", () => {
  const context = { currentTime: 1 };
  let wallMs = 0;
  const lapse = createLapse({ context, now: () => wallMs });
  wallMs = 3_600_000;
  assert.equal(lapse.lookS(), 0);
  context.currentTime = 1.1;
  assert.ok(lapse.lookS() > 3599);
  context.currentTime = 1.2;
  wallMs += 100;
  assert.ok(Math.abs(lapse.lookS()) < 1e-9);
});

test("sound that is wanted is brought back, sound that is not is left alone", () => {
  const found = { state: "suspended", wanted: true, stillS: 0 };
  assert.equal(remedyFor(found, figures), "resume");
  assert.equal(remedyFor({ ...found, state: "interrupted" }, figures), "resume");
  assert.equal(remedyFor({ ...found, wanted: false }, figures), "none");
  assert.equal(remedyFor({ ...found, state: "closed" }, figures), "none");
});

test("a clock that claims to run and stands still is started anew", () => {
  const found = { state: "running", wanted: true, stillS: figures.stalled_s };
  assert.equal(remedyFor(found, figures), "restart");
  assert.equal(remedyFor({ ...found, stillS: figures.stalled_s - 0.1 }, figures), "none");
});

test("the waits grow, and end at the longest", () => {
  assert.deepEqual([1, 2, 3, 20].map((attempt) => retryDelayS(attempt, figures)), [1, 2, 4, 30]);
});

/** A page with a context that somebody else stops. */
function page(t) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const context = Object.assign(new EventTarget(), { state: "running", currentTime: 0, calls: [] });
  for (const name of ["suspend", "resume"]) context[name] = async () => { context.calls.push(name); };
  const own = { ms: 0, wanted: true, context, window: new EventTarget(), document: new EventTarget(), scope: createScope() };
  createWake({
    context, figures, wanted: () => own.wanted, elapsed: () => own.ms, scope: own.scope, environment: own,
  });
  own.later = async (seconds, moves = false) => {
    for (let left = (seconds * 1000) / figures.look_ms; left > 0; left -= 1) {
      own.ms += figures.look_ms;
      if (moves) context.currentTime += 1;
      t.mock.timers.tick(figures.look_ms);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return own;
}

test("a stopped context is resumed, less and less often", async (t) => {
  const own = page(t);
  own.context.state = "suspended";
  await own.later(1);
  assert.deepEqual(own.context.calls, ["resume"]);
  await own.later(120);
  assert.ok(own.context.calls.length >= 5 && own.context.calls.length <= 9, `${own.context.calls.length}`);
});

test("a page that comes back, or a network, does not wait for the next turn", async (t) => {
  const own = page(t);
  own.context.state = "interrupted";
  await own.later(60);
  for (const [target, type] of [["document", "visibilitychange"], ["window", "pageshow"], ["window", "online"]]) {
    own.context.calls.length = 0;
    own[target].dispatchEvent(new Event(type));
    assert.deepEqual(own.context.calls, ["resume"], type);
  }
});

test("what a person paused stays paused", async (t) => {
  const own = page(t);
  own.wanted = false;
  own.context.state = "suspended";
  await own.later(60);
  own.window.dispatchEvent(new Event("pageshow"));
  assert.deepEqual(own.context.calls, []);
});

test("a clock that stands still is stopped and started, one that moves is let be", async (t) => {
  const own = page(t);
  await own.later(30, true);
  assert.deepEqual(own.context.calls, []);
  await own.later(figures.stalled_s + 1);
  assert.deepEqual(own.context.calls, ["suspend", "resume"]);
});

test("a refusal to resume is no fault, and nothing is done after the page is gone", async (t) => {
  const own = page(t);
  own.context.resume = async () => { throw Object.assign(new Error("no gesture"), { name: "NotAllowedError" }); };
  own.context.state = "suspended";
  await own.later(3);
  own.scope.dispose();
  own.context.resume = async () => { own.context.calls.push("late"); };
  await own.later(60);
  assert.deepEqual(own.context.calls, []);
});
