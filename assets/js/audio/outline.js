/**
 * The outline of a take: the few points a trace is drawn from. `core/audio/outline.py` is its twin and states the
 * definition; a test holds the two together.
 *
 * @typedef {[level: number, centroid: number]} Point both 0..1
 */

import { FRAME_LENGTH, magnitudes } from "fft";
import { figure } from "figures";

export const POINTS = 64;
const FRAMES_PER_SLICE = 4;
const LOWEST_HZ = 100;
const HIGHEST_HZ = 8000;
const SILENT_RMS = 1e-5;

/**
 * @param {Float32Array} samples mono, -1..1
 * @param {number} sampleRateHz
 * @returns {Point[]} exactly 64, rounded to three decimals; all zeros for a silent or empty take
 */
export function outline(samples, sampleRateHz) {
  const slices = Array.from({ length: POINTS }, (_, i) => slice(samples, i));
  const loudest = Math.max(...slices.map(({ rms }) => rms));
  if (loudest < SILENT_RMS) return slices.map(() => [0, 0]);
  return slices.map(({ start, end, rms }) => [
    rounded(rms / loudest),
    rms < SILENT_RMS ? 0 : rounded(centroidOf(samples, start, end, sampleRateHz, FRAMES_PER_SLICE)),
  ]);
}

/**
 * The outline of a take that is still being spoken. Cheap: each slice costs one short Fourier transform.
 *
 * `keep: "all"` follows the whole take: when 64 points are full, neighbours merge in pairs and slices become twice as
 * long. `keep: "recent"` is a moving window of the newest 64 slices. Levels are relative to the loudest slice kept, but
 * never to less than `live_floor`, so that an empty room draws a still line and not its own noise at full height.
 *
 * @param {{sampleRateHz: number, keep: "all" | "recent", figures: Record<string, number>}} options figures:
 *   live_slice_ms, live_floor
 */
export function createLiveOutline({ sampleRateHz, keep, figures }) {
  if (keep !== "all" && keep !== "recent") throw new RangeError('keep is "all" or "recent"');
  const floor = figure(figures, "live_floor");
  const firstLength = Math.max(1, Math.round((figure(figures, "live_slice_ms") / 1000) * sampleRateHz));
  /** @type {{sum: number, frames: number, centroid: number}[]} */
  let slices = [];
  let length = firstLength;
  let open = emptySlice(firstLength);

  function close() {
    slices.push(open.toSlice(sampleRateHz));
    if (slices.length > POINTS && keep === "recent") slices.shift();
    if (slices.length === POINTS && keep === "all") {
      slices = mergedPairs(slices);
      length *= 2;
    }
    open = emptySlice(length);
  }

  return {
    /** @param {Float32Array} chunk the samples that follow those pushed before */
    push(chunk) {
      for (let i = 0; i < chunk.length; i += 1) {
        open.add(chunk[i]);
        if (open.frames === length) close();
      }
    },

    /** @returns {Point[]} oldest first, at most 64 */
    points() {
      const levels = slices.map(({ sum, frames }) => Math.sqrt(sum / frames));
      const loudest = Math.max(floor, ...levels);
      return slices.map(({ centroid }, i) => [
        rounded(levels[i] / loudest),
        levels[i] < SILENT_RMS ? 0 : rounded(centroid),
      ]);
    },

    reset() {
      slices = [];
      length = firstLength;
      open = emptySlice(length);
    },
  };
}

/** Gathers one slice: its energy, and its first frame's worth of samples for the centroid. */
function emptySlice(length) {
  const head = new Float32Array(Math.min(length, FRAME_LENGTH));
  return {
    frames: 0,
    sum: 0,
    add(sample) {
      if (this.frames < head.length) head[this.frames] = sample;
      this.frames += 1;
      this.sum += sample * sample;
    },
    toSlice(sampleRateHz) {
      return { sum: this.sum, frames: this.frames, centroid: centroidOf(head, 0, head.length, sampleRateHz, 1) };
    },
  };
}

/** Neighbours become one; the louder has more say in the centroid. */
function mergedPairs(slices) {
  return Array.from({ length: slices.length / 2 }, (_, i) => {
    const [a, b] = [slices[2 * i], slices[2 * i + 1]];
    const sum = a.sum + b.sum;
    const centroid = sum > 0 ? (a.centroid * a.sum + b.centroid * b.sum) / sum : 0;
    return { sum, frames: a.frames + b.frames, centroid };
  });
}

function slice(samples, i) {
  const start = Math.floor((i * samples.length) / POINTS);
  const end = Math.max(start + 1, Math.floor(((i + 1) * samples.length) / POINTS));
  let sum = 0;
  for (let k = start; k < Math.min(end, samples.length); k += 1) sum += samples[k] * samples[k];
  return { start, end, rms: Math.sqrt(sum / (end - start)) };
}

/** Magnitude-weighted mean frequency without DC, log2 from 100 Hz (0) to 8 kHz (1). */
function centroidOf(samples, start, end, sampleRateHz, frames) {
  const room = Math.max(end - start - FRAME_LENGTH, 0);
  let weighted = 0;
  let total = 0;
  for (let i = 0; i < frames; i += 1) {
    const first = start + (frames > 1 ? Math.round((room * i) / (frames - 1)) : 0);
    const spectrum = magnitudes(samples, first, end);
    for (let k = 1; k < spectrum.length; k += 1) {
      weighted += spectrum[k] * ((k * sampleRateHz) / FRAME_LENGTH);
      total += spectrum[k];
    }
  }
  const meanHz = total > 0 ? weighted / total : LOWEST_HZ;
  const octaves = Math.log2(Math.max(meanHz, LOWEST_HZ) / LOWEST_HZ);
  return Math.min(1, octaves / Math.log2(HIGHEST_HZ / LOWEST_HZ));
}

function rounded(value) {
  return Math.round(value * 1000) / 1000;
}
