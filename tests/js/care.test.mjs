import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { careRow, findingGroups, keptTiles, size } from "care";
import { copyOf } from "./catalog.mjs";

const NOW = 1_000_000_000_000;
const HOUR = 3_600_000;
const words = { copy: copyOf("ops"), times: copyOf("times"), nowMs: NOW };
const report = (summary, given = {}) => ({ state: "ok", actor: "ana", at_ms: NOW - HOUR, summary, ...given });
const AUDIT = { artifacts: 12, findings: 0, kinds: {}, first: [] };
const BACKUP = { path: "/backups/one", bytes: 3_200_000, artifacts: 12, kept_until: new Date(NOW).toISOString(), encrypted: "passphrase", lacking: 0 };

const view = ({ care = {}, ...given } = {}) => ({
  warnings: [], ledger: { entries: 4, owed: 0, owed_since_ms: null }, clock: { doubt: false },
  tombstones: { due: 0, failing: 0, oldest_due_at_ms: null }, storage: { free_bytes: 250e9, reserve_bytes: 5e9 }, ...given,
  care: { running: [], last: {}, audited: null, verified: null, scheduled: true, ...care },
});
const tile = (name, given) => keptTiles(view(given), words).find((one) => one.name === name);
const warned = (...names) => ({ warnings: names.map((name) => ({ name })) });

describe("what is kept safe", () => {
  test("on a node nobody has looked at nothing is fine but what needs no look", () => {
    const states = Object.fromEntries(keptTiles(view(), words).map(({ name, state }) => [name, state]));
    assert.deepEqual(states, { audit: "none", backup: "none", ledger: "fine", deletions: "fine", clock: "fine", reserve: "fine" });
  });
  for (const [name, state, ...names] of [["audit", "look", "audit_old"], ["audit", "wrong", "audit_failed", "audit_old"],
    ["backup", "look", "backup_old"], ["backup", "look", "backup_failed"], ["ledger", "look", "ledger_behind"],
    ["deletions", "wrong", "deletions_overdue", "deletions_refused"], ["deletions", "look", "deletions_refused"],
    ["clock", "look", "clock_moved"], ["reserve", "wrong", "disk_reserve"], ["reserve", "look", "disk_low"]]) {
    test(`${name} is ${state} where ${names.join(" and ")} stands`, () => assert.equal(tile(name, warned(...names)).state, state));
  }
  test("a clock in doubt is wrong", () => assert.equal(tile("clock", { clock: { doubt: true } }).state, "wrong"));
  test("an audit says when, of how much, and what came of it", () => {
    assert.deepEqual(tile("audit", { care: { audited: report(AUDIT) } }).lines, ["an hour ago: nothing found; takes looked at: 12."]);
    const wrong = tile("audit", { care: { audited: report({ ...AUDIT, findings: 3 }) } });
    assert.match(wrong.lines[0], /findings: 3/);
  });
  test("one that was broken off afterwards is told, and is not the last word", () => {
    const audit = report({ error: "The store does not answer." }, { state: "failed", at_ms: NOW });
    const { lines, state } = tile("audit", { care: { audited: report(AUDIT), last: { audit } } });
    assert.deepEqual([state, lines.length, lines[1].endsWith("The store does not answer.")], ["fine", 2, true]);
  });
  test("what the store owes is told with its age", () => {
    const { lines } = tile("ledger", { ledger: { entries: 4, owed: 2, owed_since_ms: NOW - HOUR } });
    assert.match(lines[0], /4 entries; the store lacks 2, .*an hour ago/);
  });
});

describe("work that was asked for", () => {
  const row = (kind, care) => careRow(kind, view({ care }), words);
  test("says how far it is, and how the last one ended", () => {
    const running = [{ kind: "audit", done: 3, total: 12, actor: "ana" }];
    const found = row("audit", { running, last: { audit: report(AUDIT) } });
    assert.equal(found.running.line, "Audit: 3 of 12");
    assert.match(found.lines[0], /^an hour ago, by ana: nothing found; takes looked at: 12/);
  });
  test("reading a backup back is part of making one", () => {
    const running = [{ kind: "verify", done: 0, total: 0, actor: "ana" }];
    assert.equal(row("backup", { running }).running.line, "Reading a backup back has begun.");
    assert.equal(row("export", { running }).running, null);
  });
  test("a backup says where it lies, how large it is, until when, how encrypted, and whether it was read back", () => {
    const { lines, state } = row("backup", { last: { backup: report(BACKUP), verify: report({ path: "/backups/one" }) } });
    assert.equal(state, "fine");
    assert.deepEqual(lines.map((line) => line.replace(/until .*/, "until")), ["an hour ago, by ana: 3.2 MB in /backups/one; takes in it: 12.",
      "Kept until", words.copy.care_with_passphrase, words.copy.care_verified]);
  });
  test("an older one that was read back says nothing of it", () => {
    const { lines } = row("backup", { last: { backup: report(BACKUP), verify: report({ path: "/backups/none" }) } });
    assert.equal(lines.at(-1), words.copy.care_unverified);
  });
  test("a failure has its sentence and nothing else", () => {
    const backup = report({ ...BACKUP, error: "There is no room." }, { state: "failed" });
    assert.deepEqual(row("backup", { last: { backup } }).lines, ["an hour ago, by ana: it failed. There is no room."]);
  });
  test("nothing of a kind is nothing done yet", () => assert.deepEqual(row("export", {}).lines, [words.copy.care_last_none]));
});

test("findings are told once a kind, with all of whom they are about", () => {
  const first = [["missing", "artifact 1"], ["orphan", "raw/a"], ["orphan", "raw/b"], ["orphan", "raw/b"]]
    .map(([name, subject]) => ({ kind: name, name, subject, detail: "" }));
  const groups = findingGroups(report({ ...AUDIT, findings: 41, kinds: { missing: 1, orphan: 40 }, first }));
  assert.deepEqual(groups, [{ name: "missing", count: 1, subjects: ["artifact 1"] }, { name: "orphan", count: 40, subjects: ["raw/a", "raw/b"] }]);
  assert.deepEqual(findingGroups(null), []);
});

test("sizes have a unit that suits them", () => {
  assert.deepEqual([12, 3_200_000, 4.4e9].map((bytes) => size(bytes, words.copy)), ["0.1 MB", "3.2 MB", "4.4 GB"]);
});
