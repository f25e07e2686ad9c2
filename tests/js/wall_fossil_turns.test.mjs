import assert from "node:assert/strict";
import { test } from "node:test";
import { believed, known, nextTurn, wayOf } from "wall_fossil_turns";
import { boxAt, stratumAt } from "wall_place";
import { catalog } from "./catalog.mjs";

const { wall, fossils } = catalog("trace");
const picture = (moment, address = moment) => ({ created_at: moment, image_url: `/${address}`, title: "a fossil" });
const keys = (listed, most = 12) => known(listed, most).map(({ key }) => key);

test("a picture is known again though its address is new each time", () => {
  assert.deepEqual(keys([picture("a", 1), picture("b", 2)]), keys([picture("a", 3), picture("b", 4)]));
});

test("it is fetched from where it was listed last", () => {
  assert.equal(known([picture("a", "new")], 12)[0].image_url, "/new");
});

test("when one of two of the same moment goes, neither is believed to be the other", () => {
  const both = keys([picture("a"), picture("a"), picture("b")]);
  const left = keys([picture("a"), picture("b")]);
  assert.equal(new Set(both).size, 3);
  assert.deepEqual(both.filter((key) => left.includes(key)), left.slice(1));
});

test("no more are known than the wall can want", () => {
  assert.equal(keys(Array.from({ length: 40 }, (_, at) => picture(String(at))), fossils.most).length, fossils.most);
});

test("all have their turn, one after the other", () => {
  const pictures = known(["a", "b", "c"].map((moment) => picture(moment)), 12);
  let last = null;
  const shown = Array.from({ length: 6 }, () => (last = nextTurn(pictures, last, []).key)[0]);
  assert.equal(shown.join(""), "abcabc");
});

test("one that is on the wall already does not come twice, and nothing comes where all are", () => {
  const pictures = known([picture("a"), picture("b")], 12);
  assert.equal(nextTurn(pictures, null, [pictures[0].key]), pictures[1]);
  assert.equal(nextTurn(pictures, null, pictures.map(({ key }) => key)), null);
  assert.equal(nextTurn([], "gone", []), null);
});

test("a refused address is believed at once, an unreachable one the second time", () => {
  assert.equal(believed(404, 1), false);
  assert.equal(believed(0, 1), true);
  assert.equal(believed(503, 1), true);
  assert.equal(believed(0, 2), false);
});

for (const size of [{ width: 1920, height: 1080 }, { width: 1080, height: 1920 }, { width: 390, height: 844 }]) {
  test(`pictures keep beneath the leading voice and above the words at ${size.width}x${size.height}`, () => {
    const leads = boxAt(0, size, wall);
    const deepest = stratumAt(wall.strata_most, size, wall).y;
    for (let turn = 0; turn < 300; turn += 1) {
      const { width, from, to } = wayOf(`picture ${turn % 12}`, turn, size, fossils, false);
      const height = (width * 360) / 1200;
      for (const { x, y } of [from, to]) {
        assert.ok(y - height / 2 > leads.middle, "beneath");
        assert.ok(y + height / 2 < deepest + 0.03 * size.height, "above");
        assert.ok(x > 0.1 * size.width && x < 0.9 * size.width, `${x}`);
      }
      assert.ok(Math.abs(to.x - from.x) / fossils.life_s < 0.002 * size.width, "slowly");
      assert.notEqual(to.x, from.x);
    }
  });
}

test("where motion is unwelcome a picture stays where it came", () => {
  const { from, to } = wayOf("a", 1, { width: 1280, height: 800 }, fossils, true);
  assert.equal(from, to);
});

test("a picture goes another way each time it comes", () => {
  const size = { width: 1280, height: 800 };
  assert.notDeepEqual(wayOf("a", 1, size, fossils, false).from, wayOf("a", 2, size, fossils, false).from);
});
