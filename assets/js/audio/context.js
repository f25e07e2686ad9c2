/** The one AudioContext of a page. No other module constructs one. */

import { figure, required } from "figures";

/** @type {AudioContext | null} */
let shared = null;

/**
 * The page's context: made on the first call, which must bring the figures, and shared from then on.
 *
 * The hardware's own rate is kept, because resampling a microphone loses more than it saves, unless it lies above
 * `maximum_rate_hz`.
 *
 * @param {{maximum_rate_hz: number, latency_hint: AudioContextLatencyCategory}} [figures] the [context] section
 * @returns {AudioContext}
 * @throws {RangeError} on a first call without figures
 */
export function audioContext(figures) {
  if (shared !== null && shared.state !== "closed") return shared;
  const maximumRateHz = figure(figures, "maximum_rate_hz");
  const latencyHint = required(figures, "latency_hint");
  shared = new AudioContext({ latencyHint });
  if (shared.sampleRate > maximumRateHz) {
    shared.close();
    shared = new AudioContext({ latencyHint, sampleRate: maximumRateHz });
  }
  return shared;
}

/**
 * Asks the browser to let sound run; to be called from a gesture where autoplay is blocked.
 *
 * `resume()` stays pending for as long as autoplay is blocked, so the answer is given after at most `unlock_wait_ms`.
 *
 * @param {AudioContext} context
 * @param {{unlock_wait_ms: number}} figures the [context] section
 * @returns {Promise<boolean>} whether the context is running
 */
export async function unlock(context, figures) {
  if (context.state === "running") return true;
  let timer;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, figure(figures, "unlock_wait_ms"));
  });
  try {
    await Promise.race([context.resume(), patience]);
  } catch (error) {
    if (error.name !== "NotAllowedError" && error.name !== "InvalidStateError") throw error; // still locked, or closed
  } finally {
    clearTimeout(timer);
  }
  return context.state === "running";
}

/**
 * Tells `fn` the state now and whenever it changes: "suspended", "running", "interrupted" or "closed".
 *
 * @param {AudioContext} context
 * @param {(state: string) => void} fn
 * @param {import("scope").Scope} scope
 */
export function watchContext(context, fn, scope) {
  scope.listen(context, "statechange", () => fn(context.state));
  fn(context.state);
}

/** @returns {number} seconds between a sample leaving the graph and being heard, as far as the browser knows */
export function latencyS(context) {
  return (context.baseLatency ?? 0) + (context.outputLatency ?? 0);
}
