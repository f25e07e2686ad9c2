/** The microphone of this machine, live in the steward's ears. */

import { figure } from "figures";

/**
 * Whether a loudspeaker has found its microphone. A howl is loud, stands at one pitch, and does not pause; a voice is
 * never all three for long.
 *
 * @param {number} howledMs how long it has been so @param {{levelDb: number, peakDb: number}} heard level in dBFS, and how
 *   far the strongest frequency stands above the mean @param {number} passedMs
 * @param {{guard_level_db: number, guard_peak_db: number}} figures
 * @returns {number} how long it has been so now
 */
export function howled(howledMs, heard, passedMs, figures) {
  const howls = heard.levelDb > figure(figures, "guard_level_db") && heard.peakDb > figure(figures, "guard_peak_db");
  return howls ? howledMs + passedMs : 0;
}

/** @param {Float32Array} samples @returns {number} RMS in dBFS; -120 for silence */
export function levelDb(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.max(-120, 10 * Math.log10(sum / samples.length + 1e-12));
}

/** @param {Float32Array} bins a spectrum in dB @returns {number} how far its peak stands above the mean of its powers, in dB */
export function peakDb(bins) {
  let sum = 0;
  let most = 0;
  for (const bin of bins) {
    const power = 10 ** (bin / 10);
    sum += power;
    most = Math.max(most, power);
  }
  return sum > 0 ? 10 * Math.log10((most * bins.length) / sum) : 0;
}

/**
 * The microphone of this machine on its own loudspeaker, let go by `dispose`, by the scope, or by the guard.
 *
 * @param {object} options
 * @param {AudioContext} options.context
 * @param {Record<string, number>} options.figures the [monitor] section
 * @param {MediaStream} options.stream
 * @param {(levelDb: number) => void} options.onLevel
 * @param {() => void} options.onHowl the guard has cut it off
 * @param {import("scope").Scope} options.scope
 */
export function createMonitor({ context, figures, stream, onLevel, onHowl, scope }) {
  const own = scope.child();
  own.add(() => stream.getTracks().forEach((track) => track.stop()));
  const source = own.node(new MediaStreamAudioSourceNode(context, { mediaStream: stream }));
  const ear = own.node(new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 }));
  const level = own.node(new GainNode(context, { gain: figure(figures, "live_gain") }));
  source.connect(ear).connect(level).connect(context.destination);
  const samples = new Float32Array(ear.fftSize);
  const bins = new Float32Array(ear.frequencyBinCount);
  const everyMs = figure(figures, "guard_every_ms");
  let howledMs = 0;
  own.interval(() => {
    ear.getFloatTimeDomainData(samples);
    ear.getFloatFrequencyData(bins);
    const heard = { levelDb: levelDb(samples), peakDb: peakDb(bins) };
    onLevel(heard.levelDb);
    howledMs = howled(howledMs, heard, everyMs, figures);
    if (howledMs < figure(figures, "guard_ms")) return;
    own.dispose();
    onHowl();
  }, everyMs);
  return own;
}
