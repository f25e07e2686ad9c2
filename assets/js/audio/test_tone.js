/** A short sine, faded at both ends: the countdown of the kiosk, and the tone that shows whether sound comes out. */

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {AudioNode} options.destination
 * @param {{hz: number, lengthS: number, gain: number, fadeS: number}} options.tone
 * @param {import("scope").Scope} options.scope
 */
export function playTone({ context, destination, tone, scope }) {
  const { hz, lengthS, gain, fadeS } = tone;
  const own = scope.child();
  const atS = context.currentTime;
  const oscillator = own.node(new OscillatorNode(context, { frequency: hz }));
  const level = own.node(new GainNode(context, { gain: 0 }));
  level.gain.setValueAtTime(0, atS);
  level.gain.linearRampToValueAtTime(gain, atS + fadeS);
  level.gain.setValueAtTime(gain, atS + lengthS - fadeS);
  level.gain.linearRampToValueAtTime(0, atS + lengthS);
  own.listen(oscillator, "ended", () => own.dispose());
  oscillator.connect(level).connect(destination);
  oscillator.start(atS);
  oscillator.stop(atS + lengthS);
}

/** @param {Record<string, number>} monitor the [monitor] section of the audio catalog */
export function monitorTone({ tone_hz: hz, tone_s: lengthS, tone_gain: gain, tone_fade_ms: fadeMs }) {
  return { hz, lengthS, gain, fadeS: fadeMs / 1000 };
}
