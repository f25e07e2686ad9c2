import assert from "node:assert/strict";
import { test } from "node:test";
import { CaptureError, constraintsFor, explainFailure, joined, openMicrophone } from "capture";
import { createScope } from "scope";
import { catalog } from "./catalog.mjs";

const ABLE = Object.freeze({ secure: true, mediaDevices: true, worklet: true });

test("each failure of the browser has one code", () => {
  const codes = {
    NotAllowedError: "denied",
    SecurityError: "denied",
    NotFoundError: "absent",
    OverconstrainedError: "absent",
    NotReadableError: "busy",
    AbortError: "busy",
    TypeError: "unsupported",
  };
  for (const [name, code] of Object.entries(codes)) assert.equal(explainFailure({ name }, ABLE), code, name);
});

test("an insecure page is the reason, whatever the error says", () => {
  const environment = { secure: false, mediaDevices: false, worklet: false };
  assert.equal(explainFailure({ name: "TypeError" }, environment), "insecure");
});

test("a browser without microphones or worklets is unsupported", () => {
  for (const missing of ["mediaDevices", "worklet"]) {
    assert.equal(explainFailure({ name: "NotAllowedError" }, { ...ABLE, [missing]: false }), "unsupported");
  }
});

test("a microphone that went away is lost", () => {
  assert.equal(explainFailure(new CaptureError("lost"), ABLE), "lost");
});

test("an unknown failure is unsupported, not a crash", () => {
  for (const error of [null, undefined, {}, new Error("odd")]) assert.equal(explainFailure(error, ABLE), "unsupported");
});

test("nothing that reshapes a voice is asked for", () => {
  const { echoCancellation, noiseSuppression, autoGainControl, channelCount } = constraintsFor(undefined);
  assert.deepEqual([echoCancellation, noiseSuppression, autoGainControl, channelCount], [false, false, false, 1]);
});

test("a chosen device is asked for exactly, none is left to the browser", () => {
  assert.deepEqual(constraintsFor("abc").deviceId, { exact: "abc" });
  assert.equal("deviceId" in constraintsFor(""), false);
});

test("chunks are joined in order", () => {
  assert.deepEqual([...joined([Float32Array.of(1, 2), Float32Array.of(), Float32Array.of(3)])], [1, 2, 3]);
  assert.equal(joined([]).length, 0);
});

test("where there is no microphone at all, opening fails with a code", async () => {
  const opening = openMicrophone({ context: {}, figures: catalog("audio").take, scope: createScope() });
  await assert.rejects(opening, (error) => error instanceof CaptureError && error.code === "insecure");
});
