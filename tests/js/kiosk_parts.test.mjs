import assert from "node:assert/strict";
import { test } from "node:test";

import { deviceNamed } from "capture";
import { invitationAt } from "kiosk_attract";
import { createNoiseFloor } from "noise_floor";
import { isTrimmed, movedByKey, shareAt, trimmed } from "trim";
import { catalog } from "./catalog.mjs";

const figures = { ...catalog("kiosk"), ...catalog("device") };

test("a handle lies where somebody points, by the direction of reading, and stays on its line", () => {
  const box = { left: 100, width: 400 };
  assert.equal(shareAt(200, box, "ltr"), 0.25);
  assert.equal(shareAt(200, box, "rtl"), 0.75);
  assert.equal(shareAt(0, box, "ltr"), 0);
  assert.equal(shareAt(900, box, "ltr"), 1);
});

test("keys move a handle as they move a slider", () => {
  const handle = { atMs: 1000, durationMs: 4000, stepMs: 100, direction: "ltr" };
  const to = (key, more) => movedByKey(key, { ...handle, ...more });
  assert.deepEqual([to("ArrowRight"), to("ArrowLeft"), to("ArrowUp"), to("ArrowDown")], [1100, 900, 1100, 900]);
  assert.deepEqual([to("PageUp"), to("PageDown"), to("Home"), to("End")], [2000, 0, 0, 4000]);
  assert.deepEqual([to("ArrowRight", { direction: "rtl" }), to("ArrowUp", { direction: "rtl" })], [900, 1100]);
  for (const key of [" ", "Enter", "Tab", "Escape", "m"]) assert.equal(to(key), null);
});

test("a take is trimmed as soon as anything is left out", () => {
  const whole = { startMs: 0, endMs: 4000 };
  assert.equal(isTrimmed(whole, 4000), false);
  assert.equal(isTrimmed(trimmed("start", 10, whole), 4000), true);
  assert.deepEqual(trimmed("end", 3000, whole), { startMs: 0, endMs: 3000 });
});

test("nobody is invited while somebody may be there, then everybody in turn", () => {
  const times = { attract_after_s: 20, attract_every_s: 6 };
  assert.equal(invitationAt(19_999, 7, times), null);
  assert.deepEqual([20_000, 25_999, 26_000, 62_000].map((ms) => invitationAt(ms, 7, times)), [0, 0, 1, 0]);
  assert.equal(invitationAt(60_000, 1, times), null);
});

test("the noise around a microphone is what lies between the words", () => {
  const floor = createNoiseFloor(figures);
  const hear = (rms, levels) => {
    for (let count = 0; count < levels; count += 1) floor.push({ rms, peak: rms * 2 });
    return floor.reading();
  };
  assert.equal(hear(0.001, 10), "");
  assert.equal(hear(0.001, figures.noise_levels), "noise_low");
  for (let word = 0; word < 10; word += 1) {
    hear(0.2, 8);
    hear(0.001, 2);
  }
  assert.equal(floor.reading(), "noise_low");
  assert.equal(hear(0.005, figures.noise_levels), "noise_some");
  assert.equal(hear(0.03, figures.noise_levels), "noise_high");
  floor.reset();
  assert.equal(floor.reading(), "");
});

test("a microphone that gives nothing at all is told of, and no longer once it gives something", () => {
  const floor = createNoiseFloor(figures);
  for (let count = 0; count < figures.nothing_levels; count += 1) floor.push({ rms: 0, peak: 0 });
  assert.equal(floor.reading(), "nothing_heard");
  floor.push({ rms: 0.01, peak: 0.1 });
  assert.notEqual(floor.reading(), "nothing_heard");
});

test("a microphone is found by a part of its name, among microphones alone", () => {
  const devices = [
    { kind: "audiooutput", label: "Rode NT-USB", deviceId: "out" },
    { kind: "audioinput", label: "Built-in Audio", deviceId: "1" },
    { kind: "audioinput", label: "RØDE NT-USB Mono", deviceId: "2" },
  ];
  assert.equal(deviceNamed(devices, "nt-usb"), "2");
  assert.equal(deviceNamed(devices, "gone"), undefined);
});
