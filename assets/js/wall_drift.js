/** The whole picture wanders, so that nothing bright stays in one place. Where motion is unwelcome it steps, unseen. */

import { figure } from "trace";
import { driftAt, stillAt } from "wall_place";

/**
 * @param {object} options
 * @param {HTMLElement[]} options.hung what wanders
 * @param {HTMLElement} options.controls wander too, but never under a hand
 * @param {object} options.wall figures.wall
 * @param {() => import("wall_place").Size} options.size
 * @param {() => boolean} options.still whether motion is unwelcome
 * @param {() => boolean} options.quiet whether no voice sounds
 * @param {() => boolean} options.touched whether somebody is at the controls
 * @param {(elements: Element[], change: () => void) => void} options.veil changes while nothing of it is seen
 * @param {() => number} options.nowS seconds of the day's clock: a reloaded wall goes on where it was
 * @param {import("scope").Scope} options.scope
 */
export function createDrift({ hung, controls, wall, size, still, quiet, touched, veil, nowS, scope }) {
  let at = { x: 0, y: 0 };

  function hang() {
    const transform = `translate(${at.x}px, ${at.y}px)`;
    for (const element of hung) element.style.transform = transform;
    if (!touched()) controls.style.transform = transform;
  }

  function step() {
    if (!still()) {
      at = driftAt(nowS(), size(), wall);
      hang();
      return;
    }
    const next = stillAt(nowS(), size(), wall);
    if (!quiet() || touched() || (next.x === at.x && next.y === at.y)) return;
    at = next;
    veil([...hung, controls], hang);
  }

  scope.interval(step, figure(wall, "drift_step_s") * 1000);

  return {
    /** The wall has another size or another way of moving: it hangs where it belongs, at once. */
    settle() {
      at = still() ? stillAt(nowS(), size(), wall) : driftAt(nowS(), size(), wall);
      hang();
    },
  };
}
