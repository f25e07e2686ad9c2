/**
 * The player: takes programs one ahead, prepares the next while the present one plays, times them on the audio clock and
 * tells what was heard. It decides nothing about what is played.
 *
 * Events, each an object with `type`:
 *   need     {seq}                            hand me the program after this one; may be told again
 *   started  {seq, item, startsAtContextTime, durationS}   a voice begins
 *   ended    {seq, heard: [artifact ids]}     a program, or a rest, is over
 *   failed   {seq, reason}                    gone, unreachable, unreadable, dropped or stale: it will not be played
 */

import { createAcknowledger } from "acks";
import { createFader } from "envelope";
import { figure, required } from "figures";
import { checkProgram, fadesOf, isHeard, isStale, startTime } from "plan";
import { createRun } from "run";
import { createRoomTone } from "tone";
import { wearFigures } from "wear_chain";

/**
 * @param {object} options
 * @param {AudioContext} options.context
 * @param {{program: object, level: object, wear: object, tone: object}} options.figures sections of the audio catalog
 * @param {import("colours").Colour[]} options.colours
 * @param {(url: string, signal: AbortSignal) => Promise<ArrayBuffer>} options.fetchAudio rejects with an error that has
 *   `status` when the server refused
 * @param {(url: string) => Promise<{status: number}>} options.post
 * @param {(event: object) => void} options.onEvent
 * @param {() => number} options.now epoch milliseconds
 * @param {import("scope").Scope} options.scope
 * @param {{voice: string, scale: number, resting: "idle" | "sparse", seed: number}} options.tone
 */
export function createPlayerEngine({ context, figures, colours, fetchAudio, post, onEvent, now, scope, tone }) {
  const own = scope.child();
  const timing = required(figures, "program");
  fadesOf(1, required(figures, "level")); // what is missing shows here, and not in the middle of a voice
  wearFigures(1, required(figures, "wear"));
  const dropFadeS = figure(timing, "drop_fade_s");
  const acknowledge = createAcknowledger({ post, now, figures: timing, scope: own });
  const output = createFader(context, 1, own);
  output.node.connect(context.destination);
  const air = createRoomTone({
    context,
    destination: output.node,
    figures: required(figures, "tone"),
    scope: own,
    voice: tone.voice,
    seed: tone.seed,
  });
  air.setScale(tone.scale);

  let resting = tone.resting;
  let running = false;
  let paused = false;
  let gain = 1;
  let cancelSuspend = () => {};
  let lastSeq = 0;
  let askedMs = -Infinity;
  let failures = 0;
  /** @type {number | null} */
  let previousEndS = null;
  /** @type {import("run").Run | null} */
  let current = null;
  /** @type {import("run").Run | null} */
  let upcoming = null;
  /** @type {import("plan").Program | null} an offer that came when the next program was already scheduled */
  let held = null;
  /** @type {Set<import("run").Run>} over, but still ringing out */
  const ringing = new Set();

  function ask() {
    if (paused) return;
    askedMs = now();
    onEvent({ type: "need", seq: lastSeq });
  }

  function take(program) {
    const parts = { context, figures, colours, fetchAudio, destination: output.node };
    lastSeq = program.seq;
    upcoming?.dispose();
    upcoming = createRun({ program, parts, scope: own });
  }

  function fail(run, reason) {
    run.dispose();
    failures += 1;
    onEvent({ type: "failed", seq: run.program.seq, reason });
    askedMs = now(); // a second failure in a row waits for its turn: a dead network must not be hammered
    if (failures === 1) ask();
  }

  /** A right that ended ends also what is scheduled, and what was paused. */
  function outlivesItsRight(run, endS) {
    if (run.isRest) return false;
    const goodUntilMs = run.program.good_until_ms;
    return isStale({ endS, clockS: context.currentTime, epochMs: now(), goodUntilMs });
  }

  /** A program that has not begun to sound and never will; what sounds is dropped and ends instead. */
  function giveUpFailed() {
    for (const run of [current, upcoming]) {
      if (run === null || run.failure === null) continue;
      if (run === current) current = null;
      else upcoming = null;
      fail(run, run.failure);
    }
  }

  function scheduleUpcoming() {
    if (upcoming === null || !upcoming.ready || upcoming.scheduled) return;
    const clockS = context.currentTime;
    const precedingEndS = current === null ? previousEndS : current.endS;
    if (current !== null && current.endS - clockS > figure(timing, "ahead_s")) return;
    const startS = startTime({
      previousEndS: precedingEndS,
      clockS,
      leadS: figure(timing, "lead_s"),
      gapMs: upcoming.isRest ? 0 : figure(upcoming.program, "gap_ms"),
    });
    if (outlivesItsRight(upcoming, startS + upcoming.lengthS())) upcoming.fail("stale");
    else upcoming.schedule(startS);
  }

  function promote() {
    if (current !== null || upcoming === null || !upcoming.scheduled) return;
    current = upcoming;
    upcoming = null;
  }

  function begin(run) {
    const clockS = context.currentTime;
    if (!run.started && clockS >= run.startS) {
      run.started = true;
      failures = 0;
      if (held !== null) {
        take(held);
        held = null;
      } else if (!run.isRest && upcoming === null) ask();
    }
    for (const voice of run.takeStarted(clockS)) {
      const detail = { startsAtContextTime: voice.startS, durationS: voice.durationS };
      onEvent({ type: "started", seq: run.program.seq, item: voice.item, ...detail });
    }
  }

  function finish(run) {
    const clockS = context.currentTime;
    const audible = { running: context.state === "running", outputGain: output.target };
    for (const voice of run.takeEnded(clockS)) {
      voice.heard = isHeard({ ...audible, silenced: voice.silenced });
      if (voice.heard) acknowledge(voice.item.ack_url);
    }
    if (clockS < run.endS) return;
    current = null;
    previousEndS = run.endS;
    ringing.add(run);
    onEvent({ type: "ended", seq: run.program.seq, heard: run.heard() });
    if (upcoming === null) ask();
  }

  function letGo() {
    for (const run of ringing) {
      if (context.currentTime < run.tailEndS()) continue;
      ringing.delete(run);
      run.dispose();
    }
  }

  function tick() {
    for (const run of [current, upcoming]) {
      if (run?.scheduled && outlivesItsRight(run, run.endS)) endRight(run);
    }
    giveUpFailed();
    if (current !== null && gain === 0) current.noteSilence(context.currentTime);
    if (current !== null) begin(current);
    if (current !== null) finish(current);
    scheduleUpcoming();
    promote();
    letGo();
    air.setMode(current?.sounding(context.currentTime) ? "ducked" : resting);
    const waited = now() - askedMs >= figure(timing, "ask_again_s") * 1000;
    if (upcoming === null && waited && !current?.isRest) ask();
  }

  function endRight(run) {
    if (!run.started) run.fail("stale");
    else run.drop(new Set(run.program.items.map((item) => item.artifact_id)), dropFadeS, context.currentTime);
  }

  return {
    /** The last node before the loudspeakers, for meters. */
    output: output.node,
    get paused() {
      return paused;
    },
    /** Whether a voice should be heard now. */
    get sounding() {
      return current !== null && current.sounding(context.currentTime);
    },

    /** Room tone fades in and the first program is asked for. */
    start() {
      if (running) return;
      running = true;
      own.interval(tick, figure(timing, "tick_ms"));
      air.setMode(resting);
      ask();
    },

    /**
     * Hands over the next program. One that is not newer than the last is ignored; a newer one takes the place of one
     * that is not yet scheduled.
     * @param {import("plan").Program} program
     * @throws {RangeError} for a program or an item that lacks a figure
     */
    offer(program) {
      checkProgram(program);
      if (program.seq <= lastSeq) return;
      if (upcoming?.scheduled) held = program;
      else take(program);
    },

    /**
     * Takes artifacts out at once: what sounds fades fast, what waits is forgotten.
     * @param {number[]} artifactIds
     */
    drop(artifactIds) {
      const ids = new Set(artifactIds);
      for (const run of [current, upcoming, ...ringing]) run?.drop(ids, dropFadeS, context.currentTime);
      if (held !== null && held.items.length > 0) {
        const [first] = held.items;
        const items = held.items.filter((item) => !ids.has(item.artifact_id));
        held = items[0] === first ? { ...held, items } : null;
      }
      if (running) tick();
    },

    /** Fades out and stops the audio clock: everything stays where it is. */
    pause() {
      if (paused) return;
      paused = true;
      const fadeS = figure(timing, "pause_fade_s");
      output.glide(0, fadeS);
      // Twice the fade, because a timer and the audio clock do not agree to the millisecond.
      cancelSuspend = own.timeout(() => context.suspend(), 2 * fadeS * 1000);
    },

    /** Goes on where it paused; to be called from a gesture where autoplay is blocked. */
    async resume() {
      if (!paused) return;
      paused = false;
      cancelSuspend();
      output.glide(gain, figure(timing, "pause_fade_s"));
      await context.resume();
      if (upcoming === null && !current?.isRest) ask();
    },

    /** @param {{gain: number}} quieter factor on everything that sounds; 0 is mute, and mute is not heard */
    setQuieter(quieter) {
      gain = figure(quieter, "gain");
      if (!paused) output.glide(gain, figure(timing, "level_fade_s"));
    },

    /** @param {{voice: string, scale: number, resting: "idle" | "sparse"}} wanted */
    setTone(wanted) {
      air.setVoice(required(wanted, "voice"));
      air.setScale(figure(wanted, "scale"));
      resting = required(wanted, "resting");
    },

    dispose() {
      own.dispose();
    },
  };
}
