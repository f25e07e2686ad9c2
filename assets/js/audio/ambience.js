/** The site's own ambience as a loop: one channel, no seam, as loud as the air it takes the place of. */

import { figure } from "figures";
import { measure } from "takes";

/**
 * @param {Float32Array[]} channels of equal length
 * @param {number} mostFrames what is longer is cut
 * @returns {Float32Array} their mean
 */
export function mixedDown(channels, mostFrames) {
  const mixed = channels[0].slice(0, mostFrames);
  for (const channel of channels.slice(1)) for (let i = 0; i < mixed.length; i += 1) mixed[i] += channel[i];
  return mixed.map((sample) => sample / channels.length);
}

/**
 * A loop whose end passes into its beginning: the last `overlapFrames` are laid over the first, at equal power.
 *
 * @param {Float32Array} samples
 * @param {number} overlapFrames at most half of the samples are used
 * @returns {Float32Array} shorter by the overlap
 */
export function seamless(samples, overlapFrames) {
  const overlap = Math.min(overlapFrames, Math.floor(samples.length / 2));
  const loop = samples.slice(0, samples.length - overlap);
  for (let i = 0; i < overlap; i += 1) {
    const angle = (Math.PI / 2) * (i / overlap);
    loop[i] = samples[i] * Math.sin(angle) + samples[loop.length + i] * Math.cos(angle);
  }
  return loop;
}

/**
 * @param {AudioBuffer} decoded
 * @param {number} rms what the loop should have
 * @param {Record<string, number>} figures the [tone.site] section
 * @returns {AudioBuffer}
 * @throws {RangeError} for a file without sound
 */
export function ambienceLoop(decoded, rms, figures) {
  const rateHz = decoded.sampleRate;
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, at) => decoded.getChannelData(at));
  const mixed = mixedDown(channels, Math.round(figure(figures, "longest_s") * rateHz));
  const loop = seamless(mixed, Math.round(figure(figures, "seam_s") * rateHz));
  const { rms: found } = measure(loop);
  if (!(found > 0)) throw new RangeError("there is no sound in this file");
  const buffer = new AudioBuffer({ length: loop.length, sampleRate: rateHz });
  buffer.copyToChannel(loop.map((sample) => (sample * rms) / found), 0);
  return buffer;
}
