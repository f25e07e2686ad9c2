/** The elements of the wall: made here, moved by wall.js. */

const SVG = "http://www.w3.org/2000/svg";

/** Builds the wall's elements into its root. @param {Record<string, string>} copy section [room] */
export function build(root, copy, node) {
  requireWords(copy);
  const drift = html("div", "wall-drift");
  const drawing = svg("svg", { class: "wall-drawing", "aria-hidden": "true", focusable: "false" });
  const restClip = svg("clipPath", { id: "wall-rest" });
  const restRect = svg("rect", {});
  restClip.append(restRect);
  const restPath = svg("path", {});
  const restGroup = svg("g", { class: "wall-rest", "clip-path": "url(#wall-rest)" });
  const strata = svg("g", { class: "wall-strata" });
  const voices = svg("g", { class: "wall-voices" });
  restGroup.append(restPath);
  drawing.append(restClip, strata, restGroup, voices);
  const fossils = html("div", "wall-fossils");
  fossils.setAttribute("aria-hidden", "true");
  const line = html("p", "wall-caption");
  const name = html("p", "wall-name", node.name);
  const listenButton = html("button", "wall-listen");
  const listenWords = html("span", "wall-listen-words", copy.listen);
  listenButton.append(listenWords);
  const controls = html("div", "wall-controls");
  const toggle = html("button", "button wall-toggle", copy.pause);
  const flagging = html("div", "wall-flagging");
  const flag = html("button", "button button-quiet wall-flag");
  const told = html("p", "wall-told");
  const called = html("p", "wall-called");
  for (const button of [listenButton, toggle, flag]) button.type = "button";
  for (const words of [line, told, called]) words.setAttribute("role", "status");
  listenButton.hidden = true;
  flagging.append(flag, told);
  controls.append(toggle, flagging);
  root.classList.add("wall");
  drift.append(fossils, drawing, name, line, called);
  root.replaceChildren(drift, listenButton, controls);
  return { drift, fossils, drawing, strata, voices, restGroup, restPath, restRect, line, name, controls, toggle, flag,
    told, called, listenWords, listen: listenButton };
}

/**
 * Controls come with a touch, a move or a key, and leave again by themselves. A touch that found them gone brings them and
 * does nothing else, wherever it was.
 */
export function listen(root, parts, { scope, leaveS, onStart, onPause, onLeave }) {
  let cancel = null;
  let seen = false;
  const look = () => {
    seen = root.dataset.controls === "shown" || root.dataset.paused === "true";
  };
  const guard = (event) => {
    if (!seen && event.detail > 0 && parts.controls.contains(event.target)) event.stopPropagation();
  };
  scope.listen(root, "pointerdown", look, { capture: true });
  scope.listen(root, "click", guard, { capture: true });
  const show = () => {
    root.dataset.controls = "shown";
    cancel?.();
    cancel = scope.timeout(() => {
      root.dataset.controls = "gone";
      onLeave();
    }, leaveS * 1000);
  };
  for (const type of ["pointermove", "pointerdown", "keydown"]) scope.listen(root, type, show);
  scope.listen(parts.listen, "click", onStart);
  scope.listen(parts.toggle, "click", () => (root.dataset.paused === "true" ? onStart() : onPause()));
}

/**
 * @typedef {{group: SVGGElement, path: SVGPathElement, clip: SVGClipPathElement, rect: SVGRectElement}} Trace
 *
 * A group holding one path, clipped by a rect that the clock opens.
 * @param {{light: string, share: number} | null} tint what its memory colour does to the light; null: nothing
 */
export function makeTrace(parts, layer, tint) {
  const id = `wall-clip-${layer.artifact_id}`;
  const clip = svg("clipPath", { id });
  const rect = svg("rect", {});
  clip.append(rect);
  const group = svg("g", { class: "wall-trace", "clip-path": `url(#${id})` });
  if (tint !== null) {
    group.style.setProperty("--tint", tint.light);
    group.style.setProperty("--tint-share", `${tint.share * 100}%`);
  }
  const path = svg("path", { "vector-effect": "non-scaling-stroke" });
  group.append(path);
  parts.drawing.append(clip);
  return { group, path, clip, rect };
}

/** Changes elements while none of them is seen. @param {number} veilS of fading, either way */
export function createVeil(veilS, scope) {
  /** @type {Map<Element, number>} how many changes each still waits for */
  const waiting = new Map();

  function lift(element) {
    const left = waiting.get(element) - 1;
    if (left > 0) {
      waiting.set(element, left);
      return;
    }
    waiting.delete(element);
    delete element.dataset.veiled;
  }

  return (elements, change) => {
    for (const element of elements) {
      waiting.set(element, (waiting.get(element) ?? 0) + 1);
      element.dataset.veiled = "true";
    }
    scope.timeout(() => {
      change();
      // What was changed keeps its new place for one frame, so that only the light comes back slowly.
      for (const element of elements) element.getBoundingClientRect();
      elements.forEach(lift);
    }, veilS * 1000);
  };
}

const WORDS = [
  "listen", "start", "pause", "paused", "held", "maintained", "closed", "resting", "between", "quieter", "two_voices",
  "three_voices", "connection_lost", "flag", "flag_ask", "flag_thanks", "flag_budget", "flag_gone", "flag_failed",
];

/** The words a wall needs; a missing one is an error here, not an empty button in the room. */
function requireWords(copy) {
  for (const key of WORDS) {
    if (typeof copy[key] !== "string") throw new Error(`copy missing: room.${key}`);
  }
}

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  return element;
}

function html(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** Sets several attributes. */
export function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
}
