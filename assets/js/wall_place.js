/**
 * Where things are on the wall, and when: pure figures, no drawing. From the top: the voice that leads, the places of those
 * heard with it, the ground, one line of words. They never share a place.
 *
 * @typedef {{width: number, height: number}} Size of the wall, CSS px
 * @typedef {{x: number, middle: number, width: number, height: number}} Box px; middle: height of the line at rest
 */
import { figure } from "trace";

/** Share of a voice that has been heard. @param {number} nowS @param {number} startsAt @param {number} durationS */
export function revealShare(nowS, startsAt, durationS) {
  if (durationS <= 0) return nowS >= startsAt ? 1 : 0;
  return Math.min(1, Math.max(0, (nowS - startsAt) / durationS));
}

/**
 * How much larger than in the hand everything is drawn, strokes and grain alike: a wall is seen from further away.
 * @param {Size} size @param {object} wall figures.wall @returns {number} 1 on anything small
 */
export function magnification(size, wall) {
  return Math.max(1, Math.min(size.width, size.height) / figure(wall, "drawn_for_px"));
}

/** The box of the voice that leads. @param {Size} size @param {object} wall @returns {Box} */
export function voiceBox(size, wall) {
  const width = size.width * figure(wall, "voice_width");
  const height = Math.min(size.height * figure(wall, "voice_height"), size.width * figure(wall, "voice_height_of_width"));
  return { x: (size.width - width) / 2, middle: size.height * figure(wall, "voice_at"), width, height };
}

/** The box of a place: 0 leads, those after it lie smaller beneath. @param {number} place @returns {Box} */
export function boxAt(place, size, wall) {
  const leads = voiceBox(size, wall);
  if (place === 0) return leads;
  const height = leads.height * figure(wall, "under_height");
  const apart = size.height * figure(wall, "under_apart");
  const top = leads.middle + leads.height / 2 + place * apart + (place - 1) * height;
  return { ...leads, middle: top + height / 2, height };
}

/** The first place that no voice has, null where all are taken. @param {number[]} taken @param {object} wall */
export function freePlace(taken, wall) {
  for (let place = 0; place < figure(wall, "voices_most"); place += 1) {
    if (!taken.includes(place)) return place;
  }
  return null;
}

/**
 * Where a layer lies: the deeper, the fainter, flatter, more worn, and the closer to its neighbours.
 * @param {number} depth 0 is the newest
 * @returns {{y: number, squeeze: number, opacity: number, wear: number}} y: px from the top; squeeze: share of the
 *   leading voice's height; wear: to be added
 */
export function stratumAt(depth, size, wall) {
  const sunk = 1 - Math.exp(-depth / figure(wall, "strata_sink"));
  const flat = 1 - Math.exp(-depth / figure(wall, "strata_flatten"));
  const between = ([newest, oldest], share) => newest + (oldest - newest) * share;
  const squeeze = between(figure(wall, "stratum_height"), flat);
  const lowest = boxAt(figure(wall, "voices_most") - 1, size, wall);
  const newestHalf = (figure(wall, "stratum_height")[0] * voiceBox(size, wall).height) / 2;
  const from = lowest.middle + lowest.height / 2 + size.height * figure(wall, "under_apart") + newestHalf;
  return {
    y: between([from, size.height * figure(wall, "strata_to")], sunk),
    squeeze,
    opacity: Math.round(between(figure(wall, "stratum_opacity"), flat) * 1000) / 1000,
    wear: between(figure(wall, "stratum_wear"), sunk),
  };
}

/** How far the picture may hang from its middle, px. @param {Size} size @returns {{x: number, y: number}} */
export function driftReach(size, wall) {
  const [x, y] = figure(wall, "drift_share");
  return { x: x * size.width, y: y * size.height };
}

/**
 * Against burn-in: where the whole picture hangs at a time, px. It goes to and fro at one speed, because a swing would
 * linger at its turning points.
 * @param {number} timeS @param {Size} size @param {object} wall
 */
export function driftAt(timeS, size, wall) {
  const reach = driftReach(size, wall);
  const [periodX, periodY] = figure(wall, "drift_period_s");
  return { x: round2(reach.x * toAndFro(timeS / periodX)), y: round2(reach.y * toAndFro(timeS / periodY)) };
}

/**
 * The same for a wall that must not be seen to move: it hangs still, and elsewhere in every step of `still_step_s`. The
 * places follow the golden ratio's sequence in the plane, which comes nowhere twice and leaves no gap.
 */
export function stillAt(timeS, size, wall) {
  const reach = driftReach(size, wall);
  const step = Math.floor(timeS / figure(wall, "still_step_s"));
  const spread = (ratio) => 2 * ((step * ratio) % 1) - 1;
  return { x: round2(reach.x * spread(0.7548776662466927)), y: round2(reach.y * spread(0.5698402909980532)) };
}

/** A triangle wave, -1..1. @param {number} turns */
function toAndFro(turns) {
  return 4 * Math.abs((((turns + 0.75) % 1) + 1) % 1 - 0.5) - 1;
}

function round2(value) {
  return Math.round(value * 100) / 100;
}
