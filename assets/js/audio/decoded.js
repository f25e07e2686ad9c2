/** A take between the file and the graph. */

import { seedOf } from "noise";
import { pcmOf } from "wav";

/**
 * @param {BaseAudioContext} context
 * @param {ArrayBuffer} wav taken over by the decoder
 * @returns {Promise<{buffer: AudioBuffer, seed: number}>} at the context's rate; the seed is the file's own, whatever the
 *   rate
 * @throws {RangeError | DOMException} for what is no WAV file
 */
export async function decodeTake(context, wav) {
  const seed = seedOf(pcmOf(wav));
  return { buffer: await context.decodeAudioData(wav), seed };
}
