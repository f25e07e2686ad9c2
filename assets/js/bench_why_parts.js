/**
 * Why a voice was played, in words and in order, apart from the document. `copy` is the bench's section of the copy; a
 * `why` is as the node gives it: `voices[0]` is the voice that came, `factors` multiply to its weight.
 */

import { fill } from "ledger";

const LARGEST = 3;
const HALF = 50;

/** @returns {string} a catalog's name, or a closed choice, in the words of the copy */
function named(kind, name, copy) {
  return copy[`why_${kind}_${name}`];
}

/** @returns {string} the reader's own time to the second: choices follow one another closely */
export function second(ms, nowMs) {
  const time = new Date(ms);
  const hour = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const sameDay = time.toDateString() === new Date(nowMs).toDateString();
  return time.toLocaleString("en-GB", sameDay ? hour : { day: "numeric", month: "short", ...hour });
}

/** @returns {string} what stewards call the page; a page chooses before it has said who it is, and may be forgotten since */
export function pageWords(decision, copy) {
  return decision.device || copy[decision.device_id ? "why_page_gone" : "why_page_new"];
}

/** @param {number | null} chance @returns {string} whole percents; never nothing for what happened */
export function chanceWords(chance, copy) {
  if (chance === null) return copy.why_chance_unknown;
  return chance < 0.01 ? copy.why_chance_less : fill(copy.why_chance_is, { count: Math.round(chance * 100) });
}

/** @param {object} wish `lane`, `density`, `mood`, each null for any; `topic` and `status` where the wish has them */
export function wishWords(wish, copy) {
  const said = ["lane", "density", "mood"].filter((kind) => wish[kind] !== null).map((kind) => named(kind, wish[kind], copy));
  if (wish.topic) said.push(copy.why_topic);
  if (wish.status) said.push(copy.why_status);
  return said.length ? said.join(", ") : copy.why_anything;
}

/** @returns {string} how many were left of how many */
export function leftWords(voice, copy) {
  if (voice.remaining === null) return fill(copy.why_left_unknown, { of: voice.pool_size });
  return fill(copy.why_left_of, { count: voice.remaining, of: voice.pool_size });
}

/** @returns {string[]} why the wish is not simply the scene's */
function reasonLines(why, copy) {
  const lines = why.reasons.map((name) => named("reason", name, copy));
  const follows = why.reasons.includes("follow_on") || why.reasons.includes("echo");
  const open = ["lane", "density", "mood"].some((kind) => why.asked[kind] !== null && why.wish[kind] === null);
  if (open && !follows) lines.push(copy.why_reasons_open);
  return lines.length ? lines : [copy.why_reasons_none];
}

/** @returns {{name: string, lines: string[]}[]} rows of what was wished for and what came; `name` is a key of the copy */
export function factRows(decision, copy) {
  const { why } = decision;
  const voice = why.voices[0];
  const asked = wishWords(why.asked, copy);
  const params = { count: voice.plays, wear: Math.round(voice.wear * 100) };
  const words = { lane: named("lane", voice.lane, copy), density: named("density", voice.density, copy), mood: named("mood", voice.mood, copy) };
  const took = fill(copy.why_took_is, { ...params, ...words });
  const pace = fill(copy.why_pace_is, {
    daypart: why.daypart, intensity: named("intensity", why.intensity, copy), preset: named("preset", why.preset, copy),
  });
  return [
    { name: "why_page", lines: [pageWords(decision, copy)] },
    { name: "why_where", lines: [`${why.movement} · ${why.scene}`] },
    { name: "why_pace", lines: [why.quiet ? fill(copy.why_pace_quiet, { pace }) : pace] },
    { name: "why_asked", lines: [why.held_pause ? fill(copy.why_asked_pause, { asked }) : asked] },
    { name: "why_reasons", lines: reasonLines(why, copy) },
    { name: "why_wished", lines: [wishWords(why.wish, copy)] },
    { name: "why_excluded", lines: [fill(copy.why_excluded_is, { count: why.wish.excluded })] },
    { name: "why_gave_way", lines: voice.gave_way.length ? voice.gave_way.map((name) => named("rung", name, copy)) : [copy.why_gave_way_none] },
    { name: "why_left", lines: [leftWords(voice, copy)] },
    { name: "why_its_chance", lines: [chanceWords(voice.chance, copy)] },
    { name: "why_took", lines: [voice.featured_return ? fill(copy.why_took_return, { took }) : took] },
  ];
}

/**
 * Factors in the order in which they told: the one furthest from 1 for the voice that came is first.
 *
 * Its bar runs from the middle; `start` and `size` are percents of the whole, on a scale of ratios, so that twice and half
 * are as long. `largest` are the first few that are not 1.
 *
 * @param {object} voice the voice that came, with its `runners_up`
 * @returns {{name: string, largest: boolean, raised: boolean, start: number, size: number, values: number[]}[]} `values`
 *   are those of the voice that came and of the others, in their order
 */
export function factorRows(voice) {
  const { factors } = voice;
  const far = (name) => Math.abs(Math.log(factors[name]));
  const names = Object.keys(factors).toSorted((a, b) => far(b) - far(a));
  const most = far(names[0]);
  return names.map((name, at) => {
    const size = most > 0 ? (far(name) / most) * HALF : 0;
    return {
      name,
      largest: at < LARGEST && factors[name] !== 1,
      raised: factors[name] > 1,
      start: factors[name] < 1 ? HALF - size : HALF,
      size,
      values: [voice, ...voice.runners_up].map((take) => take.factors[name]),
    };
  });
}

/** @returns {string} two places, and of small ones as many as say something */
export function figure(value) {
  return value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

/**
 * What made the silence as long as it was.
 *
 * @returns {{joins: boolean, cut: boolean, seconds: string, drawn: string, terms: {name: string, factor: number}[]}}
 *   `joins`: no silence but a crossfade; `cut`: shorter than its factors make it; factors of 1 are left out
 */
export function gapParts(gap) {
  const terms = Object.entries(gap.factors).map(([name, factor]) => ({ name, factor })).filter(({ factor }) => factor !== 1);
  const wanted = terms.reduce((product, { factor }) => product * factor, gap.drawn_ms);
  return {
    joins: gap.ms < 0,
    // Factors are told to four places: a few milliseconds are no cut.
    cut: gap.ms >= 0 && gap.ms < wanted * 0.99 - 1,
    seconds: seconds(Math.abs(gap.ms)),
    drawn: seconds(gap.drawn_ms),
    terms: gap.ms < 0 ? [] : terms,
  };
}

/** @returns {string} with two places */
export function seconds(ms) {
  return (ms / 1000).toFixed(2);
}

/**
 * What would be different now.
 *
 * @param {object} why @param {object} again the same program composed once more
 * @returns {{name: string, before: string, after: string}[]} `name` is a key of the copy; empty where both are the same
 */
function differences(why, again, copy) {
  const told = (one) => {
    const [voice, ...others] = one.voices;
    return {
      why_differs_voice: String(voice.artifact_id),
      why_differs_where: `${one.movement} · ${one.scene}`,
      why_differs_wished: wishWords(one.wish, copy),
      why_differs_left: leftWords(voice, copy),
      why_differs_chance: chanceWords(voice.chance, copy),
      why_differs_weight: figure(voice.weight),
      why_differs_gap: fill(copy.why_gap_is, { seconds: seconds(one.gap.ms) }),
      why_differs_voices: others.map((other) => other.artifact_id).join(", ") || "–",
    };
  };
  const [before, after] = [told(why), told(again)];
  const names = Object.keys(before).filter((name) => before[name] !== after[name]);
  return names.map((name) => ({ name, before: before[name], after: after[name] }));
}

/**
 * What came of choosing again.
 *
 * @param {{same: boolean, decision: object, again: object | null}} answer the node's
 * @returns {{key: string, rows: {name: string, before: string, after: string}[]}} `key` and each `name` are keys of the copy
 */
export function outcome({ same, decision, again }, copy) {
  if (same) return { key: "why_again_same", rows: [] };
  if (again === null) return { key: "why_again_nothing", rows: [] };
  const rows = differences(decision.why, again, copy);
  const alike = again.voices[0].artifact_id === decision.artifact_id;
  const rest = { name: "why_differs_rest", before: "–", after: "–" };
  return { key: alike ? "why_again_but" : "why_again_other", rows: rows.length ? rows : [rest] };
}
