/** The kiosk while nobody is at it: the invitation in one language after the other. Pure. */

/**
 * @param {number} aloneMs since the last sign of life @param {number} count of invitations
 * @param {{attract_after_s: number, attract_every_s: number}} figures
 * @returns {number | null} which of them is shown; null while somebody may be there
 */
export function invitationAt(aloneMs, count, { attract_after_s: afterS, attract_every_s: everyS }) {
  const shownS = aloneMs / 1000 - afterS;
  return shownS < 0 || count < 2 ? null : Math.floor(shownS / everyS) % count;
}
