/**
 * The trace: one ink line drawn from a voice. Its envelope gives the height of the oscillation, its spectral
 * centroid the grain; wear thins, breaks and granulates it. The only drawing function of the project.
 *
 * Everything here is pure. A slice always holds whole oscillations and takes its irregularity from the seed
 * and its own index, so a line that grows or scrolls keeps its shape: only the two newest slices still move.
 *
 * @typedef {[number, number]} Point level and centroid, both 0..1
 * @typedef {{d: string, strokeWidth: number, opacity: number, dash?: string}} Trace
 * @typedef {{width: number, height: number, wear: number, seed: number, figures: object}} TraceOptions
 *   width and height in px of the box the line fills (it rests at half the height); figures: catalogs/trace.toml
 */

/**
 * The trace of a whole outline, filling the box.
 * @param {Point[]} points as stored: figures.points slices
 * @param {TraceOptions} options
 * @returns {Trace}
 */
export function tracePath(points, { width, height, wear, seed, figures }) {
  const merged = mergeSlices(points, Math.floor(width / figure(figures, "slice_least_px")));
  return drawSlices(merged, { width, height, wear, seed, figures, first: 0 });
}

/**
 * The trace of a voice still speaking.
 * With `grow`, the points fill the box from its start, one `capacity`th of the width each. Without, the newest
 * point stands at the end and the line runs out behind it; `first` is then the number of points that have
 * already left, which keeps every oscillation where it was drawn.
 * @param {Point[]} points the points so far, oldest first (at most `capacity` are drawn, the newest)
 * @param {{width: number, height: number, seed: number, figures: object, capacity: number, grow: boolean,
 *   first?: number}} options
 * @returns {Trace & {head: {x: number, y: number}}} head: where the pen stands
 */
export function liveTrace(points, { width, height, seed, figures, capacity, grow, first = 0 }) {
  const shown = points.slice(-capacity);
  const sliceWidth = width / capacity;
  const span = sliceWidth * shown.length;
  const from = grow ? 0 : width - span;
  const drawn = drawSlices(shown, {
    width: span,
    height,
    wear: 0,
    seed,
    figures,
    first: first + points.length - shown.length,
    from,
  });
  return { ...drawn, head: { x: round1(from + span), y: round1(height / 2) } };
}

/**
 * The line at rest: what a wall or a page shows where no voice is.
 * @param {{width: number, height: number, seed: number, figures: object}} options
 * @returns {Trace}
 */
export function restingTrace({ width, height, seed, figures }) {
  const points = Array.from({ length: figure(figures, "points") }, () => [0, 0]);
  return tracePath(points, { width, height, wear: 0, seed, figures });
}

/**
 * An artifact id as a seed, so that the same voice is drawn alike everywhere.
 * @param {number|string} id
 * @returns {number} unsigned 32 bit
 */
export function seedOf(id) {
  let hash = 2166136261;
  for (const char of String(id)) {
    hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  }
  return hash >>> 0;
}

/**
 * A figure, or an error that names the missing one: nothing here has a default.
 * @param {object} figures
 * @param {string} key
 */
export function figure(figures, key) {
  const value = figures?.[key];
  if (value === undefined || value === null) throw new Error(`trace figure missing: ${key}`);
  return value;
}

/**
 * A number in 0..1 that depends on seed, slice and place only (an integer hash; no state to carry along).
 * @param {number} seed
 * @param {number} slice
 * @param {number} place
 */
export function chance(seed, slice, place) {
  let h = seed ^ Math.imul(slice + 1, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

/** @returns {Trace} */
function drawSlices(points, { width, height, wear, seed, figures, first, from = 0 }) {
  const worn = clamp(wear, 0, 1);
  const wears = figure(figures, "wear");
  const strokeWidth = strokeOf(height, figures) * (1 - figure(wears, "thinning") * worn);
  const room = Math.max(0, height / 2 - strokeWidth / 2) * (1 - figure(wears, "sinking") * worn);
  const pen = createPen();
  const sliceWidth = points.length > 0 ? width / points.length : 0;
  pen.moveTo(from, height / 2);
  points.forEach((_, index) => {
    const cycles = cyclesOf(points[index][1], sliceWidth, seed, first + index, figures);
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const place = { index, cycle, cycles, slice: first + index };
      const gone = chance(seed, place.slice, 900 + cycle) < figure(wears, "gap_share") * worn;
      drawCycle(pen, points, place, { from, sliceWidth, height, room, seed, figures, gone });
    }
  });
  pen.curveTo(from + width, height / 2);
  const trace = {
    d: pen.d(),
    strokeWidth: Math.round(strokeWidth * 100) / 100,
    opacity: Math.round((1 - figure(wears, "fading") * worn) * 100) / 100,
  };
  const dash = dashOf(worn, strokeWidth, seed, wears);
  return dash === null ? trace : { ...trace, dash };
}

/** One oscillation: a crest and a trough, neither quite like its neighbours. */
function drawCycle(pen, points, place, { from, sliceWidth, height, room, seed, figures, gone }) {
  const { index, cycle, cycles, slice } = place;
  const reach = sliceWidth / cycles;
  const unlike = figure(figures, "jitter_height");
  const astray = figure(figures, "jitter_place");
  for (const half of [0, 1]) {
    const salt = cycle * 8 + half * 4;
    const shift = (chance(seed, slice, salt) - 0.5) * astray;
    const at = (cycle + 0.25 + half * 0.5 + shift * 0.5) / cycles;
    const level = levelAt(points, index + at, figure(figures, "level_gamma"));
    const tremor = figure(figures, "tremor_px") * (0.4 + chance(seed, slice, salt + 2));
    const tall = Math.max(level * room * (1 - unlike * chance(seed, slice, salt + 1)), Math.min(tremor, room));
    const x = from + index * sliceWidth + (cycle + 0.25 + half * 0.5 + shift * 0.5) * reach;
    const y = height / 2 + (half === 0 ? -tall : tall);
    if (gone) pen.moveTo(x, y);
    else pen.curveTo(x, y);
  }
}

/** How many whole oscillations a slice holds; the fraction is decided by chance, so that grain changes softly. */
function cyclesOf(centroid, sliceWidth, seed, slice, figures) {
  const dark = figure(figures, "centroid_dark");
  const bright = clamp((centroid - dark) / (figure(figures, "centroid_bright") - dark), 0, 1);
  const length = mix(figure(figures, "wave_coarse_px"), figure(figures, "wave_fine_px"), bright);
  const wanted = Math.floor(sliceWidth / length + chance(seed, slice, 777));
  return clamp(wanted, 1, figure(figures, "cycles_most"));
}

/** Level at a fractional slice, eased between the middles of neighbouring slices (still outside), raised by gamma. */
function levelAt(points, position, gamma) {
  const index = Math.floor(position - 0.5);
  const t = position - 0.5 - index;
  const before = points[index]?.[0] ?? 0;
  const after = points[index + 1]?.[0] ?? 0;
  return Math.pow(mix(before, after, t * t * (3 - 2 * t)), gamma);
}

/** Neighbouring slices merged until at most `most` are left: the loudest level, the mean centroid. */
function mergeSlices(points, most) {
  const size = Math.ceil(points.length / Math.max(1, most));
  if (size <= 1) return points;
  const merged = [];
  for (let at = 0; at < points.length; at += size) {
    const group = points.slice(at, at + size);
    const level = Math.max(...group.map((point) => point[0]));
    merged.push([level, group.reduce((sum, point) => sum + point[1], 0) / group.length]);
  }
  return merged;
}

function strokeOf(height, figures) {
  const grown = figure(figures, "stroke_px") * Math.sqrt(height / figure(figures, "stroke_height_px"));
  return clamp(grown, figure(figures, "stroke_least_px"), figure(figures, "stroke_most_px"));
}

/** The broken stroke of a worn line: dashes and holes that only return after a long while; null while whole. */
function dashOf(wear, strokeWidth, seed, wears) {
  const from = figure(wears, "grain_from");
  if (wear <= from) return null;
  const t = (wear - from) / (1 - from);
  const [dashFirst, dashLast] = figure(wears, "dash_px");
  const [holeFirst, holeLast] = figure(wears, "hole_px");
  const lengths = [];
  for (let index = 0; index < figure(wears, "dash_count"); index += 1) {
    const dash = dashFirst * Math.pow(dashLast / dashFirst, t) * (0.25 + 1.9 * chance(seed, index, 1301) ** 2);
    // Round ends reach half a stroke into the hole from either side, so that much is added to it.
    const hole = mix(holeFirst, holeLast, t) * (0.5 + chance(seed, index, 1302)) + strokeWidth;
    lengths.push(round1(dash), round1(hole));
  }
  return lengths.join(" ");
}

/** Collects a path in relative, smooth cubics; what was rounded away is carried on, so nothing drifts. */
function createPen() {
  const parts = [];
  let x = 0;
  let y = 0;
  let lifted = true;
  return {
    moveTo(toX, toY) {
      x = round1(toX);
      y = round1(toY);
      lifted = true;
    },
    curveTo(toX, toY) {
      if (lifted) {
        parts.push(`M${x} ${y}`);
        lifted = false;
      }
      const dx = round1(toX - x);
      const dy = round1(toY - y);
      // "s" mirrors the last handle; the second one is level with the end, so crests are round.
      parts.push(`s${pair(dx * 0.52, dy)}${lead(dx)}${lead(dy)}`);
      x = round1(x + dx);
      y = round1(y + dy);
    },
    d: () => parts.join(""),
  };
}

function pair(a, b) {
  return `${round1(a)}${lead(round1(b))}`;
}

function lead(value) {
  return value < 0 ? `${value}` : ` ${value}`;
}

function round1(value) {
  const rounded = Math.round(value * 10) / 10;
  return rounded === 0 ? 0 : rounded;
}

function mix(a, b, t) {
  return a + (b - a) * t;
}

function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
