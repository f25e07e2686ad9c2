/** A small radix-2 Fourier transform: the magnitude spectrum of one frame, mean removed, Hann window. */

export const FRAME_LENGTH = 1024;

const WINDOW = hann(FRAME_LENGTH);
const COSINES = Float64Array.from({ length: FRAME_LENGTH / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / FRAME_LENGTH));
const SINES = Float64Array.from({ length: FRAME_LENGTH / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / FRAME_LENGTH));
const REVERSED = reversedBits();

/**
 * @param {Float32Array} samples
 * @param {number} start first sample of the frame
 * @param {number} end nothing at or after this index is read; a window as long as what is there is padded with zeros,
 *   because one that is cut off would smear the spectrum
 * @returns {Float64Array} 513 magnitudes, bin k at k * rate / 1024 Hz
 */
export function magnitudes(samples, start, end) {
  const real = new Float64Array(FRAME_LENGTH);
  const imaginary = new Float64Array(FRAME_LENGTH);
  const available = Math.min(FRAME_LENGTH, end - start);
  const window = available === FRAME_LENGTH ? WINDOW : hann(available);
  let mean = 0;
  for (let i = 0; i < available; i += 1) mean += samples[start + i] / available;
  for (let i = 0; i < available; i += 1) real[REVERSED[i]] = (samples[start + i] - mean) * window[i];
  transform(real, imaginary);
  return Float64Array.from({ length: FRAME_LENGTH / 2 + 1 }, (_, k) => Math.hypot(real[k], imaginary[k]));
}

/** In place, decimation in time, on input in bit-reversed order. */
function transform(real, imaginary) {
  for (let size = 2; size <= FRAME_LENGTH; size *= 2) {
    const half = size / 2;
    const step = FRAME_LENGTH / size;
    for (let block = 0; block < FRAME_LENGTH; block += size) {
      for (let k = 0; k < half; k += 1) {
        const even = block + k;
        const odd = even + half;
        const cosine = COSINES[k * step];
        const sine = SINES[k * step];
        const oddReal = real[odd] * cosine - imaginary[odd] * sine;
        const oddImaginary = real[odd] * sine + imaginary[odd] * cosine;
        real[odd] = real[even] - oddReal;
        imaginary[odd] = imaginary[even] - oddImaginary;
        real[even] += oddReal;
        imaginary[even] += oddImaginary;
      }
    }
  }
}

function hann(length) {
  const last = Math.max(length - 1, 1);
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / last));
}

function reversedBits() {
  const bits = Math.log2(FRAME_LENGTH);
  return Uint16Array.from({ length: FRAME_LENGTH }, (_, index) => {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit += 1) if (index & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
    return reversed;
  });
}
