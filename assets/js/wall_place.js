/** Where things are on the wall, and when: pure figures, no drawing. */
import { figure } from "trace";

/** Share of a voice that has been heard. @param {number} nowS @param {number} startsAt @param {number} durationS */
export function revealShare(nowS, startsAt, durationS) {
  if (durationS <= 0) return nowS >= startsAt ? 1 : 0;
  return Math.min(1, Math.max(0, (nowS - startsAt) / durationS));
}

/**
 * Where a layer lies: the deeper, the fainter, flatter, more worn, and the closer to its neighbours.
 * @param {number} depth 0 is the newest
 * @param {object} wall figures.wall
 * @returns {{y: number, height: number, opacity: number, wear: number}} y: share of
 *   the wall's height; height: share of the height it had while it sounded
 */
export function stratumAt(depth, wall) {
  const sunk = 1 - Math.exp(-depth / figure(wall, "strata_sink"));
  const between = ([newest, oldest]) => newest + (oldest - newest) * sunk;
  return {
    y: between([figure(wall, "strata_from"), figure(wall, "strata_to")]),
    height: between(figure(wall, "stratum_height")),
    opacity: Math.round(between(figure(wall, "stratum_opacity")) * 1000) / 1000,
    wear: between(figure(wall, "stratum_wear")),
  };
}

/** Against burn-in: where the whole drawing hangs at a time, px. @param {number} timeS @param {object} wall */
export function driftAt(timeS, wall) {
  const [reachX, reachY] = figure(wall, "drift_px");
  const [periodX, periodY] = figure(wall, "drift_period_s");
  const along = (reach, period) => Math.round(reach * Math.sin((2 * Math.PI * timeS) / period) * 100) / 100;
  return { x: along(reachX, periodX), y: along(reachY, periodY) };
}

/** The box in which the sounding voice is drawn, px. @param {{width: number, height: number}} size */
export function voiceBox(size, wall) {
  const width = size.width * figure(wall, "voice_width");
  const height = Math.min(size.height * figure(wall, "voice_height"), figure(wall, "voice_height_most_px"));
  return { x: (size.width - width) / 2, middle: size.height * figure(wall, "voice_at"), width, height };
}
