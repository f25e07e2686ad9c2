/**
 * What the room's tone should be: the voice and strength that the node is set to, what the present program makes of them,
 * and whether a voice is sounding over it. The site's own file takes over when it is there; until then, and where it
 * cannot be had, a synthetic voice is the air: never nothing.
 */

import { ambienceLoop } from "ambience";
import { figure, required } from "figures";
import { createRoomTone, toneRms } from "tone";

const SITE = "site";

/**
 * @param {object} options
 * @param {BaseAudioContext} options.context
 * @param {AudioNode} options.destination
 * @param {Record<string, any>} options.figures the [tone] section
 * @param {(url: string, signal: AbortSignal) => Promise<ArrayBuffer>} options.fetchAudio
 * @param {import("scope").Scope} options.scope
 * @param {{voice: string, scale: number, file_url: string, seed: number}} options.tone voice: a name under
 *   [tone.voices], or "site" for the file at file_url
 */
export function createAir({ context, destination, figures, fetchAudio, scope, tone }) {
  const { seed } = tone;
  const site = required(figures, "site");
  const fallback = required(site, "fallback");
  const againMs = figure(site, "again_s") * 1000;
  for (const key of ["seam_s", "longest_s"]) figure(site, key); // what is missing shows here, and not behind a download
  const synthetic = (name) => (name === SITE ? fallback : name);
  const air = createRoomTone({ context, destination, figures, scope, voice: synthetic(required(tone, "voice")), seed });
  let wanted = tone;
  let program = { scale: 1, resting: "idle" };
  let begun = false;
  let ducked = false;
  /** @type {{url: string, scope: import("scope").Scope} | null} what is being fetched, or sounds */
  let file = null;

  function settle() {
    air.setScale(figure(wanted, "scale") * figure(program, "scale"));
    if (begun) air.setMode(ducked ? "ducked" : required(program, "resting"));
  }

  function choose() {
    const url = wanted.voice === SITE ? required(wanted, "file_url") : null;
    if (file !== null && file.url === url) return;
    file?.scope.dispose();
    file = url === null ? null : { url, scope: scope.child() };
    air.setVoice(synthetic(wanted.voice));
    if (file !== null) load(file);
  }

  /** A file that cannot be had leaves the air as it is; where only the network is away, it is asked for again. */
  async function load(own) {
    const bytes = await fetched(own);
    if (bytes === null) return;
    try {
      const decoded = await context.decodeAudioData(bytes);
      const rms = await toneRms(fallback, figures, { sampleRateHz: context.sampleRate, seed, scope: own.scope });
      if (!own.scope.disposed) air.setLoop(SITE, ambienceLoop(decoded, rms, site));
    } catch (error) {
      if (error.name !== "EncodingError" && error.name !== "RangeError") throw error; // no sound that we understand
    }
  }

  async function fetched(own) {
    const abort = new AbortController();
    own.scope.add(() => abort.abort());
    try {
      return await fetchAudio(own.url, abort.signal);
    } catch (error) {
      const refused = error.status >= 400 && error.status < 500;
      if (!refused) own.scope.timeout(() => load(own), againMs);
      return null;
    }
  }

  choose();
  settle();

  return {
    get voice() {
      return air.voice;
    },

    /** Fades in; before, nothing sounds. */
    begin() {
      begun = true;
      settle();
    },

    /** @param {{voice: string, scale: number, file_url: string}} tone the node's own, from the steward and the settings */
    set(next) {
      wanted = next;
      choose();
      settle();
    },

    /** @param {import("plan").ProgramTone} next what the program that begins now makes of it */
    follow(next) {
      program = next;
      settle();
    },

    /** @param {boolean} under whether a voice is sounding */
    duck(under) {
      ducked = under;
      settle();
    },
  };
}
