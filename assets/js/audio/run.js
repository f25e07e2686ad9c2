/**
 * One program on its way: its voices prepared together, confirmed together, scheduled together, each ended and let go of
 * in its own time.
 *
 * @typedef {ReturnType<typeof createRun>} Run
 */

import { figure } from "figures";
import { refusalOf } from "plan";
import { prepareVoice } from "voice";

/**
 * Preparing begins at once. A program whose first voice cannot be had has failed; a layer that cannot be had is left
 * out.
 *
 * @param {object} options
 * @param {import("plan").Program} options.program
 * @param {object} options.parts what `prepareVoice` wants beside item and scope
 * @param {(url: string, signal: AbortSignal) => Promise<{status: number}>} options.head asks whether a voice may still
 *   be played
 * @param {import("scope").Scope} options.scope
 */
export function createRun({ program, parts, head, scope }) {
  const own = scope.child();
  const isRest = program.items.length === 0;
  const slots = program.items.map((item) => ({ item, scope: own.child(), voice: null, reason: null }));
  const run = {
    program, isRest, ready: isRest, confirming: isRest, confirmed: isRest, failure: null,
    scheduled: false, started: false, readyS: null, startS: 0, endS: 0,
  };

  let fadedS = 0;

  Promise.all(
    slots.map(async (slot) => {
      try {
        slot.voice = await prepareVoice({ ...parts, item: slot.item, scope: slot.scope });
      } catch (error) {
        slot.reason ??= error.reason;
      }
    }),
  ).then(() => {
    run.failure ??= slots[0]?.reason ?? null;
    run.ready = true;
  });

  /** @returns {import("voice").Voice[]} what can still be played or is being played */
  function voices() {
    return slots.map((slot) => slot.voice).filter((voice) => voice !== null && !voice.dropped);
  }

  /** Nobody's voice is played on an old permission: one without a new one is let go of. */
  async function confirmSlot(slot, waitS) {
    const reason = refusalOf(await statusOf(head, slot.item.url, waitS, slot.scope));
    if (reason === "" || slot.voice.dropped) return;
    slot.reason = reason;
    slot.voice.drop(0);
    if (slot === slots[0]) run.failure ??= reason;
  }

  return Object.assign(run, {
    voices,

    /** It will not be played; the first reason stands. */
    fail(reason) {
      run.failure ??= reason;
    },

    /** Asks once for every voice; `confirmed` when all have answered, or `waitS` has passed. */
    async confirm(waitS) {
      if (run.confirming) return;
      run.confirming = true;
      const kept = slots.filter(({ voice }) => voice !== null && !voice.dropped);
      await Promise.all(kept.map((slot) => confirmSlot(slot, waitS)));
      run.confirmed = true;
    },

    /** How long it would take from its start, in seconds. */
    lengthS() {
      if (isRest) return figure(program, "rest_ms") / 1000;
      return Math.max(0, ...voices().map((voice) => delayOf(voice.item) + voice.durationS));
    },

    schedule(startS) {
      run.startS = startS;
      run.endS = startS + this.lengthS();
      run.scheduled = true;
      for (const voice of voices()) voice.schedule(startS + delayOf(voice.item));
    },

    /** @param {Set<number>} ids @param {number} fadeS @returns {boolean} whether any of them was here */
    drop(ids, fadeS, clockS) {
      const hit = slots.filter((slot) => ids.has(slot.item.artifact_id) && slot.reason !== "dropped");
      for (const slot of hit) {
        slot.reason = "dropped";
        if (slot.voice === null) slot.scope.dispose();
        else slot.voice.drop(fadeS);
      }
      if (hit.includes(slots[0]) && !run.started) this.fail("dropped");
      if (hit.length > 0 && run.scheduled) {
        fadedS = clockS + fadeS;
        const ends = voices().map((voice) => voice.endS);
        run.endS = Math.min(run.endS, Math.max(clockS, ...ends));
      }
      return hit.length > 0;
    },

    /** The same for all of it. */
    dropAll(fadeS, clockS) {
      this.drop(new Set(program.items.map((item) => item.artifact_id)), fadeS, clockS);
    },

    /** @returns {import("voice").Voice[]} voices whose start has come since last asked */
    takeStarted(clockS) {
      const begun = voices().filter((voice) => !voice.started && clockS >= voice.startS);
      for (const voice of begun) voice.started = true;
      return begun;
    },

    /** @returns {import("voice").Voice[]} voices whose end has come since last asked */
    takeEnded(clockS) {
      const over = voices().filter((voice) => !voice.ended && clockS >= voice.endS);
      for (const voice of over) voice.ended = true;
      return over;
    },

    sounding(clockS) {
      return voices().some((voice) => clockS >= voice.startS && clockS < voice.endS);
    },

    /** What plays into silence is not heard, whatever happens after. */
    noteSilence(clockS) {
      for (const voice of voices()) if (clockS >= voice.startS) voice.silenced = true;
    },

    /** @returns {number[]} ids of the voices that were heard to their end */
    heard() {
      return voices()
        .filter((voice) => voice.heard)
        .map((voice) => voice.item.artifact_id);
    },

    /** When the last of it has rung out, tails and the fades of what was dropped included. */
    tailEndS() {
      return Math.max(run.endS, fadedS, ...voices().map((voice) => voice.tailEndS));
    },

    dispose() {
      own.dispose();
    },
  });
}

function delayOf(item) {
  return figure(item, "delay_ms") / 1000;
}

/** @returns {Promise<number>} 0 when there was no answer in time */
async function statusOf(head, url, waitS, scope) {
  const own = scope.child();
  const abort = new AbortController();
  own.add(() => abort.abort());
  own.timeout(() => own.dispose(), waitS * 1000);
  try {
    return (await head(url, abort.signal)).status;
  } catch {
    return 0; // no network is no answer, and without one nothing is played
  } finally {
    own.dispose();
  }
}
