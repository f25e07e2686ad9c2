/**
 * One voice of a program: fetched, decoded, cut to its window, and then played once.
 *
 * @typedef {Awaited<ReturnType<typeof prepareVoice>>} Voice
 */

import { buildColour, findColour } from "colours";
import { figure, required } from "figures";
import { seedOf } from "noise";
import { fadesOf, levelGain, windowOf } from "plan";
import { measure } from "takes";
import { buildWearChain, loadWear } from "wear_chain";

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
    await loadWear(context);
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
  const whole = await context.decodeAudioData(bytes);
  const samples = whole.getChannelData(0);
  const { offsetS, durationS } = windowOf(item, whole.duration);
  const first = Math.round(offsetS * whole.sampleRate);
  const frames = Math.max(1, Math.round(durationS * whole.sampleRate));
  const buffer = new AudioBuffer({ length: frames, sampleRate: whole.sampleRate });
  buffer.copyToChannel(samples.subarray(first, first + frames), 0);
  return { buffer, seed: seedOf(samples), peak: measure(samples).peak };
}

function createVoice({ context, item, figures, colour, take: { buffer: window, seed, peak }, destination, scope }) {
  const gain = levelGain({ peak, item }, required(figures, "level"));
  /** @type {AudioBuffer | null} */
  let buffer = window;
  /** @type {GainNode | null} */
  let level = null;
  scope.add(() => {
    buffer = null;
    level = null;
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
      const source = scope.node(new AudioBufferSourceNode(context, { buffer }));
      const wear = buildWearChain(context, figure(item, "wear"), required(figures, "wear"), scope, item.artifact_id);
      const edges = scope.node(new GainNode(context, { gain: 0 }));
      const coloured = buildColour(context, colour, scope, seed);
      level = scope.node(new GainNode(context, { gain }));
      source.connect(wear.input);
      wear.output.connect(edges).connect(coloured.input);
      coloured.output.connect(level).connect(destination);

      this.startS = startS;
      this.endS = startS + this.durationS;
      this.tailEndS = this.endS + coloured.tailS;
      shapeEdges(edges.gain, startS, this.durationS, figures.level);
      source.start(startS);
    },

    /** Fades out within `fadeS` and lets go of everything. At once where the audio clock does not run. */
    drop(fadeS) {
      if (this.dropped) return;
      this.dropped = true;
      const sounding = level !== null && context.state === "running" && context.currentTime >= this.startS;
      if (!sounding) {
        scope.dispose();
        return;
      }
      level.gain.setValueAtTime(gain, context.currentTime);
      level.gain.linearRampToValueAtTime(0, context.currentTime + fadeS);
      scope.timeout(() => scope.dispose(), fadeS * 1000);
    },

    /** Lets go of nodes and buffer. */
    dispose() {
      scope.dispose();
    },
  };
}

function shapeEdges(param, startS, durationS, figures) {
  const { fadeInS, fadeOutS } = fadesOf(durationS, figures);
  param.setValueAtTime(0, startS);
  param.linearRampToValueAtTime(1, startS + fadeInS);
  param.setValueAtTime(1, startS + durationS - fadeOutS);
  param.linearRampToValueAtTime(0, startS + durationS);
}
