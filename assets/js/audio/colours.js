/**
 * Memory colours as sound. What a colour consists of is data (`assets/catalogs/colours.toml`); what its topology does
 * with the data is one builder in the table below. The dry take is what is kept: a colour is put on at playback.
 *
 * @typedef {{kind: string, frequency_hz: number, q?: number | null, gain_db?: number | null}} Filter
 * @typedef {{code: string, topology: string, gain: number, filters: Filter[], drive?: number | null,
 *   compressor?: Record<string, number> | null, space?: Record<string, number> | null}} Colour
 */

import { figure, required } from "figures";
import { bell, inSeries, pass, shelf } from "filters";
import { noiseImpulse } from "noise";

const FILTERS = {
  lowpass: (context, filter) => pass(context, "lowpass", figure(filter, "frequency_hz"), figure(filter, "q")),
  highpass: (context, filter) => pass(context, "highpass", figure(filter, "frequency_hz"), figure(filter, "q")),
  peaking: (context, filter) =>
    bell(context, figure(filter, "frequency_hz"), figure(filter, "q"), figure(filter, "gain_db")),
  lowshelf: (context, filter) => shelf(context, "lowshelf", figure(filter, "frequency_hz"), figure(filter, "gain_db")),
  highshelf: (context, filter) => shelf(context, "highshelf", figure(filter, "frequency_hz"), figure(filter, "gain_db")),
};

/** Each takes the end of the filters and gives the end of its own part; `tailS` is how long it rings on. */
const TOPOLOGIES = {
  filters: (context, colour, from) => ({ to: from, tailS: 0 }),
  compressed: buildCompressed,
  driven: buildDriven,
  space: buildSpace,
};

/**
 * @param {Colour[]} colours the catalog, in any order
 * @param {string | null | undefined} code
 * @returns {Colour | null} null is dry: no code, or "" which stands for it
 * @throws {RangeError} for a code that is not in the catalog
 */
export function findColour(colours, code) {
  if (code === null || code === undefined || code === "") return null;
  const colour = colours.find((candidate) => candidate.code === code);
  if (colour === undefined) throw new RangeError(`unknown memory colour ${code}`);
  return colour;
}

/**
 * @param {BaseAudioContext} context
 * @param {Colour | null} colour null leaves the sound as it is
 * @param {import("scope").Scope} scope owns the nodes
 * @param {number} seed of the decoded take (`seedOf`): it decides the room of "space"
 * @returns {{input: AudioNode, output: AudioNode, tailS: number}}
 */
export function buildColour(context, colour, scope, seed) {
  const input = scope.node(new GainNode(context));
  if (colour === null) return { input, output: input, tailS: 0 };
  const build = TOPOLOGIES[colour.topology];
  if (build === undefined) throw new RangeError(`unknown topology ${colour.topology}`);
  const filters = required(colour, "filters").map((filter) => scope.node(filterNode(context, filter)));
  const last = inSeries([input, ...filters]).at(-1);
  const { to, tailS } = build(context, colour, last, scope, seed);
  const output = scope.node(new GainNode(context, { gain: figure(colour, "gain") }));
  to.connect(output);
  return { input, output, tailS };
}

function filterNode(context, filter) {
  const build = FILTERS[filter.kind];
  if (build === undefined) throw new RangeError(`unknown filter ${filter.kind}`);
  return build(context, filter);
}

function buildCompressed(context, colour, from, scope) {
  const given = required(colour, "compressor");
  const compressor = scope.node(
    new DynamicsCompressorNode(context, {
      threshold: figure(given, "threshold_db"),
      knee: figure(given, "knee_db"),
      ratio: figure(given, "ratio"),
      attack: figure(given, "attack_ms") / 1000,
      release: figure(given, "release_ms") / 1000,
    }),
  );
  return { to: from.connect(compressor), tailS: 0 };
}

/** y = tanh(drive x), oversampled so that what the bend adds above half the rate does not fold back. */
function buildDriven(context, colour, from, scope) {
  const drive = figure(colour, "drive");
  const points = 2049;
  const curve = Float32Array.from({ length: points }, (_, i) => Math.tanh(drive * ((2 * i) / (points - 1) - 1)));
  const shaper = scope.node(new WaveShaperNode(context, { curve, oversample: "4x" }));
  return { to: from.connect(shaper), tailS: 0 };
}

/** Beside the dry sound, an echo that repeats feeds a room of seeded noise. */
function buildSpace(context, colour, from, scope, seed) {
  const space = required(colour, "space");
  const gain = (key) => scope.node(new GainNode(context, { gain: figure(space, key) }));
  const delayS = figure(space, "delay_ms") / 1000;
  const sum = scope.node(new GainNode(context));
  const delay = scope.node(new DelayNode(context, { delayTime: delayS, maxDelayTime: delayS }));
  const feedback = gain("feedback");
  const room = scope.node(new ConvolverNode(context, { buffer: impulseBuffer(context, space, seed) }));

  inSeries([from, gain("dry"), sum]);
  inSeries([from, gain("send"), delay, room, gain("wet"), sum]);
  inSeries([delay, feedback, delay]);
  return { to: sum, tailS: delayS + figure(space, "impulse_s") };
}

function impulseBuffer(context, space, seed) {
  const frames = Math.round(figure(space, "impulse_s") * context.sampleRate);
  const buffer = new AudioBuffer({ length: frames, sampleRate: context.sampleRate });
  buffer.copyToChannel(noiseImpulse(frames, figure(space, "decay"), seed), 0);
  return buffer;
}
