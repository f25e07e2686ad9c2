/**
 * Reading figures handed down as props. JavaScript has no defaults of its own: what is missing is an error here,
 * at the place that needs it, and not a silence somewhere later.
 */

/**
 * @param {Record<string, unknown>} section one section of a catalog
 * @param {string} key
 * @returns {number} finite
 * @throws {RangeError} when the figure is missing or not a finite number
 */
export function figure(section, key) {
  const value = section?.[key];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new RangeError(`figure ${key} is missing`);
  return value;
}

/**
 * @param {Record<string, unknown>} sections
 * @param {string} key
 * @returns {any} the section or word under `key`
 * @throws {RangeError} when it is missing
 */
export function required(sections, key) {
  const value = sections?.[key];
  if (value === undefined || value === null) throw new RangeError(`${key} is missing`);
  return value;
}

/** @returns {number} the point `amount` (0..1) of the way from `from` to `to` */
export function between(from, to, amount) {
  return from + (to - from) * amount;
}
