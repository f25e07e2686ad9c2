/**
 * One voice of a program: fetched, decoded, cut to its window, and then played once.
 *
 * @typedef {Awaited<ReturnType<typeof prepareVoice>>} Voice
 */

import { findColour } from "colours";
import { decodeTake } from "decoded";
import { figure, required } from "figures";
import { fadesOf, levelGain, windowOf } from "plan";
import { measure } from "takes";
import { buildVoiceGraph, loadVoiceGraph } from "voice_graph";

/** A voice that cannot be played: "gone" (404), "unreachable" or "unreadable". */
export class VoiceError extends Error {
  constructor(reason, cause) {
    super(`voice: ${reason}`, { cause });
    this.name = "VoiceError";
    this.reason = reason;
  }
}

/**
 * @param {object} options
 * @param {AudioContext} options.context
 * @param {import("plan").Item} options.item
 * @param {{level: object, wear: object}} options.figures
 * @param {import("colours").Colour[]} options.colours
 * @param {(url: string, signal: AbortSignal) => Promise<ArrayBuffer>} options.fetchAudio rejects with `status` on HTTP errors
 * @param {AudioNode} options.destination
 * @param {import("scope").Scope} options.scope the voice lives in a child of it
 * @throws {VoiceError}
 */
export async function prepareVoice({ context, item, figures, colours, fetchAudio, destination, scope }) {
  const own = scope.child();
  try {
    const colour = findColour(colours, item.colour);
    const take = await decodedTake({ context, item, fetchAudio, scope: own });
    await loadVoiceGraph(context);
    if (own.disposed) throw new VoiceError("gone");
    return createVoice({ context, item, figures, colour, take, destination, scope: own });
  } catch (error) {
    own.dispose();
    throw error instanceof VoiceError ? error : new VoiceError("unreadable", error);
  }
}

/** Only the window is kept: a long take would hold tens of megabytes for a slice of it. */
async function decodedTake({ context, item, fetchAudio, scope }) {
  const abort = new AbortController();
  scope.add(() => abort.abort());
  const bytes = await fetchAudio(item.url, abort.signal).catch((error) => {
    throw new VoiceError(error?.status === 404 ? "gone" : "unreachable", error);
  });
  const { buffer: whole, seed } = await decodeTake(context, bytes);
  const samples = whole.getChannelData(0);
  const { offsetS, durationS } = windowOf(item, whole.duration);
  const first = Math.round(offsetS * whole.sampleRate);
  const frames = Math.max(1, Math.round(durationS * whole.sampleRate));
  const buffer = new AudioBuffer({ length: frames, sampleRate: whole.sampleRate });
  buffer.copyToChannel(samples.subarray(first, first + frames), 0);
  return { buffer, seed, peak: measure(samples).peak };
}

function createVoice({ context, item, figures, colour, take: { buffer: window, seed, peak }, destination, scope }) {
  const sound = {
    level: levelGain({ peak, item }, required(figures, "level")),
    wear: figure(item, "wear"),
    wearSeed: item.artifact_id,
    colour,
    colourSeed: seed,
    gain: figure(item, "gain"),
  };
  /** @type {AudioBuffer | null} */
  let buffer = window;
  /** @type {GainNode | null} */
  let output = null;
  scope.add(() => {
    buffer = null;
    output = null;
  });

  return {
    item,
    durationS: buffer.duration,
    startS: Infinity,
    endS: Infinity,
    tailEndS: Infinity,
    dropped: false,
    silenced: false,
    started: false,
    ended: false,
    heard: false,

    /** Builds the graph and schedules it on the audio clock. */
    schedule(startS) {
      const fades = fadesOf(this.durationS, item, figures.level);
      const graph = buildVoiceGraph(context, { buffer, fromS: 0, sound, fades, figures, scope });
      output = graph.output;
      output.connect(destination);
      this.startS = startS;
      this.endS = startS + this.durationS;
      this.tailEndS = this.endS + graph.tailS;
      graph.start(startS);
    },

    /** Fades out within `fadeS` and lets go of everything. At once where the audio clock does not run. */
    drop(fadeS) {
      if (this.dropped) return;
      this.dropped = true;
      const sounding = output !== null && context.state === "running" && context.currentTime >= this.startS;
      if (!sounding) {
        scope.dispose();
        return;
      }
      output.gain.setValueAtTime(sound.gain, context.currentTime);
      output.gain.linearRampToValueAtTime(0, context.currentTime + fadeS);
      scope.timeout(() => scope.dispose(), fadeS * 1000);
    },

    /** Lets go of nodes and buffer. */
    dispose() {
      scope.dispose();
    },
  };
}
