import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { audioContext, latencyS, unlock, watchContext } from "context";
import { createScope } from "scope";
import { catalog } from "./catalog.mjs";

const figures = catalog("audio").context;
let nativeRateHz = 44100;
let made = [];

class FakeContext extends EventTarget {
  constructor({ sampleRate = nativeRateHz } = {}) {
    super();
    this.sampleRate = sampleRate;
    this.state = "suspended";
    made.push(this);
  }

  close() {
    this.state = "closed";
    return Promise.resolve();
  }

  resume() {
    this.become("running");
    return Promise.resolve();
  }

  become(state) {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

beforeEach(() => {
  nativeRateHz = 44100;
  made = [];
  globalThis.AudioContext = FakeContext;
});

afterEach(() => {
  for (const context of made) context.state = "closed"; // the next test begins with a page of its own
});

test("a page has one context", () => {
  assert.equal(audioContext(figures), audioContext());
  assert.equal(made.length, 1);
});

test("a first call without figures is an error", () => {
  assert.throws(() => audioContext(), RangeError);
});

test("a context that was closed is replaced", () => {
  const first = audioContext(figures);
  first.close();
  assert.notEqual(audioContext(figures), first);
});

test("the hardware's own rate is kept up to 48 kHz", () => {
  assert.equal(audioContext(figures).sampleRate, 44100);
});

test("a higher rate is brought down to 48 kHz, and the first context closed", () => {
  nativeRateHz = 192000;
  assert.equal(audioContext(figures).sampleRate, 48000);
  assert.equal(made[0].state, "closed");
});

test("unlocking resumes and says so", async () => {
  assert.equal(await unlock(audioContext(figures), figures), true);
});

test("unlocking gives up on a browser that blocks", async () => {
  const context = audioContext(figures);
  context.resume = () => new Promise(() => {});
  assert.equal(await unlock(context, { ...figures, unlock_wait_ms: 5 }), false);
});

test("changes of state are told until the scope ends", () => {
  const scope = createScope();
  const context = audioContext(figures);
  const states = [];
  watchContext(context, (state) => states.push(state), scope);
  context.become("running");
  scope.dispose();
  context.become("suspended");
  assert.deepEqual(states, ["suspended", "running"]);
});

test("latency is what the browser knows of it", () => {
  assert.equal(latencyS({ baseLatency: 0.01, outputLatency: 0.02 }), 0.03);
  assert.equal(latencyS({}), 0);
});
