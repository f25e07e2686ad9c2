/** The two handles on the line of a take: where they may go, and what moves them. Pure. */

/**
 * Where on a box somebody points, along the line.
 * @param {number} x of the pointer @param {{left: number, width: number}} box @param {"ltr" | "rtl"} direction
 * @returns {number} 0..1
 */
export function shareAt(x, { left, width }, direction) {
  const share = Math.min(1, Math.max(0, (x - left) / width));
  return direction === "rtl" ? 1 - share : share;
}

/**
 * Where a key moves a handle, as the keys of a slider do (WAI-ARIA): left and right by the direction of reading.
 * @param {string} key @param {{atMs: number, durationMs: number, stepMs: number, direction: "ltr" | "rtl"}} handle
 * @returns {number | null} ms, not yet held within what is allowed; null for a key that moves nothing
 */
export function movedByKey(key, { atMs, durationMs, stepMs, direction }) {
  const ahead = direction === "rtl" ? -stepMs : stepMs;
  const to = {
    ArrowRight: atMs + ahead, ArrowLeft: atMs - ahead, ArrowUp: atMs + stepMs, ArrowDown: atMs - stepMs,
    PageUp: atMs + 10 * stepMs, PageDown: atMs - 10 * stepMs, Home: 0, End: durationMs,
  }[key];
  return to ?? null;
}

/** @param {"start" | "end"} edge @param {number} atMs @param {import("ritual").Trim} trim @returns {import("ritual").Trim} */
export function trimmed(edge, atMs, trim) {
  return edge === "start" ? { ...trim, startMs: atMs } : { ...trim, endMs: atMs };
}

/** Whether anything of a take is left out. @param {import("ritual").Trim} trim @param {number} durationMs */
export function isTrimmed({ startMs, endMs }, durationMs) {
  return startMs > 0 || endMs < durationMs;
}
