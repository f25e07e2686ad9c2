/** The one file format that leaves the browser: RIFF/WAVE, PCM, 16 bit, mono. */

const HEADER_BYTES = 44;
const FULL_SCALE = 32767;
const DATA = 0x64617461; // "data"

/**
 * Each sample is clamped to -1..1, multiplied by 32767 and rounded to the nearest integer (halves towards +infinity),
 * so that +1 and -1 are equally far from silence and -32768 is never written.
 *
 * @param {Float32Array} samples mono, -1..1
 * @param {number} sampleRateHz a positive integer
 * @returns {ArrayBuffer} 44 bytes of header and two bytes a sample
 * @throws {RangeError} for a rate that is no positive integer, or a sample that is not a number
 */
export function encodeWav(samples, sampleRateHz) {
  if (!Number.isInteger(sampleRateHz) || sampleRateHz <= 0) throw new RangeError("sampleRateHz must be a positive integer");
  const buffer = new ArrayBuffer(HEADER_BYTES + samples.length * 2);
  const view = new DataView(buffer);
  writeHeader(view, samples.length * 2, sampleRateHz);
  for (let i = 0; i < samples.length; i += 1) {
    const sample = samples[i];
    if (Number.isNaN(sample)) throw new RangeError(`sample ${i} is not a number`);
    view.setInt16(HEADER_BYTES + i * 2, Math.round(Math.max(-1, Math.min(1, sample)) * FULL_SCALE), true);
  }
  return buffer;
}

/**
 * The samples of a WAV file as they lie in it.
 *
 * @param {ArrayBuffer} wav
 * @returns {Uint8Array} a view, not a copy; as much of the data chunk as is there
 * @throws {RangeError} for what holds no data chunk
 */
export function pcmOf(wav) {
  const view = new DataView(wav);
  for (let at = 12; at + 8 <= wav.byteLength; ) {
    const bytes = view.getUint32(at + 4, true);
    if (view.getUint32(at) === DATA) return new Uint8Array(wav, at + 8, Math.min(bytes, wav.byteLength - at - 8));
    at += 8 + bytes + (bytes % 2);
  }
  throw new RangeError("this is no WAV file with sound in it");
}

/** @param {DataView} view @param {number} dataBytes @param {number} sampleRateHz */
function writeHeader(view, dataBytes, sampleRateHz) {
  writeText(view, 0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  writeText(view, 8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  writeText(view, 36, "data");
  view.setUint32(40, dataBytes, true);
}

function writeText(view, offset, text) {
  for (let i = 0; i < text.length; i += 1) view.setUint8(offset + i, text.charCodeAt(i));
}
