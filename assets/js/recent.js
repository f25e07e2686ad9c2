/** What this browser has played lately, so that a restarted server does not repeat itself. Ids only, newest first. */

const KEY = "memory-engine-recent";

/** @param {unknown} stored @param {number} most @returns {number[]} what can be trusted to be ids */
export function readIds(stored, most) {
  try {
    const ids = JSON.parse(String(stored));
    return Array.isArray(ids) ? ids.filter((id) => Number.isSafeInteger(id) && id > 0).slice(0, most) : [];
  } catch {
    return [];
  }
}

/** @param {number[]} ids @param {number[]} heard @param {number} most @returns {number[]} */
export function withHeard(ids, heard, most) {
  return [...new Set([...heard, ...ids])].slice(0, most);
}

/** @param {Storage} storage @param {number} most */
export function createRecent(storage, most) {
  return {
    ids: () => readIds(storage.getItem(KEY), most),
    /** @param {number[]} heard */
    add(heard) {
      storage.setItem(KEY, JSON.stringify(withHeard(readIds(storage.getItem(KEY), most), heard, most)));
    },
  };
}
