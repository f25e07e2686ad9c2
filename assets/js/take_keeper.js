/**
 * A take on the kiosk's own disk while it is nobody else's yet, so that a reload, a crash or a power cut loses nothing.
 *
 * Every chunk is encrypted before it is written (AES-GCM, a nonce of its own, its place in the take as associated data),
 * under a key that the server holds: what lies on the disk is noise to whoever has the disk alone, and stays noise once the
 * key is destroyed. Where no key can be had, nothing is written, and the take lives in memory only.
 *
 * @typedef {{stage: string, mode: string, colour: string, topic: string, trim: import("ritual").Trim, ended: string,
 *   language: string, idempotencyKey: string, keptFlaw: boolean, sent: boolean}} Standing where the participant was; holds nothing of the voice
 */

import { joined } from "capture";

const NAME = "memory-engine-kiosk";
const TAKE = "take";
const CHUNKS = "chunks";
const ONLY = 1; // the one row of TAKE
const NONCE_BYTES = 12;
const OWNING_MS = 3000;
const ENDING_TRIES = 20;

/**
 * @param {object} options
 * @param {{begin: () => Promise<{take: string, key: string}>, again: (take: string) => Promise<{take: string, key: string}>,
 *   destroy: (take: string) => Promise<unknown>}} options.keys what the server does with keys
 * @param {IDBFactory | undefined} options.indexedDB
 * @param {LockManager | undefined} options.locks
 * @param {Crypto} options.crypto
 * @param {() => number} options.now the wall clock in ms: it goes on while the machine is off
 * @param {() => Promise<void>} options.pause before something is tried again
 * @param {number} options.freshMs how long after its last sign of life a take is still its participant's
 */
export function createTakeKeeper({ keys, indexedDB, locks, crypto, now, pause, freshMs }) {
  const possible = indexedDB !== undefined && locks !== undefined && crypto?.subtle !== undefined;
  let given = null; // a key that was asked for, and nobody has used yet
  let held = null; // {take, key, rateHz, count, standing}
  let writing = Promise.resolve(); // one write after the other
  let opening = null;
  let owning = null;

  /** What goes wrong with the disk costs the safety of the take, never the take. */
  const inTurn = (step) => {
    writing = writing.then(step).catch((error) => {
      if (held !== null) reportError(error);
      held = null;
    });
    return writing;
  };

  async function noteNow() {
    const { take, rateHz, standing } = held;
    await put(TAKE, ONLY, { take, rateHz, standing, atMs: now() });
  }

  /** The key that is held for a take; null where none is any more. A server that cannot be asked is asked again. */
  async function keyOf({ take }) {
    for (;;) {
      try {
        return await keys.again(take);
      } catch (error) {
        if (error.name !== "ClientFailure") throw error;
        if (error.kind !== "away") return null;
      }
      await pause();
    }
  }

  /** Of two pages of one browser, the disk is the first one's: the other would take a take under way for one left behind. */
  function mine() {
    owning ??= new Promise((resolve) => {
      const signal = AbortSignal.timeout(OWNING_MS); // a page that is just being left still has it for a moment
      const hold = () => {
        resolve(true);
        return new Promise(() => {});
      };
      locks.request(NAME, { signal }, hold).catch(() => resolve(false));
    });
    return owning;
  }

  /** Without what it is asked by, nobody can have the key any more; where the server cannot be told, its time ends it. */
  async function endKey(take) {
    for (let tries = ENDING_TRIES; tries > 0; tries -= 1) {
      try {
        await keys.destroy(take);
        return;
      } catch {
        await pause();
      }
    }
  }

  return {
    /** Asks for a key while there is time. */
    prepare() {
      if (possible && given === null) given = keys.begin().catch(() => null);
    },

    /** A recording begins. Whatever lay there before is destroyed. @param {number} rateHz */
    begin(rateHz) {
      const asked = given;
      given = null;
      if (asked === null) return writing;
      return inTurn(async () => {
        if (!(await mine())) return;
        await this.clear();
        const answer = await asked;
        if (answer === null) return;
        held = { take: answer.take, key: await imported(crypto, answer.key), rateHz, count: 0, standing: null };
        await noteNow();
      });
    },

    /**
     * The receipt of a take that has arrived, for as long as it is on the screen. Of the take itself nothing is left: it has a
     * key of its own.
     * @param {object} receipt @param {{stage: "complete", mode: string, colour: string, language: string}} standing
     */
    keepReceipt(receipt, standing) {
      return inTurn(async () => {
        await this.clear();
        if (!possible || !(await mine())) return;
        const { take, key } = await keys.begin();
        held = { take, key: await imported(crypto, key), rateHz: 0, count: 1, standing };
        await put(CHUNKS, 0, await sealed(crypto, held, 0, new TextEncoder().encode(JSON.stringify(receipt))));
        await noteNow();
      });
    },

    /** @param {Float32Array} samples one chunk of the recording under way */
    push(samples) {
      return inTurn(async () => {
        if (held === null) return;
        const seq = held.count;
        held.count += 1;
        await put(CHUNKS, seq, await sealed(crypto, held, seq, samples));
        if (seq % 10 === 0) await noteNow();
      });
    },

    /** Where the participant is now: also a sign of life. @param {Standing} standing */
    note(standing) {
      return inTurn(async () => {
        if (held === null) return;
        held.standing = standing;
        await noteNow();
      });
    },

    /**
     * What was left behind by a page that is no more: a take, or the receipt of one. Where its participant must have gone it
     * is destroyed, unless they had sent it: then it is given back as `late`.
     * @returns {Promise<{samples: Float32Array, rateHz: number, standing: Standing | null, late: boolean}
     *   | {receipt: object, standing: object} | null>}
     */
    async resume() {
      if (!possible || !(await mine())) return null;
      const left = await get(TAKE, ONLY).catch(() => null);
      if (!left) return null;
      const late = Math.abs(now() - left.atMs) > freshMs;
      const answer = late && !left.standing?.sent ? null : await keyOf(left);
      if (answer === null) {
        await this.destroy();
        return null;
      }
      const key = await imported(crypto, answer.key);
      const chunks = await opened(crypto, { key, take: left.take }, await all(CHUNKS));
      held = { take: left.take, key, rateHz: left.rateHz, count: chunks.length, standing: left.standing };
      if (left.standing?.stage === "complete") return { receipt: JSON.parse(new TextDecoder().decode(chunks[0])), standing: left.standing };
      return { samples: joined(chunks.map((plain) => new Float32Array(plain))), rateHz: left.rateHz, standing: left.standing, late };
    },

    /** Which take the disk holds: the same as long as it is the same. @returns {string | null} */
    which: () => held?.take ?? null,

    /** Ends the take on this disk: key and chunks. Harmless where there is none. */
    destroy() {
      given = null;
      held = null; // at once: what is still waiting to be written is not
      return inTurn(() => this.clear());
    },

    async clear() {
      held = null;
      if (!possible || !(await mine())) return;
      const left = await get(TAKE, ONLY);
      if (!left) return;
      endKey(left.take); // first: without it, what a page that dies here leaves on the disk is noise
      await emptied();
    },
  };

  // --- the disk -------------------------------------------------------------------------------------------

  function database() {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => [TAKE, CHUNKS].forEach((store) => request.result.createObjectStore(store));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    opening.catch(() => { opening = null; });
    return opening;
  }

  /** A power cut keeps what was written. */
  async function write(change) {
    const db = await database();
    await new Promise((resolve, reject) => {
      const transaction = db.transaction([TAKE, CHUNKS], "readwrite", { durability: "strict" });
      change(transaction);
      transaction.oncomplete = resolve;
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  async function read(ask) {
    const db = await database();
    return new Promise((resolve, reject) => {
      const request = ask(db.transaction([TAKE, CHUNKS], "readonly"));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  function put(store, key, value) {
    return write((transaction) => transaction.objectStore(store).put(value, key));
  }

  function get(store, key) {
    return read((transaction) => transaction.objectStore(store).get(key));
  }

  function all(store) {
    return read((transaction) => transaction.objectStore(store).getAll());
  }

  function emptied() {
    return write((transaction) => [TAKE, CHUNKS].forEach((store) => transaction.objectStore(store).clear()));
  }
}

function imported(crypto, key) {
  const bytes = Uint8Array.from(atob(key), (sign) => sign.charCodeAt(0));
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

function place(take, seq) {
  return new TextEncoder().encode(`${take} ${seq}`);
}

async function sealed(crypto, { key, take }, seq, samples) {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: place(take, seq) }, key, samples);
  return { iv, data };
}

/** As far as it is whole: what was being written when everything stopped is not. */
async function opened(crypto, { key, take }, chunks) {
  const found = [];
  for (const { iv, data } of chunks) {
    const additionalData = place(take, found.length);
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, data).catch(() => null);
    if (plain === null) break;
    found.push(plain);
  }
  return found;
}
