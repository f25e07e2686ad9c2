import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boxAt, driftAt, driftReach, freePlace, magnification, revealShare, stillAt, stratumAt, voiceBox,
} from "../../assets/js/wall_place.js";
import { catalog } from "./catalog.mjs";

const { wall } = catalog("trace");
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
  { width: 1080, height: 1920 },
  { width: 390, height: 844 },
  { width: 640, height: 400 },
];
const PLACES = Array.from({ length: wall.voices_most }, (_, place) => place);
const named = ({ width, height }) => `${width}x${height}`;
const ground = (size) => Array.from({ length: wall.strata_most }, (_, depth) => stratumAt(depth, size, wall));

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
  const depths = ground(SIZES[0]);
  for (let depth = 1; depth < depths.length; depth += 1) {
    const [above, below] = [depths[depth - 1], depths[depth]];
    assert.ok(below.y > above.y);
    assert.ok(below.squeeze < above.squeeze);
    assert.ok(below.opacity <= above.opacity);
    assert.ok(below.wear > above.wear);
  }
});

test("the ground never runs off the wall, and its oldest layer can still be seen", () => {
  for (const size of SIZES) {
    const oldest = ground(size).at(-1);
    assert.ok(oldest.y <= wall.strata_to * size.height);
    assert.ok(oldest.opacity >= wall.stratum_opacity[1]);
  }
});

test("old layers lie closer together than young ones", () => {
  const depths = ground(SIZES[0]);
  assert.ok(depths.at(-1).y - depths.at(-2).y < (depths[1].y - depths[0].y) / 4);
});

for (const size of SIZES) {
  test(`voices, ground and edge keep apart at ${named(size)}`, () => {
    const boxes = PLACES.map((place) => boxAt(place, size, wall));
    for (let place = 1; place < boxes.length; place += 1) {
      const [above, below] = [boxes[place - 1], boxes[place]];
      assert.ok(above.middle + above.height / 2 < below.middle - below.height / 2, `places ${place - 1} and ${place}`);
      assert.ok(below.height < boxes[0].height / 2, "those beneath are smaller");
    }
    const [newest] = ground(size);
    const foot = boxes.at(-1).middle + boxes.at(-1).height / 2;
    assert.ok(foot < newest.y - (newest.squeeze * boxes[0].height) / 2, "the ground begins beneath them all");
    const reach = driftReach(size, wall);
    assert.ok(boxes[0].middle - boxes[0].height / 2 - reach.y > 0);
    assert.ok(boxes[0].x - reach.x > 0);
  });
}

test("a voice takes the first place that is free, and waits where there is none", () => {
  assert.equal(freePlace([], wall), 0);
  assert.equal(freePlace([0], wall), 1);
  assert.equal(freePlace([1, 2], wall), 0);
  assert.equal(freePlace(PLACES, wall), null);
});

test("what is small is drawn as in the hand, what is large as much larger", () => {
  assert.equal(magnification({ width: 390, height: 844 }, wall), 1);
  assert.equal(magnification({ width: 1920, height: 1080 }, wall), 1080 / wall.drawn_for_px);
  assert.equal(magnification({ width: 1080, height: 1920 }, wall), 1080 / wall.drawn_for_px);
});

test("the wall wanders within its bounds, visits both sides, and never by a pixel in a step", () => {
  for (const size of SIZES) {
    const longest = Math.max(...wall.drift_period_s);
    const times = Array.from({ length: Math.ceil(longest / wall.drift_step_s) }, (_, step) => step * wall.drift_step_s);
    const places = times.map((time) => driftAt(time, size, wall));
    for (const axis of ["x", "y"]) {
      const reach = driftReach(size, wall)[axis];
      const along = places.map((place) => place[axis]);
      assert.ok(Math.max(...along) > reach * 0.95 && Math.max(...along) <= reach + 0.01);
      assert.ok(Math.min(...along) < -reach * 0.95 && Math.min(...along) >= -reach - 0.01);
      for (let step = 1; step < along.length; step += 1) assert.ok(Math.abs(along[step] - along[step - 1]) < 1);
    }
  }
});

test("it wanders at one speed, so that no place is lingered at", () => {
  const counts = Array.from({ length: 20 }, () => 0);
  const size = SIZES[1];
  const reach = driftReach(size, wall).y;
  for (let time = 0; time < wall.drift_period_s[1] * 40; time += 1) {
    counts[Math.min(19, Math.floor(((driftAt(time, size, wall).y + reach) / (2 * reach)) * 20))] += 1;
  }
  assert.ok(Math.max(...counts) < 1.1 * Math.min(...counts), String(counts));
});

test("where motion is unwelcome it hangs still for a whole step, and then elsewhere", () => {
  const [size] = SIZES;
  const at = (step, part = 0.5) => stillAt((step + part) * wall.still_step_s, size, wall);
  assert.deepEqual(at(7, 0.01), at(7, 0.99));
  const reach = driftReach(size, wall);
  for (let step = 0; step < 200; step += 1) {
    assert.ok(Math.abs(at(step).x) <= reach.x + 0.01 && Math.abs(at(step).y) <= reach.y + 0.01);
    assert.notDeepEqual(at(step), at(step + 1));
  }
});

test("a missing figure of the wall is named", () => {
  assert.throws(() => stratumAt(0, SIZES[0], {}), /strata_sink/);
  assert.throws(() => voiceBox(SIZES[0], {}), /voice_width/);
});
