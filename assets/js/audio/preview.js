/**
 * What a take will sound like in the room, for the one who left it: the room's own graph and the room's own level, so that
 * a colour does to it here what it will do there, and then louder, because a headphone or a kiosk is not a room.
 */

import { findColour } from "colours";
import { decodeTake } from "decoded";
import { figure, required } from "figures";
import { decibels, ratioOf } from "filters";
import { integratedLufs, truePeakDbtp } from "loudness";
import { PLAIN_FADES, fadesOf, measuredLevel } from "plan";
import { buildVoiceGraph } from "voice_graph";

/**
 * @typedef {{buffer: AudioBuffer, seed: number, level: number, gain: number}} HeardTake decoded and measured; the same for
 *   every colour
 */

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {ArrayBuffer} options.wav the take as it will be sent, or came back; taken over by the decoder
 * @param {{level: object}} options.figures sections of the audio catalog
 * @returns {Promise<HeardTake>}
 * @throws {RangeError | DOMException} for what is no WAV file
 */
export async function readPreview({ context, wav, figures }) {
  const { buffer, seed } = await decodeTake(context, wav);
  const loudness = loudnessOf(buffer);
  const level = measuredLevel(loudness, required(figures, "level"));
  return { buffer, seed, level, gain: liftOf(level, loudness, figures.level) };
}

/**
 * A take in one colour, unworn: nothing of it has to be loaded, so that it is heard without the server.
 *
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {HeardTake} options.take
 * @param {string} options.code of a colour, "" for dry
 * @param {import("colours").Colour[]} options.colours
 * @param {number} options.fromS where in the take it begins
 * @param {{level: object, wear: object}} options.figures sections of the audio catalog
 * @param {import("scope").Scope} options.scope owns the nodes
 * @returns {ReturnType<typeof buildVoiceGraph>} to be connected; its `source` tells when it has ended
 * @throws {RangeError} for an unknown colour
 */
export function buildPreview(options) {
  const { context, take, code, colours, fromS, figures, scope } = options;
  const { buffer, seed, level, gain } = take;
  const sound = { level, wear: 0, wearSeed: 0, colour: findColour(colours, code), colourSeed: seed, gain };
  const fades = fadesOf(buffer.duration - fromS, PLAIN_FADES, required(figures, "level"));
  return buildVoiceGraph(context, { buffer, fromS, sound, fades, figures, scope });
}

/** @param {AudioBuffer} buffer @returns {{lufs: number | null, peakDbtp: number | null}} of its first channel */
export function loudnessOf(buffer) {
  const samples = buffer.getChannelData(0);
  return { lufs: integratedLufs(samples, buffer.sampleRate), peakDbtp: truePeakDbtp(samples) };
}

/** As much louder than the room as is wanted, where the take's peak leaves room for it. */
function liftOf(level, { peakDbtp }, figures) {
  const wantedDb = figure(figures, "preview_lift_db");
  if (peakDbtp === null) return ratioOf(wantedDb);
  const headroomDb = figure(figures, "ceiling_dbtp") - (peakDbtp + decibels(level));
  return ratioOf(Math.max(0, Math.min(wantedDb, headroomDb)));
}
