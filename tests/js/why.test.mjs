import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { chanceWords, factorRows, factRows, figure, gapParts, leftWords, outcome, second, wishWords } from "bench_why_parts";

/** Every key answers with itself and what it was given, so that a test sees what was said. */
const COPY = new Proxy({}, { get: (_all, key) => `${String(key)}${PARAMS[key] ?? ""}` });
const PARAMS = {
  why_chance_is: " {count}", why_left_of: " {count}/{of}", why_left_unknown: " {of}", why_excluded_is: " {count}",
  why_took_is: " {lane} {density} {mood} {count} {wear}", why_took_return: " {took}", why_pace_quiet: " {pace}",
  why_pace_is: " {daypart} {intensity} {preset}", why_asked_pause: " {asked}", why_gap_is: " {seconds}",
};
const EVEN = {
  cooldown: 1, rarity: 1, wear: 1, age: 1, mood: 1, featured_return: 1, density_balance: 1, same_topic: 1, focus: 1, deployment: 1,
};
const take = (id, factors = {}, given = {}) => ({ artifact_id: id, weight: 1, factors: { ...EVEN, ...factors }, plays: 2, wear: 0.256, ...given });
const voice = (given = {}) => ({
  ...take(7, given.factors), lane: "fresh", density: "light", mood: "clear", featured_return: false, gave_way: [], pool_size: 12,
  remaining: 5, chance: 0.236, runners_up: [], kind: "", sounds_ms: 3000, delay_ms: 0, gain: 1, ...given, ...(given.factors ? { factors: { ...EVEN, ...given.factors } } : {}),
});
const ANY = { lane: null, density: null, mood: null };
const why = (given = {}) => ({
  movement: "arrival", scene: "threshold", asked: ANY, held_pause: false, reasons: [], wish: { ...ANY, topic: false, status: false, excluded: 3 },
  daypart: "morning", intensity: "quiet", preset: "meditative", quiet: false, gap: { ms: 1000, drawn_ms: 1000, factors: {} },
  voices: [voice()], layers_wished: 0, seed: "9223372036854775807", ...given,
});
const decision = (given = {}) => ({ id: 1, device: "The hall", artifact_id: 7, why: why(given) });
const fact = (given, name) => factRows(decision(given), COPY).find((row) => row.name === name).lines;

describe("a wish in words", () => {
  test("asks for nothing in particular", () => assert.equal(wishWords(ANY, COPY), "why_anything"));
  test("names what it asks for, and that there is a topic, not which", () => {
    const wish = { lane: "worn", density: null, mood: "hushed", topic: true, status: false };
    assert.equal(wishWords(wish, COPY), "why_lane_worn, why_mood_hushed, why_topic");
  });
});

describe("a chance in words", () => {
  for (const [chance, words] of [[0.236, "why_chance_is 24"], [1, "why_chance_is 100"], [0.004, "why_chance_less"], [null, "why_chance_unknown"]]) {
    test(`${chance}`, () => assert.equal(chanceWords(chance, COPY), words));
  }
  test("of a pool that was probed nobody says how many were left", () => {
    assert.equal(leftWords(voice({ remaining: null }), COPY), "why_left_unknown 12");
    assert.equal(leftWords(voice(), COPY), "why_left_of 5/12");
  });
});

describe("facts", () => {
  test("without a reason the wish was not changed", () => assert.deepEqual(fact({}, "why_reasons"), ["why_reasons_none"]));
  test("every reason is a line", () => {
    assert.deepEqual(fact({ reasons: ["mood_bias", "focus"] }, "why_reasons"), ["why_reason_mood_bias", "why_reason_focus"]);
  });
  test("a wish of the scene that chance left open is told, and one that a thread replaced is not", () => {
    const asked = { ...ANY, lane: "mid" };
    assert.deepEqual(fact({ asked }, "why_reasons"), ["why_reasons_open"]);
    assert.deepEqual(fact({ asked, reasons: ["focus"] }, "why_reasons"), ["why_reason_focus", "why_reasons_open"]);
    assert.deepEqual(fact({ asked, reasons: ["echo"] }, "why_reasons"), ["why_reason_echo"]);
    assert.deepEqual(fact({ asked, wish: { ...asked, excluded: 0 } }, "why_reasons"), ["why_reasons_none"]);
  });
  test("every filter that gave way is a line", () => {
    assert.deepEqual(fact({ voices: [voice({ gave_way: ["mood", "lane"] })] }, "why_gave_way"), ["why_rung_mood", "why_rung_lane"]);
    assert.deepEqual(fact({}, "why_gave_way"), ["why_gave_way_none"]);
  });
  test("a held pause, quiet and a return are told", () => {
    assert.deepEqual(fact({ held_pause: true }, "why_asked"), ["why_asked_pause why_anything"]);
    assert.match(fact({ quiet: true }, "why_pace")[0], /^why_pace_quiet why_pace_is morning/);
    assert.match(fact({ voices: [voice({ featured_return: true })] }, "why_took")[0], /^why_took_return why_took_is .* 2 26$/);
  });
  test("a page is told by its name, or that it has none yet or none any more", () => {
    const page = (given) => factRows({ ...decision(), ...given }, COPY).find((row) => row.name === "why_page").lines[0];
    assert.equal(page({ device: "The hall", device_id: "a" }), "The hall");
    assert.equal(page({ device: "", device_id: "a" }), "why_page_gone");
    assert.equal(page({ device: "", device_id: "" }), "why_page_new");
  });
});

describe("factors", () => {
  const rows = factorRows(voice({
    factors: { cooldown: 2, age: 0.25, mood: 1.5, wear: 1.1 }, runners_up: [take(8, { cooldown: 4 })],
  }));
  const row = (name) => rows.find((one) => one.name === name);
  test("the one that told most is first, whichever way it told", () => {
    assert.deepEqual(rows.slice(0, 4).map((one) => one.name), ["age", "cooldown", "mood", "wear"]);
    assert.deepEqual([row("age").raised, row("cooldown").raised], [false, true]);
  });
  test("three are the largest, and none of those that are 1", () => {
    assert.deepEqual(rows.filter((one) => one.largest).map((one) => one.name), ["age", "cooldown", "mood"]);
    assert.deepEqual(factorRows(voice()).filter((one) => one.largest), []);
  });
  test("all of them are there", () => assert.equal(rows.length, 10));
  test("bars run from the middle: half is as long as twice, a quarter as long as four times", () => {
    assert.deepEqual([row("age").start, row("age").size], [0, 50]);
    assert.deepEqual([row("cooldown").start, row("cooldown").size], [50, 25]);
    assert.deepEqual([row("focus").start, row("focus").size], [50, 0]);
  });
  test("the others stand beside it in their order", () => assert.deepEqual(row("cooldown").values, [2, 4]));
  test("where nothing told, no bar has a length", () => assert.equal(factorRows(voice())[0].size, 0));
  test("small ones keep what they say", () => {
    assert.deepEqual([1.156, 0.1, 0.0134, 0.0001].map(figure), ["1.16", "0.10", "0.013", "0.0001"]);
  });
});

describe("silence", () => {
  test("its factors, but for those that are 1", () => {
    const gap = gapParts({ ms: 1500, drawn_ms: 1000, factors: { tempo: 1.5, movement: 1, depth: 1 } });
    assert.deepEqual(gap, { joins: false, cut: false, seconds: "1.50", drawn: "1.00", terms: [{ name: "tempo", factor: 1.5 }] });
  });
  test("it was cut where it is shorter than its factors make it", () => {
    assert.equal(gapParts({ ms: 1200, drawn_ms: 1000, factors: { tempo: 1.5 } }).cut, true);
    assert.equal(gapParts({ ms: 1499, drawn_ms: 1000, factors: { tempo: 1.5 } }).cut, false);
  });
  test("a crossfade is none", () => {
    const gap = gapParts({ ms: -600, drawn_ms: 0, factors: { crossfade: 1 } });
    assert.deepEqual([gap.joins, gap.cut, gap.seconds, gap.terms], [true, false, "0.60", []]);
  });
});

describe("choosing again", () => {
  const answer = (again, same = false) => ({ same, decision: decision(), again });
  test("the same is the same", () => assert.deepEqual(outcome(answer(why(), true), COPY), { key: "why_again_same", rows: [] }));
  test("nothing may come of it", () => assert.equal(outcome(answer(null), COPY).key, "why_again_nothing"));
  test("another voice, and in what it differs", () => {
    const { key, rows } = outcome(answer(why({ voices: [voice({ artifact_id: 9, chance: 0.5 })] })), COPY);
    assert.equal(key, "why_again_other");
    assert.deepEqual(rows, [
      { name: "why_differs_voice", before: "7", after: "9" },
      { name: "why_differs_chance", before: "why_chance_is 24", after: "why_chance_is 50" },
    ]);
  });
  test("the same voice after another silence, beside another voice", () => {
    const { key, rows } = outcome(answer(why({ gap: { ms: 700, drawn_ms: 700, factors: {} }, voices: [voice(), voice({ artifact_id: 8 })] })), COPY);
    assert.equal(key, "why_again_but");
    assert.deepEqual(rows.map((row) => [row.name, row.before, row.after]), [
      ["why_differs_gap", "why_gap_is 1.00", "why_gap_is 0.70"], ["why_differs_voices", "–", "8"],
    ]);
  });
  test("what differs in nothing that is shown still says so", () => {
    assert.deepEqual(outcome(answer(why({ opens: true })), COPY).rows.map((row) => row.name), ["why_differs_rest"]);
  });
});

test("times are told to the second, with the day where it is another", () => {
  const at = new Date(2026, 2, 1, 12, 3, 4).getTime();
  assert.equal(second(at, at + 60_000), "12:03:04");
  assert.match(second(at, at + 86_400_000 * 2), /^1 Mar,? 12:03:04$/);
});
