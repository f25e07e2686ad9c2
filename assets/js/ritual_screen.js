/**
 * What the kiosk says and offers in each state of the ritual: keys of the copy, and events. Pure.
 *
 * @typedef {{label: string, event: string}} Action
 * @typedef {{heading: string, lead: string, primary: Action | null, accent: boolean, secondary: Action[],
 *   counted: string}} Screen `counted`: the sentence that counts the seconds left, or ""
 */

import { gated, secondsLeft } from "ritual";

const CANCEL = { label: "cancel", event: "cancel" };
const AGAIN = { label: "again", event: "again" };
const MONITOR = { label: "monitor", event: "monitor" };
const PRINT = { label: "print", event: "print" };

/** Seconds of an outcome are always counted, everywhere else they are at their end. */
function counted(state) {
  const left = secondsLeft(state);
  if (left === null) return "";
  if (state.stage === "complete" || state.stage === "error") return "returning";
  if (left > state.figures.review_counted_s) return "";
  return { idle: "language_returns", review: "review_counted", arming: "stage_returns", armed: "stage_returns" }[state.stage] ?? "";
}

/** Whether a receipt is being printed by itself: said until it is time to count. @param {import("ritual").RitualState} state */
export function printing(state) {
  return state.outcome === "kept" && state.policy.prints && secondsLeft(state) > state.figures.review_counted_s;
}

/** What is read aloud where there are clips for it; see clips. */
function reading(state) {
  return { label: state.sounding === "reading" ? "read_stop" : "read_aloud", event: "read" };
}

const SCREENS = {
  idle(state) {
    if (state.policy.blocked) return say(state.policy.blocked, null, []);
    return say("idle", { label: "begin", event: "primary" }, [MONITOR]);
  },
  arming: () => say("arming", null, [CANCEL]),
  armed: (state) => say("armed", { label: "record", event: "primary" }, [reading(state), MONITOR, CANCEL], true),
  countdown: () => say("countdown", null, [CANCEL]),
  recording(state) {
    const stop = { label: state.stopping ? "stopping" : "stop", event: state.stopping ? "" : "primary" };
    return say("recording", stop, [CANCEL], true);
  },
  review(state) {
    const listen = { label: state.listening ? "listen_stop" : "listen", event: "listen" };
    if (gated(state)) {
      const keep = { label: "keep_anyway", event: "keep" };
      return say(state.take.flaw, { ...AGAIN, event: "primary" }, [listen, keep, CANCEL]);
    }
    const verb = state.notice ? "send_again" : `verb_${state.mode.toLowerCase()}`;
    const screen = state.mode
      ? say("review", { label: verb, event: "primary" }, [listen, reading(state), AGAIN, CANCEL], true)
      : say("review", { ...listen, event: "primary" }, [reading(state), AGAIN, CANCEL]);
    return { ...screen, lead: leadOf(state) };
  },
  submitting: (state) => say(state.playingOnce ? "once" : "submitting", null, [CANCEL]),
  complete(state) {
    const more = state.outcome === "kept" ? [reading(state), PRINT] : [];
    return say(`complete_${state.outcome}`, { label: "done", event: "primary" }, more);
  },
  error(state) {
    const retry = { label: state.error === "refused" ? "back" : "retry", event: "primary" };
    return say(`error_${state.error}`, retry, state.error === "refused" ? [] : [{ ...CANCEL, label: "back" }]);
  },
};

/**
 * @param {import("ritual").RitualState} state
 * @returns {Screen}
 */
export function screenOf(state) {
  return { ...SCREENS[state.stage](state), counted: counted(state) };
}

/** What keeps it from being sent, or ended it: before what is always said. */
function leadOf({ notice, ended }) {
  if (notice) return noticeOf(notice);
  return ended ? `ended_${ended}_lead` : "review_lead";
}

/** Without a time to name, none is named. */
function noticeOf({ kind, waitS }) {
  return kind === "budget" && waitS === 0 ? "notice_budget_soon" : `notice_${kind}`;
}

function say(what, primary, secondary, accent = false) {
  return { heading: `${what}_heading`, lead: `${what}_lead`, primary, accent, secondary };
}

/**
 * A sentence of the copy with its {names} filled in.
 * @param {Record<string, string>} copy
 * @param {string} key
 * @param {Record<string, string | number>} params
 * @returns {string}
 * @throws {RangeError} for a sentence or a name that is missing
 */
export function sentence(copy, key, params) {
  if (typeof copy[key] !== "string") throw new RangeError(`kiosk copy: ${key} is missing`);
  return copy[key].replace(/\{(\w+)\}/g, (_, name) => {
    if (params[name] === undefined) throw new RangeError(`kiosk copy: ${key} wants {${name}}`);
    return String(params[name]);
  });
}

/**
 * What is promised for a mode, in the words of the notice that goes with the take: what is shown is what is recorded.
 * @typedef {{version: string, backup: string, modes: Record<string, {name: string, promise: string}>, day: string,
 *   months: string[], spans: Record<string, string>, between: string, zone: string}} Notice
 * @param {Notice} notice @param {string} mode @param {{backup_days: number}} promise @param {Date} now
 * @returns {{name: string, promise: string}}
 */
export function consentWords(notice, mode, promise, now) {
  const { name, promise: words } = notice.modes[mode];
  const kept = mode !== "NOSAVE" && promise.backup_days > 0;
  const sentences = { words, backup: kept ? notice.backup : "" };
  const given = { ...promise, ...notice.spans, copies_until: kept ? dayWords(lastCopyAt(mode, promise, now), notice) : "" };
  return { name, promise: Object.keys(sentences).filter((key) => sentences[key]).map((key) => sentence(sentences, key, given)).join(notice.between) };
}

/** The outermost moment of the last backup copy of a take given now. */
function lastCopyAt(mode, { room_hours, fossil_hours, fossil_days, backup_days }, now) {
  const hours = mode === "FOSSIL" ? Math.max(fossil_hours, fossil_days * 24) : room_hours;
  return new Date(now.getTime() + (hours + backup_days * 24) * 3_600_000);
}

/** A day as the server writes it, by the site's clock. @param {Date} when @param {Notice} notice */
export function dayWords(when, { day, months, zone }) {
  const numbers = new Intl.DateTimeFormat("en", { day: "numeric", month: "numeric", year: "numeric", timeZone: zone || undefined });
  const parts = Object.fromEntries(numbers.formatToParts(when).map(({ type, value }) => [type, Number(value)]));
  return sentence({ day }, "day", { day: parts.day, month: months[parts.month - 1], number: parts.month, year: parts.year });
}

/**
 * How a take may be heard, in the order offered: as it was spoken, then each memory colour. One that nobody has put into
 * words goes by its code.
 * @param {Record<string, string>} copy @param {{code: string}[]} colours
 * @returns {{code: string, words: string}[]}
 */
export function colourChoices(copy, colours) {
  const dry = { code: "", words: sentence(copy, "as_spoken", {}) };
  return [dry, ...colours.map(({ code }) => ({ code, words: copy[`colour_${code}`] ?? code }))];
}

/** The prompt of one run: they take turns. @param {string[]} prompts @param {number} run @returns {string} "" for none */
export function promptFor(prompts = [], run) {
  return prompts.length === 0 ? "" : prompts[run % prompts.length];
}

/** A code in groups, as the server set them apart or by fours. */
export function codeGroups(code) {
  const groups = code.split(/[\s-]+/).filter(Boolean);
  return groups.length > 1 ? groups : code.match(/.{1,4}/gu) ?? [];
}

/**
 * The clips that say what stands on a screen, in their order: names of clips, null for a breath between two.
 * @param {import("ritual").RitualState} state @param {{prompt: string, backups: boolean}} shown `prompt`: the clip of the
 *   question that is asked, "" for none; `backups`: whether copies are kept for a while
 * @returns {(string | null)[]}
 */
export function readAloud({ stage, receipt }, { prompt, backups }) {
  if (stage === "armed") return prompt ? [prompt] : [];
  const copies = backups ? ["backup"] : [];
  if (stage === "review") return ["room", ...copies, null, "fossil", ...copies, null, "nosave"];
  if (stage !== "complete" || !receipt) return [];
  const signs = codeGroups(receipt.revocation_token).map((group) => [...group].map((sign) => `sign-${sign.toLowerCase()}`));
  return ["code", ...signs.flatMap((group) => [null, ...group]), null, ...signs.flatMap((group) => [null, ...group]), null, "keep"];
}

/** Seconds as minutes and seconds: 75 -> "1:15". */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * A length of time in words: whole minutes above one as minutes, everything else as seconds.
 * @param {string} locale BCP 47 @param {number} seconds
 */
export function span(locale, seconds) {
  const inMinutes = seconds > 60 && seconds % 60 === 0;
  return spans(locale, inMinutes ? "minute" : "second").format(inMinutes ? seconds / 60 : seconds);
}

/** @type {Map<string, Intl.NumberFormat>} made once each: that costs more than writing with it */
const made = new Map();

function spans(locale, unit) {
  const name = `${locale} ${unit}`;
  if (!made.has(name)) {
    made.set(name, new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long", numberingSystem: "latn" }));
  }
  return made.get(name);
}

/** A wait as it is told: rounded up, from a minute and a half on to whole minutes. */
export function toldWait(seconds) {
  return seconds > 90 ? Math.ceil(seconds / 60) * 60 : Math.ceil(seconds);
}

/** A level of the microphone as a height of the line, 0..1. */
export function meterHeight(rms, { meter_floor_db: floorDb, meter_ceiling_db: ceilingDb, meter_gamma: gamma }) {
  const levelDb = 20 * Math.log10(Math.max(rms, 1e-9));
  return Math.min(1, Math.max(0, (levelDb - floorDb) / (ceilingDb - floorDb))) ** gamma;
}
