import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { asksFor, sensorLines } from "ledger_sensor";
import { copyOf } from "./catalog.mjs";

const NOW = new Date(2026, 2, 1, 14, 0).getTime();
const words = { copy: copyOf("ops"), times: copyOf("times"), nowMs: NOW };
const ask = (given = {}) => ({ name: "quieter_mode", source: "door counter", until_ms: NOW + 300_000, overruled: false, ...given });
const lines = (given) => sensorLines({ people: null, asks: [], ...given }, words);

describe("what a sensor has said", () => {
  test("nothing said is no line", () => assert.deepEqual(lines({}), []));

  test("a request says who asks for what, and until when", () => {
    assert.deepEqual(lines({ asks: [ask()] }), ["A sensor, door counter, asks for quiet until 14:05."]);
    assert.deepEqual(lines({ asks: [ask({ name: "playback_paused", source: "" })] }), ["A sensor asks for a pause until 14:05."]);
  });

  test("one that was overruled says so", () => {
    assert.deepEqual(lines({ asks: [ask({ overruled: true })] }), ["A sensor, door counter, asks for quiet until 14:05. Overruled."]);
  });

  test("what it asks for is in force until somebody decides otherwise", () => {
    const asks = [ask(), ask({ name: "playback_paused", overruled: true })];
    assert.equal(asksFor({ asks }, "quieter_mode"), true);
    assert.equal(asksFor({ asks }, "playback_paused"), false);
    assert.equal(asksFor({ asks }, "maintenance_mode"), false);
  });

  test("people come first, with who counted them and when", () => {
    const people = { count: 12, source: "door counter", at_ms: NOW - 20_000 };
    assert.equal(lines({ people, asks: [ask()] })[0], "12 people are there. A sensor, door counter, said so just now.");
    assert.equal(lines({ people: { ...people, count: 1, at_ms: NOW - 120_000 } })[0], "One person is there. A sensor, door counter, said so 2 minutes ago.");
    assert.equal(lines({ people: { ...people, count: 0, source: "" } })[0], "0 people are there. A sensor said so just now.");
  });
});
