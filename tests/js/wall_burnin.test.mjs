/**
 * Three weeks of a wall, hour by hour: how long is one row, one column, one pixel lit? The bounds stand in
 * docs/explanation/the-wall.md. Every trace is taken for the straight line it is in silence, at its full stroke: in truth it
 * swings, and lights a row for less.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { restingTrace } from "../../assets/js/trace.js";
import { boxAt, driftAt, magnification, revealShare, stillAt, stratumAt, voiceBox } from "../../assets/js/wall_place.js";
import { catalog } from "./catalog.mjs";

const figures = catalog("trace");
const { wall } = figures;
const BRIGHT_AT_MOST = 0.08; // of the time, a row by any line of a third of full light or more
const LIGHT_AT_MOST = 0.1; // of full light, a row on average by all lines together
const STEM_AT_MOST = 0.08; // of the time, a column by one upright of a letter
const WORDS_AT_MOST = 0.25; // of the time, a pixel by words that never change
const STEP_S = 5;
const DAYS = 21;
const DAY_S = 86_400;
const OPENS_S = 10 * 3600;
const CLOSES_S = 20 * 3600;

/** Numbers in 0..1, the same every time. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/**
 * The wall at every step: voices of 5 to 45 s, gaps of 1 to 6 s, now and then two or three at once; the layers of a day go
 * at midnight; at night the waiting line and a sentence stay.
 */
function* weeks() {
  const chance = dice(7);
  let depth = 0;
  let voice = null;
  let nextS = OPENS_S;
  for (let nowS = 0; nowS < DAYS * DAY_S; nowS += STEP_S) {
    const ofDay = nowS % DAY_S;
    if (ofDay === 0) [depth, nextS] = [0, nowS + OPENS_S];
    if (voice !== null && nowS >= voice.startsS + voice.lengthS) {
      depth = Math.min(wall.strata_most, depth + voice.count);
      nextS = nowS + 1 + 5 * chance();
      voice = null;
    }
    if (voice === null && ofDay >= OPENS_S && ofDay < CLOSES_S && nowS >= nextS) {
      const among = chance();
      voice = { startsS: nowS, lengthS: 5 + 40 * chance(), count: among < 0.03 ? 3 : among < 0.13 ? 2 : 1 };
    }
    yield { nowS, depth, voice };
  }
}

/** Every line on the wall: {y, opacity, share of the width}. */
function lines({ nowS, depth, voice }, size) {
  const found = [];
  const heard = voice === null ? 0 : revealShare(nowS, voice.startsS, voice.lengthS);
  const { middle } = voiceBox(size, wall);
  found.push({ y: middle, opacity: wall.resting_opacity, share: 1 - heard });
  for (let place = 0; place < (voice?.count ?? 0); place += 1) {
    found.push({ y: boxAt(place, size, wall).middle, opacity: 1, share: heard });
  }
  for (let at = 0; at < depth; at += 1) {
    const { y, opacity } = stratumAt(at, size, wall);
    found.push({ y, opacity, share: 1 });
  }
  return found;
}

/** Row by row: share of the time by bright lines, and mean light by all. */
function rows(size, hangsAt) {
  const bright = new Float64Array(size.height);
  const light = new Float64Array(size.height);
  const scale = magnification(size, wall);
  const { width, height } = voiceBox(size, wall);
  const thick = restingTrace({ width: width / scale, height: height / scale, seed: 1, figures }).strokeWidth * scale;
  let steps = 0;
  for (const moment of weeks()) {
    const { y: hung } = hangsAt(moment, size);
    steps += 1;
    for (const { y, opacity, share } of lines(moment, size)) {
      const from = Math.floor(y + hung - thick / 2);
      for (let row = from; row <= y + hung + thick / 2; row += 1) {
        light[row] += opacity * share;
        if (opacity >= 1 / 3) bright[row] += share;
      }
    }
  }
  return { bright: Math.max(...bright) / steps, light: Math.max(...light) / steps };
}

const wandering = ({ nowS }, size) => driftAt(nowS, size, wall);

/** A still wall goes on to its next place in the first gap after it is due. */
function stepping() {
  let at = 0;
  return ({ nowS, voice }, size) => {
    if (voice === null) at = nowS;
    return stillAt(at, size, wall);
  };
}

const SIZES = { wide: { width: 1920, height: 1080 }, tall: { width: 1080, height: 1920 } };

for (const [name, size] of Object.entries(SIZES)) {
  for (const [way, hangsAt] of [["wandering", wandering], ["stepping", stepping()]]) {
    test(`over three weeks no row of a ${name} wall is lit for long, ${way}`, () => {
      const { bright, light } = rows(size, hangsAt);
      assert.ok(bright > 0.001 && light > 0.001, "there is something to measure");
      assert.ok(bright <= BRIGHT_AT_MOST, `bright lines ${bright}`);
      assert.ok(light <= LIGHT_AT_MOST, `light ${light}`);
    });

    test(`over three weeks no column of a ${name} wall is lit for long by the same letter, ${way}`, () => {
      const stem = 6; // px, an upright of the words at this size
      const lit = new Float64Array(size.width);
      let steps = 0;
      for (const moment of weeks()) {
        const from = Math.floor(size.width * 0.08 + hangsAt(moment, size).x);
        steps += 1;
        for (let column = from; column < from + stem; column += 1) lit[column] += 1;
      }
      assert.ok(Math.max(...lit) / steps <= STEM_AT_MOST, `a stem ${Math.max(...lit) / steps}`);
    });

    test(`words that stood there for three weeks would leave no pixel of a ${name} wall lit for long, ${way}`, () => {
      const font = 0.054 * Math.min(size.width, size.height);
      const pitch = 1.28 * font; // of lines
      const inked = ({ x, y }) => x >= 0 && x % (0.25 * font) < 0.1 * font && y >= 0 && y % pitch < 0.51 * font && y < 2 * pitch;
      const pixels = Array.from({ length: 300 }, (_, at) => ({ x: 200 + (at % 20) * 3, y: Math.floor(at / 20) * 12 - 40 }));
      const lit = pixels.map(() => 0);
      let steps = 0;
      for (const moment of weeks()) {
        if (moment.nowS % 20 !== 0) continue;
        const hung = hangsAt(moment, size);
        steps += 1;
        pixels.forEach(({ x, y }, at) => {
          if (inked({ x: x - hung.x, y: y - hung.y })) lit[at] += 1;
        });
      }
      assert.ok(Math.max(...lit) / steps > 0.02, "there is something to measure");
      assert.ok(Math.max(...lit) / steps <= WORDS_AT_MOST, `words ${Math.max(...lit) / steps}`);
    });
  }
}

test("a wall that hung still would break these bounds", () => {
  const { bright, light } = rows(SIZES.wide, () => ({ x: 0, y: 0 }));
  assert.ok(bright > BRIGHT_AT_MOST && light > LIGHT_AT_MOST);
});
