/**
 * What a page says of itself: how it fares, every so often, and at once when a steward would see the difference.
 *
 * Never anything of a voice or of whoever speaks: only what the page does, the number of the take it plays, whether sound
 * comes out and can go in, its version and its clock. Nothing is said while the server is away; what would wait would be old when it came.
 *
 * @typedef {"sounding" | "resting" | "paused" | "blocked" | "idle" | "busy"} Activity
 * @typedef {{activity: Activity, sinceMs: number, next: Activity, nextMs: number}} Settled `next` is what it may become
 * @typedef {{activity: Activity, audio: string, sound_ago_s: number | null, microphone: string, permission: string,
 *   microphone_silent: boolean, page_version: string, visible: boolean, playing: number | null}} Facts what a page can say of this moment
 */

import { figure } from "figures";

/** Bytes of an id: it tells one device from another, and nothing else. */
const ID_BYTES = 12;

/**
 * What a room is doing. Only a voice that should be heard now makes it "sounding".
 * @param {{paused: boolean, running: boolean, sounding: boolean}} room
 * @returns {Activity}
 */
export function roomActivity({ paused, running, sounding }) {
  if (paused) return "paused";
  if (!running) return "blocked";
  return sounding ? "sounding" : "resting";
}

/**
 * The activity after a look at it: some must last a while before they count, so that the gap between two voices is not a
 * rest, nor a context that is still starting a blocked one.
 *
 * @param {Settled} settled
 * @param {Activity} activity as it is now
 * @param {number} atMs
 * @param {Record<string, number>} waitsMs by activity
 * @returns {Settled}
 */
export function settle(settled, activity, atMs, waitsMs) {
  if (activity === settled.activity) return { ...settled, next: activity };
  const nextMs = activity === settled.next ? settled.nextMs : atMs;
  if (atMs - nextMs < (waitsMs[activity] ?? 0)) return { ...settled, next: activity, nextMs };
  return { activity, sinceMs: nextMs, next: activity, nextMs };
}

/**
 * This device's id: random, kept by the browser over reloads, and for one page alone where it keeps nothing.
 * @param {Storage | null} storage
 * @param {string} surface one browser may show a kiosk and a room: they are two devices
 * @returns {string} hexadecimal
 */
export function deviceId(storage, surface) {
  const key = `memory-engine-device-${surface}`;
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(ID_BYTES)), hexadecimal).join("");
  try {
    const kept = storage?.getItem(key) ?? "";
    if (kept.length === fresh.length && /^[0-9a-f]+$/.test(kept)) return kept;
    storage?.setItem(key, fresh);
  } catch (error) {
    if (!KEPT_NOTHING.includes(error.name)) throw error;
  }
  return fresh;
}

const KEPT_NOTHING = ["SecurityError", "QuotaExceededError"];

function hexadecimal(byte) {
  return byte.toString(16).padStart(2, "0");
}

/** @returns {Storage | null} null where the browser keeps nothing for this page */
export function pageStorage() {
  try {
    return window.localStorage;
  } catch (error) {
    if (error.name !== "SecurityError") throw error;
    return null;
  }
}

/**
 * @param {object} options
 * @param {"kiosk" | "room"} options.surface
 * @param {Storage | null} options.storage
 * @param {() => number} options.now epoch milliseconds: the clock that is reported
 * @param {() => number} options.elapsed milliseconds of a clock nobody sets
 * @param {import("scope").Scope} options.scope
 * @param {Record<string, number>} options.figures catalogs/device.toml
 * @param {(report: object) => void} options.emit
 * @param {() => Facts} options.read
 */
export function createDevice({ surface, storage, now, elapsed, scope, figures, emit, read }) {
  const id = deviceId(storage, surface);
  const reportMs = figure(figures, "report_s") * 1000;
  const waitsMs = { resting: figure(figures, "rest_s") * 1000, blocked: figure(figures, "blocked_s") * 1000 };
  /** @type {Settled} */
  let settled = { activity: "idle", sinceMs: elapsed(), next: "idle", nextMs: 0 };
  let up = false;
  let said = "";
  let saidMs = -Infinity;

  /** Says how the page fares, where it is due or has changed. */
  function look() {
    const { sound_ago_s: soundAgoS, ...facts } = read();
    const atMs = elapsed();
    settled = settle(settled, facts.activity, atMs, waitsMs);
    const seen = { ...facts, activity: settled.activity };
    const news = JSON.stringify(seen);
    if (!up || (news === said && atMs - saidMs < reportMs)) return;
    said = news;
    saidMs = atMs;
    const ago = soundAgoS === null ? null : tenths(soundAgoS);
    emit({ ...seen, id, since_s: tenths((atMs - settled.sinceMs) / 1000), sound_ago_s: ago, at_ms: now() });
  }

  scope.interval(look, figure(figures, "look_ms"));

  return {
    id,
    look,
    /** Whether the server is there: it is told anew as soon as it is. @param {boolean} is */
    link(is) {
      up = is;
      said = "";
      look();
    },
  };
}

function tenths(seconds) {
  return Math.round(seconds * 10) / 10;
}
