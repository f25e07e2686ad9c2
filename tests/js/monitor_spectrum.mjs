/** The spectrum an AnalyserNode gives (Blackman window, dB), for tests outside a browser. */
export function transform(samples) {
  const count = samples.length;
  const bins = new Float32Array(count / 2);
  const windowed = samples.map((x, n) => {
    const turn = (2 * Math.PI * n) / count;
    return (x * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn))) / count;
  });
  for (let bin = 0; bin < bins.length; bin += 1) {
    let real = 0;
    let imaginary = 0;
    for (let n = 0; n < count; n += 1) {
      const turn = (2 * Math.PI * bin * n) / count;
      real += windowed[n] * Math.cos(turn);
      imaginary -= windowed[n] * Math.sin(turn);
    }
    bins[bin] = 20 * Math.log10(Math.hypot(real, imaginary) + 1e-12);
  }
  return bins;
}
