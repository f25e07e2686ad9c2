/** An ear at the room's own output: when it last carried sound, by what really leaves the graph. */

import { figure } from "figures";

/** @param {Float32Array} samples @param {number} floorDb @returns {boolean} whether their RMS lies above the floor */
export function carriesSound(samples, floorDb) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return 10 * Math.log10(power) > floorDb;
}

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {AudioNode} options.node the last before the loudspeakers
 * @param {Record<string, number>} options.figures catalogs/device.toml
 * @param {() => number} options.elapsed milliseconds
 * @param {import("scope").Scope} options.scope
 */
export function createTap({ context, node, figures, elapsed, scope }) {
  const floorDb = figure(figures, "sound_floor_db");
  const ear = scope.node(new AnalyserNode(context, { fftSize: figure(figures, "tap_samples") }));
  const samples = new Float32Array(ear.fftSize);
  let clockS = context.currentTime;
  /** @type {number | null} */
  let heardMs = null;
  node.connect(ear);
  scope.add(() => node.disconnect(ear));
  scope.interval(() => {
    // While its clock stands still the graph holds the samples of the last moment it ran.
    const runs = context.state === "running" && context.currentTime > clockS;
    clockS = context.currentTime;
    if (!runs) return;
    ear.getFloatTimeDomainData(samples);
    if (carriesSound(samples, floorDb)) heardMs = elapsed();
  }, figure(figures, "tap_ms"));

  return {
    /** @returns {number | null} seconds since it last carried sound; null where it never did */
    agoS: () => (heardMs === null ? null : (elapsed() - heardMs) / 1000),
  };
}
