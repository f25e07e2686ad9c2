/** How loud it is around a microphone before anybody speaks into it. */

import { figure } from "figures";

/**
 * What lies under the voice: the level that a share of the newest levels stay below. Somebody who speaks pauses, so that the
 * floor is heard between the words.
 *
 * @param {Record<string, number>} figures the kiosk's: noise_levels, noise_share, noise_some_db, noise_high_db,
 *   nothing_levels; and microphone_floor_db, below which a microphone gives nothing
 */
export function createNoiseFloor(figures) {
  const most = figure(figures, "noise_levels");
  const nothingMost = figure(figures, "nothing_levels");
  const floor = 10 ** (figure(figures, "microphone_floor_db") / 20);
  let levels = [];
  let nothing = 0;

  function floorDb() {
    const sorted = [...levels].sort((a, b) => a - b);
    return 20 * Math.log10(Math.max(1e-9, sorted[Math.floor(sorted.length * figures.noise_share)]));
  }

  return {
    /** @param {{rms: number, peak: number}} level linear, 0..1 */
    push({ rms, peak }) {
      levels = [...levels.slice(1 - most), rms];
      nothing = peak > floor ? 0 : nothing + 1;
    },

    reset() {
      levels = [];
      nothing = 0;
    },

    /** @returns {"" | "nothing_heard" | "noise_low" | "noise_some" | "noise_high"} "" while it is not known yet */
    reading() {
      if (nothing >= nothingMost) return "nothing_heard";
      if (levels.length < most || nothing > 0) return "";
      const db = floorDb();
      if (db > figure(figures, "noise_high_db")) return "noise_high";
      return db > figure(figures, "noise_some_db") ? "noise_some" : "noise_low";
    },
  };
}
