import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createScope } from "scope";
import { createFlag, outcomeOf } from "wall_flag";

const copy = {
  flag: "wrong?", flag_ask: "ask", flag_thanks: "thanks", flag_budget: "enough", flag_gone: "gone", flag_failed: "failed",
};
const voice = (id) => ({ artifact_id: id, flag_url: `/flag/${id}` });

let scope = createScope();
afterEach(() => {
  scope.dispose();
  scope = createScope();
});

/** The control on elements that only remember what they are told. */
function control(status = 200) {
  const part = () => Object.assign(new EventTarget(), { textContent: "", hidden: false, disabled: false, focus() {} });
  const parts = { flag: part(), told: part(), toggle: part() };
  const sent = [];
  globalThis.document = { activeElement: null };
  const send = async (asked) => (sent.push(asked.flag_url), status);
  const made = createFlag({ parts, copy, afterS: 30, send, scope });
  const tap = async () => {
    parts.flag.dispatchEvent(new Event("click"));
    await new Promise((resolve) => { setImmediate(resolve); });
  };
  return { ...made, ...parts, sent, tap };
}

test("where no voice has been heard there is nothing to point out", () => {
  assert.equal(control().flag.hidden, true);
});

test("one tap asks nothing of anybody", async () => {
  const page = control();
  page.playing(voice(1));
  assert.equal(page.flag.textContent, "wrong?");
  await page.tap();
  assert.deepEqual([page.flag.textContent, page.sent], ["ask", []]);
});

test("a second tap asks, thanks, and leaves nothing to tap", async () => {
  const page = control();
  page.playing(voice(1));
  await page.tap();
  await page.tap();
  assert.deepEqual([page.sent, page.told.textContent, page.flag.hidden], [["/flag/1"], "thanks", true]);
});

test("meant is the voice of the first tap, though another has begun", async () => {
  const page = control();
  page.playing(voice(1));
  await page.tap();
  page.ended(1);
  page.playing(voice(2));
  await page.tap();
  assert.deepEqual(page.sent, ["/flag/1"]);
  page.reset();
  assert.equal(page.flag.hidden, false);
});

test("a voice can be meant for a while after its end", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = control();
  page.playing(voice(1));
  page.ended(1);
  t.mock.timers.tick(29_000);
  assert.equal(page.flag.hidden, false);
  t.mock.timers.tick(1500);
  assert.equal(page.flag.hidden, true);
});

test("a voice that was taken back cannot be meant", async () => {
  const page = control();
  page.playing(voice(1));
  await page.tap();
  page.drop([1]);
  assert.equal(page.flag.hidden, true);
});

test("whoever comes next begins at the beginning", async () => {
  const page = control();
  page.playing(voice(1));
  await page.tap();
  page.reset();
  assert.equal(page.flag.textContent, "wrong?");
});

test("a failure is said calmly and may be tried again", async () => {
  const page = control(0);
  page.playing(voice(1));
  await page.tap();
  await page.tap();
  assert.equal(page.told.textContent, "failed");
  page.reset();
  assert.deepEqual([page.flag.hidden, page.told.textContent], [false, ""]);
});

test("every answer has words of its own", () => {
  assert.deepEqual([200, 429, 404, 503, 0].map(outcomeOf), ["thanks", "budget", "gone", "failed", "failed"]);
});
