/** Renders and plays our graphs inside a test page, and measures what came out. */

import { openMicrophone } from "capture";
import { buildColour } from "colours";
import { FRAME_LENGTH, magnitudes } from "fft";
import { createNoise, seedOf } from "noise";
import { createPlayerEngine } from "program";
import { createScope } from "scope";
import { measure } from "takes";
import { createRoomTone } from "tone";
import { encodeWav, pcmOf } from "wav";
import { buildWearChain, loadWear } from "wear_chain";

export const RATE_HZ = 48000;

/** Sources by name; each a second and a half. */
const SOURCES = {
  white: (seed) => Float32Array.from({ length: RATE_HZ * 1.5 }, ((noise) => () => 0.1 * noise())(createNoise(seed))),
  voice: (seed) => harmonics(130 + seed, RATE_HZ * 1.5),
  silence: () => new Float32Array(RATE_HZ * 1.5),
};

/** Something like a vowel: harmonics up to 16 kHz, falling by 6 dB an octave. */
function harmonics(fundamentalHz, frames) {
  const samples = new Float32Array(frames);
  for (let k = 1; k * fundamentalHz < 16000; k += 1) {
    const step = (2 * Math.PI * k * fundamentalHz) / RATE_HZ;
    for (let i = 0; i < frames; i += 1) samples[i] += (0.15 / k) * Math.sin(i * step + k * k);
  }
  return samples;
}

const seedOfSamples = (samples) => seedOf(pcmOf(encodeWav(samples, RATE_HZ)));

async function rendered(samples, seconds, build) {
  const context = new OfflineAudioContext(1, seconds * RATE_HZ, RATE_HZ);
  const scope = createScope();
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: RATE_HZ });
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  const { input, output } = await build(context, scope);
  source.connect(input);
  output.connect(context.destination);
  source.start();
  const result = (await context.startRendering()).getChannelData(0);
  scope.dispose();
  return result;
}

/** @returns {Promise<object>} what `describe` measures of the worn source */
export async function wear({ source, wear: amount, figures, seed }) {
  const dry = SOURCES[source](1);
  const worn = await rendered(dry, 1.5, async (context, scope) => {
    await loadWear(context);
    return buildWearChain(context, amount, figures, scope, seed);
  });
  return { ...(await describe(worn)), difference: largestDifference(dry, worn) };
}

export async function colour({ source, colour: given, sourceSeed }) {
  const dry = SOURCES[source](sourceSeed);
  const build = (context, scope) => buildColour(context, given, scope, seedOfSamples(dry));
  return describe(await rendered(dry, 3, build));
}

/** The same click in the room that another take's seed makes: what differs is the room alone. */
export async function dreamRoom({ colour: given, sourceSeed }) {
  const seed = seedOfSamples(SOURCES.white(sourceSeed));
  const click = new Float32Array(RATE_HZ * 1.5);
  click[0] = 1;
  return (await describe(await rendered(click, 3, (context, scope) => buildColour(context, given, scope, seed)))).digest;
}

/** Levels of the bands in dB, centre of gravity, and a digest of the very bits. */
async function describe(samples) {
  const power = new Float64Array(FRAME_LENGTH / 2 + 1);
  for (let i = 0; i + FRAME_LENGTH <= RATE_HZ * 1.5; i += FRAME_LENGTH / 2) {
    magnitudes(samples, i, samples.length).forEach((value, k) => { power[k] += value * value; });
  }
  const hz = (k) => (k * RATE_HZ) / FRAME_LENGTH;
  const total = power.reduce((sum, value) => sum + value, 0);
  const band = (low, high) =>
    10 * Math.log10(power.reduce((sum, value, k) => (hz(k) >= low && hz(k) < high ? sum + value : sum), 1e-12));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", samples.slice().buffer));
  return {
    brightnessHz: total > 0 ? power.reduce((sum, value, k) => sum + value * hz(k), 0) / total : 0,
    bands: { rumble: band(30, 60), low: band(80, 200), middle: band(900, 1900), presence: band(2000, 3000),
      high: band(5500, 7500), top: band(9000, 14000) },
    rms: measure(samples.subarray(0, RATE_HZ * 1.5)).rms,
    tailRms: measure(samples.subarray(RATE_HZ * 1.6)).rms,
    digest: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}

function largestDifference(a, b) {
  return a.reduce((most, sample, i) => Math.max(most, Math.abs(sample - b[i])), 0);
}

export async function wavRoundTrip() {
  const samples = SOURCES.voice(1);
  const bytes = encodeWav(samples, RATE_HZ);
  const context = new OfflineAudioContext(1, 1, RATE_HZ);
  const decoded = await context.decodeAudioData(bytes.slice(0));
  return {
    channels: decoded.numberOfChannels,
    frames: [samples.length, decoded.length],
    difference: largestDifference(samples, decoded.getChannelData(0)),
    header: [...new Uint8Array(bytes, 0, 44)],
  };
}

/** Room tone through its modes: RMS while idle and while ducked, and the largest step between two samples. */
export async function roomTone({ figures }) {
  const context = new OfflineAudioContext(1, 16 * RATE_HZ, RATE_HZ);
  const scope = createScope();
  const tone = createRoomTone({
    context, destination: context.destination, figures, scope, voice: "soft_air", seed: 3,
  });
  tone.setMode("idle");
  const at = (seconds, fn) => context.suspend(seconds).then(() => { fn(); return context.resume(); });
  at(5, () => tone.setMode("ducked"));
  at(10, () => tone.setMode("idle"));
  at(10.5, () => tone.setMode("ducked"));
  at(11, () => { tone.setMode("idle"); tone.setVoice("warm_hiss"); });
  const samples = (await context.startRendering()).getChannelData(0);
  const rms = (from, to) => measure(samples.subarray(from * RATE_HZ, to * RATE_HZ)).rms;
  const step = (from, to) => {
    let most = 0;
    for (let i = from * RATE_HZ + 1; i < to * RATE_HZ; i += 1) most = Math.max(most, Math.abs(samples[i] - samples[i - 1]));
    return most;
  };
  scope.dispose();
  return {
    beginning: rms(0, 0.02), idle: rms(2, 5), ducked: rms(6.5, 10), again: rms(12.5, 16),
    steadySteps: Math.max(step(2, 5), step(13, 16)), largestStep: step(0, 16),
  };
}

/**
 * An engine in a real context, with everything that leaves it on tape.
 *
 * @returns {Promise<object>} to be driven by the test and then closed
 */
export async function stage({ figures, colours, answers = {}, tone = {}, unanswered = false }) {
  const context = new AudioContext({ sampleRate: RATE_HZ });
  await context.resume();
  await context.audioWorklet.addModule(import.meta.resolve("capture_worklet"));
  const scope = createScope();
  const events = [];
  const posts = [];
  const heads = [];
  let aheadMs = 0; // what a sleeping machine puts its wall clock forward by
  const engine = createPlayerEngine({
    context, figures, colours, scope,
    fetchAudio: async (url, signal) => {
      const answer = await fetch(url, { signal });
      if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
      return answer.arrayBuffer();
    },
    head: async (url, signal) => {
      heads.push({ url, clockS: context.currentTime });
      return unanswered ? aborted(signal) : fetch(url, { method: "HEAD", signal });
    },
    post: async (url) => {
      posts.push(url);
      const answer = (answers[url] ?? []).shift() ?? 200;
      if (answer === 0) throw new TypeError("Failed to fetch");
      return { status: answer };
    },
    onEvent: (event) => events.push({ ...event, clockS: context.currentTime }),
    now: () => Date.now() + aheadMs,
    elapsed: () => performance.now(),
    tone: { voice: "soft_air", scale: 1, file_url: "", seed: 1, ...tone },
  });
  const tape = startTape(context, engine.output);
  engine.start();
  const sleep = (hours) => { aheadMs += hours * 3_600_000; };
  return { context, engine, events, posts, heads, tape, sleep, close: () => { scope.dispose(); return context.close(); } };
}

/** A question that nobody answers. */
function aborted(signal) {
  return new Promise((resolve, reject) => { signal.addEventListener("abort", () => reject(signal.reason)); });
}

/** The capture worklet as a tape recorder: sample-exact, on the audio clock. */
function startTape(context, node) {
  const recorder = new AudioWorkletNode(context, "memory-capture", {
    channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1],
    processorOptions: { chunkFrames: 1280, levelFrames: 1280 },
  });
  const chunks = [];
  recorder.port.onmessage = ({ data }) => { if (data.type === "chunk") chunks.push(data.samples); };
  node.connect(recorder).connect(context.destination);
  recorder.port.postMessage({ type: "start", take: 1 });
  return {
    /** Stretches that are not silent, in seconds of tape; shorter silences than `joinS` are bridged. */
    sounds(threshold = 0.01, joinS = 0.05) {
      const found = [];
      let frame = 0;
      for (const chunk of chunks) {
        for (const sample of chunk) {
          if (Math.abs(sample) > threshold) {
            const last = found.at(-1);
            if (last !== undefined && frame - last[1] < joinS * RATE_HZ) last[1] = frame;
            else found.push([frame, frame]);
          }
          frame += 1;
        }
      }
      return found.map(([from, to]) => [from / RATE_HZ, to / RATE_HZ]);
    },
    /** The tape cut into stretches of `windowS`. */
    cut(windowS) {
      const frames = Math.round(windowS * RATE_HZ);
      const samples = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
      let at = 0;
      for (const chunk of chunks) {
        samples.set(chunk, at);
        at += chunk.length;
      }
      return Array.from({ length: Math.floor(samples.length / frames) },
        (_, window) => samples.subarray(window * frames, (window + 1) * frames));
    },
    /** RMS of every `windowS` of tape. */
    levels(windowS = 0.05) {
      return this.cut(windowS).map((samples) => measure(samples).rms);
    },
    /** Pitch of every `windowS` of tape in Hz, by how often it rises through zero. */
    pitches(windowS) {
      const rises = (samples) => samples.filter((sample, i) => sample >= 0 && samples[i - 1] < 0).length;
      return this.cut(windowS).map((samples) => rises(samples) / windowS);
    },
    get lengthS() {
      return chunks.reduce((frames, chunk) => frames + chunk.length, 0) / RATE_HZ;
    },
  };
}

export const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

/** Waits for something to become true. */
export async function until(condition, seconds = 8) {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition}`);
    await pause(0.01);
  }
}

/** A microphone that is unplugged while it records, and one whose page is left while it opens. */
export async function lostMicrophones({ figures }) {
  const context = new AudioContext();
  await context.resume();
  const streams = overhearStreams();
  const scope = createScope();
  const states = [];
  const capture = await openMicrophone({ context, figures, scope, onState: (state) => states.push(state) });
  capture.start();
  await pause(0.5);
  streams[0].getTracks()[0].dispatchEvent(new Event("ended"));
  const rescued = await capture.stop();

  const left = createScope();
  const opening = openMicrophone({ context, figures, scope: left }).then(() => "opened", (error) => error.code);
  left.dispose();
  const outcome = await opening;
  const released = streams.at(-1).getTracks()[0].readyState;
  scope.dispose();
  await context.close();
  return { states, rescuedS: rescued.length / context.sampleRate, outcome, released };
}

/** @returns {MediaStream[]} every stream that is opened from now on */
function overhearStreams() {
  const streams = [];
  const getUserMedia = MediaDevices.prototype.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    streams.push(await getUserMedia(constraints));
    return streams.at(-1);
  };
  return streams;
}

/** A take of a fake microphone, from opening to release. */
export async function microphone({ figures }) {
  const context = new AudioContext();
  await context.resume();
  const scope = createScope();
  const levels = [];
  const indices = [];
  const opened = overhearStreams();
  const capture = await openMicrophone({
    context, figures, scope,
    onLevel: (level) => levels.push(level),
    onChunk: (samples, index) => indices.push([index, samples.length]),
  });
  await pause(0.5);
  const levelsWhileArmed = levels.length;
  capture.start();
  const startedS = context.currentTime;
  await pause(1);
  const spokenS = context.currentTime - startedS;
  const samples = await capture.stop();
  capture.start();
  await pause(0.3);
  capture.discard();
  capture.start();
  await pause(0.3);
  const second = await capture.stop();
  capture.close();
  const after = await capture.stop();
  const [track] = opened[0].getTracks();
  const settings = track.getSettings();
  const result = {
    levelsWhileArmed, spokenS, recordedS: samples.length / context.sampleRate, ...measure(samples), indices,
    secondS: second.length / context.sampleRate, afterClose: after.length, trackState: track.readyState,
    processing: [settings.echoCancellation, settings.noiseSuppression, settings.autoGainControl],
  };
  scope.dispose();
  await context.close();
  return result;
}
