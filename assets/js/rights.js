/** When the right to show or sound a voice ends: watched here, because time itself ends it. */

/** @param {() => number} now epoch milliseconds */
export function createRights(now) {
  /** @type {Map<number, number>} */
  const until = new Map();
  return {
    /** @param {{artifact_id: number, held_for_ms: number}} layer as the server sent it just now */
    hold({ artifact_id, held_for_ms }) {
      if (typeof held_for_ms !== "number") throw new RangeError("a voice comes with how long it is held");
      until.set(artifact_id, now() + held_for_ms);
    },
    /** @param {number[]} ids */
    forget(ids) {
      for (const id of ids) until.delete(id);
    },
    /** @returns {number[]} the voices whose right is over, told once */
    over() {
      const ended = [...until].filter(([, end]) => end <= now()).map(([id]) => id);
      for (const id of ended) until.delete(id);
      return ended;
    },
  };
}
