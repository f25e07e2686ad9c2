/** Tells the server what was heard, until it has taken note. */

import { ackDelayS, isAckSettled } from "plan";

/**
 * @param {object} options
 * @param {(url: string) => Promise<{status: number}>} options.post rejects when the network does
 * @param {() => number} options.now milliseconds
 * @param {Record<string, number>} options.figures the [program] section
 * @param {import("scope").Scope} options.scope ends all retries
 * @returns {(url: string) => void}
 */
export function createAcknowledger({ post, now, figures, scope }) {
  async function attempt(url, startedMs, count) {
    const status = await statusOf(post, url);
    if (isAckSettled(status)) return;
    const delayS = ackDelayS(count, (now() - startedMs) / 1000, figures);
    if (delayS !== null) scope.timeout(() => attempt(url, startedMs, count + 1), delayS * 1000);
  }

  return (url) => {
    attempt(url, now(), 1);
  };
}

/** @returns {Promise<number>} 0 when there was no answer */
async function statusOf(post, url) {
  try {
    return (await post(url)).status;
  } catch {
    return 0; // no network is no answer: the retry is the handling
  }
}
