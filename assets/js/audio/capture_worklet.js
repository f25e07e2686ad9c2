/**
 * Hears the microphone on the audio thread. Levels are posted always; samples only between `start` and the end of the
 * tail that follows `stop`. An AudioWorklet resolves no bare names, so this module imports nothing.
 *
 * in:  {type: "start", take} {type: "stop", tailFrames} {type: "close"}
 * out: {type: "level", peak, rms} {type: "chunk", take, samples} {type: "end", take}
 */
class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions: { chunkFrames, levelFrames } }) {
    super();
    this.chunk = new Float32Array(chunkFrames);
    this.take = 0; // messages of an earlier take may still be under way when the next begins
    this.filled = 0;
    this.framesLeft = 0; // Infinity while recording, the tail after stop
    this.levelFrames = levelFrames;
    this.resetLevel();
    this.closed = false;
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  obey(message) {
    if (message.type === "start") {
      this.take = message.take;
      this.filled = 0;
      this.framesLeft = Infinity;
    } else if (message.type === "stop" && this.framesLeft > 0) {
      this.framesLeft = message.tailFrames;
      if (this.framesLeft === 0) this.finish();
    } else if (message.type === "close") {
      this.closed = true;
    }
  }

  process([input]) {
    const samples = input[0];
    if (samples !== undefined) {
      this.meter(samples);
      this.record(samples);
    }
    return !this.closed;
  }

  record(samples) {
    if (this.framesLeft === 0) return;
    for (let i = 0; i < samples.length && this.framesLeft > 0; i += 1) {
      this.chunk[this.filled] = samples[i];
      this.filled += 1;
      this.framesLeft -= 1;
      if (this.filled === this.chunk.length) this.flush();
    }
    if (this.framesLeft === 0) this.finish();
  }

  finish() {
    this.flush();
    this.port.postMessage({ type: "end", take: this.take });
  }

  flush() {
    if (this.filled === 0) return;
    const samples = this.chunk.slice(0, this.filled);
    this.filled = 0;
    this.port.postMessage({ type: "chunk", take: this.take, samples }, [samples.buffer]);
  }

  meter(samples) {
    for (let i = 0; i < samples.length; i += 1) {
      const size = Math.abs(samples[i]);
      if (size > this.peak) this.peak = size;
      this.sum += size * size;
    }
    this.metered += samples.length;
    if (this.metered >= this.levelFrames) {
      this.port.postMessage({ type: "level", peak: this.peak, rms: Math.sqrt(this.sum / this.metered) });
      this.resetLevel();
    }
  }

  resetLevel() {
    this.peak = 0;
    this.sum = 0;
    this.metered = 0;
  }
}

registerProcessor("memory-capture", Capture);
