/** Noise that a seed decides: the same seed is the same sound, on every machine. */

/**
 * Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, enough for noise and nothing else.
 *
 * @param {number} seed any integer
 * @returns {() => number} uniform in -1..1
 */
export function createNoise(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2147483648 - 1;
  };
}

/**
 * FNV-1a: a seed that belongs to one take and to no other. Taken over the samples as they lie in the file, because what
 * a browser decodes depends on the rate of its loudspeaker.
 *
 * @param {Uint8Array} bytes `pcmOf` a take
 * @returns {number} an unsigned 32-bit integer
 */
export function seedOf(bytes) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i += 1) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash >>> 0;
}

/**
 * Brown noise that repeats without a seam: the leaky integrator goes round the same white noise twice, and the second
 * round ends where it began.
 *
 * @param {number} frames
 * @param {number} seed
 * @returns {Float32Array} peak 1, mean 0
 */
export function brownLoop(frames, seed) {
  const random = createNoise(seed);
  const white = Float32Array.from({ length: frames }, random);
  const brown = new Float32Array(frames);
  let level = 0;
  for (let lap = 0; lap < 2; lap += 1) {
    for (let i = 0; i < frames; i += 1) {
      level = (level + 0.02 * white[i]) / 1.02;
      brown[i] = level;
    }
  }
  const mean = brown.reduce((sum, value) => sum + value, 0) / frames;
  const peak = brown.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0);
  return brown.map((value) => (value - mean) / peak);
}

/**
 * The impulse response of a room that never was: noise dying away as (1 - t / length) ^ decay.
 *
 * @returns {Float32Array} peak at most 1
 */
export function noiseImpulse(frames, decay, seed) {
  const random = createNoise(seed);
  return Float32Array.from({ length: frames }, (_, i) => random() * (1 - i / frames) ** decay);
}
