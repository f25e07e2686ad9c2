/** Filters with Q given as a ratio, the way the figures state it. */

/** @param {number} ratio above 0 @returns {number} the same in decibels */
export function decibels(ratio) {
  return 20 * Math.log10(ratio);
}

/** @param {number} db @returns {number} the factor that it is */
export function ratioOf(db) {
  return 10 ** (db / 20);
}

/**
 * Web Audio takes the Q of lowpass and highpass in decibels, and that of every other filter as a ratio. Here it is
 * always the ratio.
 *
 * @param {number} ratio above 0; 0.7071 is maximally flat
 * @returns {number} decibels
 */
export function qInDb(ratio) {
  return decibels(ratio);
}

/**
 * @param {BaseAudioContext} context
 * @param {"lowpass" | "highpass"} type
 * @param {number} hz held below half the sample rate
 * @param {number} qRatio
 */
export function pass(context, type, hz, qRatio) {
  const filter = new BiquadFilterNode(context, { type, Q: qInDb(qRatio) });
  filter.frequency.value = Math.min(hz, context.sampleRate / 2);
  return filter;
}

/** @param {"lowshelf" | "highshelf"} type */
export function shelf(context, type, hz, gainDb) {
  return new BiquadFilterNode(context, { type, frequency: Math.min(hz, context.sampleRate / 2), gain: gainDb });
}

/** A bell of `gainDb` around `hz`; Q is a ratio for Web Audio too. */
export function bell(context, hz, qRatio, gainDb) {
  return new BiquadFilterNode(context, { type: "peaking", frequency: hz, Q: qRatio, gain: gainDb });
}

/** @param {AudioNode[]} nodes joined one to the next @returns {AudioNode[]} the same */
export function inSeries(nodes) {
  for (let i = 1; i < nodes.length; i += 1) nodes[i - 1].connect(nodes[i]);
  return nodes;
}
