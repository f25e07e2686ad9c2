import assert from "node:assert/strict";
import { test } from "node:test";

import { driftAt, revealShare, stratumAt, voiceBox } from "../../assets/js/wall_place.js";
import { catalog } from "./catalog.mjs";

const { wall } = catalog("trace");
const depths = Array.from({ length: wall.strata_most }, (_, depth) => stratumAt(depth, wall));

test("a voice is drawn as far as it has been heard, never before and never beyond", () => {
  assert.equal(revealShare(9, 10, 4), 0);
  assert.equal(revealShare(11, 10, 4), 0.25);
  assert.equal(revealShare(60, 10, 4), 1);
});

test("a voice of no length is there as soon as it begins", () => {
  assert.equal(revealShare(9, 10, 0), 0);
  assert.equal(revealShare(10, 10, 0), 1);
});

test("layers sink, flatten, fade and weather with every voice above them", () => {
  for (let depth = 1; depth < depths.length; depth += 1) {
    const [above, below] = [depths[depth - 1], depths[depth]];
    assert.ok(below.y > above.y);
    assert.ok(below.height < above.height);
    assert.ok(below.opacity < above.opacity);
    assert.ok(below.wear > above.wear);
  }
});

test("the ground never runs off the wall, and its oldest layer can still be seen", () => {
  assert.ok(depths[0].y === wall.strata_from);
  assert.ok(depths.at(-1).y <= wall.strata_to);
  assert.ok(depths.at(-1).opacity >= wall.stratum_opacity[1]);
});

test("old layers lie closer together than young ones", () => {
  const young = depths[1].y - depths[0].y;
  const old = depths.at(-1).y - depths.at(-2).y;
  assert.ok(old < young / 4);
});

test("the wall drifts within its bounds, visits both sides, and never moves by a pixel in a step", () => {
  const times = Array.from({ length: 600 }, (_, step) => step * wall.drift_step_s);
  const places = times.map((time) => driftAt(time, wall));
  for (const axis of ["x", "y"]) {
    const reach = wall.drift_px[axis === "x" ? 0 : 1];
    const along = places.map((place) => place[axis]);
    assert.ok(Math.max(...along) > reach * 0.95 && Math.max(...along) <= reach);
    assert.ok(Math.min(...along) < -reach * 0.95 && Math.min(...along) >= -reach);
    for (let step = 1; step < along.length; step += 1) assert.ok(Math.abs(along[step] - along[step - 1]) < 1);
  }
});

test("voice and ground keep apart, drift and all, on every screen", () => {
  for (const size of [{ width: 1280, height: 800 }, { width: 1080, height: 1920 }, { width: 390, height: 844 }]) {
    const box = voiceBox(size, wall);
    const foot = box.middle + box.height / 2;
    const ground = wall.strata_from * size.height - (depths[0].height * box.height) / 2;
    assert.ok(foot < ground, `${size.width}: ${foot} ${ground}`);
    assert.ok(box.middle - box.height / 2 - wall.drift_px[1] > 0);
    assert.ok(box.x - wall.drift_px[0] > 0);
  }
});

test("a missing figure of the wall is named", () => {
  assert.throws(() => stratumAt(0, {}), /strata_sink/);
});
