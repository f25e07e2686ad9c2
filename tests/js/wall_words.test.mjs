import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createScope } from "scope";
import { createWords, sentenceOf, settlesAfterS } from "wall_words";
import { catalog } from "./catalog.mjs";

const { wall } = catalog("trace");
const copy = {
  between_sentences: " ",
  connection_lost: "lost", maintained: "looked after", closed: "closed", held: "held", paused: "paused", resting: "resting",
  between: "between", quieter: "quieter", two_voices: "{caption}, two", three_voices: "{caption}, three",
};
const nothing = {
  captions: [], blocked: false, lost: false, maintained: false, closed: false, held: false, paused: false, resting: false,
  quieter: false,
};
const say = (changes) => sentenceOf({ ...nothing, ...changes }, copy);

let scope = createScope();
let line = { dataset: {}, textContent: "" };
let told = [];
beforeEach(() => {
  scope = createScope();
  told = [];
  let text = "";
  line = {
    dataset: {},
    get textContent() {
      return text;
    },
    set textContent(next) {
      text = next;
      told.push(next);
    },
  };
});
afterEach(() => scope.dispose());

test("what sounds comes before all that the room does", () => {
  const busy = { lost: true, maintained: true, held: true, paused: true, resting: true, quieter: true };
  assert.equal(say({ ...busy, captions: ["a voice"] }), "a voice");
});

test("how many sound together is said of them all", () => {
  assert.equal(say({ captions: ["one", "two"] }), "one, two");
  assert.equal(say({ captions: ["one", "two", "three"] }), "one, three");
});

test("a silent room says why: what a visitor can least help comes first", () => {
  assert.equal(say({ lost: true, maintained: true, held: true, paused: true }), "lost");
  assert.equal(say({ closed: true, maintained: true, held: true, paused: true }), "closed");
  assert.equal(say({ maintained: true, held: true, paused: true }), "looked after");
  assert.equal(say({ held: true, paused: true }), "held");
  assert.equal(say({ paused: true, resting: true }), "paused");
  assert.equal(say({ resting: true }), "resting");
  assert.equal(say({}), "between");
});

test("a quieter room says so while no voice sounds", () => {
  assert.equal(say({ quieter: true }), "between quieter");
  assert.equal(say({ quieter: true, resting: true }), "resting quieter");
});

test("a wall that waits for a touch says nothing beside that", () => {
  assert.equal(say({ blocked: true, captions: ["a voice"], lost: true }), "");
});

test("what only waits is said later than what has happened", () => {
  for (const happened of [{ captions: ["a voice"] }, { paused: true }, { held: true }, { lost: true }]) {
    assert.equal(settlesAfterS({ ...nothing, ...happened }, wall), wall.words_settle_s);
  }
  assert.equal(settlesAfterS({ ...nothing, resting: true }, wall), wall.words_idle_s);
});

test("voices that begin together are told once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const words = createWords({ line, copy, wall, scope });
  words.tell({ ...nothing, captions: ["one"] });
  t.mock.timers.tick(300);
  words.tell({ ...nothing, captions: ["one", "two"] });
  t.mock.timers.tick(5000);
  assert.deepEqual([told, line.dataset.shown], [["one, two"], "true"]);
});

test("a usual gap between two voices is not put into words, a long one is", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const words = createWords({ line, copy, wall, scope });
  words.tell({ ...nothing, captions: ["one"] });
  t.mock.timers.tick(1000);
  words.tell(nothing);
  assert.equal(line.dataset.shown, "false");
  t.mock.timers.tick(3600);
  words.tell({ ...nothing, captions: ["two"] });
  t.mock.timers.tick(1000);
  assert.deepEqual(told, ["one", "two"]);
  words.tell(nothing);
  t.mock.timers.tick(wall.words_idle_s * 1000 + 10);
  assert.deepEqual(told.at(-1), "between");
});

test("what holds already is neither told again nor put off by being told again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const words = createWords({ line, copy, wall, scope });
  for (let second = 0; second < 30; second += 1) {
    words.tell({ ...nothing, resting: true });
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(told, ["resting"]);
});

test("what holds no longer goes at once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const words = createWords({ line, copy, wall, scope });
  words.tell({ ...nothing, captions: ["one"] });
  t.mock.timers.tick(1000);
  words.tell({ ...nothing, blocked: true, captions: ["one"] });
  assert.equal(line.dataset.shown, "false");
  t.mock.timers.tick(60_000);
  assert.equal(line.dataset.shown, "false");
});
