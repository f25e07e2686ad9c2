/** Room tone: a voice of the air between the voices. It is never cut, only faded. */

import { createFader } from "envelope";
import { figure, required } from "figures";
import { inSeries, pass } from "filters";
import { brownLoop } from "noise";
import { measure } from "takes";

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {AudioNode} options.destination
 * @param {Record<string, any>} options.figures the [tone] section
 * @param {import("scope").Scope} options.scope
 * @param {string} options.voice a name under [tone.voices]
 * @param {number} options.seed
 */
export function createRoomTone({ context, destination, figures, scope, voice, seed }) {
  const fadeS = figure(figures, "fade_s");
  const levels = {
    silent: 0,
    idle: figure(figures, "idle"),
    sparse: figure(figures, "sparse"),
    ducked: figure(figures, "ducked"),
  };
  const fader = createFader(context, 0, scope);
  fader.node.connect(destination);
  const loop = loopBuffer(context, figure(figures, "loop_s"), seed);
  let mode = "silent";
  let scale = 1;
  let sounding = enter(voice, (own) => buildVoice(context, voiceOf(figures, voice), figures, loop, own));

  function enter(name, build) {
    const own = scope.child();
    const entrance = createFader(context, 0, own);
    build(own).connect(entrance.node);
    entrance.node.connect(fader.node);
    entrance.glide(1, fadeS);
    return { name, own, entrance };
  }

  /** The new voice comes while the old one goes. */
  function cross(name, build) {
    const { own, entrance } = sounding;
    sounding = enter(name, build);
    entrance.glide(0, fadeS);
    scope.timeout(() => own.dispose(), fadeS * 1000 + 100);
  }

  function settle() {
    fader.glide(levels[mode] * scale, fadeS);
  }

  return {
    get mode() {
      return mode;
    },
    get voice() {
      return sounding.name;
    },

    /** @param {"silent" | "idle" | "sparse" | "ducked"} name */
    setMode(name) {
      if (!(name in levels)) throw new RangeError(`room tone knows no mode ${name}`);
      if (name === mode) return;
      mode = name;
      settle();
    },

    /** Crosses over to another synthetic voice. */
    setVoice(name) {
      if (name === sounding.name) return;
      cross(name, (own) => buildVoice(context, voiceOf(figures, name), figures, loop, own));
    },

    /** Crosses over to a loop that is ready to be heard; `name` is what it is called from then on. */
    setLoop(name, buffer) {
      cross(name, (own) => startLoop(context, buffer, own));
    },

    /** @param {number} factor from steward, scarcity and deployment; 0 or more */
    setScale(factor) {
      if (!(factor >= 0)) throw new RangeError("the tone's scale is 0 or more");
      if (factor === scale) return;
      scale = factor;
      settle();
    },
  };
}

/**
 * How strong a synthetic voice is, apart from all gains: what other loops are brought to.
 *
 * @param {string} name
 * @param {Record<string, any>} figures the [tone] section
 * @returns {Promise<number>} RMS
 */
export async function toneRms(name, figures, { sampleRateHz, seed, scope }) {
  const own = scope.child();
  const context = new OfflineAudioContext(1, Math.round(figure(figures, "loop_s") * sampleRateHz), sampleRateHz);
  const loop = loopBuffer(context, figure(figures, "loop_s"), seed);
  buildVoice(context, voiceOf(figures, name), figures, loop, own).connect(context.destination);
  const rendered = await context.startRendering();
  own.dispose();
  return measure(rendered.getChannelData(0)).rms;
}

function voiceOf(figures, name) {
  return required(required(figures, "voices"), name);
}

/** A slow oscillator moves the lowpass: air that is never quite the same. */
function buildVoice(context, voice, figures, loop, scope) {
  const source = startLoop(context, loop, scope);
  const highpass = scope.node(pass(context, "highpass", figure(voice, "highpass_hz"), figure(figures, "highpass_q")));
  const lowpass = scope.node(pass(context, "lowpass", figure(voice, "lowpass_hz"), figure(figures, "lowpass_q")));
  const drift = scope.node(new OscillatorNode(context, { frequency: figure(voice, "lfo_hz") }));
  const depth = scope.node(new GainNode(context, { gain: figure(voice, "lfo_depth_hz") }));
  drift.connect(depth).connect(lowpass.frequency);
  inSeries([source, highpass, lowpass]);
  drift.start();
  return lowpass;
}

function startLoop(context, buffer, scope) {
  const source = scope.node(new AudioBufferSourceNode(context, { buffer, loop: true }));
  source.start();
  return source;
}

function loopBuffer(context, seconds, seed) {
  const samples = brownLoop(Math.round(seconds * context.sampleRate), seed);
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: context.sampleRate });
  buffer.copyToChannel(samples, 0);
  return buffer;
}
