/** The line on the kiosk: what the microphone hears as points, and what is drawn of it. Pure. */

import { meterHeight } from "ritual_screen";
import { liveTrace, restingTrace, seedOf, tracePath } from "trace";

export { seedOf };

/** More points than the widest screen shows; older ones have run out of the picture. */
const POINTS_HELD = 1024;

/**
 * @typedef {{points: [number, number][], gathered: {rms: number, centroid: number}[], left: number}} Levels
 *   `left` counts the points that are no longer held
 */

/**
 * The gathered levels as one more point: the loudest, with the newest grain.
 * @param {Levels} levels
 * @param {Record<string, number>} figures the kiosk's
 * @returns {Levels}
 */
export function capturedLine({ points, gathered, left }, figures) {
  const rms = Math.max(...gathered.map((level) => level.rms));
  const next = [...points, [meterHeight(rms, figures), gathered.at(-1).centroid]];
  const surplus = Math.max(0, next.length - POINTS_HELD);
  return { points: next.slice(surplus), gathered: [], left: left + surplus };
}

/**
 * The voice still speaking, the take held, or the line at rest.
 * @param {{width: number, height: number, seed: number, figures: {trace: object, kiosk: {point_px: number, point_share: number}},
 *   levels: Levels | null, points: [number, number][] | null}} options
 */
export function wholeLine({ width, height, seed, figures: { trace, kiosk }, levels, points }) {
  const box = { width, height, seed, figures: trace };
  if (points) return tracePath(points, { ...box, wear: 0 });
  if (!levels || levels.points.length === 0) return restingTrace(box);
  const capacity = Math.max(1, Math.floor(width / Math.max(kiosk.point_px, height * kiosk.point_share)));
  const grow = levels.left + levels.points.length <= capacity;
  return liveTrace(levels.points, { ...box, capacity, grow, first: levels.left });
}
