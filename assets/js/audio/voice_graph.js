/**
 * A voice as a graph: level, wear, edges, colour, gain, in this order. One builder for the room, for the kiosk's preview
 * and for offline renders, so that all three are the same sound.
 *
 * @typedef {{fadeInS: number, fadeOutS: number}} Fades
 */

import { buildColour } from "colours";
import { figure, required } from "figures";
import { buildWearChain, loadWear } from "wear_chain";

/** Must have been awaited before `buildVoiceGraph`. */
export const loadVoiceGraph = loadWear;

/**
 * @param {BaseAudioContext} context
 * @param {object} options
 * @param {AudioBuffer} options.buffer what is played, from its beginning to its end
 * @param {{level: number, wear: number, wearSeed: number, colour: import("colours").Colour | null, colourSeed: number,
 *   gain: number}} options.sound
 * @param {{wear: object}} options.figures sections of the audio catalog
 * @param {import("scope").Scope} options.scope owns the nodes
 * @returns {{source: AudioBufferSourceNode, output: GainNode, tailS: number,
 *   start: (startS: number, fades: Fades) => void}} `output` has the sound's `gain`; `tailS` is how long it rings on
 */
export function buildVoiceGraph(context, { buffer, sound, figures, scope }) {
  const source = scope.node(new AudioBufferSourceNode(context, { buffer }));
  const level = scope.node(new GainNode(context, { gain: figure(sound, "level") }));
  const wear = buildWearChain(context, figure(sound, "wear"), required(figures, "wear"), scope, sound.wearSeed);
  const edges = scope.node(new GainNode(context, { gain: 0 }));
  const colour = buildColour(context, sound.colour, scope, sound.colourSeed);
  const output = scope.node(new GainNode(context, { gain: figure(sound, "gain") }));
  source.connect(level).connect(wear.input);
  wear.output.connect(edges).connect(colour.input);
  colour.output.connect(output);
  return {
    source,
    output,
    tailS: colour.tailS,
    start(startS, fades) {
      shapeEdges(edges.gain, startS, buffer.duration, fades);
      source.start(startS);
    },
  };
}

function shapeEdges(param, startS, durationS, { fadeInS, fadeOutS }) {
  param.setValueAtTime(0, startS);
  param.linearRampToValueAtTime(1, startS + fadeInS);
  param.setValueAtTime(1, startS + durationS - fadeOutS);
  param.linearRampToValueAtTime(0, startS + durationS);
}
