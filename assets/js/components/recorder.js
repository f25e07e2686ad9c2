/**
 * The kiosk: the whole ritual of leaving a voice, on one screen.
 *
 * Decisions are made by the reducer (ritual), words and actions chosen by the screen table (ritual_screen), the
 * microphone, sound and server handled by the effects (ritual_effects). This component only draws and listens, so
 * that everything up to Send works without the server. Emits `stage` {stage}, for information, and `device` {report}
 * with how it fares.
 */

import { capturedLine, seedOf, wholeLine } from "kiosk_line";
import { createClient } from "client";
import { createLanguages } from "kiosk_languages";
import { invitationAt } from "kiosk_attract";
import { KIOSK } from "kiosk_markup";
import { KioskTrim } from "kiosk_trim";
import { holdLink, speakAs, watchLink } from "link";
import { createPageDevice } from "page_device";
import { createRitualEffects } from "ritual_effects";
import { eventForKey, keyFor } from "ritual_keys";
import {
  clockTime, codeGroups, colourChoices, consentWords, printing, promptFor, readAloud, screenOf, sentence, span, toldWait,
} from "ritual_screen";
import { MODES, gated, initialState, reduce, secondsLeft, spoken } from "ritual";
import { createScope } from "scope";
import { createTakeKeeper } from "take_keeper";
import { isTrimmed } from "trim";

const LIVE = ["armed", "countdown", "recording"];

/** Signs of life closer to one another than this are one. */
const NOTED_MS = 1000;

/** What a page that would come after this one has to know. */
const NOTED = ["stage", "mode", "colour", "topic", "trim", "keptFlaw", "uncertain"];

/** Keys that move the focus. */
const MOVES = ["Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];

/** What a fault of ours amounts to for the participant. */
const FAULTS = {
  openMicrophone: { type: "microphoneFailed", code: "unsupported" },
  startRecording: { type: "microphoneLost" },
  stopRecording: { type: "takeFailed" },
  listen: { type: "listened" },
  submit: { type: "submitFailed", kind: "away", uncertain: true, waitS: 0 },
};

export default {
  components: { KioskTrim },
  props: {
    words: { type: Object, required: true },
    languages: { type: Array, required: true },
    figures: { type: Object, required: true },
    colours: { type: Array, required: true },
    surface: { type: Object, required: true },
    node: { type: Object, required: true },
    fittings: { type: Object, required: true },
    page_version: { type: String, required: true },
    order: { type: Object, default: null },
  },
  emits: ["stage", "device"],
  template: KIOSK,

  data() {
    return { state: this.firstState(), said: Object.freeze(unwrapped(this.words)), announcement: "", connected: true, called: "",
        keyed: false, focused: document.hasFocus(), hearing: "", invited: null };
  },

  computed: {
    modes: () => MODES,
    screen() {
      return screenOf(this.state);
    },
    wanted() {
      return spoken(this.state);
    },
    inGate() {
      return this.state.stage === "review" && gated(this.state);
    },
    choosing() {
      return this.state.stage === "review" && !this.inGate;
    },
    sounds() {
      return colourChoices(this.said.copy, this.colours);
    },
    /** What the colour chosen does to the ink of the line; for most of the ritual, and many a colour: nothing. */
    tint() {
      const tint = this.colours.find(({ code }) => code === this.state.colour)?.tint;
      return tint ? { "--tint": tint.light, "--tint-share": `${tint.share * 100}%` } : null;
    },
    stillness() {
      return Boolean(this.surface.kiosk_force_reduced_motion);
    },
    contrast() {
      return this.surface.kiosk_accessibility_mode.endsWith("high_contrast") ? "high" : null;
    },
    size() {
      return this.surface.kiosk_accessibility_mode.startsWith("large") ? "large" : null;
    },
    topics() {
      return [{ topic: "", words: this.t("topic_none") }, ...this.state.policy.topics.map((topic) => ({ topic, words: topic }))];
    },
    /** What may be asked for here; what no clip says cannot be read aloud. */
    secondary() {
      return this.screen.secondary.filter(({ event }) => event !== "read" || this.aloud(this.state.stage).length > 0);
    },
    themed() {
      return this.state.stage === "idle" && !this.state.policy.blocked && Boolean(this.surface.session_theme_title);
    },
    /** While nobody is here the question is asked in every language; it is answered in the one that is spoken. */
    heading() {
      if (this.invited !== null) return this.languages[this.invited];
      const { language, direction } = this.said;
      return { language, direction, invitation: this.themed ? this.surface.session_theme_title : this.t(this.screen.heading) };
    },
    lead() {
      if (this.themed && this.surface.session_theme_prompt) return this.t("theme_lead");
      return this.t(this.state.stage === "armed" && this.prompt ? "prompt_lead" : this.screen.lead);
    },
    /** A session has one question; else the stewards' prompts take turns, one for each participant. */
    prompt() {
      const { session_theme_prompt: theme, prompts } = this.surface;
      return theme ? "" : promptFor(prompts[this.said.language], this.state.run);
    },
    /** The quiet line above the primary action: what is counted, or what the visitor should know now. */
    aside() {
      const { stage, sounding } = this.state;
      if (sounding === "tone" || sounding === "check") return this.t(sounding === "tone" ? "tone_sounds" : "check_says");
      if (printing(this.state)) return this.t("printing");
      if (this.screen.counted) return this.t(this.screen.counted);
      if (!this.focused) return this.t("unfocused");
      if (!this.connected && ["idle", "armed", "review"].includes(stage)) return this.t("offline");
      return this.hearing ? this.t(this.hearing) : "";
    },
    count() {
      return Math.max(1, this.figures.take.preroll_s - Math.floor(this.stageS));
    },
    stageS() {
      return (this.state.nowMs - this.state.sinceMs) / 1000;
    },
    spent() {
      return Math.min(100, (this.stageS * 100_000) / this.state.limitMs);
    },
    code() {
      return codeGroups(this.state.receipt.revocation_token);
    },
    promise() {
      const keys = [this.state.mode === "FOSSIL" ? "promise_fossil" : "promise_room", "promise_backup"];
      return keys.map((key) => this.t(key)).join(this.said.notice.between);
    },
    /** Where receipts are looked at, as one types it. */
    address() {
      const { origin, pathname } = new URL(this.state.receipt.receipt.url);
      return `${origin}${pathname}`.replace(/^https?:\/\//, "");
    },
    /** The trace of this voice on paper: the line of the screen, in a box of its own. */
    slip() {
      const { slip_width: width, slip_height: height } = this.figures.kiosk;
      const line = wholeLine({ width, height, figures: this.figures, seed: this.seed(), levels: null, points: this.effects.pointsLeft() });
      return { ...line, box: `0 0 ${width} ${height}` };
    },
  },

  watch: {
    surface() {
      this.dispatch("policy", { policy: this.policy() });
    },
    "state.stage"(stage) {
      this.$emit("stage", { stage });
      this.hearing = "";
      // From the first breath to the receipt a reload would lose something.
      holdLink(stage !== "idle");
      this.reloadWhenFree();
      this.$nextTick(() => {
        this.$refs.heading.focus({ preventScroll: true });
        window.scrollTo(0, 0);
        this.draw();
      });
    },
    "state.colour"(colour) {
      if (this.choosing) this.announcement = this.sounds.find(({ code }) => code === colour).words;
    },
    "state.trim"() {
      this.drawProgress();
    },
    hearing(heard) {
      if (heard) this.announcement = this.t(heard);
    },
    order(order) {
      this.device.obey(order);
    },
    wanted(language) {
      this.speak(language);
    },
    lead: {
      handler(lead) {
        this.announcement = lead;
      },
      immediate: true,
    },
  },

  created() {
    this.scope = createScope();
    this.pointed = false; // whether it was a finger, and no key, that went to where the focus is
    this.levels = { points: [], gathered: [], left: 0 };
    this.loudLeft = 0; // levels for which it is still said that it was too loud
    this.tongues = createLanguages({ first: this.said, offered: this.languages, fetch: window.fetch.bind(window) });
    const client = createClient({ fetch: window.fetch.bind(window), figures: this.figures.kiosk });
    const keeper = createTakeKeeper({
      keys: client.keys,
      indexedDB: window.indexedDB,
      locks: window.navigator.locks,
      crypto: window.crypto,
      now: Date.now,
      pause: () => new Promise((resolve) => { this.scope.timeout(resolve, 1000); }),
      freshMs: this.figures.kiosk.review_timeout_s * 1000,
    });
    this.effects = createRitualEffects({
      figures: this.figures,
      colours: this.colours,
      client,
      keeper,
      scope: this.scope,
      shown: () => ({ language: this.said.language, noticeVersion: this.said.notice.version }),
      dispatch: (type, more) => this.dispatch(type, more),
      print: () => this.$nextTick(() => window.print()), // when the receipt stands on the page
      microphone: this.fittings.microphone,
      aloud: (stage) => this.aloud(stage),
      onLevel: (level) => this.hear(level),
    });
  },

  mounted() {
    const { scope } = this;
    speakAs(this.said);
    scope.listen(window, "keydown", (press) => this.key(press), { capture: true });
    scope.listen(window, "focus", () => { this.focused = true; });
    scope.listen(window, "blur", () => { this.focused = false; });
    scope.listen(document, "visibilitychange", () => document.hidden && this.dispatch("hidden"));
    this.device = this.asDevice();
    watchLink((up) => this.linked(up), scope);
    scope.interval(() => (this.state.stage !== "idle" || this.state.language) && this.dispatch("tick"), this.figures.kiosk.tick_ms);
    scope.interval(() => this.invite(), 1000);
    scope.frame(() => this.drawProgress());
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.$refs.trace.parentElement);
    scope.add(() => sizes.disconnect());
    this.effects.prepare().then(() => this.tongues.fetchAll()).catch(reportError);
    this.effects.resume().catch(reportError);
    this.$emit("stage", { stage: this.state.stage });
  },

  unmounted() {
    this.scope.dispose();
  },

  methods: {
    firstState() {
      const figures = { ...this.figures.kiosk, countdown_s: this.figures.take.preroll_s };
      const colours = this.colours.map(({ code }) => code);
      const languages = this.languages.map(({ language }) => language);
      return Object.freeze(initialState({ figures, colours, languages, policy: this.policy(), nowMs: performance.now() }));
    },

    policy() {
      const { intake_door, ingest_budget, kiosk_max_recording_seconds, language, topics } = this.surface;
      const blocked = intake_door || (ingest_budget.exhausted ? "budget" : "");
      return { blocked, maxRecordingMs: kiosk_max_recording_seconds * 1000, language, topics, prints: this.fittings.prints };
    },

    /** Where the clips are that say what stands on a screen: those that are there. @returns {(string | null)[]} */
    aloud(stage) {
      const { clips, language } = this.said;
      const at = (name) => clips[name] && `/kiosk-clips/${clips[name]}/${language}/${name}`;
      if (stage === "check") return clips.check ? [at("check")] : [];
      const asked = this.surface.session_theme_prompt || this.prompt;
      const asking = this.surface.prompt_clips[asked];
      const names = readAloud(this.state, { prompt: asking ? "prompt" : "", backups: this.figures.promise.backup_days > 0 });
      const urls = names.map((name) => (name === null ? null : name === "prompt" ? asking : at(name)));
      // A promise is read whole, or not at all.
      return urls.includes(undefined) ? [] : urls;
    },

    invite() {
      const { stage, language, policy, touchedMs } = this.state;
      const alone = stage === "idle" && !language && !policy.blocked;
      this.invited = alone ? invitationAt(performance.now() - touchedMs, this.languages.length, this.figures.kiosk) : null;
    },

    /** The state is frozen, so that Vue compares it as a whole instead of wrapping it. */
    dispatch(type, more = {}) {
      const { state, effects } = reduce(this.state, { ...more, type, nowMs: performance.now() });
      if (state.stage === "armed" || state.stage === "recording") {
        if (state.stage !== this.state.stage) this.levels = { points: [], gathered: [], left: 0 };
      }
      this.note(state);
      this.state = Object.freeze(state);
      for (const effect of effects) this.carryOut(effect);
    },

    /** Whatever changes in review, and every sign of life there, is noted for a page that would come after this one. */
    note(state) {
      if (!["review", "submitting"].includes(state.stage)) return;
      const moved = NOTED.some((name) => state[name] !== this.state[name]);
      if (moved || state.touchedMs - this.state.touchedMs > NOTED_MS) this.effects.note(state);
    },

    async carryOut(effect) {
      try {
        await this.effects.carryOut(effect);
      } catch (error) {
        reportError(error);
        const fault = FAULTS[effect.type];
        if (fault) this.dispatch(fault.type, { ...fault, run: effect.run });
      }
    },

    linked(up) {
      this.connected = up;
      this.device.link(up);
    },

    asDevice() {
      return createPageDevice({
        surface: "kiosk", figures: this.figures.device, pageVersion: this.page_version, scope: this.scope,
        emit: (report) => this.$emit("device", report),
        read: () => ({ ...this.effects.facts(), activity: this.state.stage === "idle" ? "idle" : "busy" }),
        call: (name) => { this.called = name; },
        tone: () => this.dispatch("monitor"), // as the button does: never into a recording
        reload: () => this.reloadWhenFree(true),
        wipe: () => this.wipe(),
      });
    },

    /** A page that is to be loaded anew waits until nobody is before it. */
    reloadWhenFree(wanted = this.reloading) {
      this.reloading = wanted;
      if (wanted && this.state.stage === "idle") window.location.reload();
    },

    /** As if whoever is here had given up, and whatever an earlier page left, too. */
    wipe() {
      this.dispatch("cancel");
      this.carryOut({ type: "forget" });
    },

    press(event) {
      if (event) this.dispatch(event);
    },

    touch() {
      this.pointed = true;
      this.keyed = false;
      this.dispatch("touch");
    },

    key(press) {
      if (MOVES.includes(press.key)) this.pointed = false;
      const event = eventForKey({
        key: press.key,
        repeat: press.repeat,
        modified: press.ctrlKey || press.altKey || press.metaKey || press.isComposing,
        target: targetKind(press.target, this.pointed),
      });
      // A held Enter would click one new primary action after the other.
      if (event || (press.repeat && ["Enter", " "].includes(press.key))) press.preventDefault();
      if (event || MOVES.includes(press.key)) this.keyed = true;
      if (event) this.dispatch(event.type, event);
    },

    keyFor,

    t(key) {
      return sentence(this.said.copy, key, isolated(this.params(), this.said.direction));
    },

    /** What is not there yet is spoken as soon as it is, unless another is wanted by then. */
    async speak(language) {
      const words = await this.tongues.load(language);
      if (words === null || language !== this.wanted) return;
      this.said = Object.freeze(words);
      speakAs(words);
    },

    /** By the present moment: a review that lasts past midnight names the new day. */
    consent(mode) {
      return consentWords(this.said.notice, mode, this.figures.promise, new Date());
    },

    params() {
      const { state, surface } = this;
      const { promise } = this.figures;
      const spentS = state.stage === "recording" ? this.stageS : 0;
      const limitS = state.limitMs / 1000;
      return {
        ...promise, ...this.said.notice.spans, ...this.receiptParams(),
        contact: this.said.contact,
        language: this.languages.find(({ language }) => language === state.policy.language).name,
        prompt: surface.session_theme_prompt || this.prompt,
        limit: span(this.said.locale, surface.kiosk_max_recording_seconds),
        wait: span(this.said.locale, toldWait(state.notice?.waitS ?? surface.ingest_budget.effective_reset_in_seconds)),
        seconds: secondsLeft(state) ?? 0,
        elapsed: clockTime(spentS),
        remaining: clockTime(Math.ceil(limitS - spentS)),
      };
    },

    receiptParams() {
      const { receipt } = this.state;
      if (!receipt) return {};
      const { room_until, fossil_until, copies_gone_by } = receipt.receipt.words;
      const groups = codeGroups(receipt.revocation_token);
      return {
        until: room_until,
        residue_until: fossil_until,
        copies_until: copies_gone_by,
        spelled: groups.map((group) => [...group].join(" ")).join(", "),
        address: this.address,
      };
    },

    /** One level of the microphone; some of them make one point of the line. */
    hear(level) {
      const { kiosk } = this.figures;
      this.tell(level);
      this.levels.gathered.push(level);
      if (this.levels.gathered.length < kiosk.point_levels) return;
      this.levels = capturedLine(this.levels, kiosk);
      if (LIVE.includes(this.state.stage)) this.draw();
    },

    /** What the microphone hears that its speaker should know. */
    tell({ peak }) {
      const { kiosk, take } = this.figures;
      this.loudLeft = peak >= take.clip_level ? kiosk.too_loud_levels : Math.max(0, this.loudLeft - 1);
      const { stage } = this.state;
      const around = stage === "armed" ? this.effects.around() : "";
      this.hearing = this.loudLeft > 0 && ["armed", "recording"].includes(stage) ? "too_loud" : around;
    },

    draw() {
      const svg = this.$refs.trace;
      if (!svg) return;
      const { width, height } = svg.parentElement.getBoundingClientRect();
      if (width === 0 || height === 0) return;
      const live = LIVE.includes(this.state.stage);
      const line = wholeLine({
        width, height, figures: this.figures, seed: this.seed(),
        levels: live ? this.levels : null,
        points: ["review", "submitting", "complete"].includes(this.state.stage) ? this.points() : null,
      });
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      for (const path of [this.$refs.ink, this.$refs.ghost]) {
        path.setAttribute("d", line.d);
        path.setAttribute("stroke-width", line.strokeWidth);
      }
      this.drawProgress();
    },

    /** The take's outline is relative to its own loudest moment; where that was very quiet, the picture says so. */
    points() {
      if (this.state.stage !== "review") return this.effects.pointsLeft();
      const points = this.effects.points();
      const share = this.figures.kiosk.quiet_share;
      return points && this.inGate && this.state.take.flaw === "quiet" ? points.map(([level, centroid]) => [level * share, centroid]) : points;
    },

    /** The line is inked between its handles; while the take is heard, as far as the sound has come. */
    drawProgress() {
      const { ink, heard, trace } = this.$refs;
      const { from, to, part } = this.inkedPart();
      const { width } = trace.viewBox.baseVal;
      if (part) {
        heard.setAttribute("x", width * from);
        heard.setAttribute("width", width * (to - from));
      }
      if (part === this.inked) return;
      this.inked = part;
      if (part) ink.setAttribute("clip-path", "url(#kiosk-heard)");
      else ink.removeAttribute("clip-path");
    },

    /** Shares of the line's length, and whether that is less than all of it. */
    inkedPart() {
      const { stage, trim, take } = this.state;
      const progress = ["review", "submitting"].includes(stage) ? this.effects.progress() : null;
      // What has been sent is drawn by itself, and so is the whole of it.
      const cut = stage === "review" && isTrimmed(trim, take.durationMs);
      const [from, end] = cut ? [trim.startMs / take.durationMs, trim.endMs / take.durationMs] : [0, 1];
      return { from, to: progress === null ? end : from + (end - from) * progress, part: cut || progress !== null };
    },

    /** The line on the receipt is the line of that voice everywhere; before, a run has its own. */
    seed() {
      return seedOf(this.state.receipt?.artifact.id ?? `run ${this.state.run}`);
    },
  },
};

/** A property as it was given, without the wrappers Vue puts around it. */
function unwrapped(value) {
  return JSON.parse(JSON.stringify(value));
}

/** An address or a name of another script must not turn what stands around it (Unicode Standard Annex 9). */
function isolated(params, direction) {
  if (direction !== "rtl") return params;
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, `\u2068${value}\u2069`]));
}

/**
 * A radio that a finger has chosen has no more use for Space; one that was reached by keys keeps it.
 * @param {EventTarget} target @param {boolean} pointed @returns {"none" | "button" | "link" | "radio" | "text"}
 */
function targetKind(target, pointed) {
  if (!(target instanceof Element)) return "none";
  if (target.matches("input[type=radio]")) return pointed && target.checked ? "none" : "radio";
  if (target.matches("input, textarea, select, [contenteditable]")) return "text";
  if (target.closest("button, [role=button]")) return "button";
  return target.closest("a[href]") ? "link" : "none";
}
