// A page on plain http from another machine has no audio worklet; the room must sound there all the same.
import assert from "node:assert/strict";
import test from "node:test";
import { loadWear } from "wear_chain";

test("a context without an audio worklet is ready for voices, only without their grit", async () => {
  const insecure = { sampleRate: 48000 };
  await assert.doesNotReject(async () => loadWear(insecure));
});
