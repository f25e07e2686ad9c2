/**
 * The microphone: opened on request, heard unprocessed, released for certain.
 *
 * @typedef {"denied" | "absent" | "busy" | "insecure" | "unsupported" | "lost"} CaptureCode
 * @typedef {Awaited<ReturnType<typeof openMicrophone>>} Capture
 */

import { figure } from "figures";

/** Why there is no microphone; `code` names the sentence to show. */
export class CaptureError extends Error {
  /** @param {CaptureCode} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(`microphone: ${code}`, { cause });
    this.name = "CaptureError";
    this.code = code;
  }
}

const CODES = {
  NotAllowedError: "denied",
  PermissionDeniedError: "denied",
  SecurityError: "denied",
  NotFoundError: "absent",
  DevicesNotFoundError: "absent",
  OverconstrainedError: "absent", // the device that was asked for by its id is gone
  NotReadableError: "busy",
  TrackStartError: "busy",
  AbortError: "busy",
};

/**
 * @param {{name?: string, code?: unknown} | null} error what the browser threw
 * @param {{secure: boolean, mediaDevices: boolean, worklet: boolean}} environment what the browser offers
 * @returns {CaptureCode} what cannot be told apart is "unsupported"
 */
export function explainFailure(error, environment) {
  if (!environment.secure) return "insecure"; // browsers then hide mediaDevices too, so this is asked first
  if (!environment.mediaDevices || !environment.worklet) return "unsupported";
  if (error?.name === "CaptureError") return error.code;
  return CODES[error?.name] ?? "unsupported";
}

/** @returns {MediaTrackConstraints} one channel, and nothing that reshapes a voice */
export function constraintsFor(deviceId) {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
  return deviceId === undefined || deviceId === "" ? plain : { ...plain, deviceId: { exact: deviceId } };
}

/**
 * The microphone somebody has named, by a part of what its machine calls it.
 * @param {{kind: string, label: string, deviceId: string}[]} devices @param {string} name
 * @returns {string | undefined} its id; undefined where no such microphone is there
 */
export function deviceNamed(devices, name) {
  return devices.find((device) => device.kind === "audioinput" && isNamed(device, name))?.deviceId;
}

/** @param {{label: string}} device @param {string} name a part of its own, however it is written */
export function isNamed({ label }, name) {
  return label.toLowerCase().includes(name.toLowerCase());
}

/** @param {Float32Array[]} chunks @returns {Float32Array} all of them, one after the other */
export function joined(chunks) {
  const samples = new Float32Array(chunks.reduce((frames, chunk) => frames + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    samples.set(chunk, offset);
    offset += chunk.length;
  }
  return samples;
}

/** @type {WeakMap<BaseAudioContext, Promise<void>>} */
const loaded = new WeakMap();

/**
 * Fetches the worklet, once for each context. A page that must be able to record with its server gone calls this
 * early; `openMicrophone` sees to it otherwise.
 */
export function loadCapture(context) {
  if (!loaded.has(context)) {
    const loading = context.audioWorklet.addModule(import.meta.resolve("capture_worklet"));
    loading.catch(() => loaded.delete(context)); // a failed download may be tried again
    loaded.set(context, loading);
  }
  return loaded.get(context);
}

/**
 * Opens the microphone; levels come at once, samples between `start()` and `stop()`.
 *
 * @param {object} options
 * @param {AudioContext} options.context already running, or no sound will come
 * @param {Record<string, number>} options.figures the [take] section: chunk_ms, level_ms, tail_ms, tail_grace_ms
 * @param {import("scope").Scope} options.scope releases the microphone when disposed, also while it is still opening
 * @param {string} [options.deviceName] a part of the microphone's name; "" for the browser's own choice
 * @param {(level: {peak: number, rms: number}) => void} [options.onLevel] every level_ms, not bound to frames drawn
 * @param {(samples: Float32Array, index: number) => void} [options.onChunk] every chunk_ms of a recording
 * @param {(state: {lost: boolean, muted: boolean}) => void} [options.onState] the track ended, was muted, or came back
 * @throws {CaptureError}
 */
export async function openMicrophone({ context, figures, scope, deviceName = "", onLevel, onChunk, onState }) {
  const own = scope.child();
  try {
    const stream = await requestStream(deviceName);
    own.add(() => released(stream));
    await loadCapture(context).catch((error) => {
      throw new CaptureError("unsupported", error); // its AbortError would pass for a busy microphone
    });
    if (own.disposed) throw new CaptureError("lost");
    return createCapture({ context, figures, stream, scope: own, onLevel, onChunk, onState });
  } catch (error) {
    own.dispose();
    throw new CaptureError(explainFailure(error, environmentNow()), error);
  }
}

async function requestStream(deviceName) {
  const { secure, mediaDevices, worklet } = environmentNow();
  if (!secure || !mediaDevices || !worklet) throw new CaptureError("unsupported");
  const open = (deviceId) => navigator.mediaDevices.getUserMedia({ audio: constraintsFor(deviceId), video: false });
  if (deviceName === "") return open();
  const named = async () => deviceNamed(await navigator.mediaDevices.enumerateDevices(), deviceName);
  const known = await named();
  if (known !== undefined) return open(known);
  // Names are told only to a page that has been allowed to listen; another microphone is no answer to the one named.
  released(await open());
  const found = await named();
  if (found === undefined) throw new CaptureError("absent");
  return open(found);
}

function released(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

function environmentNow() {
  return {
    secure: globalThis.isSecureContext === true,
    mediaDevices: typeof globalThis.navigator?.mediaDevices?.getUserMedia === "function",
    worklet: typeof globalThis.AudioWorkletNode === "function",
  };
}

function createCapture({ context, figures, stream, scope, onLevel, onChunk, onState }) {
  const rateHz = context.sampleRate;
  const framesOf = (key) => Math.round((figure(figures, key) / 1000) * rateHz);
  const tailFrames = framesOf("tail_ms");
  const patienceMs = figure(figures, "tail_ms") + figure(figures, "tail_grace_ms");
  const [track] = stream.getAudioTracks();
  const node = listeningNode({ context, stream, scope, chunkFrames: framesOf("chunk_ms"), levelFrames: framesOf("level_ms") });

  /** @type {Float32Array[]} */
  let chunks = [];
  /** @type {Promise<Float32Array> | null} */
  let stopping = null;
  let finish = () => {};
  let recording = false;
  let take = 0;
  const state = { lost: false, muted: track.muted };

  /** Hands the recording out and keeps nothing of it. */
  function taken() {
    const samples = joined(chunks);
    chunks = [];
    recording = false;
    return samples;
  }

  function tell(change) {
    Object.assign(state, change);
    onState?.({ ...state });
  }

  node.port.onmessage = ({ data }) => {
    if (data.type === "level") onLevel?.({ peak: data.peak, rms: data.rms });
    if (data.take !== take) return;
    if (data.type === "chunk" && recording) {
      chunks.push(data.samples);
      onChunk?.(data.samples, chunks.length - 1);
    }
    if (data.type === "end") finish();
  };
  scope.listen(track, "ended", () => tell({ lost: true }));
  scope.listen(track, "mute", () => tell({ muted: true }));
  scope.listen(track, "unmute", () => tell({ muted: false }));
  scope.add(() => {
    finish();
    chunks = [];
    recording = false;
  });

  return {
    sampleRateHz: rateHz,
    label: track.label,
    get recording() {
      return recording;
    },
    get state() {
      return { ...state };
    },

    /** Begins a new recording; one that was under way is discarded. */
    start() {
      if (scope.disposed) throw new CaptureError("lost");
      this.discard();
      recording = true;
      take += 1;
      node.port.postMessage({ type: "start", take });
    },

    /**
     * Records on for the tail, so that a last word is not cut, then gives the samples and forgets them. A microphone
     * that was lost, or closed, gives what there is.
     *
     * @returns {Promise<Float32Array>} mono, at `sampleRateHz`; empty when nothing was recorded
     */
    stop() {
      if (stopping !== null) return stopping;
      if (!recording || state.lost || scope.disposed) return Promise.resolve(taken());
      stopping = new Promise((resolve) => {
        // Without a running clock, or without a track, no tail will ever come.
        const giveUp = scope.timeout(() => finish(), patienceMs);
        finish = () => {
          giveUp();
          finish = () => {};
          stopping = null;
          resolve(taken());
        };
      });
      node.port.postMessage({ type: "stop", tailFrames });
      return stopping;
    },

    /** Drops a recording that is not wanted; the microphone stays open. */
    discard() {
      chunks = [];
      recording = false;
      node.port.postMessage({ type: "stop", tailFrames: 0 });
      finish();
    },

    /** Releases the microphone. Harmless twice. */
    close() {
      scope.dispose();
    },
  };
}

/** The worklet is connected to the output, where it is silent, because an unconnected node is never asked to work. */
function listeningNode({ context, stream, scope, chunkFrames, levelFrames }) {
  const source = scope.node(context.createMediaStreamSource(stream));
  const node = scope.node(
    new AudioWorkletNode(context, "memory-capture", {
      channelCount: 1,
      channelCountMode: "explicit",
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [1],
      processorOptions: { chunkFrames, levelFrames },
    }),
  );
  scope.add(() => {
    node.port.postMessage({ type: "close" });
    node.port.onmessage = null;
  });
  source.connect(node).connect(context.destination);
  return node;
}
