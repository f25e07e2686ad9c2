/** What becomes of a take between the microphone and the upload. Pure: samples in, new samples out. */

import { figure } from "figures";

/**
 * @param {Float32Array} samples
 * @returns {{peak: number, rms: number}} linear, 0..1; both 0 for an empty take
 */
export function measure(samples) {
  let peak = 0;
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) {
    const size = Math.abs(samples[i]);
    if (size > peak) peak = size;
    sum += size * size;
  }
  return { peak, rms: samples.length > 0 ? Math.sqrt(sum / samples.length) : 0 };
}

/**
 * Whether a take is so quiet that it is worth asking before it is kept. Meant for the raw take: normalising first
 * would hide what the question is about.
 *
 * @param {Float32Array} samples
 * @param {number} sampleRateHz
 * @param {Record<string, number>} figures quiet_minimum_s, quiet_rms, quiet_peak
 */
export function isQuiet(samples, sampleRateHz, figures) {
  const { peak, rms } = measure(samples);
  return (
    samples.length >= figure(figures, "quiet_minimum_s") * sampleRateHz &&
    rms < figure(figures, "quiet_rms") &&
    peak < figure(figures, "quiet_peak")
  );
}

/**
 * How much of a take stands at the most its microphone can give: runs of samples there, as a share of all.
 *
 * @param {Float32Array} samples
 * @param {Record<string, number>} figures clip_level, clip_run
 * @returns {number} 0..1
 */
export function clippedShare(samples, figures) {
  const level = figure(figures, "clip_level");
  const shortest = figure(figures, "clip_run");
  let run = 0;
  let clipped = 0;
  for (let i = 0; i <= samples.length; i += 1) {
    if (i < samples.length && Math.abs(samples[i]) >= level) {
      run += 1;
    } else {
      if (run >= shortest) clipped += run;
      run = 0;
    }
  }
  return samples.length > 0 ? clipped / samples.length : 0;
}

/**
 * A part of a take that is ready, faded where it was cut.
 *
 * @param {Float32Array} samples of a prepared take
 * @param {number} sampleRateHz
 * @param {import("ritual").Trim} trim
 * @param {Record<string, number>} figures fade_ms
 * @returns {Float32Array} `samples` itself where nothing is left out
 */
export function cutTake(samples, sampleRateHz, { startMs, endMs }, figures) {
  const [start, end] = [framesOf(startMs, sampleRateHz), framesOf(endMs, sampleRateHz)];
  // Its length is told in whole milliseconds: the last of them may end before the samples do.
  if (start === 0 && end + framesOf(1, sampleRateHz) >= samples.length) return samples;
  return fadeEdges(samples.slice(start, end), sampleRateHz, figures);
}

/**
 * Cuts silence from both ends, keeping a breath at each edge. A take with nothing above the threshold stays whole: it
 * is not for us to say that it holds nothing. A remainder shorter than the minimum is widened again, evenly.
 *
 * @param {Float32Array} samples
 * @param {number} sampleRateHz
 * @param {Record<string, number>} figures trim_below, trim_keep_ms, minimum_ms
 * @returns {{samples: Float32Array, startFrame: number, endFrame: number}} a copy, and where it was cut
 */
export function trimSilence(samples, sampleRateHz, figures) {
  const threshold = figure(figures, "trim_below");
  const keep = framesOf(figure(figures, "trim_keep_ms"), sampleRateHz);
  const minimum = Math.min(samples.length, framesOf(figure(figures, "minimum_ms"), sampleRateHz));
  const first = samples.findIndex((sample) => Math.abs(sample) >= threshold);
  if (first < 0) return { samples: samples.slice(), startFrame: 0, endFrame: samples.length };
  const last = samples.findLastIndex((sample) => Math.abs(sample) >= threshold);

  let startFrame = Math.max(0, first - keep);
  let endFrame = Math.min(samples.length, last + 1 + keep);
  const missing = minimum - (endFrame - startFrame);
  if (missing > 0) {
    startFrame = Math.max(0, Math.min(startFrame - Math.floor(missing / 2), samples.length - minimum));
    endFrame = startFrame + minimum;
  }
  return { samples: samples.slice(startFrame, endFrame), startFrame, endFrame };
}

/**
 * Brings the peak to the target, within the largest gain allowed. A silent take is left as it is.
 *
 * @param {Float32Array} samples
 * @param {Record<string, number>} figures peak_target, gain_maximum
 * @returns {{samples: Float32Array, gain: number}}
 */
export function normalise(samples, figures) {
  const target = figure(figures, "peak_target");
  const maximum = figure(figures, "gain_maximum");
  const { peak } = measure(samples);
  const gain = peak > 0 ? Math.min(target / peak, maximum) : 1;
  return { samples: samples.map((sample) => sample * gain), gain };
}

/**
 * Linear fades at both edges, so that no cut is heard as a click. Edges of a very short take share what there is.
 *
 * @param {Float32Array} samples
 * @param {number} sampleRateHz
 * @param {Record<string, number>} figures fade_ms
 */
export function fadeEdges(samples, sampleRateHz, figures) {
  const faded = samples.slice();
  const frames = Math.min(framesOf(figure(figures, "fade_ms"), sampleRateHz), Math.floor(samples.length / 2));
  for (let i = 0; i < frames; i += 1) {
    const gain = i / frames;
    faded[i] *= gain;
    faded[faded.length - 1 - i] *= gain;
  }
  return faded;
}

/**
 * The whole way of a take: judged raw, then trimmed, normalised and faded.
 *
 * @param {Float32Array} raw mono, at the context's own rate
 * @param {number} sampleRateHz
 * @param {Record<string, number>} figures the [take] section
 * @returns {{samples: Float32Array, durationMs: number, trimmedStartS: number, trimmedEndS: number, gain: number,
 *   flaw: "" | "quiet" | "clipped", silent: boolean, peak: number, rms: number}} `trimmed*` is what was cut from each end;
 *   `flaw`, `silent`, `peak` and `rms` speak of the raw take
 */
export function prepareTake(raw, sampleRateHz, figures) {
  const { peak, rms } = measure(raw);
  const trimmed = trimSilence(raw, sampleRateHz, figures);
  const levelled = normalise(trimmed.samples, figures);
  const samples = fadeEdges(levelled.samples, sampleRateHz, figures);
  return {
    samples,
    durationMs: Math.round((samples.length / sampleRateHz) * 1000),
    trimmedStartS: trimmed.startFrame / sampleRateHz,
    trimmedEndS: (raw.length - trimmed.endFrame) / sampleRateHz,
    gain: levelled.gain,
    flaw: flawOf(raw, sampleRateHz, figures),
    silent: peak < 10 ** (figure(figures, "silent_db") / 20),
    peak,
    rms,
  };
}

function flawOf(raw, sampleRateHz, figures) {
  if (isQuiet(raw, sampleRateHz, figures)) return "quiet";
  return clippedShare(raw, figures) > figure(figures, "clip_share") ? "clipped" : "";
}

function framesOf(ms, sampleRateHz) {
  return Math.round((ms / 1000) * sampleRateHz);
}
