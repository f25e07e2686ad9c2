/**
 * A take as its participant hears it: one sound at a time, in a colour, and from one colour to the next where it is, without
 * a seam.
 */

import { figure, required } from "figures";
import { buildPreview } from "preview";

/**
 * @param {object} options
 * @param {() => BaseAudioContext} options.context
 * @param {import("colours").Colour[]} options.colours
 * @param {{level: object, wear: object}} options.figures sections of the audio catalog
 * @param {import("scope").Scope} options.scope owns what sounds
 */
export function createListening({ context, colours, figures, scope }) {
  const turnS = figure(required(figures, "level"), "fade_in_s");
  const shortestS = turnS + figure(figures.level, "fade_out_s");
  let sound = null;

  const positionS = () => sound.fromS + context().currentTime - sound.startS;

  /** Where to go on in the same take: where it is, or at its beginning when too little is left to be heard. */
  function whereIn(take) {
    if (sound === null || sound.take !== take) return 0;
    return take.buffer.duration - positionS() > shortestS ? positionS() : 0;
  }

  /** Fades out what sounds and lets go of it. */
  function stop() {
    if (sound === null) return;
    const { scope: own, output, take } = sound;
    sound = null;
    const nowS = context().currentTime;
    output.gain.setValueAtTime(take.gain, nowS);
    output.gain.linearRampToValueAtTime(0, nowS + turnS);
    // Twice the fade, because a timer and the audio clock do not agree to the millisecond.
    own.timeout(() => own.dispose(), 2 * turnS * 1000);
  }

  return {
    /**
     * @param {{take: import("preview").HeardTake, code: string, ended: () => void}} what `code` of a colour, "" for dry;
     *   `ended` is called when it has come to its end, its colour's last ring included, and not when it was stopped
     * @throws {RangeError} for an unknown colour; what sounds then goes on
     */
    play({ take, code, ended }) {
      const own = scope.child();
      const fromS = whereIn(take);
      const startS = context().currentTime;
      const { source, output, tailS, start } = buildPreview({
        context: context(), take, code, colours, fromS, figures, scope: own,
      });
      stop();
      const mine = { scope: own, output, take, startS, fromS };
      sound = mine;
      own.listen(source, "ended", () => own.timeout(() => {
        if (sound !== mine) return;
        sound = null;
        own.dispose();
        ended();
      }, tailS * 1000));
      output.connect(context().destination);
      start(startS);
    },

    stop,

    /** How far the take has come, 0..1; null in silence. */
    progress: () => (sound === null ? null : Math.min(1, positionS() / sound.take.buffer.duration)),
  };
}
