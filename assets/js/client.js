/**
 * What the kiosk says to the server: a few requests, each answered by a value or by a `ClientFailure`.
 *
 * A failure says what can be done about it, never what the server's internals were:
 *   away     no answer, or the server could not (5xx, timeout); `uncertain` when the take may have arrived
 *   paused   423, `budget` 429 (with `waitS`), `full` 507: not now, nothing was stored
 *   refused  400, 409, 410, 413, 415 ...: this take will not be accepted
 *   missing  404: what was asked for is not there (any more)
 */

const KINDS = { 404: "missing", 423: "paused", 429: "budget", 507: "full" };

export class ClientFailure extends Error {
  /** @param {{kind: string, status: number, waitS: number, uncertain: boolean}} failure */
  constructor({ kind, status, waitS, uncertain }) {
    super(`${kind} (${status})`);
    this.name = "ClientFailure";
    this.kind = kind;
    this.status = status;
    this.waitS = waitS;
    this.uncertain = uncertain;
  }
}

/**
 * @typedef {{wav: ArrayBuffer, durationMs: number, colour: string, topic: string, idempotencyKey: string, language: string,
 *   noticeVersion: string, unattended?: boolean}} Sending `colour` is the code of a memory colour, `topic` one a steward wrote, "" for none;
 *   `unattended` where its participant has left, and a steward is to decide
 *
 * @param {{fetch: typeof fetch, figures: {request_timeout_s: number, answer_timeout_s: number}}} options
 *   `request_timeout_s` bounds a request that carries a take, `answer_timeout_s` a small one
 */
export function createClient({ fetch, figures }) {
  for (const name of ["request_timeout_s", "answer_timeout_s"]) {
    if (!(figures[name] > 0)) throw new TypeError(`client: figure ${name} is missing`);
  }
  const call = async (path, options, timeoutS) => {
    let response;
    let body;
    try {
      response = await fetch(path, {
        credentials: "same-origin", cache: "no-store", ...options, signal: AbortSignal.timeout(timeoutS * 1000),
      });
      body = await readBody(response, options.method);
    } catch {
      throw new ClientFailure({ kind: "away", status: 0, waitS: 0, uncertain: true });
    }
    if (!response.ok) throw failureOf(response.status, response.headers.get("Retry-After"));
    return body;
  };
  const post = (path, options, timeoutS) => call(path, { method: "POST", ...options }, timeoutS);
  const postJson = (path, value) => post(path, {
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
  }, figures.answer_timeout_s);

  return {
    /**
     * Leaves a take in the room.
     * @param {Sending & {mode: "ROOM" | "FOSSIL"}} sending
     * @returns {Promise<{artifact: object, revocation_token: string, revocation_url: string, receipt: object}>}
     */
    async upload(sending) {
      if (!["ROOM", "FOSSIL"].includes(sending.mode)) throw new TypeError(`client: no such consent ${sending.mode}`);
      const answer = await post("/api/v1/artifacts/audio", takeRequest(sending), figures.request_timeout_s);
      return demand(answer, ["artifact", "revocation_token", "revocation_url", "receipt"]);
    },

    /**
     * Hands over a take that is heard once.
     * @param {Sending} sending
     * @returns {Promise<{artifact_id: number, play_url: string, consume_token: string}>}
     */
    async ephemeral(sending) {
      const answer = await post("/api/v1/ephemeral/audio", takeRequest(sending), figures.request_timeout_s);
      return demand(answer, ["artifact_id", "play_url", "consume_token"]);
    },

    /**
     * Fetches a one-time take. Asking is hearing: never call it twice for the same address.
     * @param {string} playUrl
     * @returns {Promise<ArrayBuffer>}
     */
    once: (playUrl) => call(playUrl, { method: "GET" }, figures.request_timeout_s),

    /** Disposes of a one-time take nobody has heard. */
    consume: ({ artifact_id, consume_token }) => postJson("/api/v1/ephemeral/consume", { artifact_id, consume_token }),

    /** What a take on this disk is encrypted under; see take_keeper. */
    keys: {
      begin: async () => demand(await post("/api/v1/take-keys", {}, figures.answer_timeout_s), ["take", "key"]),
      again: async (take) => demand(await postJson("/api/v1/take-keys/again", { take }), ["take", "key"]),
      destroy: (take) => postJson("/api/v1/take-keys/destroy", { take }),
    },

    /** Takes a take back by its receipt code. */
    revoke: (token) => postJson("/api/v1/revoke", { token }),
  };
}

/**
 * @param {number} status of an answer that is not ok
 * @param {string | null} retryAfter the header's value in seconds
 * @returns {ClientFailure}
 */
export function failureOf(status, retryAfter) {
  const kind = KINDS[status] ?? (status >= 500 ? "away" : "refused");
  const waitS = Number.parseInt(retryAfter ?? "", 10);
  return new ClientFailure({
    kind, status, waitS: Number.isFinite(waitS) && waitS > 0 ? waitS : 0, uncertain: kind === "away" && status !== 503,
  });
}

function takeRequest({ wav, durationMs, mode, colour, topic, idempotencyKey, language, noticeVersion, unattended }) {
  if (!idempotencyKey) throw new TypeError("client: a take is sent under an idempotency key");
  if (typeof colour !== "string") throw new TypeError("client: a take is sent in a colour, or in none");
  const form = new FormData();
  form.append("file", new Blob([wav], { type: "audio/wav" }), "take.wav");
  if (mode) form.append("consent_mode", mode);
  if (colour !== "") form.append("effect_profile", colour);
  if (topic !== "") form.append("topic_tag", topic);
  form.append("duration_ms", String(Math.round(durationMs)));
  form.append("language", language);
  form.append("notice_version", noticeVersion);
  if (unattended) form.append("unattended", "1");
  return { headers: { "Idempotency-Key": idempotencyKey }, body: form };
}

/** The one-time take is bytes, every other answer JSON; a failure's body is not needed. */
function readBody(response, method) {
  if (!response.ok) return null;
  return method === "GET" ? response.arrayBuffer() : response.json();
}

/** An accepted take whose answer cannot be read may have arrived. */
function demand(answer, names) {
  if (names.every((name) => answer?.[name] !== undefined)) return answer;
  throw new ClientFailure({ kind: "away", status: 0, waitS: 0, uncertain: true });
}
