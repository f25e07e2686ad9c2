/**
 * Decisions of the player, apart from nodes and clocks. Times ending in `S` are seconds on the audio clock.
 *
 * @typedef {object} Item one voice of a program, as the server sends it
 * @property {number} artifact_id
 * @property {string} url
 * @property {string} ack_url
 * @property {number} start_ms where in the take the window begins
 * @property {number} duration_ms
 * @property {number} wear 0..1
 * @property {string} colour a code, "" for dry
 * @property {number | null} level what brings the take to the room's one level; null while its loudness is not measured
 * @property {number} gain of this layer, after everything else
 * @property {number} delay_ms after the first voice
 * @property {number | null} fade_in_ms of a crossfade; null: the catalog's fade
 * @property {number | null} fade_out_ms
 *
 * @typedef {{scale: number, resting: "idle" | "sparse"}} ProgramTone from the program's beginning on
 * @typedef {{seq: number, rest_ms: number, gap_ms: number, good_until_ms: number, tone: ProgramTone, items: Item[]}} Program
 *   a negative gap begins before the end of the program before: both then sound
 */

import { figure, required } from "figures";
import { ratioOf } from "filters";

const ITEM_FIGURES = ["artifact_id", "start_ms", "duration_ms", "wear", "gain", "delay_ms"];
const FIGURES_OR_NULL = ["level", "fade_in_ms", "fade_out_ms"];
const RESTING = ["idle", "sparse"];

/** Fades as the catalog has them. */
export const PLAIN_FADES = Object.freeze({ fade_in_ms: null, fade_out_ms: null });

/**
 * @param {Program} program
 * @throws {RangeError} when anything that will be needed is missing
 */
export function checkProgram(program) {
  const { seq, items } = program;
  if (!Number.isInteger(seq) || seq < 1) throw new RangeError("a program is numbered from 1");
  checkTone(required(program, "tone"));
  if (items.length === 0) {
    figure(program, "rest_ms");
    return;
  }
  figure(program, "gap_ms");
  figure(program, "good_until_ms");
  items.forEach(checkItem);
}

function checkTone(tone) {
  if (figure(tone, "scale") < 0) throw new RangeError("the tone's scale is 0 or more");
  if (!RESTING.includes(tone.resting)) throw new RangeError(`room tone does not rest as ${tone.resting}`);
}

function checkItem(item) {
  for (const key of ITEM_FIGURES) figure(item, key);
  for (const key of FIGURES_OR_NULL) if (item[key] !== null) figure(item, key);
  if (item.wear < 0 || item.wear > 1) throw new RangeError("wear lies between 0 and 1");
}

/**
 * When a program is due: its gap after the end of the one before. A negative gap is before that end.
 *
 * @param {{precedingEndS: number | null, readyS: number, gapMs: number}} times precedingEndS is null when nothing was
 *   played yet: the gap then counts from when the program was ready
 */
export function dueTime({ precedingEndS, readyS, gapMs }) {
  return (precedingEndS ?? readyS) + gapMs / 1000;
}

/**
 * The part of a decoded take that is played. A window that reaches past the end (the take was replaced by its shorter
 * essence) moves forward and then shrinks, rather than playing silence.
 *
 * @returns {{offsetS: number, durationS: number}}
 */
export function windowOf(item, bufferS) {
  const durationS = Math.min(figure(item, "duration_ms") / 1000, bufferS);
  const offsetS = Math.min(figure(item, "start_ms") / 1000, bufferS - durationS);
  return { offsetS: Math.max(0, offsetS), durationS };
}

/**
 * Whether something that ends at `endS` would sound past the moment its right to be played ends.
 *
 * @param {{endS: number, clockS: number, epochMs: number, goodUntilMs: number}} times
 */
export function isStale({ endS, clockS, epochMs, goodUntilMs }) {
  return epochMs + Math.max(0, endS - clockS) * 1000 > goodUntilMs;
}

/**
 * What brings a take to the room's one level, before anything else is done to it: quiet and loud speakers then meet the
 * same drive and the same noise. One whose loudness is not yet measured is brought to a peak, within bounds.
 *
 * @param {{peak: number, item: Item}} take peak of the whole decoded take
 * @param {Record<string, number>} figures the [level] section
 */
export function levelGain({ peak, item }, figures) {
  if (item.level !== null) return figure(item, "level");
  const wanted = peak > 0 ? figure(figures, "peak_target") / peak : 1;
  return Math.min(Math.max(wanted, figure(figures, "gain_minimum")), figure(figures, "gain_maximum"));
}

/**
 * The level of a measured take, as the server works it out: to the target, unless its peak would pass the ceiling.
 *
 * @param {{lufs: number | null, peakDbtp: number | null}} loudness null for silence
 * @param {Record<string, number>} figures the [level] section
 * @returns {number} linear; 1 for silence
 */
export function measuredLevel({ lufs, peakDbtp }, figures) {
  if (lufs === null || peakDbtp === null) return 1;
  const wantedDb = Math.min(figure(figures, "target_lufs") - lufs, figure(figures, "ceiling_dbtp") - peakDbtp);
  return ratioOf(Math.min(wantedDb, figure(figures, "lift_most_db")));
}

/**
 * The fades of a window; one too short for both gets them in proportion. A crossfade is longer than an edge and of equal
 * power, so that two voices which pass each other are together as loud as each of them.
 *
 * @param {number} durationS
 * @param {{fade_in_ms: number | null, fade_out_ms: number | null}} item
 * @param {Record<string, number>} figures the [level] section
 * @returns {{fadeInS: number, fadeOutS: number, crossesIn: boolean, crossesOut: boolean}}
 */
export function fadesOf(durationS, item, figures) {
  const crossesIn = item.fade_in_ms !== null;
  const crossesOut = item.fade_out_ms !== null;
  const fadeInS = crossesIn ? figure(item, "fade_in_ms") / 1000 : figure(figures, "fade_in_s");
  const fadeOutS = crossesOut ? figure(item, "fade_out_ms") / 1000 : figure(figures, "fade_out_s");
  const share = Math.min(1, durationS / (fadeInS + fadeOutS));
  return { fadeInS: fadeInS * share, fadeOutS: fadeOutS * share, crossesIn, crossesOut };
}

/** What the server says of a voice that is about to be played: "" it may be, else why not. */
export function refusalOf(status) {
  if (status >= 200 && status < 300) return "";
  return status === 404 ? "gone" : "unconfirmed";
}

/** Only what could really be heard, to its end, counts as heard: what was dropped has no end. */
export function isHeard({ running, outputGain, silenced }) {
  return running && outputGain > 0 && !silenced;
}

/**
 * How long to wait before an acknowledgement is tried again.
 *
 * @param {number} attempt how many have failed, from 1
 * @param {number} elapsedS since the first
 * @param {Record<string, number>} figures the [program] section
 * @returns {number | null} seconds; null when the grant will have run out
 */
export function ackDelayS(attempt, elapsedS, figures) {
  const delay = figure(figures, "ack_first_s") * figure(figures, "ack_factor") ** (attempt - 1);
  const bounded = Math.min(delay, figure(figures, "ack_longest_s"));
  return elapsedS + bounded > figure(figures, "ack_window_s") ? null : bounded;
}

/** An answer after which there is nothing left to say: taken, or the grant is unknown. */
export function isAckSettled(status) {
  return (status >= 200 && status < 300) || status === 404;
}
