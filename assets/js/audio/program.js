/**
 * The player: takes programs one ahead, prepares the next while the present one plays, asks shortly before its start
 * whether it may still be played, times it on the audio clock and tells what was heard. It decides nothing about what is
 * played.
 *
 * Events, each an object with `type`:
 *   need     {seq}                            hand me the program after this one; may be told again
 *   started  {seq, item, startsAtContextTime, durationS}   a voice begins
 *   ended    {seq, heard: [artifact ids]}     a program, or a rest, is over
 *   failed   {seq, reason}                    gone, unreachable, unreadable, unconfirmed, dropped, stale or forgotten: it
 *                                             will not be played
 */

import { createAcknowledger } from "acks";
import { createAir } from "air";
import { figure, required } from "figures";
import { createOutput } from "output";
import { PLAIN_FADES, checkProgram, dueTime, fadesOf, isHeard, isStale } from "plan";
import { createRun } from "run";
import { createLapse } from "wake";
import { wearFigures } from "wear_chain";

/**
 * @param {object} options
 * @param {AudioContext} options.context
 * @param {{program: object, level: object, wear: object, tone: object}} options.figures sections of the audio catalog
 * @param {import("colours").Colour[]} options.colours
 * @param {(url: string, signal: AbortSignal) => Promise<ArrayBuffer>} options.fetchAudio rejects with an error that has
 *   `status` when the server refused
 * @param {(url: string, signal: AbortSignal) => Promise<{status: number}>} options.head whether a voice may be played now
 * @param {(url: string) => Promise<{status: number}>} options.post
 * @param {(event: object) => void} options.onEvent
 * @param {() => number} options.now epoch milliseconds, for rights
 * @param {() => number} options.elapsed monotonic milliseconds, for everything else
 * @param {import("scope").Scope} options.scope
 * @param {{voice: string, scale: number, file_url: string, seed: number}} options.tone
 */
export function createPlayerEngine({ context, figures, colours, fetchAudio, head, post, onEvent, now, elapsed, scope, tone }) {
  const own = scope.child();
  const timing = required(figures, "program");
  fadesOf(1, PLAIN_FADES, required(figures, "level")); // what is missing shows here, and not in the middle of a voice
  wearFigures(1, required(figures, "wear"));
  const dropFadeS = figure(timing, "drop_fade_s");
  const forgetAfterS = figure(timing, "forget_after_s");
  const acknowledge = createAcknowledger({ post, now: elapsed, figures: timing, scope: own });
  const output = createOutput({ context, figures: timing, elapsed, scope: own });
  const lapse = createLapse({ context, now });
  const air = createAir({ context, destination: output.node, figures: required(figures, "tone"), fetchAudio, scope: own, tone });

  let running = false;
  let lastSeq = 0;
  let askedMs = -Infinity;
  let askedSeq = -1;
  let failures = 0;
  /** @type {number | null} */
  let previousEndS = null;
  /** @type {import("run").Run[]} begun and not over, in the order in which they began; two while they cross */
  let active = [];
  /** @type {import("run").Run | null} */
  let upcoming = null;
  /** @type {import("plan").Program | null} an offer that came when the next program was already scheduled */
  let held = null;
  /** @type {Set<import("run").Run>} over, but still ringing out */
  const ringing = new Set();

  const resting = () => active.some((run) => run.isRest);

  function ask() {
    if (output.paused) return;
    askedMs = elapsed();
    askedSeq = lastSeq;
    onEvent({ type: "need", seq: lastSeq });
  }

  function take(program) {
    const parts = { context, figures, colours, fetchAudio, destination: output.node };
    lastSeq = program.seq;
    upcoming?.dispose();
    upcoming = createRun({ program, parts, head, scope: own });
  }

  /** A program that has not begun to sound and never will. */
  function giveUp(run, reason) {
    run.dispose();
    upcoming = null;
    failures += 1;
    onEvent({ type: "failed", seq: run.program.seq, reason });
    askedMs = elapsed(); // a second failure in a row waits for its turn, and so does a dead network: neither is hammered
    if (failures === 1 && reason !== "unconfirmed") ask();
  }

  /** A right that ended ends also what is scheduled, and what was paused. */
  function outlivesItsRight(run, endS) {
    if (run.isRest) return false;
    const goodUntilMs = run.program.good_until_ms;
    return isStale({ endS, clockS: context.currentTime, epochMs: now(), goodUntilMs });
  }

  function endRights() {
    if (upcoming?.scheduled && outlivesItsRight(upcoming, upcoming.endS)) upcoming.fail("stale");
    for (const run of active) if (outlivesItsRight(run, run.endS)) run.dropAll(dropFadeS, context.currentTime);
  }

  /** After a night's sleep nothing goes on where it was: what is in hand was chosen for another hour. */
  function forget() {
    for (const run of active) {
      if (run.isRest) run.endS = Math.min(run.endS, context.currentTime);
      else run.dropAll(0, context.currentTime);
    }
    held = null;
    upcoming?.fail("forgotten");
  }

  /** Confirms and schedules what comes next, each in its time. */
  function prepareUpcoming() {
    if (upcoming === null || !upcoming.ready || upcoming.scheduled || upcoming.failure !== null) return;
    const clockS = context.currentTime;
    upcoming.readyS ??= clockS;
    const precedingEndS = active.at(-1)?.endS ?? previousEndS;
    const gapMs = upcoming.isRest ? 0 : figure(upcoming.program, "gap_ms");
    const dueS = dueTime({ precedingEndS, readyS: upcoming.readyS, gapMs });
    if (dueS - clockS <= figure(timing, "confirm_ahead_s")) upcoming.confirm(figure(timing, "confirm_wait_s"));
    if (!upcoming.confirmed || dueS - clockS > figure(timing, "ahead_s")) return;
    const startS = Math.max(dueS, clockS + figure(timing, "lead_s")); // late, but never in the past
    if (outlivesItsRight(upcoming, startS + upcoming.lengthS())) upcoming.fail("stale");
    else upcoming.schedule(startS);
  }

  function beginUpcoming() {
    if (!upcoming?.scheduled || context.currentTime < upcoming.startS) return;
    const run = upcoming;
    run.started = true;
    active.push(run);
    upcoming = null;
    failures = 0;
    air.follow(run.program.tone);
    if (held !== null) {
      take(held);
      held = null;
    } else if (!run.isRest) ask();
  }

  function tellStarted(run) {
    for (const voice of run.takeStarted(context.currentTime)) {
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
    active = active.filter((other) => other !== run);
    previousEndS = Math.max(previousEndS ?? run.endS, run.endS);
    ringing.add(run);
    onEvent({ type: "ended", seq: run.program.seq, heard: run.heard() });
    if (upcoming === null && active.length === 0 && askedSeq !== lastSeq) ask();
  }

  function letGo() {
    for (const run of ringing) {
      if (context.currentTime < run.tailEndS()) continue;
      ringing.delete(run);
      run.dispose();
    }
  }

  const sounding = () => active.some((run) => run.sounding(context.currentTime));

  function tick() {
    if (lapse.lookS() > forgetAfterS) forget();
    endRights();
    if (upcoming !== null && upcoming.failure !== null) giveUp(upcoming, upcoming.failure);
    beginUpcoming();
    for (const run of active) {
      if (output.gain === 0) run.noteSilence(context.currentTime);
      tellStarted(run);
      finish(run);
    }
    prepareUpcoming();
    letGo();
    air.duck(sounding());
    const waited = elapsed() - askedMs >= figure(timing, "ask_again_s") * 1000;
    if (upcoming === null && waited && !resting()) ask();
  }

  return {
    /** The last node before the loudspeakers, for meters. */
    output: output.node,
    get paused() {
      return output.paused;
    },
    /** Whether a voice should be heard now. */
    get sounding() {
      return sounding();
    },

    /** Room tone fades in and the first program is asked for. */
    start() {
      if (running) return;
      running = true;
      own.interval(tick, figure(timing, "tick_ms"));
      air.begin();
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
      for (const run of [...active, upcoming, ...ringing]) run?.drop(ids, dropFadeS, context.currentTime);
      if (held !== null && held.items.length > 0) {
        const [first] = held.items;
        const items = held.items.filter((item) => !ids.has(item.artifact_id));
        held = items[0] === first ? { ...held, items } : null;
      }
      if (running) tick();
    },

    /** Fades out and stops the audio clock: everything stays where it is. */
    pause() {
      if (!output.paused) output.pause();
    },

    /** Goes on where it paused, unless that is too long ago; to be called from a gesture where autoplay is blocked. */
    async resume() {
      if (!output.paused) return;
      if (output.pausedS() > forgetAfterS) forget();
      endRights(); // before anything sounds
      await output.resume();
      if (upcoming === null && !resting()) ask();
    },

    /** @param {{gain: number}} quieter factor on everything that sounds; 0 is mute, and mute is not heard */
    setQuieter(quieter) {
      output.setGain(figure(quieter, "gain"));
    },

    /** @param {{voice: string, scale: number, file_url: string}} wanted the room's own tone, whatever a program makes of it */
    setTone: air.set,

    dispose() {
      own.dispose();
    },
  };
}
