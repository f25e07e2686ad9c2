/** Generated sound for tests. */

export function sine(frequencyHz, seconds, sampleRateHz, amplitude = 0.5) {
  return Float32Array.from(
    { length: Math.round(seconds * sampleRateHz) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz),
  );
}

export function silence(seconds, sampleRateHz) {
  return new Float32Array(Math.round(seconds * sampleRateHz));
}

export function concatenated(...parts) {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
