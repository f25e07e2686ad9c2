/**
 * The ground: voices that have been heard, layer on layer. A voice sinks into it through the places beneath; where
 * another sounds there, or motion is unwelcome, it fades and is found below instead.
 *
 * @typedef {import("wall_parts").Trace & {layer: import("wall").Layer, voice: import("wall").Voice|null,
 *   place: number|null, sinking: boolean, leaving: boolean}} Entry
 */
import { figure } from "trace";
import { stratumAt } from "wall_place";

/**
 * @param {object} options
 * @param {{strata: SVGGElement}} options.parts
 * @param {object} options.wall figures.wall
 * @param {() => import("wall_place").Size} options.size
 * @param {() => boolean} options.still whether motion is unwelcome
 * @param {() => import("wall_place").Box} options.box of the voice that leads
 * @param {(entry: Entry, height: number, wear: number) => void} options.stroke draws the line
 * @param {(elements: Element[], change: () => void) => void} options.veil changes while nothing of it is seen
 * @param {(entry: Entry) => boolean} options.drawn whether it is on the wall yet
 * @param {(entry: Entry) => void} options.forget lets go of one that has sunk out of sight
 * @param {import("scope").Scope} options.scope
 */
export function createGround({ parts, wall, size, still, box, stroke, veil, drawn, forget, scope }) {
  /** @type {Entry[]} newest first */
  let layers = [];

  function put(entry) {
    entry.group.removeAttribute("clip-path");
    entry.clip.remove();
    entry.group.style.display = "";
    entry.place = null;
    parts.strata.append(entry.group);
    layers = [entry, ...layers.filter((other) => other !== entry)];
  }

  function sink(entry) {
    put(entry);
    entry.sinking = true;
    scope.timeout(() => (entry.sinking = false), figure(wall, "settle_s") * 1000);
    // The layer keeps its place for one frame, so that the way down is seen.
    entry.group.getBoundingClientRect();
    arrange();
  }

  /** Fades where it is and comes again as the newest layer; `ground`: all of that is changed unseen. */
  function fadeDown(entry, ground) {
    entry.sinking = false;
    entry.leaving = true;
    entry.group.style.transform = getComputedStyle(entry.group).transform;
    veil(ground ? [entry.group, parts.strata] : [entry.group], () => {
      entry.leaving = false;
      if (!drawn(entry)) return;
      put(entry);
      arrange();
    });
  }

  function arrange() {
    for (const entry of layers.slice(figure(wall, "strata_most"))) forget(entry);
    layers.filter((entry) => !entry.leaving).forEach(lay);
  }

  function lay(entry, depth) {
    const at = stratumAt(depth, size(), wall);
    const { x, height } = box();
    stroke(entry, height, Math.min(1, entry.layer.wear + at.wear));
    entry.group.style.transform = `translate(${x}px, ${at.y - (at.squeeze * height) / 2}px) scale(1, ${at.squeeze})`;
    entry.group.style.opacity = String(at.opacity);
  }

  return {
    arrange,

    /** @returns {Entry[]} newest first */
    get layers() {
      return layers;
    },

    /** A voice has been heard to its end. @param {Entry} entry @param {boolean} alone whether no other sounds */
    take(entry, alone) {
      if (still()) fadeDown(entry, true);
      else if (alone) sink(entry);
      else fadeDown(entry, false);
    },

    /** Somebody begins where a voice is still on its way down. */
    makeWay() {
      for (const entry of layers.filter((other) => other.sinking)) fadeDown(entry, false);
    },

    /** The layers a wall starts with, newest first. @param {Entry[]} entries */
    fill(entries) {
      for (const entry of [...entries].reverse()) put(entry);
      arrange();
    },

    /** @param {Entry} entry */
    drop(entry) {
      layers = layers.filter((other) => other !== entry);
    },
  };
}
