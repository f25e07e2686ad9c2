/**
 * How loud a take is, by ITU-R BS.1770: integrated loudness in LUFS and true peak in dBTP, for one channel. The same
 * measure as the server's, so that what the kiosk lets a participant hear is what the room will play.
 */

import { decibels } from "filters";

const STEPS_PER_S = 10;
const STEPS_PER_BLOCK = 4;
const OFFSET_LU = -0.691;
const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE_LU = -10;

const PEAK_BLOCK = 256; // so short that of speech few blocks come near its loudest
const REACH = 10; // input samples the interpolation looks at to either side
const PHASES = phases(4, REACH);
const MOST_GAIN = Math.max(...PHASES.map((taps) => taps.reduce((sum, tap) => sum + Math.abs(tap), 0)));

/**
 * @param {Float32Array} samples mono
 * @param {number} rateHz
 * @returns {number | null} LUFS; null for silence: nothing reaches -70 LUFS. A take shorter than a gating block is
 *   measured as if silence followed
 */
export function integratedLufs(samples, rateHz) {
  const loudness = blocks(stepEnergies(samples, rateHz), rateHz);
  const audible = loudness.filter((lufs) => lufs >= ABSOLUTE_GATE_LUFS);
  if (audible.length === 0) return null;
  const gate = meanOf(audible) + RELATIVE_GATE_LU;
  return meanOf(audible.filter((lufs) => lufs > gate));
}

/**
 * @param {Float32Array} samples
 * @returns {number | null} dB against full scale, between the samples too (oversampled four times); null for digital
 *   silence. Blocks are looked at loudest first, until the next cannot hold more than was found
 */
export function truePeakDbtp(samples) {
  const peaks = blockPeaks(samples);
  const order = Array.from(peaks.keys()).sort((a, b) => peaks[b] - peaks[a]);
  let found = order.length > 0 ? peaks[order[0]] : 0;
  for (const block of order) {
    if (peaks[block] * MOST_GAIN <= found) break;
    found = Math.max(found, interpolatedPeak(samples, block * PEAK_BLOCK));
  }
  return found > 0 ? decibels(found) : null;
}

/** Mean of loudnesses as powers. */
function meanOf(loudness) {
  return 10 * Math.log10(loudness.reduce((sum, lufs) => sum + 10 ** (lufs / 10), 0) / loudness.length);
}

/** Energy of the weighted sound in every whole step of 100 ms; for a short take, in what there is of them. */
function stepEnergies(samples, rateHz) {
  const weigh = kWeighting(rateHz);
  const count = Math.max(STEPS_PER_BLOCK, Math.floor((samples.length * STEPS_PER_S) / rateHz));
  const energies = new Float64Array(count);
  let at = 0;
  for (let step = 0; step < count; step += 1) {
    const end = Math.min(samples.length, Math.floor(((step + 1) * rateHz) / STEPS_PER_S));
    for (; at < end; at += 1) energies[step] += weigh(samples[at]) ** 2;
  }
  return energies;
}

function blocks(energies, rateHz) {
  const frames = (STEPS_PER_BLOCK * rateHz) / STEPS_PER_S;
  const loudness = [];
  for (let first = 0; first + STEPS_PER_BLOCK <= energies.length; first += 1) {
    let energy = 0;
    for (let step = first; step < first + STEPS_PER_BLOCK; step += 1) energy += energies[step];
    loudness.push(OFFSET_LU + 10 * Math.log10(energy / frames));
  }
  return loudness;
}

/**
 * The recommendation's two filters (a shelf for the head, a highpass for the ear) at any rate; at 48 kHz they have its
 * own coefficients (De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2018).
 */
function kWeighting(rateHz) {
  const shelf = section(headShelf(rateHz));
  const highpass = section(earHighpass(rateHz));
  return (sample) => highpass(shelf(sample));
}

function headShelf(rateHz) {
  const k = Math.tan((Math.PI * 1681.9744509555319) / rateHz);
  const q = 0.7071752369554193;
  const high = 10 ** (3.99984385397 / 20);
  const bend = high ** 0.499666774155;
  const a0 = 1 + k / q + k * k;
  return {
    b: [(high + (bend * k) / q + k * k) / a0, (2 * (k * k - high)) / a0, (high - (bend * k) / q + k * k) / a0],
    a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0],
  };
}

function earHighpass(rateHz) {
  const k = Math.tan((Math.PI * 38.13547087613982) / rateHz);
  const q = 0.5003270373253953;
  const a0 = 1 + k / q + k * k;
  return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0] };
}

/** A biquad in the transposed second direct form. */
function section({ b: [b0, b1, b2], a: [a1, a2] }) {
  let first = 0;
  let second = 0;
  return (sample) => {
    const weighted = b0 * sample + first;
    first = b1 * sample - a1 * weighted + second;
    second = b2 * sample - a2 * weighted;
    return weighted;
  };
}

function blockPeaks(samples) {
  const peaks = new Float64Array(Math.ceil(samples.length / PEAK_BLOCK));
  for (let block = 0; block < peaks.length; block += 1) {
    const start = block * PEAK_BLOCK;
    const end = Math.min(samples.length, start + PEAK_BLOCK + REACH);
    for (let at = Math.max(0, start - REACH); at < end; at += 1) peaks[block] = Math.max(peaks[block], Math.abs(samples[at]));
  }
  return peaks;
}

function interpolatedPeak(samples, start) {
  let most = 0;
  const end = Math.min(samples.length, start + PEAK_BLOCK);
  for (let at = start; at < end; at += 1) {
    for (const taps of PHASES) {
      let between = 0;
      for (let tap = 0; tap < taps.length; tap += 1) between += taps[tap] * (samples[at + tap - REACH] ?? 0);
      most = Math.max(most, Math.abs(between));
    }
  }
  return most;
}

/** A windowed sinc at every fraction of a sample: one row of taps for each. */
function phases(factor, reach) {
  return Array.from({ length: factor }, (_, phase) => interpolation(phase / factor, reach));
}

function interpolation(fraction, reach) {
  const taps = Array.from({ length: 2 * reach + 1 }, (_, tap) => {
    const x = tap - reach - fraction;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return sinc * Math.cos((Math.PI * x) / (2 * (reach + 1))) ** 2;
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}
