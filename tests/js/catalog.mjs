/** Reads the catalogs as the tests need them: the small part of TOML that they are written in. */
import { readFileSync } from "node:fs";

/** @param {string} name of a file in assets/catalogs, without its ending */
export function catalog(name) {
  const root = {};
  let section = root;
  const text = readFileSync(new URL(`../../assets/catalogs/${name}.toml`, import.meta.url), "utf8");
  for (const line of text.split("\n").map((raw) => raw.replace(/\s*#.*$/, "").trim())) {
    const header = line.match(/^\[([\w.]+)\]$/);
    const pair = line.match(/^(\w+) = (.+)$/);
    if (header !== null) {
      section = root;
      for (const part of header[1].split(".")) section = section[part] ??= {};
    } else if (pair !== null) {
      section[pair[1]] = JSON.parse(pair[2]);
    } else if (line !== "") {
      throw new Error(`${name}.toml: not understood: ${line}`);
    }
  }
  return root;
}

/** @param {string} section of the stewards' copy @returns {Record<string, string>} its texts of one line */
export function copyOf(section) {
  const text = readFileSync(new URL("../../assets/copy/stewards.toml", import.meta.url), "utf8");
  const [, below] = text.split(`\n[${section}]\n`);
  const pairs = below.split(/\n\[\w+\]\n/)[0].matchAll(/^(\w+) = (".*")$/gm);
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, JSON.parse(value)]));
}
