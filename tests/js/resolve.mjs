/**
 * Lets node find our browser modules by their bare stems, as the import map does in a page:
 *
 *     node --import ./tests/js/resolve.mjs --test tests/js/*.test.mjs
 */
import { readdirSync } from "node:fs";
import { register } from "node:module";
import { pathToFileURL, fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { basename, join } from "node:path";

const SOURCES = fileURLToPath(new URL("../../assets/js/", import.meta.url));

/** @returns {Map<string, string>} stem to file URL; a stem that two files share is an error */
function stems() {
  const found = new Map();
  for (const name of readdirSync(SOURCES, { recursive: true })) {
    if (!name.endsWith(".js")) continue;
    const stem = basename(name, ".js");
    if (found.has(stem)) throw new Error(`two modules are called ${stem}`);
    found.set(stem, pathToFileURL(join(SOURCES, name)).href);
  }
  return found;
}

const known = stems();

export async function resolve(specifier, context, next) {
  const url = known.get(specifier);
  return url === undefined ? next(specifier, context) : { url, format: "module", shortCircuit: true };
}

if (isMainThread) register(import.meta.url);
