/** Wear as sound. One builder, used live and by offline renders. */

import { between, figure, required } from "figures";
import { inSeries, pass, shelf } from "filters";

/**
 * The figures of one wear, each on its way from untouched to fully worn by a = w^2 (3 - 2w).
 *
 * @param {number} wear 0..1
 * @param {Record<string, any>} figures the [wear] section
 * @returns {{bypassed: boolean, lowpassHz: number, shelfDb: number, bits: number, holdSamples: number, noise: number,
 *   dropoutsPerSample: number, lfoHz: number, lfoDepthHz: number}}
 * @throws {RangeError} for a wear outside 0..1 or a missing figure
 */
export function wearFigures(wear, figures) {
  if (!(wear >= 0 && wear <= 1)) throw new RangeError("wear lies between 0 and 1");
  const amount = wear * wear * (3 - 2 * wear);
  const at = (key) => {
    const range = required(figures, key);
    return between(figure(range, 0), figure(range, 1), amount);
  };
  return {
    bypassed: wear === 0,
    lowpassHz: at("lowpass_hz"),
    shelfDb: at("shelf_db"),
    bits: at("bits"),
    holdSamples: at("hold_samples"),
    noise: at("noise"),
    dropoutsPerSample: at("dropouts_per_sample"),
    lfoHz: at("lfo_hz"),
    lfoDepthHz: at("lfo_depth_hz"),
  };
}

/** @type {WeakMap<BaseAudioContext, Promise<void>>} */
const loaded = new WeakMap();

/**
 * Must have been awaited before `buildWearChain`; loads once for each context. A page on plain http from another
 * machine has no worklets: its voices wear by the filters alone.
 */
export async function loadWear(context) {
  if (!hasWorklets(context)) return;
  if (!loaded.has(context)) {
    const loading = context.audioWorklet.addModule(import.meta.resolve("wear_worklet"));
    loading.catch(() => loaded.delete(context)); // a failed download may be tried again
    loaded.set(context, loading);
  }
  await loaded.get(context);
}

const hasWorklets = (context) => context.audioWorklet !== undefined;

/**
 * Grit first, filters after it: what quantising, holding, noise and loss add at the top dulls with the voice, so that
 * brightness only ever falls. Mono in, mono out; at wear 0 nothing is in the way.
 *
 * The worklet makes noise for as long as it lives: whoever builds the chain opens and closes it with an envelope.
 *
 * @param {BaseAudioContext} context
 * @param {number} wear 0..1
 * @param {Record<string, any>} figures the [wear] section
 * @param {import("scope").Scope} scope owns the nodes
 * @param {number} seed decides the noise and the lost samples
 * @returns {{input: AudioNode, output: AudioNode}}
 */
export function buildWearChain(context, wear, figures, scope, seed) {
  const worn = wearFigures(wear, figures);
  const input = scope.node(new GainNode(context));
  if (worn.bypassed) return { input, output: input };

  const grit = hasWorklets(context) ? [scope.node(gritNode(context, worn, seed))] : [];
  for (const node of grit) scope.add(() => node.port.postMessage("close"));
  const lowpass = scope.node(pass(context, "lowpass", worn.lowpassHz, figure(figures, "lowpass_q")));
  const treble = scope.node(shelf(context, "highshelf", figure(figures, "shelf_hz"), worn.shelfDb));
  inSeries([input, ...grit, lowpass, treble]);

  const drift = scope.node(new OscillatorNode(context, { frequency: worn.lfoHz }));
  const depth = scope.node(new GainNode(context, { gain: worn.lfoDepthHz }));
  drift.connect(depth).connect(lowpass.frequency);
  drift.start();
  return { input, output: treble };
}

function gritNode(context, { bits, holdSamples, noise, dropoutsPerSample }, seed) {
  return new AudioWorkletNode(context, "memory-wear", {
    channelCount: 1,
    channelCountMode: "explicit",
    outputChannelCount: [1],
    processorOptions: { bits, holdSamples, noise, dropoutsPerSample, seed },
  });
}
