/**
 * The one line of words, for those who cannot hear: what is heard, or what the room does meanwhile. It is a live region, so
 * what changes together is told once, and a short gap not at all.
 *
 * @typedef {{captions: string[], blocked: boolean, lost: boolean, maintained: boolean, closed: boolean, held: boolean, paused: boolean,
 *   resting: boolean, quieter: boolean}} Doing
 *   captions: of the voices that sound, the leading one first; held: paused by a steward; paused: by a visitor;
 *   resting: there is nothing to play
 */
import { figure } from "trace";

/** What the line says. @param {Doing} doing @param {Record<string, string>} copy section [room] @returns {string} */
export function sentenceOf(doing, copy) {
  if (doing.blocked) return "";
  if (doing.captions.length > 0) return captionOf(doing.captions, copy);
  if (doing.lost) return copy.connection_lost;
  if (doing.closed) return copy.closed;
  if (doing.maintained) return copy.maintained;
  if (doing.held) return copy.held;
  if (doing.paused) return copy.paused;
  const sentence = doing.resting ? copy.resting : copy.between;
  return doing.quieter ? [sentence, copy.quieter].join(copy.between_sentences) : sentence;
}

/** How long that must hold before it is said, s: a gap between two voices is not worth a word. */
export function settlesAfterS(doing, wall) {
  const idle = doing.captions.length === 0 && !(doing.lost || doing.maintained || doing.held || doing.paused);
  return figure(wall, idle ? "words_idle_s" : "words_settle_s");
}

function captionOf(captions, copy) {
  const [first] = captions;
  if (captions.length === 1) return first;
  return (captions.length === 2 ? copy.two_voices : copy.three_voices).replace("{caption}", first);
}

/** @param {{line: HTMLElement, copy: Record<string, string>, wall: object, scope: import("scope").Scope}} options */
export function createWords({ line, copy, wall, scope }) {
  let waiting = "";
  let cancel = () => {};
  line.dataset.shown = "false";

  function show(sentence) {
    waiting = "";
    line.textContent = sentence;
    line.dataset.shown = "true";
  }

  return {
    /** @param {Doing} doing */
    tell(doing) {
      const sentence = sentenceOf(doing, copy);
      const said = line.dataset.shown === "true" && line.textContent === sentence;
      if (said || (sentence !== "" && sentence === waiting)) return;
      cancel();
      // What holds no longer goes at once, what holds now comes when it has settled.
      line.dataset.shown = "false";
      waiting = sentence;
      if (sentence !== "") cancel = scope.timeout(() => show(sentence), settlesAfterS(doing, wall) * 1000);
    },
  };
}
