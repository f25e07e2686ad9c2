import assert from "node:assert/strict";
import { test } from "node:test";

import { ClientFailure, createClient, failureOf } from "client";

const FIGURES = { request_timeout_s: 60, answer_timeout_s: 10 };
const SENDING = {
  wav: new Uint8Array([82, 73, 70, 70]).buffer, durationMs: 4000.4, colour: "", topic: "", idempotencyKey: "key-1", language: "en",
  noticeVersion: "3",
};
const RECEIPT = { artifact: { id: 7 }, revocation_token: "ABCDE-FGHJK-MNPQ2", revocation_url: "/revoke/", receipt: { url: "http://node/revoke/?token=ABCDE-FGHJK-MNPQ2" } };
const ONCE = { artifact_id: 8, play_url: "/once/8", consume_token: "secret" };

/** A client whose server gives one answer; what was asked of it is kept. */
function clientWith(status, body = {}, headers = {}) {
  const asked = [];
  const fetch = async (path, options) => {
    asked.push({ path, ...options });
    const payload = body instanceof ArrayBuffer || typeof body === "string" ? body : JSON.stringify(body);
    return new Response(payload, { status, headers });
  };
  return { client: createClient({ fetch, figures: FIGURES }), asked };
}

async function failureFrom(promise) {
  const error = await promise.then(() => null, (reason) => reason);
  assert.ok(error instanceof ClientFailure, `${error}`);
  return { kind: error.kind, uncertain: error.uncertain, waitS: error.waitS };
}

test("a take is uploaded with its consent, its length, what was shown, and its key", async () => {
  const { client, asked } = clientWith(201, RECEIPT);
  assert.deepEqual(await client.upload({ ...SENDING, mode: "FOSSIL" }), RECEIPT);
  const [{ path, method, headers, body, cache }] = asked;
  assert.deepEqual([path, method, cache], ["/api/v1/artifacts/audio", "POST", "no-store"]);
  assert.equal(headers["Idempotency-Key"], "key-1");
  const { file, ...fields } = Object.fromEntries(body);
  assert.deepEqual(fields, { consent_mode: "FOSSIL", duration_ms: "4000", language: "en", notice_version: "3" });
  assert.equal(file.type, "audio/wav");
  assert.equal(file.size, 4);
});

test("a one-time take goes elsewhere, and names no consent mode", async () => {
  const { client, asked } = clientWith(201, ONCE);
  assert.deepEqual(await client.ephemeral(SENDING), ONCE);
  assert.equal(asked[0].path, "/api/v1/ephemeral/audio");
  assert.equal(asked[0].body.has("consent_mode"), false);
  assert.equal(asked[0].headers["Idempotency-Key"], "key-1");
});

test("a colour goes with the take, whatever becomes of it", async () => {
  const kept = clientWith(201, RECEIPT);
  await kept.client.upload({ ...SENDING, colour: "dream", mode: "ROOM" });
  const once = clientWith(201, ONCE);
  await once.client.ephemeral({ ...SENDING, colour: "dream" });
  for (const { asked } of [kept, once]) assert.equal(asked[0].body.get("effect_profile"), "dream");
});

test("a topic goes with the take where one was chosen", async () => {
  const kept = clientWith(201, RECEIPT);
  await kept.client.upload({ ...SENDING, topic: "rain", mode: "ROOM" });
  assert.equal(kept.asked[0].body.get("topic_tag"), "rain");
});

test("nothing is uploaded without a consent of the room, without a key, or without a word on its colour", async () => {
  const { client, asked } = clientWith(201, RECEIPT);
  await assert.rejects(client.upload({ ...SENDING, mode: "NOSAVE" }), TypeError);
  await assert.rejects(client.upload({ ...SENDING, mode: "ROOM", idempotencyKey: "" }), TypeError);
  await assert.rejects(client.upload({ ...SENDING, mode: "ROOM", colour: undefined }), TypeError);
  assert.equal(asked.length, 0);
});

test("a one-time take is fetched by one GET, as bytes", async () => {
  const { client, asked } = clientWith(200, SENDING.wav);
  assert.equal((await client.once("/once/8")).byteLength, 4);
  assert.deepEqual(asked.map(({ path, method }) => [path, method]), [["/once/8", "GET"]]);
});

test("a take is disposed of by its token and taken back by its code", async () => {
  const { client, asked } = clientWith(200, { ok: true });
  await client.consume(ONCE);
  await client.revoke("ABCDE-FGHJK-MNPQ2");
  assert.deepEqual(asked.map(({ path, body }) => [path, JSON.parse(body)]), [
    ["/api/v1/ephemeral/consume", { artifact_id: 8, consume_token: "secret" }],
    ["/api/v1/revoke", { token: "ABCDE-FGHJK-MNPQ2" }],
  ]);
});

test("each refusal has its kind, and nothing is tried twice", async () => {
  const kinds = {
    400: "refused", 404: "missing", 409: "refused", 410: "refused", 413: "refused", 415: "refused", 423: "paused",
    429: "budget", 507: "full", 500: "away", 502: "away", 503: "away",
  };
  for (const [status, kind] of Object.entries(kinds)) {
    const { client, asked } = clientWith(Number(status), { error: "no" });
    assert.equal((await failureFrom(client.upload({ ...SENDING, mode: "ROOM" }))).kind, kind, status);
    assert.equal(asked.length, 1);
  }
});

test("a budget says how long to wait; an unreadable wait is none", () => {
  assert.equal(failureOf(429, "40").waitS, 40);
  for (const header of [null, "", "soon", "-3"]) assert.equal(failureOf(429, header).waitS, 0);
});

test("only where no clear answer came may the take have arrived", async () => {
  for (const status of [400, 413, 423, 429, 503, 507]) assert.equal(failureOf(status, null).uncertain, false);
  for (const status of [500, 502, 504]) assert.equal(failureOf(status, null).uncertain, true);
  const gone = createClient({ fetch: () => Promise.reject(new TypeError("network")), figures: FIGURES });
  assert.deepEqual(await failureFrom(gone.revoke("x")), { kind: "away", uncertain: true, waitS: 0 });
  const garbled = clientWith(201, "<html>").client.upload({ ...SENDING, mode: "ROOM" });
  assert.deepEqual(await failureFrom(garbled), { kind: "away", uncertain: true, waitS: 0 });
  const partial = clientWith(201, { artifact: {} }).client.upload({ ...SENDING, mode: "ROOM" });
  assert.deepEqual(await failureFrom(partial), { kind: "away", uncertain: true, waitS: 0 });
});

test("a request that is never answered ends after its time", async () => {
  const fetch = (_, { signal }) => new Promise((_resolve, reject) => {
    const held = setTimeout(() => {}, 5000); // an abort signal alone does not keep the process alive
    signal.addEventListener("abort", () => {
      clearTimeout(held);
      reject(signal.reason);
    });
  });
  const client = createClient({ fetch, figures: { request_timeout_s: 1, answer_timeout_s: 0.02 } });
  assert.equal((await failureFrom(client.revoke("x"))).kind, "away");
});

test("missing figures are refused", () => {
  assert.throws(() => createClient({ fetch, figures: { request_timeout_s: 60 } }), /answer_timeout_s/);
});
