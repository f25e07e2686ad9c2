/** Clips of speech, one after the other: what the kiosk itself says. */

import { playTone } from "test_tone";

/**
 * @param {object} options
 * @param {() => BaseAudioContext} options.context
 * @param {typeof fetch} options.fetch
 * @param {import("scope").Scope} options.scope owns what sounds
 * @param {{breath_s: number, clip_gap_s: number}} options.figures seconds of silence for a breath, and between two clips
 */
export function createClips({ context, fetch, scope, figures }) {
  /** @type {Map<string, Promise<AudioBuffer | null>>} */
  const held = new Map();
  let speaking = null;

  async function fetched(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new TypeError(`clips: ${answer.status}`);
    return context().decodeAudioData(await answer.arrayBuffer());
  }

  /** What cannot be had now is left out, and asked for again another time. */
  function load(url) {
    if (!held.has(url)) {
      held.set(url, fetched(url).catch(() => {
        held.delete(url);
        return null;
      }));
    }
    return held.get(url);
  }

  function stop() {
    speaking?.dispose();
    speaking = null;
  }

  function begun() {
    stop();
    speaking = scope.child();
    return speaking;
  }

  /** Says them, and then that it is over; not where it was stopped meanwhile. */
  async function sayAll(own, urls, ended) {
    const buffers = await Promise.all(urls.map((url) => (url === null ? "breath" : load(url))));
    if (own.disposed) return;
    const nowS = context().currentTime;
    own.timeout(() => {
      stop();
      ended();
    }, (scheduled(own, buffers, nowS) - nowS) * 1000);
  }

  /** Clips from `startS` on. @returns {number} when the last of them ends */
  function scheduled(own, buffers, startS) {
    let atS = startS;
    for (const buffer of buffers) {
      if (buffer === "breath") {
        atS += figures.breath_s;
      } else if (buffer !== null) {
        const source = own.node(new AudioBufferSourceNode(context(), { buffer }));
        source.connect(context().destination);
        source.start(atS);
        atS += buffer.duration + figures.clip_gap_s;
      }
    }
    return atS;
  }

  return {
    /** @param {(string | null)[]} urls null is a breath @param {() => void} ended not called when it was stopped */
    play: (urls, ended) => sayAll(begun(), urls, ended),

    /**
     * A tone, and what follows it.
     * @param {Parameters<typeof playTone>[0]["tone"]} tone @param {string[]} urls
     * @param {{spoken: () => void, ended: () => void}} tell `spoken` when the tone is over and somebody speaks
     */
    playAfter(tone, urls, { spoken, ended }) {
      const own = begun();
      urls.forEach(load);
      playTone({ context: context(), destination: context().destination, tone, scope: own });
      own.timeout(() => {
        if (urls.length > 0) spoken();
        sayAll(own, urls, ended);
      }, tone.lengthS * 1000);
    },

    stop,
  };
}
