import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createDevice, deviceId, roomActivity, settle } from "device";
import { createScope } from "scope";
import { catalog } from "./catalog.mjs";

const figures = catalog("device");
const waits = { resting: 8000, blocked: 2000 };

let scope = createScope();
afterEach(() => {
  scope.dispose();
  scope = createScope();
});

function memory() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

function refusing() {
  const refuse = () => {
    throw Object.assign(new Error("not here"), { name: "SecurityError" });
  };
  return { getItem: refuse, setItem: refuse };
}

/** A device on a clock of its own; `at` moves it, in seconds. */
function device(facts = {}) {
  const page = {
    ms: 0, said: [],
    facts: {
      activity: "resting", audio: "running", sound_ago_s: null, microphone: "", permission: "unknown",
      microphone_silent: false, page_version: "abc", visible: true, ...facts,
    },
  };
  page.device = createDevice({
    surface: "room", storage: memory(), now: () => 1e12 + page.ms, elapsed: () => page.ms, scope,
    figures: { ...figures, look_ms: 1e9 }, emit: (report) => page.said.push(report), read: () => page.facts,
  });
  page.at = (seconds, change = {}) => {
    page.ms = seconds * 1000;
    Object.assign(page.facts, change);
    page.device.look();
    return page.said.at(-1);
  };
  return page;
}

test("an id survives a reload", () => {
  const storage = memory();
  const id = deviceId(storage, "kiosk");
  assert.match(id, /^[0-9a-f]{24}$/);
  assert.equal(deviceId(storage, "kiosk"), id);
});

test("a kiosk and a room in one browser are two devices", () => {
  const storage = memory();
  assert.notEqual(deviceId(storage, "kiosk"), deviceId(storage, "room"));
});

test("where nothing is kept every page has an id of its own", () => {
  assert.notEqual(deviceId(refusing(), "kiosk"), deviceId(refusing(), "kiosk"));
  assert.match(deviceId(null, "kiosk"), /^[0-9a-f]{24}$/);
});

test("an id that somebody tampered with is replaced", () => {
  const storage = memory();
  storage.setItem("memory-engine-device-kiosk", "<b>24 signs of something</b>");
  assert.match(deviceId(storage, "kiosk"), /^[0-9a-f]{24}$/);
});

test("a paused room is paused, whatever its context does", () => {
  assert.equal(roomActivity({ paused: true, running: false, sounding: true }), "paused");
});

test("a room whose context does not run is blocked", () => {
  assert.equal(roomActivity({ paused: false, running: false, sounding: true }), "blocked");
});

test("a room sounds only while a voice should be heard", () => {
  assert.equal(roomActivity({ paused: false, running: true, sounding: true }), "sounding");
  assert.equal(roomActivity({ paused: false, running: true, sounding: false }), "resting");
});

test("the gap between two voices is not told as a rest, and the room goes on sounding", () => {
  let settled = { activity: "sounding", sinceMs: 1000, next: "sounding", nextMs: 0 };
  settled = settle(settled, "resting", 5000, waits);
  settled = settle(settled, "resting", 12_000, waits);
  assert.equal(settled.activity, "sounding");
  settled = settle(settled, "sounding", 12_500, waits);
  assert.deepEqual([settled.activity, settled.sinceMs], ["sounding", 1000]);
});

test("a rest that lasts is told, since it began", () => {
  let settled = { activity: "sounding", sinceMs: 0, next: "sounding", nextMs: 0 };
  for (const atMs of [5000, 9000, 13_000]) settled = settle(settled, "resting", atMs, waits);
  assert.deepEqual([settled.activity, settled.sinceMs], ["resting", 5000]);
});

test("two short gaps do not make one long rest", () => {
  let settled = { activity: "sounding", sinceMs: 0, next: "sounding", nextMs: 0 };
  settled = settle(settled, "resting", 5000, waits);
  settled = settle(settled, "sounding", 6000, waits);
  settled = settle(settled, "resting", 12_000, waits);
  settled = settle(settled, "resting", 14_000, waits);
  assert.equal(settled.activity, "sounding");
});

test("a pause is told at once", () => {
  const settled = settle({ activity: "sounding", sinceMs: 0, next: "sounding", nextMs: 0 }, "paused", 10, waits);
  assert.deepEqual([settled.activity, settled.sinceMs], ["paused", 10]);
});

test("nothing is said while the server is away, and everything as soon as it is back", () => {
  const page = device();
  page.at(20);
  assert.equal(page.said.length, 0);
  page.device.link(true);
  assert.equal(page.said.length, 1);
  page.device.link(false);
  page.at(60, { activity: "paused" });
  assert.equal(page.said.length, 1);
  page.device.link(true);
  assert.equal(page.said.at(-1).activity, "paused");
});

test("a page reports every so often, and not in between", () => {
  const page = device({ activity: "paused" });
  page.device.link(true);
  for (let second = 1; second <= 35; second += 1) page.at(second);
  assert.equal(page.said.length, 1 + Math.floor(35 / figures.report_s));
});

test("sound that comes and goes is no news, but what a steward would see is told at once", () => {
  const page = device({ activity: "paused" });
  page.device.link(true);
  page.at(1, { sound_ago_s: 0.04 });
  assert.equal(page.said.length, 1);
  for (const change of [{ audio: "suspended" }, { permission: "denied" }, { visible: false }, { microphone_silent: true }]) {
    const before = page.said.length;
    page.at(2, change);
    assert.equal(page.said.length, before + 1, JSON.stringify(change));
  }
});

test("a report carries how long the page has been doing what it does, and its clock", () => {
  const page = device({ activity: "paused" });
  page.device.link(true);
  const report = page.at(40, { sound_ago_s: 3.0712 });
  assert.deepEqual([report.since_s, report.sound_ago_s, report.at_ms], [40, 3.1, 1e12 + 40_000]);
});

test("a report has the fields the server knows, and no others", () => {
  const page = device();
  page.device.link(true);
  assert.deepEqual(Object.keys(page.said[0]).sort(), [
    "activity", "at_ms", "audio", "id", "microphone", "microphone_silent", "page_version", "permission", "since_s",
    "sound_ago_s", "visible",
  ]);
});
