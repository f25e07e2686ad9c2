import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeWav, pcmOf } from "wav";

test("the header states PCM, one channel, 16 bit and true lengths", () => {
  const view = new DataView(encodeWav(new Float32Array(10), 44100));
  const text = (at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
  assert.deepEqual([text(0), text(8), text(12), text(36)], ["RIFF", "WAVE", "fmt ", "data"]);
  assert.equal(view.byteLength, 64);
  assert.equal(view.getUint32(4, true), 56);
  assert.equal(view.getUint32(16, true), 16);
  assert.deepEqual([20, 22, 32, 34].map((at) => view.getUint16(at, true)), [1, 1, 2, 16]);
  assert.equal(view.getUint32(24, true), 44100);
  assert.equal(view.getUint32(28, true), 88200);
  assert.equal(view.getUint32(40, true), 20);
});

test("samples are clamped, scaled by 32767 and rounded", () => {
  const samples = Float32Array.of(0, 1, -1, 2, -Infinity, 0.5, -0.5, 1 / 32767);
  const view = new DataView(encodeWav(samples, 48000));
  const written = Array.from(samples, (_, i) => view.getInt16(44 + 2 * i, true));
  assert.deepEqual(written, [0, 32767, -32767, 32767, -32767, 16384, -16383, 1]);
});

test("a sample that is not a number is refused", () => {
  assert.throws(() => encodeWav(Float32Array.of(0, NaN), 48000), RangeError);
});

test("a rate that no sound can have is refused", () => {
  for (const rate of [0, -1, 44100.5, NaN]) assert.throws(() => encodeWav(new Float32Array(1), rate), RangeError);
});

test("an empty take is a header and nothing else", () => {
  assert.equal(encodeWav(new Float32Array(0), 48000).byteLength, 44);
});

test("the samples of a file are found behind whatever else it holds", () => {
  const wav = encodeWav(Float32Array.of(0, 0.5, -0.5), 8000);
  assert.deepEqual(pcmOf(wav), new Uint8Array(wav, 44, 6));
  const listed = new Uint8Array(wav.byteLength + 12);
  listed.set(new Uint8Array(wav, 0, 36));
  listed.set([0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0], 36); // three bytes and the one that makes them even
  listed.set(new Uint8Array(wav, 36), 48);
  assert.deepEqual(pcmOf(listed.buffer), new Uint8Array(wav, 44, 6));
});

test("of a file that is cut off what is there is taken, and what is no file is refused", () => {
  const wav = encodeWav(Float32Array.of(0, 0.5, -0.5), 8000);
  assert.equal(pcmOf(wav.slice(0, 48)).length, 4);
  assert.throws(() => pcmOf(wav.slice(0, 40)), RangeError);
  assert.throws(() => pcmOf(new ArrayBuffer(3)), RangeError);
});
