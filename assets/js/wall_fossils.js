/**
 * Pictures of fossils drift faintly behind the voices. They are fetched when their turn comes, held by nothing but the wall, and
 * gone at once when the feed lists them no longer.
 */
import { figure } from "trace";
import { believed, known, nextTurn, wayOf } from "wall_fossil_turns";

/**
 * @param {object} options
 * @param {HTMLElement} options.layer
 * @param {object} options.figures figures.fossils
 * @param {() => import("wall_place").Size} options.size
 * @param {() => boolean} options.still whether motion is unwelcome
 * @param {(url: string, options: RequestInit) => Promise<Response>} options.fetch
 * @param {import("scope").Scope} options.scope
 */
export function createFossils({ layer, figures, size, still, fetch, scope }) {
  const refreshMs = figure(figures, "refresh_s") * 1000;
  const patientMs = refreshMs / 2;
  const lifeMs = figure(figures, "life_s") * 1000;
  const atOnce = figure(figures, "at_once");
  let feedUrl = "";
  /** @type {import("wall_fossil_turns").Known[]} */
  let pictures = [];
  /** @type {Map<string, {own: import("scope").Scope}>} on the wall, or being fetched for it */
  const visible = new Map();
  let last = null;
  let turns = 0;
  let misses = 0;
  let looks = 0;

  async function look() {
    if (feedUrl === "") return;
    const asked = ++looks;
    const { status, listed } = await ask(feedUrl);
    if (asked !== looks || scope.disposed) return; // a later look, or another address, knows better
    misses = listed === null ? misses + 1 : 0;
    if (listed !== null) list(known(listed, figure(figures, "most")));
    else if (!believed(status, misses)) list([]);
  }

  async function ask(url) {
    try {
      const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(patientMs) });
      return { status: response.status, listed: response.ok ? await response.json() : null };
    } catch {
      return { status: 0, listed: null }; // no network, or no answer in time
    }
  }

  function list(next) {
    const first = pictures.length === 0;
    pictures = next;
    const keys = pictures.map((picture) => picture.key);
    for (const [key, shown] of visible) if (!keys.includes(key)) shown.own.dispose();
    if (first) begin();
  }

  /** The next picture comes, where there is room for one. */
  async function begin() {
    const turn = visible.size < atOnce ? nextTurn(pictures, last, [...visible.keys()]) : null;
    if (turn === null) return;
    last = turn.key;
    const own = scope.child();
    visible.set(turn.key, { own });
    own.add(() => visible.delete(turn.key));
    const image = await load(turn.image_url, own);
    if (own.disposed) return;
    if (image === null) own.dispose();
    else show(image, turn.key, own);
  }

  /** @returns {Promise<HTMLImageElement|null>} decoded; its bytes are in nobody's cache */
  async function load(url, own) {
    const image = new Image();
    image.alt = "";
    image.className = "wall-fossil";
    try {
      const gone = new AbortController();
      own.add(() => gone.abort());
      const response = await fetch(url, { cache: "no-store", signal: gone.signal });
      if (!response.ok) return null;
      const held = URL.createObjectURL(await response.blob());
      image.src = held;
      await image.decode().finally(() => URL.revokeObjectURL(held));
      return image;
    } catch {
      return null;
    }
  }

  function show(image, key, own) {
    const way = wayOf(key, (turns += 1), size(), figures, still());
    const at = ({ x, y }) => `translate(${x}px, ${y}px) translate(-50%, -50%)`;
    const light = figure(figures, "opacity");
    const fading = figure(figures, "fade_s") / figure(figures, "life_s");
    image.style.inlineSize = `${way.width}px`;
    image.style.transform = at(way.from);
    layer.append(image);
    own.add(() => image.remove());
    const comes = [0, light, light, 0];
    const passes = [0, fading, 1 - fading, 1];
    const fades = image.animate({ opacity: comes, offset: passes }, { duration: lifeMs, fill: "both" });
    own.add(() => fades.cancel());
    if (way.to !== way.from) {
      const wanders = image.animate({ transform: [at(way.from), at(way.to)] }, { duration: lifeMs, fill: "both" });
      own.add(() => wanders.cancel());
    }
    own.timeout(() => {
      own.dispose();
      begin();
    }, lifeMs);
  }

  function clear() {
    for (const { own } of visible.values()) own.dispose();
  }

  scope.interval(look, refreshMs);
  scope.interval(begin, lifeMs / atOnce);

  return {
    /** Where pictures are to be had from now on; "" shows none. @param {string} url */
    from(url) {
      feedUrl = url;
      looks += 1; // an answer still on its way came from the old address
      misses = 0;
      if (url === "") list([]);
      else look();
    },

    /** Something was taken back: what is listed is looked up at once. */
    look,

    /** The wall has another size or another way of moving: all begin anew. */
    again() {
      clear();
      begin();
    },
  };
}
