/**
 * What the steward's pages decide for themselves, apart from the document: words for times, what is ready, what of an
 * edit may be sent. All times are milliseconds; `copy` is a section of the copy, `{name}` is filled in.
 */

/** @param {string} text @param {Record<string, string | number>} params */
export function fill(text, params = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

/** @returns {string} "just now", "4 minutes ago": the largest unit that is not zero */
export function ago(thenMs, nowMs, copy) {
  const passedMs = Math.max(0, nowMs - thenMs);
  for (const [unit, sizeMs] of UNITS) {
    const count = Math.floor(passedMs / sizeMs);
    if (count > 0) return fill(copy[count === 1 ? `${unit}_ago` : `${unit}s_ago`], { count });
  }
  return copy.just_now;
}

/** @returns {string} "in 14 minutes": rounded up, for something that ends */
export function ahead(thenMs, nowMs, copy) {
  const leftMs = Math.max(0, thenMs - nowMs);
  const hours = Math.floor(leftMs / 3_600_000);
  if (hours >= 2) return fill(copy.in_hours, { count: hours });
  const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
  return fill(copy[minutes === 1 ? "in_minute" : "in_minutes"], { count: minutes });
}

/** @returns {string} in the reader's own time: the hour alone on the same day, else with the date */
export function moment(ms, nowMs) {
  const time = new Date(ms);
  const sameDay = time.toDateString() === new Date(nowMs).toDateString();
  const hour = { hour: "2-digit", minute: "2-digit" };
  return time.toLocaleString("en-GB", sameDay ? hour : { day: "numeric", month: "short", ...hour });
}

/** @param {number} bytes @returns {string} in gigabytes, one decimal below a hundred */
export function gigabytes(bytes) {
  const value = bytes / 1e9;
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}

/** @param {number} ms @returns {string} minutes and seconds */
export function clockTime(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Ways in that are shut by nobody's switch. */
const SHUT = ["closed", "clock", "full"];

/**
 * What has to be true before a room is open, in the order a steward would see to it.
 *
 * @param {object} view what the server pushes
 * @returns {{name: string, done: boolean}[]}
 */
export function openSteps(view) {
  const here = (surface, standings) => view.devices.some((d) => d.surface === surface && standings.includes(d.standing));
  const { controls, warnings } = view;
  return [
    { name: "kiosk", done: here("kiosk", ["online", "waiting"]) },
    { name: "room", done: here("room", ["online", "waiting"]) },
    { name: "intake", done: !controls.intake_paused && !controls.maintenance_mode && !SHUT.includes(view.door) },
    { name: "playback", done: !controls.playback_paused && !controls.maintenance_mode },
    { name: "trouble", done: !warnings.some((warning) => warning.level === "critical") },
  ];
}

/** @param {object} view @returns {{name: string, done: boolean}[]} what has to be true before a room is closed */
export function closeSteps(view) {
  const { controls } = view;
  const framing = ["session_theme_title", "session_theme_prompt", "mood_bias", "deployment_focus_topic",
    "deployment_focus_status"];
  return [
    { name: "intake", done: controls.intake_paused || controls.maintenance_mode },
    { name: "playback", done: controls.playback_paused || controls.maintenance_mode },
    { name: "framing", done: framing.every((name) => !controls[name]) },
    { name: "waiting", done: view.counts.waiting === 0 },
  ];
}

/** The moment of the day a page opens on, by how the node stands. */
export function firstMoment(view) {
  if (view.state === "broken") return "fix";
  const { controls } = view;
  if ((controls.intake_paused && controls.playback_paused) || controls.maintenance_mode) return "open";
  return "run";
}

/**
 * What an edit comes to, where somebody else may have been at the same fields meanwhile.
 *
 * @template {Record<string, unknown>} T
 * @param {T} base the values the edit began with @param {T} draft as edited @param {T} now as they stand
 * @returns {{changes: Partial<T>, conflicts: string[]}} fields of ours that differ from `now`; those both sides changed
 */
export function merge(base, draft, now) {
  const changes = {};
  const conflicts = [];
  for (const name of Object.keys(draft)) {
    if (Object.is(draft[name], base[name]) || Object.is(draft[name], now[name])) continue;
    if (Object.is(now[name], base[name])) changes[name] = draft[name];
    else conflicts.push(name);
  }
  return { changes, conflicts };
}

/** @param {Record<string, number>} counts @returns {{name: string, count: number, share: number}[]} in the given order */
export function shares(counts) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return Object.entries(counts).map(([name, count]) => ({ name, count, share: total > 0 ? count / total : 0 }));
}
