/**
 * The room's wall: the voice now heard draws its trace across in time with its sound; what was heard before lies
 * below, layer on layer, sinking and weathering. Plain SVG; knows nothing of sound but a clock.
 *
 * @typedef {import("./trace.js").Point} Point
 * @typedef {{artifact_id: number, outline: Point[]|null, wear: number, colour: string}} Layer
 * @typedef {Layer & {caption: string, flag_url: string, startsAt: number, durationS: number, clock: () => number}} Voice
 *   startsAt and clock() in seconds of the same clock, the audio context's
 */
import { figure, restingTrace, seedOf, tracePath } from "trace";
import { createFlag } from "wall_flag";
import { build, listen, makeTrace, set } from "wall_parts";
import { driftAt, revealShare, stratumAt, voiceBox } from "wall_place";

/**
 * @param {HTMLElement} root emptied when the scope ends
 * @param {{figures: object, colours: import("colours").Colour[], copy: Record<string, string>, node: {name: string}, reducedMotion: boolean,
 *   scope: object, onStart: () => void, onPause: () => void, onFlag: (voice: Voice) => Promise<number>}} options
 *   figures: catalogs/trace.toml; copy: the section [room]; onStart answers both "Tap to listen" and "Start"; onFlag
 *   gives the status of the answer
 */
export function createWall(root, { figures, colours, copy, node, reducedMotion, scope, onStart, onPause, onFlag }) {
  const wall = figure(figures, "wall");
  const parts = build(root, copy, node);
  const flag = createFlag({ parts, copy, afterS: figure(wall, "flag_after_s"), send: onFlag, scope });
  root.dataset.sounding = "false";
  /** @type {Map<number, {layer: Layer, group: SVGGElement, path: SVGPathElement, voice: Voice|null}>} */
  const drawn = new Map();
  /** @type {number[]} artifact ids of the layers, newest first */
  let order = [];
  let size = measure(root);
  let still = reducedMotion;
  let stopFrames = null;

  function tintOf(layer) {
    // A voice may have kept a colour that is no longer offered; the wall draws it all the same.
    return colours.find((colour) => colour.code === layer.colour)?.tint ?? null;
  }

  /** Begins to draw a voice. A second one while the first still sounds is drawn smaller, beneath it. */
  function playing(voice) {
    forget(voice.artifact_id);
    const under = voices().length > 0;
    const entry = { layer: voice, voice, under, ...makeTrace(parts, voice, tintOf(voice)) };
    drawn.set(voice.artifact_id, entry);
    if (under) parts.voices.prepend(entry.group);
    else parts.voices.append(entry.group);
    placeVoice(entry);
    if (still) moveDrift();
    if (!under) say(voice.caption);
    if (!under) flag.playing(voice);
    root.dataset.sounding = "true";
    if (!still) run();
  }

  /** A voice has been heard to its end: it sinks into the ground, as the newest layer. */
  function ended(id) {
    const entry = drawn.get(id);
    if (entry?.voice == null) return;
    entry.voice = null;
    flag.ended(id);
    entry.group.removeAttribute("clip-path");
    entry.clip.remove();
    parts.strata.append(entry.group);
    order = [id, ...order.filter((other) => other !== id)];
    hush();
    // The layer keeps its place for one frame, so that the way down is seen.
    entry.group.getBoundingClientRect();
    placeStrata();
  }

  /** Voices taken back or past their hour: gone at once, with no farewell. */
  function drop(ids) {
    ids.forEach(forget);
    flag.drop(ids);
    hush();
    placeStrata();
  }

  /** The layers a reloaded wall starts with, newest first; replaces what is there, but not a voice that sounds. */
  function strata(list) {
    order.forEach(forget);
    const sounding = new Set(voices().map((entry) => entry.layer.artifact_id));
    const layers = list.filter((layer) => !sounding.has(layer.artifact_id));
    for (const layer of layers.slice(0, figure(wall, "strata_most"))) {
      const entry = { layer, voice: null, under: false, ...makeTrace(parts, layer, tintOf(layer)) };
      entry.group.removeAttribute("clip-path");
      entry.clip.remove();
      drawn.set(layer.artifact_id, entry);
      parts.strata.append(entry.group);
      order.push(layer.artifact_id);
    }
    placeStrata();
  }

  /** @param {{paused?: boolean, blocked?: boolean, resting?: boolean, connection?: "up"|"lost",
   *   reducedMotion?: boolean}} next what has changed */
  function state(next) {
    for (const key of ["paused", "blocked", "resting"]) {
      if (key in next) root.dataset[key] = String(next[key]);
    }
    if ("connection" in next) root.dataset.connection = next.connection;
    if ("reducedMotion" in next) {
      still = next.reducedMotion;
      if (still) stop();
      else if (voices().length > 0) run();
      voices().forEach(placeVoice);
    }
    tell();
  }

  function tell() {
    const { paused, blocked, connection, sounding } = root.dataset;
    parts.listen.hidden = blocked !== "true";
    parts.toggle.textContent = paused === "true" ? copy.start : copy.pause;
    parts.controls.hidden = blocked === "true";
    const sentence = connection === "lost" ? copy.connection_lost : paused === "true" ? copy.paused : "";
    parts.status.textContent = blocked === "true" ? "" : sentence;
    parts.name.hidden = sounding === "true" || order.length > 0;
  }

  /** Shows what this device is called, for everybody in the room to read; "" takes it away. */
  function call(name) {
    parts.called.textContent = name;
    root.dataset.called = String(name !== "");
  }

  function say(caption) {
    parts.caption.textContent = caption;
    parts.caption.dataset.shown = "true";
  }

  function hush() {
    if (voices().length > 0) return;
    stop();
    wait(0);
    root.dataset.sounding = "false";
    parts.caption.dataset.shown = "false";
    tell();
  }

  function voices() {
    return [...drawn.values()].filter((entry) => entry.voice !== null);
  }

  function forget(id) {
    const entry = drawn.get(id);
    if (entry === undefined) return;
    entry.group.remove();
    entry.clip.remove();
    drawn.delete(id);
    order = order.filter((other) => other !== id);
  }

  function placeVoice(entry) {
    const box = voiceBox(size, wall);
    const share = entry.under ? figure(wall, "under_height") : 1;
    const height = box.height * share;
    stroke(entry, { width: box.width, height, wear: entry.layer.wear, figures });
    entry.group.style.transform = `translate(${box.x}px, ${box.middle - height / 2}px)`;
    entry.group.style.opacity = "";
    entry.group.dataset.whole = String(still);
    // Room above and below for the round ends of the stroke.
    set(entry.rect, { x: -4, y: -8, height: height + 16, width: still ? box.width + 8 : 0 });
    if (still) wait(1);
    else reveal(entry);
    tell();
  }

  function reveal(entry) {
    const { startsAt, durationS, clock } = entry.voice;
    const share = revealShare(clock(), startsAt, durationS);
    const { width } = voiceBox(size, wall);
    entry.rect.setAttribute("width", String(share === 0 ? 0 : 4 + width * share));
    if (!entry.under) wait(share);
  }

  /** The waiting line lies only where the voice has not come yet. */
  function wait(share) {
    const { width, height } = voiceBox(size, wall);
    set(parts.restRect, { x: width * share, y: 0, width: share === 1 ? 0 : width * (1 - share) + 4, height });
  }

  function run() {
    stopFrames ??= scope.frame(() => voices().forEach(reveal));
  }

  function stop() {
    stopFrames?.();
    stopFrames = null;
  }

  function placeStrata() {
    order.slice(figure(wall, "strata_most")).forEach(forget);
    const box = voiceBox(size, wall);
    order.forEach((id, depth) => {
      const entry = drawn.get(id);
      const at = stratumAt(depth, wall);
      const height = box.height;
      const wear = Math.min(1, entry.layer.wear + at.wear);
      stroke(entry, { width: box.width, height, wear, figures });
      const squeeze = at.height;
      const top = at.y * size.height - (squeeze * height) / 2;
      entry.group.style.transform = `translate(${box.x}px, ${top}px) scale(1, ${squeeze})`;
      entry.group.style.opacity = String(at.opacity);
    });
    tell();
  }

  function layOut() {
    size = measure(root);
    // A wall that is turned or resized is simply another wall: nothing wanders to its new place.
    root.dataset.turned = "true";
    scope.timeout(() => delete root.dataset.turned, 0);
    set(parts.drawing, { viewBox: `0 0 ${size.width} ${size.height}` });
    const box = voiceBox(size, wall);
    const height = box.height * figure(wall, "resting_height");
    const rest = restingTrace({ width: box.width, height, seed: seedOf(node.name), figures });
    set(parts.restPath, { d: rest.d, "stroke-width": rest.strokeWidth });
    wait(0);
    parts.restGroup.style.transform = `translate(${box.x}px, ${box.middle - height / 2}px)`;
    parts.restGroup.style.opacity = String(figure(wall, "resting_opacity"));
    voices().forEach(placeVoice);
    placeStrata();
  }

  function moveDrift() {
    const { x, y } = driftAt(performance.now() / 1000, wall);
    parts.drift.style.transform = `translate(${x}px, ${y}px)`;
  }

  root.style.setProperty("--settle", `${figure(wall, "settle_s")}s`);
  root.style.setProperty("--appear", `${figure(wall, "fade_in_s")}s`);
  root.style.setProperty("--drift-step", `${figure(wall, "drift_step_s")}s`);
  const observer = new ResizeObserver(layOut);
  observer.observe(root);
  scope.add(() => observer.disconnect());
  scope.add(() => root.replaceChildren());
  scope.interval(() => still || moveDrift(), figure(wall, "drift_step_s") * 1000);
  listen(root, parts, { scope, leaveS: figure(wall, "controls_leave_s"), onStart, onPause, onLeave: flag.reset });
  layOut();
  return { playing, ended, drop, strata, state, call };
}

function stroke(entry, { width, height, wear, figures }) {
  const { layer, path } = entry;
  const seed = seedOf(layer.artifact_id);
  const trace =
    layer.outline === null
      ? restingTrace({ width, height, seed, figures })
      : tracePath(layer.outline, { width, height, wear, seed, figures });
  set(path, {
    d: trace.d,
    "stroke-width": trace.strokeWidth,
    "stroke-opacity": trace.opacity,
    "stroke-dasharray": trace.dash ?? "none",
  });
}

function measure(root) {
  return { width: Math.max(1, root.clientWidth), height: Math.max(1, root.clientHeight) };
}
