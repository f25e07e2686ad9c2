/**
 * The hands of the kiosk ritual: carries out what the reducer asks for and reports back as events.
 *
 * Everything a run holds (microphone, samples, WAV, a sound that is playing) is owned here and let go of by
 * `closeMicrophone`, `stopListening` and `wipe`. Without a server everything works but `submit`.
 */

import { encodeWav } from "wav";
import { audioContext, unlock } from "context";
import { loadCapture, openMicrophone } from "capture";
import { createListening } from "listening";
import { watchMicrophone } from "microphone";
import { createLiveOutline, outline } from "outline";
import { readPreview } from "preview";
import { prepareTake } from "takes";
import { monitorTone, playTone } from "test_tone";

/** Where a participant was who had not come to review yet. */
const UNTOUCHED = { mode: "", colour: "", language: "", keptQuiet: false, sent: false };

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What keeps a one-time take from being heard: no answer, or an answer that is no sound. */
const UNPLAYABLE = ["ClientFailure", "EncodingError", "RangeError"];

/**
 * @typedef {{samples: Float32Array, sampleRateHz: number, durationMs: number, points: [number, number][],
 *   heard: Promise<import("preview").HeardTake> | null}} HeldTake `heard` once somebody has listened
 *
 * @param {object} options
 * @param {{context: object, take: object, monitor: object, level: object, wear: object, kiosk: object,
 *   device: object}} options.figures
 * @param {import("colours").Colour[]} options.colours
 * @param {ReturnType<typeof import("client").createClient>} options.client
 * @param {ReturnType<typeof import("take_keeper").createTakeKeeper>} options.keeper
 * @param {() => {language: string, noticeVersion: string}} options.shown what the participant was shown
 * @param {(type: string, more?: object) => void} options.dispatch
 * @param {() => void} options.print
 * @param {(level: {rms: number, centroid: number}) => void} options.onLevel
 * @param {import("scope").Scope} options.scope
 */
export function createRitualEffects({ figures, colours, client, keeper, shown, dispatch, print, onLevel, scope }) {
  const microphones = new Map();
  /** @type {HeldTake | null} */
  let take = null;
  let submission = null;
  let forgotten = 0; // counts orders to forget, so that what was to be handed in before one is not
  let wanted = 0; // counts sounds asked for, so that one stopped before it began does not begin

  const context = () => audioContext(figures.context);
  const listening = createListening({ context, colours, figures, scope });
  const elapsed = () => performance.now();
  const ear = watchMicrophone({ figures: figures.device, elapsed, scope, environment: navigator });

  async function openFor(run) {
    const own = scope.child();
    const microphone = { scope: own, capture: null, live: null };
    microphones.set(run, microphone);
    try {
      await unlock(context(), figures.context);
      microphone.live = liveCentroid(context().sampleRate, figures.take);
      microphone.capture = await openMicrophone({
        context: context(), figures: figures.take, scope: own,
        onLevel(level) {
          ear.level(level);
          onLevel({ rms: level.rms, centroid: microphone.live.latest(figures.kiosk.meter_centroid) });
        },
        onChunk(samples) {
          microphone.live.push(samples);
          keeper.push(samples);
        },
        onState: ({ lost }) => lost && dispatch("microphoneLost", { run }),
      });
      ear.opened(microphone.capture.label);
      keeper.prepare();
      dispatch("microphoneOpened", { run });
    } catch (error) {
      if (error.name !== "CaptureError") throw error;
      ear.refused(error.code);
      dispatch("microphoneFailed", { run, code: error.code });
    }
  }

  async function stopFor(run) {
    const { capture } = microphones.get(run);
    const raw = await capture.stop();
    const rateHz = capture.sampleRateHz;
    const tailMs = capture.state.lost ? 0 : figures.take.tail_ms;
    if (!microphones.has(run)) return;
    if (raw.length === 0) {
      dispatch("takeFailed", { run });
      return;
    }
    dispatch("takeReady", { run, spokenMs: (raw.length / rateHz) * 1000 - tailMs, key: randomKey(), ...held(raw, rateHz) });
  }

  /** A take as it is heard and sent, out of what the microphone gave. */
  function held(raw, rateHz) {
    const { samples, durationMs, quiet } = prepareTake(raw, rateHz, figures.take);
    take = { samples, sampleRateHz: rateHz, durationMs, points: outline(samples, rateHz), heard: null };
    return { durationMs, quiet };
  }

  /** What a page that is no more left on this disk, if it is enough to be heard; too little is destroyed. */
  async function resume() {
    const left = await keeper.resume();
    if (left === null) return;
    const { samples, rateHz, standing, late } = left;
    if ((samples.length / rateHz) * 1000 < figures.kiosk.shortest_take_ms) {
      await keeper.destroy();
      return;
    }
    const { durationMs, quiet } = held(samples, rateHz);
    if (late) {
      await handIn(standing);
      return;
    }
    dispatch("resumed", { take: { durationMs, quiet, key: standing?.idempotencyKey ?? randomKey() }, standing: standing ?? UNTOUCHED });
  }

  function stopSound() {
    wanted += 1;
    listening.stop();
  }

  /** What is heard is the file as it will be sent; it is read once, and heard in as many colours as are asked for. */
  async function listen(run, code) {
    const mine = (wanted += 1);
    take.heard ??= readPreview({ context: context(), wav: encodeWav(take.samples, take.sampleRateHz), figures });
    const heard = await take.heard;
    await unlock(context(), figures.context);
    if (mine === wanted) listening.play({ take: heard, code, ended: () => dispatch("listened", { run }) });
  }

  /** What cannot sound now is not kept for later. */
  async function tone(pitch) {
    if (!(await unlock(context(), figures.context))) return;
    playTone({ context: context(), destination: context().destination, tone: toneOf(pitch), scope });
  }

  function toneOf(pitch) {
    const { take: countdown, monitor } = figures;
    if (pitch === "monitor") return monitorTone(monitor);
    const hz = pitch === "last" ? countdown.preroll_last_hz : countdown.preroll_tick_hz;
    const lengthS = countdown.preroll_tick_ms / 1000;
    return { hz, lengthS, gain: countdown.preroll_gain, fadeS: lengthS / 4 };
  }

  async function submit({ run, mode, colour, idempotencyKey }) {
    const own = { run, abandoned: false };
    submission = own;
    const sending = { ...parcel(), colour, idempotencyKey };
    try {
      if (mode === "NOSAVE") await hearOnce(own, await client.ephemeral(sending), colour);
      else await handOver(own, await patiently(() => client.upload({ ...sending, mode })));
    } catch (error) {
      if (error.name !== "ClientFailure") throw error;
      const { kind, uncertain, waitS } = error;
      dispatch("submitFailed", { run, kind: kind === "missing" ? "refused" : kind, uncertain, waitS });
    }
  }

  /** The take as it is sent, and what its participant was shown. */
  function parcel() {
    return { wav: encodeWav(take.samples, take.sampleRateHz), durationMs: take.durationMs, ...shown() };
  }

  /**
   * No answer is not a no: it is asked for again, ever more slowly, under the same key. Also by one who has given up
   * meanwhile: what arrived can only be taken back once its code is known.
   */
  async function patiently(send) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await send();
      } catch (error) {
        if (error.name !== "ClientFailure" || error.kind !== "away" || tries >= figures.kiosk.send_tries) throw error;
      }
      await pause(figures.kiosk.send_pause_s * 2 ** (tries - 1));
    }
  }

  /** What somebody sent and did not wait for. The code that comes back is forgotten here; a steward decides. */
  async function handIn({ mode, colour, idempotencyKey, language = shown().language }) {
    const { hand_in_tries: tries, hand_in_pause_s: pauseS } = figures.kiosk;
    const sending = { ...parcel(), mode, colour, language, idempotencyKey, unattended: true };
    take = null;
    const [kept, since] = [keeper.which(), forgotten];
    const request = async () => since === forgotten && client.upload(sending);
    // Where nobody answers for so long, it stays on the disk for a page that comes after this one; what another
    // participant has there by then is theirs.
    if (await insisted(request, tries, pauseS) && keeper.which() === kept) await keeper.destroy();
  }

  async function handOver(own, answer) {
    if (!own.abandoned) await keeper.destroy();
    if (own.abandoned) await takeBack(() => client.revoke(answer.revocation_token));
    else dispatch("submitted", { run: own.run, receipt: answer });
  }

  /** The one hearing of a one-time take: fetched once, played once, in its colour. What cannot be played is disposed of. */
  async function hearOnce(own, answer, code) {
    const { run } = own;
    if (own.abandoned) {
      await takeBack(() => client.consume(answer));
      return;
    }
    try {
      const heard = await readPreview({ context: context(), wav: await client.once(answer.play_url), figures });
      await unlock(context(), figures.context);
      if (own.abandoned) return;
      listening.play({ take: heard, code, ended: () => dispatch("onceHeard", { run }) });
      dispatch("oncePlaying", { run });
    } catch (error) {
      if (!UNPLAYABLE.includes(error.name)) throw error;
      dispatch("onceLost", { run, disposed: await disposed(answer) });
    }
  }

  /** Whether a one-time take is gone for certain: disposed of now, or known to be no longer there. */
  async function disposed(answer) {
    try {
      await client.consume(answer);
      return true;
    } catch (error) {
      if (error.name !== "ClientFailure") throw error;
      return error.kind === "missing";
    }
  }

  /** A take its participant has given up on while it was being sent: taken back, as often as it needs. */
  function takeBack(request) {
    return insisted(request, figures.kiosk.take_back_tries, figures.kiosk.take_back_pause_s);
  }

  /** Asks until there is an answer, be it a no; whether there was one. */
  async function insisted(request, tries, pauseS) {
    for (let left = tries; left > 0; left -= 1) {
      try {
        await request();
        return true;
      } catch (error) {
        if (error.name !== "ClientFailure") throw error;
        if (["missing", "refused"].includes(error.kind)) return true;
        await pause(pauseS);
      }
    }
    return false;
  }

  const carryOut = {
    openMicrophone: ({ run }) => openFor(run),
    closeMicrophone({ run }) {
      microphones.get(run)?.scope.dispose();
      microphones.delete(run);
    },
    startRecording({ run }) {
      const { capture, live } = microphones.get(run);
      live.reset();
      keeper.begin(capture.sampleRateHz);
      capture.start();
    },
    stopRecording: ({ run }) => stopFor(run),
    tone: ({ pitch }) => tone(pitch),
    listen: ({ run, colour }) => listen(run, colour),
    stopListening: stopSound,
    submit,
    abandonSubmission() {
      submission.abandoned = true;
      stopSound();
    },
    wipe() {
      take = null;
      return keeper.destroy();
    },
    unkeep: () => keeper.destroy(),
    /** A steward's order: also what is still to be handed in. */
    forget() {
      forgotten += 1;
      return keeper.destroy();
    },
    handIn,
    /** Browsers ask which printer, and everything waits: the time that took is nobody's absence. */
    print() {
      print();
      dispatch("touch");
    },
  };

  return {
    /** Fetches what recording needs while the server is there; without it, arming says what is missing. */
    async prepare() {
      const audio = context();
      if (audio.audioWorklet === undefined) return;
      await loadCapture(audio).catch((error) => {
        if (error.name !== "AbortError") throw error;
      });
    },

    resume,

    /** Where the participant is, for a page that would come after this one. @param {import("ritual").RitualState} state */
    note({ stage, mode, colour, keptQuiet, take: { key }, uncertain }) {
      const language = shown().language;
      const sent = uncertain || stage === "submitting";
      return keeper.note({ stage, mode, colour, language, idempotencyKey: key, keptQuiet, sent });
    },

    /** @param {{type: string}} effect @returns {void | Promise<void>} rejects for faults of ours, not of the world */
    carryOut: (effect) => carryOut[effect.type](effect),
    /** How far the sound that is playing has come, 0..1; null in silence. */
    progress: listening.progress,
    /** What there is to say of sound and microphone, and nothing of what was said into it. */
    facts: () => ({ audio: context().state, sound_ago_s: null, ...ear.read() }),
    /** The outline of the take held, or null. */
    points: () => take?.points ?? null,
  };
}

/** The grain of the voice while it is recorded: the centroid of the newest slice, and nothing older. */
function liveCentroid(sampleRateHz, figures) {
  const live = createLiveOutline({ sampleRateHz, keep: "recent", figures });
  return {
    push: (samples) => live.push(samples),
    reset: () => live.reset(),
    latest: (otherwise) => live.points().at(-1)?.[1] ?? otherwise,
  };
}

/** A random idempotency key: 128 bits in hex. (randomUUID is missing outside secure contexts.) */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
