/** Renders real takes through the room's own modules and the kiosk's, offline, and hands back what came out. */

import { createListening } from "listening";
import { buildPreview, loudnessOf, readPreview } from "preview";
import { createScope } from "scope";
import { prepareVoice } from "voice";

const RATE_HZ = 48000;
const TAIL_S = 2;

const fetched = async (url) => (await fetch(url)).arrayBuffer();

/** One voice as the room's engine plays it. */
export async function room({ url, item, figures, colours }) {
  const { duration } = await decoded(url);
  const whole = { artifact_id: 1, url, start_ms: 0, duration_ms: duration * 1000, wear: 0, colour: "", level: 1, gain: 1,
    delay_ms: 0, fade_in_ms: null, fade_out_ms: null, ...item };
  return rendered(duration + TAIL_S, async (context, scope) => {
    const voice = await prepareVoice({
      context, item: whole, figures, colours, fetchAudio: fetched, destination: context.destination, scope,
    });
    voice.schedule(0);
  });
}

/** A take as the kiosk's preview plays it. */
export async function preview({ url, code, figures, colours }) {
  const { duration } = await decoded(url);
  return rendered(duration + TAIL_S, async (context, scope) => {
    const take = await readPreview({ context, wav: await fetched(url), figures });
    const heard = buildPreview({ context, take, code, colours, fromS: 0, figures, scope });
    heard.output.connect(context.destination);
    heard.start(0);
  });
}

/** A take as the kiosk plays it when other colours are chosen on the way: `turns` are [seconds, code or null to stop]. */
export async function turned({ url, turns, figures, colours }) {
  const { duration } = await decoded(url);
  return rendered(duration + TAIL_S, async (context, scope) => {
    const take = await readPreview({ context, wav: await fetched(url), figures });
    const listening = createListening({ context: () => context, colours, figures, scope: untimed(scope) });
    for (const [atS, code] of turns) {
      const turn = () => (code === null ? listening.stop() : listening.play({ take, code, ended() {} }));
      if (atS === 0) turn();
      else context.suspend(atS).then(turn).then(() => context.resume());
    }
  });
}

/** An offline render knows no time but its own: what waits for a timer is let go of at its end. */
function untimed(scope) {
  return { ...scope, child: () => untimed(scope.child()), timeout: () => () => {} };
}

/** @returns {Promise<{lufs: number, peakDbtp: number}>} as our own measure has it */
export async function measured({ url }) {
  return loudnessOf(await decoded(url));
}

async function decoded(url) {
  return new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(await fetched(url));
}

async function rendered(seconds, build) {
  const context = new OfflineAudioContext(1, Math.ceil(seconds * RATE_HZ), RATE_HZ);
  const scope = createScope();
  await build(context, scope);
  const samples = (await context.startRendering()).getChannelData(0);
  scope.dispose();
  return inBase64(new Uint8Array(samples.buffer));
}

/** In parts, because a call takes only so many arguments. */
function inBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
