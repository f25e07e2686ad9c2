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
import { buildVoiceGraph, loadVoiceGraph } from "voice_graph";

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {ArrayBuffer} options.wav the take as it will be sent; taken over by the decoder
 * @param {string} options.code of a colour, "" for dry
 * @param {import("colours").Colour[]} options.colours
 * @param {{level: object, wear: object}} options.figures sections of the audio catalog
 * @param {import("scope").Scope} options.scope
 * @returns {Promise<{source: AudioBufferSourceNode, output: AudioNode, durationS: number, tailS: number,
 *   start: (startS: number) => void}>} to be connected; `source` tells when it has ended
 * @throws {RangeError | DOMException} for an unknown colour, or what is no WAV file
 */
export async function preparePreview({ context, wav, code, colours, figures, scope }) {
  const colour = findColour(colours, code);
  const { buffer, seed } = await decodeTake(context, wav);
  await loadVoiceGraph(context);
  const loudness = loudnessOf(buffer);
  const level = measuredLevel(loudness, required(figures, "level"));
  const gain = liftOf(level, loudness, figures.level);
  const sound = { level, wear: 0, wearSeed: 0, colour, colourSeed: seed, gain };
  const fades = fadesOf(buffer.duration, PLAIN_FADES, figures.level);
  const graph = buildVoiceGraph(context, { buffer, sound, fades, figures, scope });
  return {
    source: graph.source,
    output: graph.output,
    durationS: buffer.duration,
    tailS: graph.tailS,
    start: graph.start,
  };
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
