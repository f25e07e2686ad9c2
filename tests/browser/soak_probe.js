/**
 * Hours of programs through the real player in minutes: its nodes in an OfflineAudioContext that stops every quarter of a
 * second, and there, while the sound stands still, every timer that is due. Fetching is imagined, decoding is not.
 */

import { createNoise } from "noise";
import { createPlayerEngine } from "program";
import { createScope } from "scope";

const RATE_HZ = 3000; // the least there is: eight hours of output are held in one buffer
const STEP_S = 0.25;
const ANSWER_MS = 300;
const EPOCH_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const TAKES_S = [1.2, 2, 2.7, 3.5, 5.2];
const COLOURS = ["", "clear", "warm", "radio", "dream"];
const VOICES = ["soft_air", "warm_hiss", "low_vent", "site"];

let run = null;

/** @param {{figures: object, colours: object[], hours: number, seed: number}} options */
export async function begin({ figures, colours, hours, seed }) {
  const clock = takeTimers();
  const context = standing(new OfflineAudioContext(1, Math.ceil((hours * 3600 + 60) * RATE_HZ), RATE_HZ));
  const takes = await Promise.all(TAKES_S.map(async (seconds) => (await fetch(`/take/${seconds}`)).arrayBuffer()));
  const noise = createNoise(seed);
  const between = (low, high) => low + ((noise() + 1) / 2) * (high - low);
  const told = { need: 0, started: 0, ended: 0, failed: 0, heard: 0, acknowledged: 0, dropped: 0 };
  const scope = createScope();
  let nightsMs = 0;
  const epoch = () => EPOCH_MS + clock.ms + nightsMs;
  const engine = createPlayerEngine({
    context, colours, scope, onEvent: hear, now: epoch, elapsed: () => clock.ms,
    figures: { ...figures, program: { ...figures.program, tick_ms: STEP_S * 1000 } },
    fetchAudio: async (url) => {
      if (url.startsWith("/gone")) throw Object.assign(new Error("refused"), { status: 404 });
      return takes[Number(url.split("/")[2])].slice(0);
    },
    head: async (url) => ({ status: url.startsWith("/unsure") ? 503 : 200 }),
    async post() {
      told.acknowledged += 1;
      if (chance(0.05)) throw new TypeError("Failed to fetch");
      return { status: 200 };
    },
    tone: { voice: "soft_air", scale: 1, file_url: "/take/4", seed: 1 },
  });

  function chance(share) {
    return between(0, 1) < share;
  }

  function hear(event) {
    told[event.type] += 1;
    if (event.type === "need") setTimeout(() => engine.offer(programAfter(event.seq)), ANSWER_MS);
    if (event.type === "ended") told.heard += event.heard.length;
    if (event.type === "started" && chance(0.04)) setTimeout(() => drop(event.item.artifact_id), 400);
  }

  function drop(id) {
    told.dropped += 1;
    engine.drop([id]);
  }

  function programAfter(seq) {
    const tone = { scale: between(0.5, 1), resting: chance(0.3) ? "sparse" : "idle" };
    const plain = { seq: seq + 1, rest_ms: 2500, gap_ms: 0, good_until_ms: epoch() + HOUR_MS, tone, items: [] };
    if (chance(0.05)) return plain;
    const crossed = chance(0.2);
    const first = itemOf({ fade_in_ms: crossed ? 900 : null, fade_out_ms: crossed ? 900 : null });
    const layer = itemOf({ delay_ms: between(180, 520), gain: 0.68 });
    return { ...plain, gap_ms: crossed ? -900 : between(950, 2500), items: chance(0.15) ? [first, layer] : [first] };
  }

  function itemOf(more) {
    const number = Math.floor(between(0, TAKES_S.length - 1e-6));
    const place = chance(0.04) ? "gone" : chance(0.02) ? "unsure" : "take";
    const id = 1 + Math.floor(between(0, 5000));
    return {
      artifact_id: id, url: `/${place}/${number}`, ack_url: `/heard/${id}`, start_ms: 0, delay_ms: 0, gain: 1,
      duration_ms: TAKES_S[number] * 1000, wear: chance(0.2) ? 0 : between(0, 1), level: chance(0.1) ? null : 0.3,
      colour: COLOURS[Math.floor(between(0, COLOURS.length - 1e-6))], fade_in_ms: null, fade_out_ms: null, ...more,
    };
  }

  /** What a day brings beside programs: a steward who changes things, and once in a while a machine that slept. */
  function happen() {
    engine.setTone({ voice: VOICES[Math.floor(between(0, 3.999))], scale: between(0.5, 1.2), file_url: "/take/4" });
    engine.setQuieter({ gain: between(0.6, 1) });
    if (chance(0.1)) nightsMs += 8 * HOUR_MS;
  }

  engine.start();
  setInterval(happen, 7 * 60_000);
  run = { clock, context, told, dispose: () => scope.dispose() };
}

/** Lets that many minutes pass. @returns {Promise<object>} what was told since the beginning, and how far it is */
export async function advance({ minutes }) {
  const { clock, context, told } = run;
  const until = clock.ms + minutes * 60_000;
  while (clock.ms < until) {
    await context.runTo((clock.ms + STEP_S * 1000) / 1000);
    clock.pass(STEP_S * 1000);
    await context.settle();
  }
  return { ...told, hours: clock.ms / HOUR_MS };
}

/** Ends the player, and says nothing more. */
export function finish() {
  run.dispose();
}

/** From here on timers know the imagined time only. */
function takeTimers() {
  const timers = new Map();
  let next = 1;
  const clock = {
    ms: 0,
    pass(ms) {
      const untilMs = clock.ms + ms;
      for (let due = soonest(); due !== null && due[1].atMs <= untilMs; due = soonest()) fire(...due);
      clock.ms = untilMs;
    },
  };

  function soonest() {
    let found = null;
    for (const entry of timers) if (found === null || entry[1].atMs < found[1].atMs) found = entry;
    return found;
  }

  function fire(id, timer) {
    clock.ms = Math.max(clock.ms, timer.atMs);
    if (timer.everyMs === null) timers.delete(id);
    else timer.atMs += timer.everyMs;
    timer.fn();
  }

  const put = (fn, ms, everyMs) => {
    timers.set(next, { fn, atMs: clock.ms + ms, everyMs });
    next += 1;
    return next - 1;
  };
  globalThis.setTimeout = (fn, ms = 0) => put(fn, ms, null);
  globalThis.setInterval = (fn, ms) => put(fn, ms, ms);
  globalThis.clearTimeout = (id) => timers.delete(id);
  globalThis.clearInterval = globalThis.clearTimeout;
  return clock;
}

/** An offline context that goes on only when told to, and that its player takes for a running one. */
function standing(context) {
  const stopAt = context.suspend.bind(context);
  const goOn = context.resume.bind(context);
  const decode = context.decodeAudioData.bind(context);
  let begun = false;
  const pending = new Set();
  const turn = () => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(0);
  });
  Object.defineProperty(context, "state", { get: () => "running" });
  return Object.assign(context, {
    suspend: async () => {},
    resume: async () => {},
    async decodeAudioData(bytes) {
      pending.add(bytes);
      try {
        return await decode(bytes);
      } finally {
        pending.delete(bytes);
      }
    },
    async runTo(seconds) {
      const stopped = stopAt(seconds);
      if (begun) goOn();
      else context.startRendering();
      begun = true;
      await stopped;
    },
    async settle() {
      do await turn();
      while (pending.size > 0);
    },
  });
}
