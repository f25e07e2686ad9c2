/**
 * The room's wall: the voice now heard draws its trace slowly across, those heard with it smaller beneath; what was heard
 * before lies below, layer on layer, sinking and weathering. Plain SVG; knows nothing of sound but a clock.
 *
 * @typedef {import("./trace.js").Point} Point
 * @typedef {{artifact_id: number, outline: Point[]|null, wear: number, colour: string}} Layer
 * @typedef {Layer & {caption: string, flag_url: string, startsAt: number, durationS: number, clock: () => number}} Voice
 *   startsAt and clock() in seconds of the same clock, the audio context's
 */
import { figure, restingTrace, seedOf, tracePath } from "trace";
import { createDrift } from "wall_drift";
import { createFlag } from "wall_flag";
import { createFossils } from "wall_fossils";
import { createGround } from "wall_ground";
import { build, createVeil, listen, makeTrace, set } from "wall_parts";
import { boxAt, driftReach, freePlace, magnification, revealShare, voiceBox } from "wall_place";
import { createWords } from "wall_words";

/**
 * @param {HTMLElement} root emptied when the scope ends
 * @param {{figures: object, colours: import("colours").Colour[], copy: Record<string, string>, node: {name: string},
 *   reducedMotion: boolean, scope: object, onStart: () => void, onPause: () => void,
 *   onFlag: (voice: Voice) => Promise<number>}} options
 *   figures: catalogs/trace.toml; copy: the section [room]; onStart answers both "Tap to listen" and "Start"; onFlag
 *   gives the status of the answer
 */
export function createWall(root, { figures, colours, copy: first, node, reducedMotion, scope, onStart, onPause, onFlag }) {
  const wall = figure(figures, "wall");
  const copy = { ...first }; // of the language that is spoken
  const parts = build(root, copy, node);
  const flag = createFlag({ parts, copy, afterS: figure(wall, "flag_after_s"), send: onFlag, scope });
  const words = createWords({ line: parts.line, copy, wall, scope });
  const veil = createVeil(figure(wall, "veil_s"), scope);
  /** @type {Map<number, import("wall_ground").Entry>} everything that is on the wall */
  const drawn = new Map();
  const doing = {
    blocked: false, connection: "up", paused: false, held: false, maintained: false, closed: false, resting: false,
    quieter: false,
  };
  let size = measure(root);
  let still = reducedMotion;
  let stopFrames = null;

  const ground = createGround({
    parts, wall, veil, scope,
    size: () => size,
    still: () => still,
    box: () => voiceBox(size, wall),
    stroke: (entry, height, wear) => stroke(entry, { width: voiceBox(size, wall).width, height, wear }),
    drawn: (entry) => drawn.get(entry.layer.artifact_id) === entry,
    forget: (entry) => forget(entry.layer.artifact_id),
  });
  const drift = createDrift({
    wall, veil, scope,
    hung: [parts.drift, parts.listenWords],
    controls: parts.controls,
    size: () => size,
    still: () => still,
    quiet: () => voices().length === 0,
    touched: () => root.dataset.controls === "shown",
    nowS: () => Date.now() / 1000,
  });

  const fossils = createFossils({
    layer: parts.fossils,
    figures: figure(figures, "fossils"),
    size: () => size,
    still: () => still,
    fetch: (url, options) => window.fetch(url, options),
    scope,
  });

  /** Begins to draw a voice: in the first place that is free, and not at all while none is. */
  function playing(voice) {
    forget(voice.artifact_id);
    const place = freePlace(voices().map((entry) => entry.place), wall);
    const entry = { ...enter(voice), voice, place };
    drawn.set(voice.artifact_id, entry);
    parts.voices.append(entry.group);
    if (place > 0) ground.makeWay();
    placeVoice(entry);
    if (place === 0) flag.playing(voice);
    if (!still) run();
    tell();
  }

  /** A voice has been heard to its end: it goes down into the ground, as the newest layer. */
  function ended(id) {
    const entry = drawn.get(id);
    if (entry?.voice == null) return;
    entry.voice = null;
    flag.ended(id);
    ground.take(entry, voices().length === 0 && entry.place !== null);
    hush();
  }

  /** Voices taken back or past their hour: gone at once, with no farewell. */
  function drop(ids) {
    ids.forEach(forget);
    flag.drop(ids);
    fossils.look(); // it may have left one, and no picture says whose it is
    hush();
    ground.arrange();
  }

  /** The layers a reloaded wall starts with, newest first; replaces what is there, but nothing that is on its way down. */
  function strata(list) {
    for (const { layer } of ground.layers) forget(layer.artifact_id);
    const layers = list.filter((layer) => !drawn.has(layer.artifact_id));
    const shown = layers.slice(0, figure(wall, "strata_most"));
    const entries = shown.map((layer) => ({ ...enter(layer), voice: null, place: null }));
    for (const entry of entries) drawn.set(entry.layer.artifact_id, entry);
    ground.fill(entries);
    tell();
  }

  /** @param {Partial<typeof doing> & {reducedMotion?: boolean}} next what has changed */
  function state({ reducedMotion: unwelcome = still, ...next }) {
    Object.assign(doing, next);
    if (unwelcome !== still) {
      still = unwelcome;
      if (still) stop();
      else if (voices().length > 0) run();
      voices().forEach(placeVoice);
      drift.settle();
      fossils.again();
    }
    tell();
  }

  /** Tells everything that hangs on what the wall does. */
  function tell() {
    const sounding = voices();
    const { blocked, connection, paused, held, maintained } = doing;
    Object.assign(root.dataset, { blocked, paused, connection, sounding: sounding.length > 0, reducedMotion: still });
    parts.listen.hidden = !blocked;
    parts.toggle.textContent = paused ? copy.start : copy.pause;
    parts.toggle.hidden = held || maintained;
    parts.controls.hidden = blocked;
    parts.name.hidden = drawn.size > 0;
    const captions = sounding.filter((entry) => entry.place !== null).map((entry) => entry.voice.caption);
    words.tell({ ...doing, captions, lost: connection === "lost" });
  }

  /** Shows what this device is called, for everybody in the room to read; "" takes it away. */
  function call(name) {
    parts.called.textContent = name;
    root.dataset.called = String(name !== "");
  }

  function hush() {
    if (voices().length === 0) {
      stop();
      wait(0);
    }
    tell();
  }

  /** @returns {import("wall_ground").Entry[]} those that sound, in the order of their places */
  function voices() {
    const sounding = [...drawn.values()].filter((entry) => entry.voice !== null);
    return sounding.sort((one, other) => (one.place ?? Infinity) - (other.place ?? Infinity));
  }

  function enter(layer) {
    // A voice may have kept a colour that is no longer offered; the wall draws it all the same.
    const tint = colours.find((colour) => colour.code === layer.colour)?.tint ?? null;
    return { layer, sinking: false, leaving: false, ...makeTrace(parts, layer, tint) };
  }

  function forget(id) {
    const entry = drawn.get(id);
    if (entry === undefined) return;
    entry.group.remove();
    entry.clip.remove();
    drawn.delete(id);
    ground.drop(entry);
  }

  function placeVoice(entry) {
    entry.group.style.display = entry.place === null ? "none" : "";
    const { x, middle, width, height } = boxAt(entry.place ?? 0, size, wall);
    stroke(entry, { width, height, wear: entry.layer.wear });
    entry.group.style.transform = `translate(${x}px, ${middle - height / 2}px)`;
    entry.group.style.opacity = "";
    entry.group.dataset.whole = String(still);
    // Room above and below for the round ends of the stroke.
    set(entry.rect, { x: -8, y: -8, height: height + 16, width: still ? width + 16 : 0 });
    if (still) wait(1);
    else reveal(entry);
  }

  function reveal(entry) {
    const { startsAt, durationS, clock } = entry.voice;
    const share = revealShare(clock(), startsAt, durationS);
    const { width } = voiceBox(size, wall);
    entry.rect.setAttribute("width", String(share === 0 ? 0 : 8 + width * share));
    if (entry.place === 0) wait(share);
  }

  /** Goes on in another language; a caption stays as it was until its voice ends. @param {Record<string, string>} next */
  function speak(next) {
    Object.assign(copy, next);
    parts.listenWords.textContent = copy.listen;
    flag.spoken();
    tell();
  }

  /** The waiting line lies only where the voice has not come yet. */
  function wait(share) {
    const { width, height } = voiceBox(size, wall);
    set(parts.restRect, { x: width * share, y: 0, width: share === 1 ? 0 : width * (1 - share) + 8, height });
  }

  function run() {
    stopFrames ??= scope.frame(() => voices().forEach(reveal));
  }

  function stop() {
    stopFrames?.();
    stopFrames = null;
  }

  function stroke({ layer, path }, { width, height, wear }) {
    const scale = magnification(size, wall);
    const seed = seedOf(layer.artifact_id);
    const box = { width: width / scale, height: height / scale, seed, figures };
    paint(path, layer.outline === null ? restingTrace(box) : tracePath(layer.outline, { ...box, wear }), scale);
  }

  function layOut() {
    size = measure(root);
    // A wall that is turned or resized is simply another wall: nothing wanders to its new place.
    root.dataset.turned = "true";
    set(parts.drawing, { viewBox: `0 0 ${size.width} ${size.height}` });
    const { x, middle, width, height } = voiceBox(size, wall);
    const scale = magnification(size, wall);
    const low = height * figure(wall, "resting_height");
    const rest = restingTrace({ width: width / scale, height: low / scale, seed: seedOf(node.name), figures });
    paint(parts.restPath, rest, scale);
    if (voices().length === 0) wait(0);
    parts.restGroup.style.transform = `translate(${x}px, ${middle - low / 2}px)`;
    parts.restGroup.style.opacity = String(figure(wall, "resting_opacity"));
    root.style.setProperty("--line-at", `${middle}px`);
    root.style.setProperty("--reach", `${driftReach(size, wall).y}px`);
    voices().forEach(placeVoice);
    ground.arrange();
    drift.settle();
    fossils.again();
    parts.drawing.getBoundingClientRect();
    delete root.dataset.turned;
    tell();
  }

  for (const [name, key] of [["settle", "settle_s"], ["veil", "veil_s"], ["drift-step", "drift_step_s"]]) {
    root.style.setProperty(`--${name}`, `${figure(wall, key)}s`);
  }
  root.style.setProperty("--beside-voice", String(figure(figure(figures, "fossils"), "beside_voice")));
  const observer = new ResizeObserver(() => {
    const { width, height } = measure(root);
    if (width !== size.width || height !== size.height) layOut(); // its first call tells what is known
  });
  observer.observe(root);
  scope.add(() => observer.disconnect());
  scope.add(() => root.replaceChildren());
  listen(root, parts, { scope, leaveS: figure(wall, "controls_leave_s"), onStart, onPause, onLeave: flag.reset });
  layOut();
  return { playing, ended, drop, strata, state, call, speak, fossilsFrom: fossils.from };
}

/** @param {SVGPathElement} path @param {import("trace").Trace} trace @param {number} scale */
function paint(path, trace, scale) {
  set(path, {
    d: trace.d,
    transform: `scale(${scale})`,
    "stroke-width": trace.strokeWidth * scale,
    "stroke-opacity": trace.opacity,
    "stroke-dasharray": trace.dash?.split(" ").map((length) => Math.round(length * scale * 10) / 10).join(" ") ?? "none",
  });
}

function measure(root) {
  return { width: Math.max(1, root.clientWidth), height: Math.max(1, root.clientHeight) };
}
