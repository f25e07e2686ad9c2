// Draws the sign of the project and the line at rest with the project's own drawing function:
//   node scripts/draw_mark.mjs
// Writes assets/mark.svg (a word, whole where it begins and worn away where it ends), assets/mark-small.svg (for
// browser tabs) and assets/rest.svg (where no voice is).
import { readFileSync, writeFileSync } from "node:fs";
import { restingTrace, tracePath } from "../assets/js/trace.js";

const INK = "#1d1915"; // --ink and --clay of assets/css/tokens.css, on paper
const CLAY = "#b5573a"; // between the two clays: seen on light and on dark tabs
const SEED = 1969;

const assets = new URL("../assets/", import.meta.url);
const figures = readCatalog(readFileSync(new URL("catalogs/trace.toml", assets), "utf8"));

/** The flat part of TOML our catalog keeps to: comments, [tables], numbers and lists of numbers. */
function readCatalog(text) {
  const root = {};
  let table = root;
  for (const line of text.split("\n").map((raw) => raw.replace(/#.*/, "").trim())) {
    const head = line.match(/^\[(\w+)\]$/);
    const pair = line.match(/^(\w+)\s*=\s*(.+)$/);
    if (head) table = root[head[1]] = {};
    else if (pair) table[pair[1]] = JSON.parse(pair[2]);
  }
  return root;
}

/** A spoken word as an outline: three syllables, the last one hissing out. */
function word() {
  const syllables = [[4, 17, 0.62, 0.42], [18, 36, 1, 0.5], [38, 58, 0.7, 0.72]];
  return Array.from({ length: figures.points }, (_, at) => {
    const inside = syllables.find(([from, to]) => at >= from && at < to);
    if (inside === undefined) return [0, 0];
    const [from, to, loud, bright] = inside;
    const t = (at - from + 0.5) / (to - from);
    return [loud * Math.sin(Math.PI * t ** 0.72) ** 0.9, bright];
  });
}

function draw({ width, height, colour, weight, parts }) {
  const clips = parts.map(({ from, to }, index) =>
    `<clipPath id="p${index}"><rect x="${from * width}" width="${(to - from) * width}" height="${height}"/></clipPath>`);
  const paths = parts.map(({ wear }, index) => {
    const trace = tracePath(word(), { width, height, wear, seed: SEED, figures });
    const dash = trace.dash === undefined ? "" : ` stroke-dasharray="${trace.dash}"`;
    const stroke = Math.round(trace.strokeWidth * weight * 100) / 100;
    return `<path clip-path="url(#p${index})" stroke-width="${stroke}"${dash} d="${trace.d}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><defs>${clips.join("")}</defs>` +
    `<g fill="none" stroke="${colour}" stroke-linecap="round" stroke-linejoin="round">${paths.join("")}</g></svg>\n`;
}

const wearing = [
  { from: 0, to: 0.5, wear: 0 },
  { from: 0.5, to: 0.68, wear: 0.4 },
  { from: 0.68, to: 1, wear: 0.95 },
];
writeFileSync(new URL("mark.svg", assets), draw({ width: 720, height: 132, colour: INK, weight: 1.15, parts: wearing }));

const whole = [{ from: 0, to: 1, wear: 0 }];
writeFileSync(new URL("mark-small.svg", assets), draw({ width: 64, height: 64, colour: CLAY, weight: 3, parts: whole }));

const rest = restingTrace({ width: 720, height: 132, seed: SEED, figures });
writeFileSync(
  new URL("rest.svg", assets),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 132"><path fill="none" stroke="${INK}" ` +
    `stroke-linecap="round" stroke-width="${rest.strokeWidth}" d="${rest.d}"/></svg>\n`,
);
