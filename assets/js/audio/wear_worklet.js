/**
 * The grit of wear: samples held, quantised, noise added, single samples lost. Everything random comes from one seed, so
 * that two renders of the same sound are the same to the last bit. An AudioWorklet resolves no bare names: the generator
 * below is that of `noise.js`.
 */
class Wear extends AudioWorkletProcessor {
  constructor({ processorOptions: { bits, holdSamples, noise, dropoutsPerSample, seed } }) {
    super();
    this.steps = 2 ** (bits - 1);
    this.holdStep = 1 / holdSamples;
    this.noise = noise;
    this.dropouts = dropoutsPerSample;
    this.state = seed >>> 0;
    this.phase = 1;
    this.held = 0;
    this.closed = false;
    this.port.onmessage = () => {
      this.closed = true;
    };
  }

  process([input], [output]) {
    const source = input[0];
    const target = output[0];
    for (let i = 0; i < target.length; i += 1) {
      target[i] = this.worn(source === undefined ? 0 : source[i]);
    }
    return !this.closed;
  }

  worn(sample) {
    if (this.phase >= 1) {
      this.phase -= 1;
      this.held = Math.round(sample * this.steps) / this.steps;
    }
    this.phase += this.holdStep;
    const grain = this.random() * this.noise;
    const lost = (this.random() + 1) / 2 < this.dropouts;
    return lost ? 0 : this.held + grain;
  }

  random() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2147483648 - 1;
  }
}

registerProcessor("memory-wear", Wear);
