/**
 * Which picture of a fossil is shown next, for how long, and where it goes: decisions without a screen.
 *
 * @typedef {{created_at: string, image_url: string, title: string}} Listed as the feed answers
 * @typedef {{key: string, image_url: string}} Known
 */
import { chance, figure, seedOf } from "trace";

/**
 * What the feed lists, by keys that hold from one answer to the next: addresses are new each time, and no answer says which
 * take a picture is of. Pictures of the same moment cannot be told apart, so that when one of them goes all go.
 * @param {Listed[]} listed @param {number} most @returns {Known[]}
 */
export function known(listed, most) {
  const shown = listed.slice(0, most);
  return shown.map(({ created_at, image_url }, at) => {
    const alike = shown.filter((other) => other.created_at === created_at);
    const nth = shown.slice(0, at).filter((other) => other.created_at === created_at).length;
    return { key: `${created_at} ${nth + 1} of ${alike.length}`, image_url };
  });
}

/**
 * Whose turn it is: the first after the last one that is not on the wall already.
 * @param {Known[]} pictures @param {string|null} last key @param {string[]} visible keys @returns {Known|null}
 */
export function nextTurn(pictures, last, visible) {
  const from = pictures.findIndex((picture) => picture.key === last) + 1;
  const inTurn = [...pictures.slice(from), ...pictures.slice(0, from)];
  return inTurn.find((picture) => !visible.includes(picture.key)) ?? null;
}

/**
 * Whether what was listed before may still be believed. An address that is refused lists nothing; one that cannot be reached
 * is given one more chance.
 * @param {number} status of the answer, 0 where none came @param {number} misses in a row, this one included
 */
export function believed(status, misses) {
  return status !== 404 && misses < 2;
}

/**
 * The way of one picture behind the voices, px of its middle; it wanders along, now up, now down, and its whole way lies on the
 * wall between the leading voice and the words.
 * @param {string} key @param {number} turn how many were shown before: it goes another way each time
 * @param {import("wall_place").Size} size
 * @param {object} fossils figures.fossils
 * @param {boolean} still whether motion is unwelcome: it then stays where it begins
 * @returns {{width: number, from: {x: number, y: number}, to: {x: number, y: number}}}
 */
export function wayOf(key, turn, size, fossils, still) {
  const roll = (place) => chance(seedOf(key), turn, place);
  const width = size.width * figure(fossils, "width");
  const [highest, lowest] = figure(fossils, "between");
  const height = () => size.height * (highest + (lowest - highest) * roll(1));
  const far = size.width * figure(fossils, "speed") * figure(fossils, "life_s");
  const forth = roll(2) < 0.5 ? 1 : -1;
  const start = size.width * (0.5 + (roll(3) - 0.5) * (1 - figure(fossils, "width"))) - (forth * far) / 2;
  const from = { x: start, y: height() };
  const sway = (roll(4) - 0.5) * 0.5 * (lowest - highest) * size.height;
  const clamped = Math.min(lowest * size.height, Math.max(highest * size.height, from.y + sway));
  return { width, from, to: still ? from : { x: start + forth * far, y: clamped } };
}
