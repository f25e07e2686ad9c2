/**
 * Which event of the ritual a key is, as a pure decision: no DOM event goes in, no listener is added.
 */

const KEYS = {
  " ": { type: "primary" }, Enter: { type: "primary" }, Escape: { type: "cancel" },
  1: { type: "mode", mode: "ROOM" }, 2: { type: "mode", mode: "FOSSIL" }, 3: { type: "mode", mode: "NOSAVE" },
  r: { type: "read" }, R: { type: "read" }, m: { type: "monitor" }, M: { type: "monitor" }, l: { type: "nextLanguage" }, L: { type: "nextLanguage" },
};

const SHOWN = { primary: "␣", cancel: "Esc", monitor: "M", read: "R", nextLanguage: "L" };

/** The key of an event, as it is shown to whoever uses keys; "" for one that has none of its own. @param {string} event */
export function keyFor(event) {
  return SHOWN[event] ?? "";
}

/**
 * The ritual's event for a key, or null. A focused button or link answers Space and Enter by itself (its click
 * is the event), a focused radio answers Space by itself; text fields keep all their keys.
 * @param {{key: string, repeat: boolean, modified: boolean, target: "none" | "button" | "link" | "radio" | "text"}} press
 * @returns {{type: string, mode?: string} | null}
 */
export function eventForKey({ key, repeat, modified, target }) {
  if (repeat || modified || target === "text") return null;
  const native = { button: [" ", "Enter"], link: ["Enter"], radio: [" "], none: [] }[target];
  if (!native) throw new TypeError(`ritual_keys: unknown key target ${target}`);
  return native.includes(key) ? null : KEYS[key] ?? null;
}
