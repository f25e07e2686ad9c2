/**
 * Gain that never jumps. A ramp is remembered here as well as in the node, because browsers disagree on what
 * `param.value` says in the middle of a ramp, and a new one has to begin where the old one is.
 *
 * @typedef {{from: number, to: number, startS: number, endS: number}} Ramp
 */

/** @param {Ramp} ramp @param {number} atS @returns {number} */
export function rampValue({ from, to, startS, endS }, atS) {
  if (atS >= endS) return to;
  if (atS <= startS) return from;
  return from + (to - from) * ((atS - startS) / (endS - startS));
}

const CURVE_POINTS = 129;
const RISING = Float32Array.from({ length: CURVE_POINTS }, (_, i) => Math.sin((Math.PI / 2) * (i / (CURVE_POINTS - 1))));
const FALLING = RISING.slice().reverse();

/** From 0 to 1, or from 1 to 0, along a quarter of a sine: two such that meet are of equal power throughout. */
export function crossfade(param, direction, startS, seconds) {
  const curve = direction === "in" ? RISING : FALLING;
  if (seconds > 0) param.setValueCurveAtTime(curve, startS, seconds);
  param.setValueAtTime(curve.at(-1), startS + seconds);
}

/**
 * @param {BaseAudioContext} context
 * @param {number} initial
 * @param {import("scope").Scope} scope owns the node
 */
export function createFader(context, initial, scope) {
  const node = scope.node(new GainNode(context, { gain: initial }));
  /** @type {Ramp} */
  let ramp = { from: initial, to: initial, startS: 0, endS: 0 };
  return {
    node,
    get target() {
      return ramp.to;
    },
    /** Moves linearly to `gain` within `seconds`, from wherever it is now. */
    glide(gain, seconds) {
      const nowS = context.currentTime;
      ramp = { from: rampValue(ramp, nowS), to: gain, startS: nowS, endS: nowS + seconds };
      node.gain.cancelScheduledValues(0);
      node.gain.setValueAtTime(ramp.from, nowS);
      node.gain.linearRampToValueAtTime(gain, ramp.endS);
    },
  };
}
