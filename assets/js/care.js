/**
 * How safe the promise is, in words: what a steward's view says of audits, backups and the ledger. All times are
 * milliseconds; `words` is `{copy, times, nowMs}`: the page's copy, its words for times, and the server's time.
 */

import { ago, fill, gigabytes, moment } from "ledger";

/** What a steward may ask for here, in the order of an evening. */
export const ASKED = Object.freeze(["backup", "export", "audit"]);

const stands = (view, ...names) => view.warnings.some((warning) => names.includes(warning.name));
const since = (atMs, { times, nowMs }) => ago(atMs, nowMs, times);

/**
 * @param {object} view what the server pushes
 * @returns {{name: string, state: "fine" | "look" | "wrong" | "none", lines: string[]}[]} in the order they are shown
 */
export function keptTiles(view, words) {
  return [audit(view, words), backup(view, words), ledger(view, words), deletions(view, words), clock(view, words),
    reserve(view, words)];
}

function audit(view, words) {
  const { copy } = words;
  const { audited, last } = view.care;
  const broken = last.audit?.summary.error && (audited === null || last.audit.at_ms > audited.at_ms);
  const lines = [audited === null ? copy.kept_audit_none : auditLine(audited, words)];
  if (broken) lines.push(fill(copy.kept_audit_broken, { error: last.audit.summary.error }));
  let state = audited === null ? "none" : "fine";
  if (stands(view, "audit_old")) state = "look";
  if (stands(view, "audit_failed")) state = "wrong";
  return { name: "audit", state, lines };
}

function auditLine(report, words) {
  const { copy } = words;
  const { artifacts, findings } = report.summary;
  const text = findings > 0 ? copy.kept_audit_found : copy.kept_audit_ok;
  return fill(text, { ago: since(report.at_ms, words), count: findings > 0 ? findings : artifacts });
}

function backup(view, words) {
  const { copy } = words;
  const { verified, last, scheduled } = view.care;
  const lines = [copy.kept_backup_none];
  if (verified !== null) {
    const { artifacts, path } = verified.summary;
    lines[0] = fill(copy.kept_backup_ok, { ago: since(verified.at_ms, words), count: artifacts, path });
  }
  if (last.backup?.state === "failed") lines.push(fill(copy.kept_backup_failed, { error: last.backup.summary.error ?? "" }).trim());
  if (last.verify?.state === "failed") lines.push(copy.kept_verify_failed);
  if (!scheduled) lines.push(copy.kept_off);
  const state = stands(view, "backup_failed", "backup_old") ? "look" : verified === null ? "none" : "fine";
  return { name: "backup", state, lines };
}

function ledger(view, words) {
  const { copy } = words;
  const { entries, owed, owed_since_ms } = view.ledger;
  const line = owed > 0
    ? fill(copy.kept_ledger_owed, { count: entries, owed, ago: since(owed_since_ms, words) })
    : fill(copy.kept_ledger_whole, { count: entries });
  return { name: "ledger", state: stands(view, "ledger_behind") ? "look" : "fine", lines: [line] };
}

function deletions(view, words) {
  const { copy } = words;
  const { due, oldest_due_at_ms } = view.tombstones;
  const line = due > 0
    ? fill(copy.kept_deletions_due, { count: due, ago: since(oldest_due_at_ms, words) })
    : copy.kept_deletions_none;
  const state = stands(view, "deletions_refused") ? "look" : "fine";
  return { name: "deletions", state: stands(view, "deletions_overdue") ? "wrong" : state, lines: [line] };
}

function clock(view, { copy }) {
  const { doubt } = view.clock;
  const state = stands(view, "clock_moved") ? "look" : "fine";
  return { name: "clock", state: doubt ? "wrong" : state, lines: [doubt ? copy.kept_clock_doubt : copy.kept_clock_right] };
}

function reserve(view, { copy }) {
  const { free_bytes, reserve_bytes } = view.storage;
  const line = fill(copy.kept_reserve_free, { free: gigabytes(free_bytes), reserve: gigabytes(reserve_bytes) });
  const state = stands(view, "disk_low") ? "look" : "fine";
  return { name: "reserve", state: stands(view, "disk_reserve") ? "wrong" : state, lines: [line] };
}

/**
 * @param {string} kind one of `ASKED`
 * @returns {{running: {done: number, total: number, line: string} | null, state: string, lines: string[]}} how far it is,
 *   and how the last one ended
 */
export function careRow(kind, view, words) {
  const kinds = kind === "backup" ? ["backup", "verify"] : [kind];
  const running = view.care.running.find((one) => kinds.includes(one.kind)) ?? null;
  const last = view.care.last[kind];
  const row = { running: running && { ...running, line: step(running, words) }, state: "none", lines: [words.copy.care_last_none] };
  if (!last) return row;
  const { state } = last;
  return { ...row, state: state === "ok" ? "fine" : "wrong", lines: ended(kind, last, view, words) };
}

function step({ kind, done, total }, { copy }) {
  const what = copy[`care_is_${kind}`];
  return total > 0 ? fill(copy.care_steps, { what, done, total }) : fill(copy.care_begins, { what });
}

function ended(kind, last, view, words) {
  const { copy } = words;
  const { summary } = last;
  const said = { ago: since(last.at_ms, words), who: last.actor };
  if (summary.error) return [fill(copy.care_failed, { ...said, error: summary.error })];
  if (kind === "audit") {
    const text = summary.findings > 0 ? copy.care_audit_failed : copy.care_audit_ok;
    return [fill(text, { ...said, count: summary.artifacts, findings: summary.findings })];
  }
  const made = { ...said, size: size(summary.bytes, copy), count: summary.artifacts, path: summary.path };
  const lines = [fill(kind === "backup" ? copy.care_backup_ok : copy.care_export_ok, made)];
  lines.push(fill(copy.care_kept_until, { date: moment(Date.parse(summary.kept_until), words.nowMs) }));
  const sealed = { passphrase: copy.care_with_passphrase, recipient: copy.care_with_recipient };
  lines.push(sealed[summary.encrypted] ?? copy.care_open);
  if (kind === "backup") lines.push(whole(summary, view) ? copy.care_verified : copy.care_unverified);
  if (summary.lacking > 0) lines.push(fill(copy.care_lacking, { count: summary.lacking }));
  return lines;
}

/** Whether a backup was read back and found whole, when it was made or since. */
function whole({ path, verified }, view) {
  const { verify } = view.care.last;
  return Boolean(verified) || (verify?.state === "ok" && verify.summary.path === path) || view.care.verified?.summary.path === path;
}

/** @param {number} bytes @returns {string} in the unit that suits it */
export function size(bytes, copy) {
  if (bytes >= 1e9) return fill(copy.gigabytes, { count: gigabytes(bytes) });
  return fill(copy.megabytes, { count: Math.max(0.1, bytes / 1e6).toFixed(1) });
}

/**
 * What an audit found, one for each kind.
 *
 * @param {object | null} report the last audit that came to its end
 * @returns {{name: string, count: number, subjects: string[]}[]}
 */
export function findingGroups(report) {
  const groups = new Map();
  for (const { kind, name, subject } of report?.summary.first ?? []) {
    const group = groups.get(name) ?? { name, count: report.summary.kinds[kind], subjects: [] };
    if (!group.subjects.includes(subject)) group.subjects.push(subject);
    groups.set(name, group);
  }
  return [...groups.values()];
}
