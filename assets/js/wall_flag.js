/**
 * "Something wrong with this voice?": two taps ask a steward to check it, and one line says what came of that. Meant is the
 * voice that was heard at the first tap. Where no voice can be meant, nothing is shown.
 *
 * @typedef {{artifact_id: number, flag_url: string}} Voice
 * @typedef {"thanks" | "budget" | "gone" | "failed"} Outcome
 */

/** @param {number} status of the answer, 0 where none came @returns {Outcome} */
export function outcomeOf(status) {
  if (status >= 200 && status < 300) return "thanks";
  if (status === 429) return "budget";
  return status === 404 ? "gone" : "failed";
}

/**
 * @param {object} options
 * @param {{flag: HTMLButtonElement, told: HTMLElement, toggle: HTMLButtonElement}} options.parts
 * @param {Record<string, string>} options.copy section [room]
 * @param {number} options.afterS how long after its end a voice can still be meant
 * @param {(voice: Voice) => Promise<number>} options.send the status of the answer, 0 where none came
 * @param {import("scope").Scope} options.scope
 */
export function createFlag({ parts, copy, afterS, send, scope }) {
  const { flag, told, toggle } = parts;
  /** @type {Voice | null} */
  let voice = null;
  /** @type {Voice | null} */
  let meant = null;
  let sending = false;
  let cancel = () => {};

  function show() {
    const hide = told.textContent !== "" || (voice === null && meant === null);
    if (hide && document.activeElement === flag) toggle.focus({ preventScroll: true });
    flag.textContent = meant === null ? copy.flag : copy.flag_ask;
    flag.hidden = hide;
  }

  function answer(outcome) {
    return { thanks: copy.flag_thanks, budget: copy.flag_budget, gone: copy.flag_gone, failed: copy.flag_failed }[outcome];
  }

  async function press() {
    if (sending) return;
    if (meant === null) {
      meant = voice;
      show();
      return;
    }
    const asked = meant;
    meant = null;
    sending = true; // not disabled: a button that is loses the focus
    const outcome = outcomeOf(await send(asked));
    sending = false;
    told.textContent = answer(outcome);
    const over = outcome === "thanks" || outcome === "gone";
    if (over && voice?.artifact_id === asked.artifact_id) voice = null;
    show();
  }

  function forget() {
    cancel();
    voice = null;
    show();
  }

  scope.listen(flag, "click", press);
  show();

  return {
    /** A voice begins. @param {Voice} next */
    playing(next) {
      cancel();
      voice = next;
      show();
    },

    /** A voice has ended; it can be meant for a while yet. @param {number} id */
    ended(id) {
      if (voice?.artifact_id !== id) return;
      cancel();
      cancel = scope.timeout(forget, afterS * 1000);
    },

    /** Voices that are gone cannot be meant. @param {number[]} ids */
    drop(ids) {
      if (ids.includes(meant?.artifact_id)) meant = null;
      if (ids.includes(voice?.artifact_id)) forget();
      else show();
    },

    /** The copy is another by now; what was answered meanwhile stays as it was. */
    spoken: show,

    /** Whoever was there has left: the next visitor begins at the beginning. */
    reset() {
      meant = null;
      told.textContent = "";
      show();
    },
  };
}
