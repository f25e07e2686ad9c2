import assert from "node:assert/strict";
import { test } from "node:test";
import { watchMicrophone } from "microphone";
import { createScope } from "scope";
import { carriesSound, createTap } from "tap";
import { catalog } from "./catalog.mjs";

const figures = catalog("device");
const SOUND = { peak: 0.2, rms: 0.05 };
const NOTHING = { peak: 0, rms: 0 };

const settled = () => new Promise((resolve) => { setTimeout(resolve, 0); });

test("digital silence is no sound, the quietest room tone is", () => {
  const { tone } = catalog("audio");
  const quietest = tone.ducked * 0.01; // a hundredth of the ducked tone, far below what any posture makes of it
  const hum = Float32Array.from({ length: 2048 }, (_, at) => quietest * Math.sin(at / 20));
  assert.equal(carriesSound(new Float32Array(2048), figures.sound_floor_db), false);
  assert.equal(carriesSound(hum, figures.sound_floor_db), true);
});

/** A context whose output is what the test says, and a tap on it. */
function tapped(t) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const heard = { level: 0, ms: 0, context: { state: "running", currentTime: 0 } };
  globalThis.AnalyserNode = class {
    constructor(_context, { fftSize }) {
      this.fftSize = fftSize;
    }

    getFloatTimeDomainData(samples) {
      samples.fill(heard.level);
    }

    disconnect() {}
  };
  const node = { connect() {}, disconnect() {} };
  const scope = createScope();
  heard.tap = createTap({ context: heard.context, node, figures, elapsed: () => heard.ms, scope });
  heard.later = (seconds) => {
    for (let left = (seconds * 1000) / figures.tap_ms; left > 0; left -= 1) {
      heard.ms += figures.tap_ms;
      if (heard.context.state === "running") heard.context.currentTime += figures.tap_ms / 1000;
      t.mock.timers.tick(figures.tap_ms);
    }
    return heard.tap.agoS();
  };
  return heard;
}

test("an output that never carried sound says so", (t) => {
  const heard = tapped(t);
  assert.equal(heard.later(5), null);
});

test("sound is remembered from when it last was there", (t) => {
  const heard = tapped(t);
  heard.level = 0.1;
  assert.equal(heard.later(2), 0);
  heard.level = 0;
  assert.equal(heard.later(3), 3);
});

test("what a suspended context still holds is not heard", (t) => {
  const heard = tapped(t);
  heard.level = 0.1;
  heard.later(1);
  heard.context.state = "suspended";
  assert.equal(heard.later(4), 4);
});

test("a clock that stands still carries no sound, whatever its context says", (t) => {
  const heard = tapped(t);
  heard.level = 0.1;
  heard.later(1);
  Object.defineProperty(heard.context, "currentTime", { get: () => 1, set() {} });
  assert.equal(heard.later(4), 4);
});

/** A browser with one microphone and, where it tells, a permission. */
function browser({ state = null, label = "Desk" } = {}) {
  const status = Object.assign(new EventTarget(), { state });
  const mediaDevices = Object.assign(new EventTarget(), {
    microphones: [{ kind: "audioinput", label }],
    enumerateDevices: async () => [{ kind: "audiooutput", label: "Loudspeaker" }, ...mediaDevices.microphones],
  });
  const query = async () => {
    if (state === null) throw new TypeError("microphone is no name of a permission here");
    return status;
  };
  return { environment: { permissions: { query }, mediaDevices }, status, mediaDevices };
}

function watched(environment) {
  const page = { ms: 0, back: 0 };
  const onBack = () => { page.back += 1; };
  page.ear = watchMicrophone({ figures, elapsed: () => page.ms, scope: createScope(), environment, onBack });
  page.gives = (level, seconds) => {
    for (let left = seconds * 10; left > 0; left -= 1) {
      page.ms += 100;
      page.ear.level(level);
    }
    return page.ear.read().microphone_silent;
  };
  return page;
}

test("permission and name are known before anything is opened", async () => {
  const { ear } = watched(browser({ state: "granted" }).environment);
  await settled();
  assert.deepEqual(ear.read(), { microphone: "Desk", permission: "granted", microphone_silent: false });
});

test("a permission that is taken away is noticed", async () => {
  const { environment, status } = browser({ state: "granted" });
  const { ear } = watched(environment);
  await settled();
  status.state = "denied";
  status.dispatchEvent(new Event("change"));
  assert.equal(ear.read().permission, "denied");
});

test("a browser that does not tell is known by what it does", async () => {
  const { ear } = watched(browser().environment);
  await settled();
  assert.equal(ear.read().permission, "unknown");
  ear.refused("busy");
  assert.equal(ear.read().permission, "unknown");
  ear.refused("denied");
  assert.equal(ear.read().permission, "denied");
  ear.opened("Handheld");
  assert.deepEqual([ear.read().permission, ear.read().microphone], ["granted", "Handheld"]);
});

test("a page without media devices has no microphone to speak of", async () => {
  const { ear } = watched({ permissions: undefined, mediaDevices: undefined });
  await settled();
  assert.deepEqual(ear.read(), { microphone: "", permission: "unknown", microphone_silent: false });
});

test("an open microphone that gives nothing is silent after a few seconds, and not before", () => {
  const page = watched(browser().environment);
  page.ear.opened("Desk");
  assert.equal(page.gives(NOTHING, figures.microphone_silent_s), false);
  assert.equal(page.gives(NOTHING, 1), true);
});

test("a quiet room is not silence", () => {
  const page = watched(browser().environment);
  page.ear.opened("Desk");
  assert.equal(page.gives({ peak: 0.0001, rms: 0.00003 }, 60), false);
});

test("a silent microphone stays silent for the next participant until something is heard", () => {
  const page = watched(browser().environment);
  page.ear.opened("Desk");
  page.gives(NOTHING, 10);
  page.ear.opened("Desk");
  assert.equal(page.gives(NOTHING, 1), true);
  assert.equal(page.gives(SOUND, 0.1), false);
});

test("of a microphone that was just plugged in nothing bad is known", () => {
  const { environment, mediaDevices } = browser();
  const page = watched(environment);
  page.ear.opened("Desk");
  page.gives(NOTHING, 10);
  mediaDevices.dispatchEvent(new Event("devicechange"));
  assert.equal(page.ear.read().microphone_silent, false);
});

test("a name is cut by whole signs", async () => {
  const { ear } = watched(browser({ label: "🎤".repeat(200) }).environment);
  await settled();
  assert.equal(ear.read().microphone, "🎤".repeat(120));
});

test("a microphone that is plugged in again is back, one that is pulled out is not", async () => {
  const { environment, mediaDevices } = browser();
  const page = watched(environment);
  await settled();
  const plug = async (microphones) => {
    mediaDevices.microphones = microphones;
    mediaDevices.dispatchEvent(new Event("devicechange"));
    await settled();
    return page.back;
  };
  assert.equal(await plug([]), 0);
  assert.equal(await plug([{ kind: "audioinput", label: "Desk" }]), 1);
  assert.equal(await plug([{ kind: "audioinput", label: "Desk" }]), 1);
});

test("of several microphones the one that was named is spoken of, and without it none", async () => {
  const { environment, mediaDevices } = browser({ state: "granted", label: "Screen" });
  const ear = watchMicrophone({
    figures, elapsed: () => 0, scope: createScope(), environment, deviceName: "usb", onBack: () => {},
  });
  await settled();
  assert.equal(ear.read().microphone, "");
  mediaDevices.microphones = [...mediaDevices.microphones, { kind: "audioinput", label: "NT-USB" }];
  mediaDevices.dispatchEvent(new Event("devicechange"));
  await settled();
  assert.equal(ear.read().microphone, "NT-USB");
});

test("a microphone that is allowed again is back", async () => {
  const { environment, status } = browser({ state: "denied" });
  const page = watched(environment);
  await settled();
  status.state = "granted";
  status.dispatchEvent(new Event("change"));
  assert.equal(page.back, 1);
});
