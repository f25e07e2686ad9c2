/**
 * The hands of the kiosk ritual: carries out what the reducer asks for and reports back as events.
 *
 * Everything a run holds (microphone, samples, WAV, a sound that is playing) is owned here and let go of by
 * `closeMicrophone`, `stopListening` and `wipe`. Without a server everything works but `submit`.
 */

import { encodeWav } from "wav";
import { audioContext, unlock } from "context";
import { loadCapture, openMicrophone } from "capture";
import { createClips } from "clips";
import { createListening } from "listening";
import { watchMicrophone } from "microphone";
import { createNoiseFloor } from "noise_floor";
import { createLiveOutline, outline } from "outline";
import { readPreview } from "preview";
import { cutTake, prepareTake } from "takes";
import { monitorTone, playTone } from "test_tone";

/** Where a participant was who had not come to review yet. */
const UNTOUCHED = { mode: "", colour: "", topic: "", trim: null, ended: "", language: "", keptFlaw: false, sent: false };

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What keeps a one-time take from being heard: no answer, or an answer that is no sound. */
const UNPLAYABLE = ["ClientFailure", "EncodingError", "RangeError"];

/**
 * @typedef {{samples: Float32Array, sampleRateHz: number, durationMs: number, points: [number, number][],
 *   trim: import("ritual").Trim, heard: Promise<import("preview").HeardTake> | null}} HeldTake `trim` is what is left of it,
 *   `heard` that part, once somebody has listened
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
 * @param {string} options.microphone a part of the name of the one to be opened, "" for the browser's own choice
 * @param {(stage: string) => (string | null)[]} options.aloud where the clips are that read a stage; "check": those of the
 *   sound check
 * @param {(level: {rms: number, centroid: number}) => void} options.onLevel
 * @param {import("scope").Scope} options.scope
 */
export function createRitualEffects({ figures, colours, client, keeper, shown, dispatch, print, microphone, aloud, onLevel, scope }) {
  const microphones = new Map();
  /** @type {HeldTake | null} */
  let take = null;
  let submission = null;
  let line = null; // the outline on a receipt that was left behind
  let forgotten = 0; // counts orders to forget, so that what was to be handed in before one is not
  let wanted = 0; // counts sounds asked for, so that one stopped before it began does not begin

  const context = () => audioContext(figures.context);
  const listening = createListening({ context, colours, figures, scope });
  const elapsed = () => performance.now();
  const ear = watchMicrophone({
    figures: figures.device, elapsed, scope, environment: navigator, deviceName: microphone, onBack: () => dispatch("microphoneBack"),
  });
  const around = createNoiseFloor({ ...figures.kiosk, ...figures.device });
  const clips = createClips({ context, fetch: window.fetch.bind(window), scope, figures: figures.kiosk });

  async function openFor(run) {
    const own = scope.child();
    const opened = { scope: own, capture: null, live: null };
    microphones.set(run, opened);
    around.reset();
    try {
      await unlock(context(), figures.context);
      opened.live = liveCentroid(context().sampleRate, figures.take);
      opened.capture = await openMicrophone({
        context: context(), figures: figures.take, scope: own, deviceName: microphone,
        onLevel(level) {
          ear.level(level);
          around.push(level);
          onLevel({ ...level, centroid: opened.live.latest(figures.kiosk.meter_centroid) });
        },
        onChunk(samples) {
          opened.live.push(samples);
          keeper.push(samples);
        },
        onState: ({ lost }) => lost && dispatch("microphoneLost", { run }),
      });
      ear.opened(opened.capture.label);
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
    const { samples, durationMs, flaw, silent } = prepareTake(raw, rateHz, figures.take);
    const trim = { startMs: 0, endMs: durationMs };
    take = { samples, sampleRateHz: rateHz, points: outline(samples, rateHz), trim, heard: null };
    return { durationMs, flaw, silent };
  }

  /** What is left of the take between its handles. */
  function cut() {
    return cutTake(take.samples, take.sampleRateHz, take.trim, figures.take);
  }

  function trimTo(trim) {
    if (trim.startMs === take.trim.startMs && trim.endMs === take.trim.endMs) return;
    take.trim = trim;
    take.heard = null;
  }

  /** What a page that is no more left on this disk, if it is enough to be heard; too little is destroyed. */
  async function resume() {
    const left = await keeper.resume();
    if (left === null) return;
    if (left.receipt) {
      line = left.receipt.points;
      dispatch("receiptBack", { receipt: left.receipt.receipt, standing: left.standing });
      return;
    }
    const { samples, rateHz, standing, late } = left;
    if ((samples.length / rateHz) * 1000 < figures.kiosk.shortest_take_ms) {
      await keeper.destroy();
      return;
    }
    const { durationMs, flaw } = held(samples, rateHz);
    if (late) {
      await handIn(standing);
      return;
    }
    dispatch("resumed", { take: { durationMs, flaw, key: standing?.idempotencyKey ?? randomKey() }, standing: standing ?? UNTOUCHED });
  }

  function stopSound() {
    wanted += 1;
    listening.stop();
  }

  /** What is heard is the file as it will be sent; it is read once, and heard in as many colours as are asked for. */
  async function listen(run, code, trim) {
    const mine = (wanted += 1);
    trimTo(trim);
    take.heard ??= readPreview({ context: context(), wav: encodeWav(cut(), take.sampleRateHz), figures });
    const heard = await take.heard;
    await unlock(context(), figures.context);
    if (mine === wanted) listening.play({ take: heard, code, ended: () => dispatch("listened", { run }) });
  }

  /** What cannot sound now is not kept for later. */
  async function tone(pitch) {
    if (!(await unlock(context(), figures.context))) return;
    playTone({ context: context(), destination: context().destination, tone: toneOf(pitch), scope });
  }

  /** So loud is a tone, and so loud a voice. */
  async function check(run) {
    const tell = (what) => dispatch("sounding", { run, what });
    if (!(await unlock(context(), figures.context))) {
      tell("");
      return;
    }
    clips.playAfter(monitorTone(figures.monitor), aloud("check"), { spoken: () => tell("check"), ended: () => tell("") });
  }

  async function read(run, stage) {
    await unlock(context(), figures.context);
    await clips.play(aloud(stage), () => dispatch("sounding", { run, what: "" }));
  }

  function toneOf(pitch) {
    const { take: countdown } = figures;
    const hz = pitch === "last" ? countdown.preroll_last_hz : countdown.preroll_tick_hz;
    const lengthS = countdown.preroll_tick_ms / 1000;
    return { hz, lengthS, gain: countdown.preroll_gain, fadeS: lengthS / 4 };
  }

  async function submit({ run, mode, colour, topic, trim, idempotencyKey }) {
    const own = { run, abandoned: false };
    submission = own;
    const sending = { ...parcel(trim), colour, topic, idempotencyKey };
    try {
      if (mode === "NOSAVE") await hearOnce(own, await client.ephemeral(sending), colour);
      else await handOver(own, await patiently(() => client.upload({ ...sending, mode })), { mode, colour });
    } catch (error) {
      if (error.name !== "ClientFailure") throw error;
      const { kind, uncertain, waitS } = error;
      dispatch("submitFailed", { run, kind: kind === "missing" ? "refused" : kind, uncertain, waitS });
    }
  }

  /** The take as it is sent, and what its participant was shown. */
  function parcel(trim) {
    trimTo(trim);
    const samples = cut();
    return { wav: encodeWav(samples, take.sampleRateHz), durationMs: (samples.length / take.sampleRateHz) * 1000, ...shown() };
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
  async function handIn({ mode, colour, topic = "", trim = take.trim, idempotencyKey, language = shown().language }) {
    const { hand_in_tries: tries, hand_in_pause_s: pauseS } = figures.kiosk;
    const sending = { ...parcel(trim), mode, colour, topic, language, idempotencyKey, unattended: true };
    take = null;
    const [kept, since] = [keeper.which(), forgotten];
    const request = async () => since === forgotten && client.upload(sending);
    // Where nobody answers for so long, it stays on the disk for a page that comes after this one; what another
    // participant has there by then is theirs.
    if (await insisted(request, tries, pauseS) && keeper.which() === kept) await keeper.destroy();
  }

  async function handOver(own, answer, choice) {
    if (!own.abandoned) await keeper.destroy();
    if (own.abandoned) {
      await takeBack(() => client.revoke(answer.revocation_token));
      return;
    }
    const kept = { receipt: answer, points: outline(cut(), take.sampleRateHz) };
    dispatch("submitted", { run: own.run, receipt: answer });
    await keeper.keepReceipt(kept, { stage: "complete", ...choice, language: shown().language });
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
    check: ({ run }) => check(run),
    read: ({ run, stage }) => read(run, stage),
    hush: clips.stop,
    listen: ({ run, colour, trim }) => listen(run, colour, trim),
    stopListening: stopSound,
    submit,
    abandonSubmission() {
      submission.abandoned = true;
      stopSound();
    },
    wipe() {
      take = null;
      line = null;
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
    note({ stage, mode, colour, topic, trim, ended, keptFlaw, take: { key }, uncertain }) {
      const language = shown().language;
      const sent = uncertain || stage === "submitting";
      return keeper.note({ stage, mode, colour, topic, trim, ended, language, idempotencyKey: key, keptFlaw, sent });
    },

    /** @param {{type: string}} effect @returns {void | Promise<void>} rejects for faults of ours, not of the world */
    carryOut: (effect) => carryOut[effect.type](effect),
    /** How far the sound that is playing has come, 0..1; null in silence. */
    progress: listening.progress,
    /** What there is to say of sound and microphone, and nothing of what was said into it. */
    facts: () => ({ audio: context().state, sound_ago_s: null, ...ear.read() }),
    /** What there is to hear around the open microphone; see noise_floor. */
    around: around.reading,
    /** The outline of the take held, or null. */
    points: () => take?.points ?? null,
    /** The same of what is left of it between its handles. */
    pointsLeft: () => (take ? outline(cut(), take.sampleRateHz) : line),
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
