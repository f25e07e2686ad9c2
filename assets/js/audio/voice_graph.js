/**
 * A voice as a graph: level, wear, edges, colour, crossfade, gain, in this order. One builder for the room, for the kiosk's
 * preview and for offline renders, so that all three are the same sound.
 */

import { buildColour } from "colours";
import { crossfade } from "envelope";
import { figure, required } from "figures";
import { buildWearChain, loadWear } from "wear_chain";

/** Must have been awaited before `buildVoiceGraph` builds a voice that is worn. */
export const loadVoiceGraph = loadWear;

/**
 * @param {BaseAudioContext} context
 * @param {object} options
 * @param {AudioBuffer} options.buffer what is played, to its end
 * @param {number} options.fromS where in the buffer it begins
 * @param {{level: number, wear: number, wearSeed: number, colour: import("colours").Colour | null, colourSeed: number,
 *   gain: number}} options.sound
 * @param {ReturnType<typeof import("plan").fadesOf>} options.fades
 * @param {{wear: object}} options.figures sections of the audio catalog
 * @param {import("scope").Scope} options.scope owns the nodes
 * @returns {{source: AudioBufferSourceNode, output: GainNode, tailS: number, start: (startS: number) => void}} `output`
 *   has the sound's `gain`; `tailS` is how long it rings on
 */
export function buildVoiceGraph(context, { buffer, fromS, sound, fades, figures, scope }) {
  const durationS = buffer.duration - fromS;
  const gainNode = (gain) => scope.node(new GainNode(context, { gain }));
  const source = scope.node(new AudioBufferSourceNode(context, { buffer }));
  const level = gainNode(figure(sound, "level"));
  const wear = buildWearChain(context, figure(sound, "wear"), required(figures, "wear"), scope, sound.wearSeed);
  const edges = gainNode(0);
  const colour = buildColour(context, sound.colour, scope, sound.colourSeed);
  const cross = fades.crossesIn || fades.crossesOut ? gainNode(fades.crossesIn ? 0 : 1) : null;
  const output = gainNode(figure(sound, "gain"));
  source.connect(level).connect(wear.input);
  wear.output.connect(edges).connect(colour.input);
  (cross === null ? colour.output : colour.output.connect(cross)).connect(output);
  return {
    source,
    output,
    tailS: fades.crossesOut ? 0 : colour.tailS,
    start(startS) {
      shapeEdges(edges.gain, startS, durationS, fades);
      if (cross !== null) shapeCross(cross.gain, startS, durationS, fades);
      source.start(startS, fromS);
    },
  };
}

/** Opens and closes the voice. Where a crossfade does that, an edge only keeps the noise of wear from outlasting it. */
function shapeEdges(param, startS, durationS, { fadeInS, fadeOutS, crossesIn, crossesOut }) {
  const endS = startS + durationS;
  param.setValueAtTime(crossesIn ? 1 : 0, startS);
  if (!crossesIn) param.linearRampToValueAtTime(1, startS + fadeInS);
  if (!crossesOut) {
    param.setValueAtTime(1, endS - fadeOutS);
    param.linearRampToValueAtTime(0, endS);
  }
  param.setValueAtTime(0, endS);
}

/** After the colour, because a drive or a compressor would lift a fade again that came before it. */
function shapeCross(param, startS, durationS, { fadeInS, fadeOutS, crossesIn, crossesOut }) {
  const outS = Math.max(startS + durationS - fadeOutS, crossesIn ? startS + fadeInS : startS);
  if (crossesIn) crossfade(param, "in", startS, fadeInS);
  if (crossesOut) crossfade(param, "out", outS, startS + durationS - outS);
}
