/**
 * The room: sound and wall on one page. The server composes; this component plays what it is handed, draws it, says
 * what was heard, and lets go of whatever was taken back.
 *
 * Emits `hello` {recent} when connected, `need` {seq} for the program after `seq`, `device` {report} with how it fares,
 * `sounding` {state} for information.
 */

import { audioContext, latencyS, unlock, watchContext } from "context";
import { roomActivity } from "device";
import { speakAs, watchLink } from "link";
import { createPageDevice } from "page_device";
import { createPlayerEngine } from "program";
import { createRecent } from "recent";
import { createRights } from "rights";
import { createScope } from "scope";
import { createTap } from "tap";
import { monitorTone, playTone } from "test_tone";
import { createWake } from "wake";
import { createWall } from "wall";

const LOOK_MS = 1000;

export default {
  props: {
    words: { type: Object, required: true },
    figures: { type: Object, required: true },
    colours: { type: Array, required: true },
    node: { type: Object, required: true },
    autostart: { type: Boolean, required: true },
    recent_most: { type: Number, required: true },
    page_version: { type: String, required: true },
    program: { type: Object, default: null },
    strata: { type: Object, default: null },
    dropped: { type: Object, default: null },
    order: { type: Object, default: null },
    posture: { type: Object, required: true },
    fossils: { type: Object, required: true },
  },
  emits: ["hello", "need", "device", "sounding"],
  template: `<section ref="wall" class="room-wall" :lang="words.language" :dir="words.direction" :aria-label="words.copy.title" :data-sound="sound"></section>`,

  data() {
    return { sound: "waiting" };
  },

  watch: {
    program(program) {
      if (program) this.offer(program);
    },
    strata(strata) {
      if (strata) this.lay(strata.layers);
    },
    dropped(dropped) {
      if (dropped) this.drop(dropped.ids);
    },
    posture(posture) {
      this.obey(posture);
    },
    fossils({ feed_url }) {
      this.wall.fossilsFrom(feed_url);
    },
    words(words) {
      speakAs(words);
      this.wall.speak(words.copy);
    },
    order(order) {
      this.device.obey(order);
    },
    sound(state) {
      this.$emit("sounding", { state });
    },
  },

  mounted() {
    // None of this is data: Vue must not wrap audio nodes, and nothing of it is rendered.
    speakAs(this.words);
    this.scope = createScope();
    this.recent = createRecent(window.localStorage, this.recent_most);
    this.rights = createRights(Date.now);
    this.sounding = new Map();
    this.halted = !this.autostart;
    this.context = audioContext(this.figures.context);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.wall = createWall(this.$refs.wall, {
      figures: this.figures.trace,
      colours: this.colours,
      copy: this.words.copy,
      node: this.node,
      reducedMotion: this.posture.reduced_motion || this.calm.matches,
      scope: this.scope,
      onStart: () => this.start(),
      onPause: () => this.halt(),
      onFlag: ({ flag_url }) => post(flag_url).then(({ status }) => status, () => 0),
    });
    this.engine = createPlayerEngine({
      context: this.context,
      figures: this.figures,
      colours: this.colours,
      fetchAudio,
      head,
      post,
      onEvent: (event) => this.hear(event),
      now: Date.now,
      elapsed: () => performance.now(),
      scope: this.scope,
      tone: { ...this.posture.tone, seed: this.posture.tone_seed },
    });
    this.device = this.asDevice();
    createWake({
      context: this.context,
      figures: this.figures.wake,
      wanted: () => !this.halted && this.posture.plays,
      elapsed: () => performance.now(),
      scope: this.scope,
      environment: { window, document },
    });
    this.scope.listen(this.calm, "change", () => this.obey(this.posture));
    watchLink((up) => this.linked(up), this.scope);
    this.scope.interval(() => this.drop(this.rights.over()), LOOK_MS);
    this.$emit("hello", { recent: this.recent.ids() });
    if (this.strata) this.lay(this.strata.layers);
    this.obey(this.posture);
    watchContext(this.context, (state) => this.sounds(state), this.scope);
    this.wall.fossilsFrom(this.fossils.feed_url);
    if (this.autostart) this.start();
  },

  unmounted() {
    this.scope.dispose();
  },

  methods: {
    async start() {
      this.halted = false;
      const running = await unlock(this.context, this.figures.context);
      if (this.scope.disposed) return;
      if (running) this.sounds("running");
      else this.tell();
    },

    /** Sound may begin later than it was asked for, and come back by itself. */
    sounds(state) {
      if (state === "running" && !this.halted) {
        this.engine.start();
        this.obey(this.posture);
      } else this.tell();
    },

    linked(up) {
      this.wall.state({ connection: up ? "up" : "lost" });
      this.device.link(up);
    },

    /** The tone goes by the room's own output, as loud as the room is; what cannot sound now is not kept for later. */
    asDevice() {
      const { context, engine, scope, figures, wall } = this;
      const elapsed = () => performance.now();
      const tap = createTap({ context, node: engine.output, figures: figures.device, elapsed, scope });
      return createPageDevice({
        surface: "room", figures: figures.device, pageVersion: this.page_version, scope,
        emit: (report) => this.$emit("device", report),
        read: () => ({
          activity: roomActivity({
            paused: engine.paused, running: context.state === "running", sounding: engine.sounding,
          }),
          audio: context.state, sound_ago_s: tap.agoS(),
          playing: this.heardNow(),
          microphone: "", permission: "unknown", microphone_silent: false, // a room has none
        }),
        call: wall.call,
        tone() {
          if (context.state !== "running") return;
          playTone({ context, destination: engine.output, tone: monitorTone(figures.monitor), scope });
        },
        reload: () => window.location.reload(),
      });
    },

    /** @returns {number | null} the voice a steward would find under "now playing" */
    heardNow() {
      const newest = [...this.sounding.values()].at(-1);
      return newest?.at(-1) ?? null;
    },

    halt() {
      this.halted = true;
      this.engine.pause();
      this.tell();
    },

    /** The steward's posture, and the visitor's own pause, whichever is stiller. */
    obey(posture) {
      this.engine.setQuieter({ gain: posture.gain });
      this.engine.setTone(posture.tone);
      if (posture.plays && !this.halted) this.engine.resume();
      else this.engine.pause();
      const { plays, quieter, maintained, closed, reduced_motion } = posture;
      this.wall.state({ held: !plays, quieter, maintained, closed, reducedMotion: reduced_motion || this.calm.matches });
      this.tell();
    },

    tell() {
      const { paused } = this.engine;
      const blocked = !paused && this.context.state !== "running";
      this.sound = paused ? "paused" : blocked ? "blocked" : "running";
      this.wall.state({ paused, blocked });
    },

    /** Times arrive as durations, because the two clocks need not agree. */
    offer({ good_for_ms, ...program }) {
      for (const item of program.items) this.rights.hold(item);
      this.wall.state({ resting: program.items.length === 0 });
      this.engine.offer({ ...program, good_until_ms: Date.now() + good_for_ms });
    },

    lay(layers) {
      for (const layer of layers) this.rights.hold(layer);
      this.wall.strata(layers);
    },

    drop(ids) {
      if (ids.length === 0) return;
      this.engine.drop(ids);
      this.wall.drop(ids);
      this.rights.forget(ids);
    },

    hear(event) {
      if (event.type === "need") this.$emit("need", { seq: event.seq });
      else if (event.type === "started") this.draw(event);
      else if (event.type === "ended") this.sink(event);
    },

    draw({ seq, item, startsAtContextTime, durationS }) {
      const clock = () => this.context.currentTime - latencyS(this.context);
      // A voice that crosses with the one before takes its place; a layer finds one beneath.
      const crosses = item.fade_in_ms !== null;
      for (const [other, ids] of crosses ? this.sounding : []) if (other !== seq) ids.forEach((id) => this.wall.ended(id));
      this.wall.playing({ ...item, startsAt: startsAtContextTime, durationS, clock });
      this.sounding.set(seq, [...(this.sounding.get(seq) ?? []), item.artifact_id]);
    },

    sink({ seq, heard }) {
      for (const id of this.sounding.get(seq) ?? []) this.wall.ended(id);
      this.sounding.delete(seq);
      this.recent.add(heard);
    },
  },
};

/** @param {string} url */
function post(url) {
  return fetch(url, { method: "POST", keepalive: true });
}

/** @param {string} url @param {AbortSignal} signal */
function head(url, signal) {
  return fetch(url, { method: "HEAD", signal, cache: "no-store" });
}

/** @param {string} url @param {AbortSignal} signal */
async function fetchAudio(url, signal) {
  const response = await fetch(url, { signal, cache: "no-store" });
  if (!response.ok) throw Object.assign(new Error("the sound was refused"), { status: response.status });
  return response.arrayBuffer();
}
