import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ago, ahead, clockTime, closeSteps, fill, firstMoment, gigabytes, merge, openSteps, shares } from "ledger";
import { remediesOf } from "ledger_remedies";
import { createStewardClient } from "steward_client";

const COPY = {
  just_now: "just now", minute_ago: "a minute ago", minutes_ago: "{count} minutes ago", hour_ago: "an hour ago",
  hours_ago: "{count} hours ago", day_ago: "a day ago", days_ago: "{count} days ago", in_minute: "in a minute",
  in_minutes: "in {count} minutes", in_hours: "in {count} hours",
};
const MINUTE = 60_000;

const CONTROLS = {
  intake_paused: false, playback_paused: false, quieter_mode: false, maintenance_mode: false, mood_bias: "",
  session_theme_title: "", session_theme_prompt: "", deployment_focus_topic: "", deployment_focus_status: "",
};
const view = (given = {}) => ({
  state: "ready", door: "", closed: "", clock: { doubt: false }, warnings: [], devices: [], counts: { waiting: 0 }, ...given,
  controls: { ...CONTROLS, ...given.controls },
});
const undone = (steps) => steps.filter((step) => !step.done).map((step) => step.name);

describe("words for times", () => {
  for (const [passed, words] of [[0, "just now"], [59_999, "just now"], [MINUTE, "a minute ago"],
    [59 * MINUTE, "59 minutes ago"], [60 * MINUTE, "an hour ago"], [25 * 60 * MINUTE, "a day ago"], [-5, "just now"]]) {
    test(`${passed} ms is ${words}`, () => assert.equal(ago(1_000_000_000 - passed, 1_000_000_000, COPY), words));
  }
  test("what ends is rounded up, so that nobody waits longer than told", () => {
    assert.equal(ahead(14 * MINUTE + 1, 0, COPY), "in 15 minutes");
    assert.equal(ahead(1, 0, COPY), "in a minute");
    assert.equal(ahead(5 * 60 * MINUTE, 0, COPY), "in 5 hours");
  });
  test("an unknown placeholder stays as it is", () => assert.equal(fill("{a} {b}", { a: 0 }), "0 {b}"));
  test("lengths and sizes have their units' precision", () => {
    assert.equal(clockTime(61_400), "1:01");
    assert.equal(gigabytes(8.04e9), "8.0");
    assert.equal(gigabytes(250e9), "250");
  });
});

describe("the steps of a day", () => {
  const devices = [{ surface: "kiosk", standing: "waiting" }, { surface: "room", standing: "online" }];
  test("a room with both pages, intake, playback and no trouble is open", () => {
    assert.deepEqual(undone(openSteps(view({ devices }))), []);
  });
  test("a silent room page does not count as there", () => {
    assert.deepEqual(undone(openSteps(view({ devices: [devices[0], { surface: "room", standing: "silent" }] }))), ["room"]);
  });
  test("maintenance keeps intake and playback shut", () => {
    assert.deepEqual(undone(openSteps(view({ devices, controls: { maintenance_mode: true } }))), ["intake", "playback"]);
  });
  test("a way in that nobody's switch has shut is shut all the same", () => {
    for (const door of ["closed", "clock", "full"]) assert.deepEqual(undone(openSteps(view({ devices, door }))), ["intake"]);
  });
  test("what waits for a steward's word is named with where the word goes", () => {
    assert.deepEqual(remediesOf(view()), []);
    const both = view({ clock: { doubt: true }, closed: "ledger_short" });
    assert.deepEqual(remediesOf(both).map(({ path }) => path), ["operator/clock/confirm", "operator/node/open"]);
  });
  test("a warning does not keep a room shut, a critical one does", () => {
    assert.deepEqual(undone(openSteps(view({ devices, warnings: [{ level: "warning" }] }))), []);
    assert.deepEqual(undone(openSteps(view({ devices, warnings: [{ level: "critical" }] }))), ["trouble"]);
  });
  test("closing asks for pauses, no framing, and nothing that waits", () => {
    assert.deepEqual(undone(closeSteps(view({ controls: { mood_bias: "clear" }, counts: { waiting: 2 } }))),
      ["intake", "playback", "framing", "waiting"]);
    assert.deepEqual(undone(closeSteps(view({ controls: { intake_paused: true, playback_paused: true } }))), []);
  });
  test("a page opens on what the node needs", () => {
    assert.equal(firstMoment(view()), "run");
    assert.equal(firstMoment(view({ state: "broken" })), "fix");
    assert.equal(firstMoment(view({ controls: { intake_paused: true, playback_paused: true } })), "open");
  });
});

describe("two stewards at one form", () => {
  const base = { title: "Rain", prompt: "What did you hear?" };
  test("what only we changed is sent", () => {
    assert.deepEqual(merge(base, { ...base, title: "Snow" }, base), { changes: { title: "Snow" }, conflicts: [] });
  });
  test("what only they changed is left alone", () => {
    assert.deepEqual(merge(base, base, { ...base, title: "Snow" }), { changes: {}, conflicts: [] });
  });
  test("what both changed differently is a conflict, and nothing of it is sent", () => {
    assert.deepEqual(merge(base, { ...base, title: "Snow", prompt: "?" }, { ...base, title: "Fog" }),
      { changes: { prompt: "?" }, conflicts: ["title"] });
  });
  test("what both changed alike is no conflict", () => {
    assert.deepEqual(merge(base, { ...base, title: "Snow" }, { ...base, title: "Snow" }), { changes: {}, conflicts: [] });
  });
});

test("shares of nothing are nothing", () => {
  assert.deepEqual(shares({ fresh: 0, worn: 0 }).map((row) => row.share), [0, 0]);
  assert.deepEqual(shares({ fresh: 1, worn: 3 }).map((row) => row.share), [0.25, 0.75]);
});

describe("asking the node", () => {
  const answer = (status, body) => ({ ok: status < 400, status, json: async () => body });
  const client = (answers, onEnded = () => {}) => {
    const asked = [];
    const fetch = async (path, given) => {
      asked.push([given.method, path]);
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    };
    return { asked, ...createStewardClient({ fetch, timeoutMs: 1000, onEnded }) };
  };
  test("an answer comes with its status and its sentence", async () => {
    const { post } = client([answer(409, { error: "Someone else was first." })]);
    assert.deepEqual(await post("operator/controls", {}),
      { ok: false, status: 409, data: { error: "Someone else was first." }, sentence: "Someone else was first." });
  });
  test("a node out of reach is status 0", async () => {
    assert.equal((await client([new TypeError("network")]).get("node/status")).status, 0);
  });
  test("what is empty is not asked for", async () => {
    const { get, asked } = client([answer(200, {})]);
    await get("operator/archive", { topic: "", station: "a b", before: null, limit: 5 });
    assert.deepEqual(asked, [["GET", "/api/v1/operator/archive?station=a+b&limit=5"]]);
  });
  test("a refusal ends the page only where the session is over", async () => {
    let ended = 0;
    const looks = client([answer(403, { error: "You may look, not change." }), answer(200, {})], () => (ended += 1));
    await looks.post("operator/controls");
    assert.equal(ended, 0);
    const over = client([answer(403, { error: "x" }), answer(403, { error: "x" })], () => (ended += 1));
    await over.post("operator/controls");
    assert.equal(ended, 1);
  });
});
