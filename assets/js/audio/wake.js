/**
 * Coming back by itself: from a sleeping machine, a browser that stopped the sound, a loudspeaker that went away.
 *
 * Two things are noticed. A lapse is time that passed on the wall and not in the sound: what was in hand then belongs to
 * another hour. And a context that does not run, or claims to and stands still, is started again, unless a person has
 * paused it.
 */

import { figure } from "figures";

/**
 * @typedef {{wallMs: number, clockS: number}} Moment on the wall's clock and on the audio clock
 *
 * @param {Moment} before
 * @param {Moment} after
 * @returns {number} seconds that passed on the wall alone; a wall clock that was put back counts as well
 */
export function lapsedS(before, after) {
  return Math.abs(after.wallMs - before.wallMs) / 1000 - (after.clockS - before.clockS);
}

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {() => number} options.now epoch milliseconds
 */
export function createLapse({ context, now }) {
  const moment = () => ({ wallMs: now(), clockS: context.currentTime });
  let last = moment();
  return {
    /** @returns {number} the lapse since last looked, in seconds; told once the audio clock moves again, 0 before */
    lookS() {
      const next = moment();
      if (next.clockS === last.clockS) return 0;
      const lapse = lapsedS(last, next);
      last = next;
      return lapse;
    },
  };
}

/**
 * What to do about a context.
 *
 * @param {{state: string, wanted: boolean, stillS: number}} found stillS: how long its clock has not moved
 * @param {Record<string, number>} figures the [wake] section
 * @returns {"none" | "resume" | "restart"}
 */
export function remedyFor({ state, wanted, stillS }, figures) {
  if (!wanted || state === "closed") return "none";
  if (state !== "running") return "resume";
  return stillS >= figure(figures, "stalled_s") ? "restart" : "none";
}

/** @param {number} attempt from 1 @returns {number} seconds to wait after it before the next */
export function retryDelayS(attempt, figures) {
  return Math.min(figure(figures, "first_s") * figure(figures, "factor") ** (attempt - 1), figure(figures, "longest_s"));
}

/**
 * @param {object} options
 * @param {AudioContext} options.context
 * @param {Record<string, number>} options.figures the [wake] section
 * @param {() => boolean} options.wanted whether there should be sound: false while a person has paused it
 * @param {() => number} options.elapsed monotonic milliseconds
 * @param {import("scope").Scope} options.scope
 * @param {{window: EventTarget, document: EventTarget}} options.environment
 */
export function createWake({ context, figures, wanted, elapsed, scope, environment }) {
  let clockS = context.currentTime;
  let movedMs = elapsed();
  let attempts = 0;
  let nextMs = -Infinity;

  function look() {
    const nowMs = elapsed();
    const moved = context.currentTime !== clockS;
    if (moved || context.state !== "running" || !wanted()) {
      clockS = context.currentTime;
      movedMs = nowMs;
    }
    const remedy = remedyFor({ state: context.state, wanted: wanted(), stillS: (nowMs - movedMs) / 1000 }, figures);
    if (remedy === "none") attempts = moved ? 0 : attempts;
    else if (nowMs >= nextMs) attempt(remedy, nowMs);
  }

  function attempt(remedy, nowMs) {
    attempts += 1;
    nextMs = nowMs + retryDelayS(attempts, figures) * 1000;
    movedMs = nowMs;
    apply(remedy);
  }

  async function apply(remedy) {
    try {
      if (remedy === "restart") await context.suspend();
      if (wanted()) await context.resume();
    } catch (error) {
      if (error.name !== "NotAllowedError" && error.name !== "InvalidStateError") throw error; // tried again later
    }
  }

  /** Something has changed for the page: what was waited for may be there. */
  function rouse() {
    attempts = 0;
    nextMs = -Infinity;
    look();
  }

  scope.interval(look, figure(figures, "look_ms"));
  scope.listen(environment.document, "visibilitychange", rouse);
  scope.listen(environment.window, "pageshow", rouse);
  scope.listen(environment.window, "online", rouse);
  scope.listen(context, "statechange", look);
}
