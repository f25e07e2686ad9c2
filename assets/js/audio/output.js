/** The last node before the loudspeakers: how loud the room is, and whether it is paused. */

import { createFader } from "envelope";
import { figure } from "figures";

/**
 * @param {object} options
 * @param {AudioContext} options.context
 * @param {Record<string, number>} options.figures the [program] section
 * @param {() => number} options.elapsed monotonic milliseconds
 * @param {import("scope").Scope} options.scope
 */
export function createOutput({ context, figures, elapsed, scope }) {
  const pauseFadeS = figure(figures, "pause_fade_s");
  const levelFadeS = figure(figures, "level_fade_s");
  const fader = createFader(context, 1, scope);
  fader.node.connect(context.destination);
  let gain = 1;
  /** @type {number | null} */
  let pausedMs = null;
  let cancelSuspend = () => {};

  return {
    node: fader.node,
    /** Where the fader is or is going: 0 while paused. */
    get target() {
      return fader.target;
    },
    /** What it has when it is not paused. */
    get gain() {
      return gain;
    },
    get paused() {
      return pausedMs !== null;
    },
    /** How long it has been paused, in seconds. */
    pausedS: () => (pausedMs === null ? 0 : (elapsed() - pausedMs) / 1000),

    setGain(wanted) {
      gain = wanted;
      if (pausedMs === null) fader.glide(gain, levelFadeS);
    },

    /** Fades out and stops the audio clock: everything stays where it is. */
    pause() {
      pausedMs = elapsed();
      fader.glide(0, pauseFadeS);
      // Twice the fade, because a timer and the audio clock do not agree to the millisecond.
      cancelSuspend = scope.timeout(() => context.suspend(), 2 * pauseFadeS * 1000);
    },

    async resume() {
      pausedMs = null;
      cancelSuspend();
      fader.glide(gain, pauseFadeS);
      await context.resume();
    },
  };
}
