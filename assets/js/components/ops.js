/**
 * The steward's page: how the room stands, the one next thing to do, and the four moments of a day.
 *
 * The server pushes `view`; everything a steward does goes to the steward API with the browser's own session, so this
 * component emits nothing. Without a view there is nothing to see: the session has ended.
 */

import { audioContext, unlock } from "context";
import { ago, ahead, clockTime, closeSteps, fill, firstMoment, gigabytes, merge, moment, openSteps } from "ledger";
import { LedgerCare, LedgerKept } from "ledger_care";
import { LedgerDevices, LedgerShape, LedgerSteps, LedgerTrail, LedgerWarnings } from "ledger_parts";
import { LedgerRemedies } from "ledger_remedies";
import { asksFor, LedgerSensor } from "ledger_sensor";
import { watchLink } from "link";
import { createScope } from "scope";
import { createStewardClient } from "steward_client";
import { monitorTone, playTone } from "test_tone";

const MOMENTS = ["open", "run", "fix", "close"];
const SWITCHES = ["intake_paused", "playback_paused", "quieter_mode", "maintenance_mode"];
const FRAMING = ["session_theme_title", "session_theme_prompt", "mood_bias", "deployment_focus_topic",
  "deployment_focus_status", "kiosk_topics", "kiosk_closed_words", "kiosk_max_recording_seconds", "kiosk_language_code", "kiosk_accessibility_mode",
  "kiosk_force_reduced_motion"];
const MINUTES = [15, 30, 60];
const TICK_MS = 1000;
const ASKED_MS = 4000;
const pick = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]));

export default {
  components: {
    LedgerCare, LedgerKept, LedgerDevices, LedgerRemedies, LedgerSensor, LedgerShape, LedgerSteps, LedgerTrail, LedgerWarnings,
  },
  props: {
    copy: { type: Object, required: true },
    times: { type: Object, required: true },
    node: { type: Object, required: true },
    surfaces: { type: Array, required: true },
    choices: { type: Object, required: true },
    figures: { type: Object, required: true },
    view: { type: Object, default: null },
  },
  template: `
    <div v-if="view === null || over" class="ops ops-over">
      <h1>{{ copy.over }}</h1>
      <p class="note">{{ copy.over_note }}</p>
      <p><a class="button button-primary" href="/ops/">{{ copy.over_again }}</a></p>
    </div>
    <div v-else class="ops" :data-state="view.state" :data-link="link">
      <header class="ops-head">
        <h1>{{ node.name }}</h1>
        <nav class="ops-ways" :aria-label="copy.pages">
          <a href="/ops/" aria-current="page">{{ copy.page_room }}</a><a href="/ops/bench/">{{ copy.page_bench }}</a><a href="/docs/">{{ copy.page_docs }}</a>
        </nav>
        <span class="fine ops-who">{{ who }}</span>
        <form method="post" action="/ops/logout/"><button class="button" type="submit">{{ copy.sign_out }}</button></form>
      </header>

      <p v-if="link === 'lost'" class="ops-lost" role="alert">{{ t('link_lost', { time: moment(view.now_ms, nowMs) }) }}</p>

      <section class="ops-state" :data-state="view.state" aria-labelledby="ops-state">
        <h2 id="ops-state"><LedgerShape :of="view.state"/>{{ copy['state_' + view.state] }}</h2>
        <p class="ops-next" role="status"><strong>{{ view.next.title }}</strong> {{ view.next.detail }}</p>
        <dl class="ops-figures">
          <div><dt>{{ copy.playable }}</dt><dd>{{ view.counts.playable }}</dd></div>
          <div><dt>{{ copy.warnings }}</dt><dd>{{ view.warnings.length }}</dd></div>
          <div><dt>{{ copy.waiting }}</dt><dd>{{ view.counts.waiting }}</dd></div>
          <div><dt>{{ copy.storage }}</dt><dd>{{ t('gigabytes', { count: gigabytes(view.counts.free_bytes) }) }}</dd></div>
          <div class="ops-last"><dt>{{ copy.last }}</dt><dd>{{ last }}</dd></div>
        </dl>
      </section>

      <div class="ops-tabs" role="tablist" :aria-label="copy.moments" @keydown="turn">
        <button v-for="name in moments" :key="name" type="button" role="tab" :id="'tab-' + name" :aria-controls="'panel'"
          :aria-selected="String(name === at)" :tabindex="name === at ? 0 : -1" @click="at = name">
          {{ copy['moment_' + name] }}<span v-if="name === 'fix' && view.warnings.length" class="ops-count">{{ view.warnings.length }}</span>
        </button>
      </div>

      <p class="ops-said" role="status" :data-bad="String(said.bad)">{{ said.words }}</p>
      <p v-if="!mayChange" class="note">{{ copy.read_only }}</p>

      <section id="panel" class="ops-panel" role="tabpanel" :aria-labelledby="'tab-' + at" :data-moment="at" tabindex="0">
        <template v-if="at === 'open'">
          <div class="ops-part">
            <h3>{{ copy.open_steps }}</h3>
            <LedgerSteps :steps="openSteps(shown)" :copy="copy" prefix="open_"/>
            <div class="row" v-if="mayChange">
              <button class="button button-primary" type="button" :disabled="isOpen" @click="open">{{ copy.open_room }}</button>
              <button class="button" type="button" @click="tone">{{ copy.tone_here }}</button>
            </div>
            <p class="fine">{{ copy.tone_here_note }}</p>
          </div>
          <div class="ops-part">
            <h3>{{ copy.surfaces }}</h3>
            <ul class="ops-surfaces">
              <li v-for="surface in surfaces" :key="surface.name">
                <span class="ops-qr" role="img" :aria-label="t('qr', { name: copy['surface_' + surface.name] })" v-html="surface.qr"></span>
                <a :href="surface.path" target="_blank" rel="noopener">{{ copy['surface_' + surface.name] }}</a>
                <span class="fine">{{ surface.url.slice(0, -surface.path.length) }}<wbr>{{ surface.path }}</span>
              </li>
            </ul>
          </div>
          <form class="ops-part ops-framing" @submit.prevent="frame">
            <h3>{{ copy.framing }}</h3>
            <p class="ops-theirs" v-if="theirs.length" role="alert">{{ t('theirs', { fields: theirs.map((name) => copy['field_' + name]).join(', ') }) }}
              <button class="button" type="button" @click="takeTheirs">{{ copy.take_theirs }}</button>
              <button class="button" type="button" @click="keepOurs">{{ copy.keep_ours }}</button></p>
            <label v-for="field in texts" :key="field.name" class="ops-field"><span>{{ copy['field_' + field.name] }}</span>
              <textarea v-if="field.long" v-model="draft[field.name]" :maxlength="field.most" rows="2" :readonly="!mayChange"></textarea>
              <input v-else v-model="draft[field.name]" type="text" :maxlength="field.most" :readonly="!mayChange"></label>
            <label v-for="field in picks" :key="field.name" class="ops-field"><span>{{ copy['field_' + field.name] }}</span>
              <select v-model="draft[field.name]" :disabled="!mayChange">
                <option v-for="choice in field.choices" :key="choice" :value="choice">{{ choiceWords(field.name, choice) }}</option>
              </select></label>
            <label class="ops-field"><span>{{ copy.field_kiosk_max_recording_seconds }}</span>
              <input v-model.number="draft.kiosk_max_recording_seconds" type="number" :min="choices.shortest_recording_s"
                :max="choices.longest_recording_s" step="1" :readonly="!mayChange"></label>
            <label class="ops-field ops-check"><input v-model="draft.kiosk_force_reduced_motion" type="checkbox" :disabled="!mayChange">
              <span>{{ copy.field_kiosk_force_reduced_motion }}</span></label>
            <div class="row" v-if="mayChange">
              <button class="button" type="submit" :disabled="!edited">{{ copy.save }}</button>
              <button class="button button-quiet" type="button" :disabled="!edited" @click="takeTheirs">{{ copy.undo }}</button>
            </div>
          </form>
        </template>

        <template v-if="at === 'run'">
          <div class="ops-part">
            <h3>{{ copy.switches }}</h3>
            <table class="ops-switches"><tbody>
              <tr v-for="name in switches" :key="name" :data-on="String(controls[name] || bySensor(name))">
                <th scope="row">{{ copy[name] }}<span class="fine">{{ copy[name + '_note'] }}</span></th>
                <td class="value"><LedgerShape :of="controls[name] || bySensor(name) ? 'on' : 'off'"/><span>{{ bySensor(name) ? copy[name + '_by_sensor'] : copy[name + (controls[name] ? '_on' : '_off')] }}
                  <span class="fine" v-if="controls[name + '_until']">{{ untilWords(name) }}</span></span></td>
                <td class="act" v-if="mayChange">
                  <button class="button" type="button" :disabled="busy" @click="set({ [name]: !controls[name] })">
                    {{ copy[name + (controls[name] ? '_turn_off' : '_turn_on')] }}</button>
                  <span class="ops-for"><span class="fine" aria-hidden="true">{{ copy.for }}</span>
                    <button v-for="count in minutes" :key="count" class="button" type="button" :disabled="busy"
                      :aria-label="t('for_minutes', { what: copy[name + '_turn_on'], count })" @click="setFor(name, count)">{{ count }}</button>
                    <span class="fine" aria-hidden="true">{{ copy.minutes }}</span></span>
                </td>
              </tr>
            </tbody></table>
            <LedgerSensor :sensor="view.sensor" :copy="copy" :times="times" :now-ms="serverMs" :may-change="mayChange" :busy="busy" @overrule="overrule"/>
          </div>
          <div class="ops-part">
            <h3>{{ copy.sounding }}</h3>
            <p v-if="view.sounding.length === 0" class="note">{{ copy.sounding_none }}</p>
            <table v-else class="ops-sounding"><tbody>
              <tr v-for="voice in view.sounding" :key="voice.device_id">
                <th scope="row">{{ voice.caption }}<span class="fine">{{ voice.device }} · {{ t('artifact', { id: voice.artifact_id }) }}</span></th>
                <td class="act" v-if="mayChange">
                  <button class="button" type="button" @click="hold(voice)">{{ copy.hold }}</button>
                </td>
              </tr>
            </tbody></table>
          </div>
          <div class="ops-part ops-wide">
            <h3>{{ copy.devices }}</h3>
            <LedgerDevices :devices="view.devices" :copy="copy" :times="times" :now-ms="serverMs" :may-change="mayChange" @ask="command"/>
          </div>
          <div class="ops-part ops-wide">
            <h3>{{ copy.recent }}</h3>
            <LedgerTrail :actions="view.recent" :copy="copy" :times="times" :now-ms="serverMs"/>
          </div>
        </template>

        <template v-if="at === 'fix'">
          <div class="ops-part ops-wide">
            <h3>{{ copy.troubles }}</h3>
            <LedgerWarnings :warnings="view.warnings" :copy="copy" :times="times" :now-ms="serverMs"/>
            <LedgerRemedies v-if="mayChange" :view="view" :copy="copy" :busy="busy" @ask="(path) => ask(path, {}, copy.done)"/>
          </div>
          <div class="ops-part ops-wide">
            <h3>{{ copy.devices }}</h3>
            <LedgerDevices :devices="view.devices" :copy="copy" :times="times" :now-ms="serverMs" :may-change="mayChange" full @ask="command"/>
          </div>
          <div class="ops-part ops-wide">
            <h3>{{ copy.kept_safe }}</h3>
            <LedgerKept :view="view" :copy="copy" :times="times" :now-ms="serverMs"/>
          </div>
          <div class="ops-part">
            <h3>{{ copy.components }}</h3>
            <table><tbody>
              <tr v-for="(state, name) in view.components" :key="name"><th scope="row">{{ copy['component_' + name] }}</th>
                <td class="value"><LedgerShape :of="state"/>{{ copy['component_is_' + state] }}</td></tr>
            </tbody></table>
          </div>
          <div class="ops-part">
            <h3>{{ copy.helps }}</h3>
            <ul class="ops-helps">
              <li><a href="/ops/bench/#takes">{{ copy.help_lost_code }}</a><span class="fine">{{ copy.help_lost_code_note }}</span></li>
              <li><a href="/ops/bench/#waiting">{{ copy.help_waiting }}</a><span class="fine">{{ copy.help_waiting_note }}</span></li>
              <li><a href="/ops/bench/#jobs">{{ copy.help_jobs }}</a><span class="fine">{{ copy.help_jobs_note }}</span></li>
            </ul>
          </div>
        </template>

        <template v-if="at === 'close'">
          <div class="ops-part">
            <h3>{{ copy.close_steps }}</h3>
            <LedgerSteps :steps="closeSteps(shown)" :copy="copy" prefix="close_"/>
            <div class="row" v-if="mayChange">
              <button class="button button-primary" type="button" :disabled="isClosed" @click="close">{{ copy.close_room }}</button>
              <button class="button" type="button" @click="clear">{{ copy.clear_session }}</button>
            </div>
            <p class="fine">{{ copy.close_note }}</p>
          </div>
          <div class="ops-part">
            <h3>{{ copy.today }}</h3>
            <table><tbody>
              <tr><th scope="row">{{ copy.playable }}</th><td class="number">{{ view.counts.playable }}</td></tr>
              <tr><th scope="row">{{ copy.soon }}</th><td class="number">{{ view.counts.soon }}</td></tr>
              <tr><th scope="row">{{ copy.tombstones }}</th><td class="number">{{ view.counts.tombstones }}</td></tr>
              <tr><th scope="row">{{ copy.signed_in }}</th><td class="number">{{ view.counts.sessions }}</td></tr>
            </tbody></table>
            <div class="row" v-if="mayChange"><button class="button" type="button" @click="endAll">{{ copy.end_all }}</button></div>
            <p class="fine">{{ copy.end_all_note }}</p>
          </div>
          <div class="ops-part ops-wide">
            <h3>{{ copy.care }}</h3>
            <LedgerCare :view="view" :copy="copy" :times="times" :now-ms="serverMs" :may-change="mayChange" :asked="asked" @want="want"/>
            <p class="fine">{{ copy.care_note }}</p>
          </div>
          <div class="ops-part ops-wide">
            <h3>{{ copy.kept_safe }}</h3>
            <LedgerKept :view="view" :copy="copy" :times="times" :now-ms="serverMs"/>
          </div>
        </template>
      </section>
    </div>`,

  data() {
    return {
      at: "run", moments: MOMENTS, switches: SWITCHES, minutes: MINUTES, nowMs: Date.now(), aheadMs: 0, link: "up",
      over: false, busy: false, said: { words: "", bad: false }, base: {}, draft: {}, ours: false, answered: null,
      askedAtMs: {},
    };
  },

  computed: {
    mayChange() {
      return this.view.me.changes;
    },
    /** The posture as last heard: pushed, or answered to what was just done and not pushed yet. */
    controls() {
      const { answered, view } = this;
      return answered !== null && answered.version > view.controls.version ? answered : view.controls;
    },
    shown() {
      return { ...this.view, controls: this.controls };
    },
    serverMs() {
      return this.nowMs + this.aheadMs;
    },
    who() {
      const { name, role, until_ms } = this.view.me;
      return this.t(role === "curator" ? "who_looks" : "who", { name: name || this.copy.who_shared, until: moment(until_ms, this.nowMs) });
    },
    last() {
      const [action] = this.view.recent;
      if (!action) return this.copy.said_nothing;
      return this.t("last_action", {
        what: this.copy[`action_${action.action}`] ?? action.action, who: action.actor,
        ago: ago(Date.parse(action.at), this.serverMs, this.times),
      });
    },
    texts() {
      return [
        { name: "session_theme_title", most: 80 }, { name: "session_theme_prompt", most: 240, long: true },
        { name: "deployment_focus_topic", most: 64 }, { name: "kiosk_topics", most: 528 },
        { name: "kiosk_closed_words", most: 240, long: true },
      ];
    },
    picks() {
      return [
        { name: "deployment_focus_status", choices: ["", ...this.choices.statuses] },
        { name: "mood_bias", choices: ["", ...this.choices.moods] },
        { name: "kiosk_language_code", choices: ["", ...Object.keys(this.choices.languages)] },
        { name: "kiosk_accessibility_mode", choices: this.choices.accessibility_modes },
      ];
    },
    merged() {
      return merge(this.base, this.draft, pick(this.controls, FRAMING));
    },
    edited() {
      return FRAMING.some((name) => !Object.is(this.draft[name], this.base[name]));
    },
    theirs() {
      return this.ours ? [] : this.merged.conflicts;
    },
    isOpen() {
      return SWITCHES.every((name) => !this.controls[name]);
    },
    /** Work that was asked for and may not have begun yet. */
    asked() {
      return Object.keys(this.askedAtMs).filter((kind) => this.nowMs - this.askedAtMs[kind] < ASKED_MS);
    },
    isClosed() {
      return this.controls.intake_paused && this.controls.playback_paused;
    },
  },

  watch: {
    view(view) {
      if (view === null) return;
      this.aheadMs = view.now_ms - Date.now();
      if (!this.edited) this.takeTheirs();
    },
  },

  created() {
    if (this.view === null) return;
    this.aheadMs = this.view.now_ms - Date.now();
    this.at = MOMENTS.includes(location.hash.slice(1)) ? location.hash.slice(1) : firstMoment(this.view);
    this.takeTheirs();
  },

  mounted() {
    this.scope = createScope();
    this.client = createStewardClient({
      fetch: (...given) => fetch(...given), timeoutMs: this.figures.answer_timeout_ms, onEnded: () => (this.over = true),
    });
    this.scope.interval(() => (this.nowMs = Date.now()), TICK_MS);
    watchLink((up) => (this.link = up ? "up" : "lost"), this.scope);
  },

  unmounted() {
    this.scope.dispose();
  },

  methods: {
    ago, clockTime, closeSteps, gigabytes, moment, openSteps,

    t(key, params) {
      return fill(this.copy[key], params);
    },

    say(words, bad = false) {
      this.said = { words, bad };
    },

    /** One request, and one line about how it went. */
    async ask(path, body, done) {
      this.busy = true;
      const answer = await this.client.post(path, body);
      this.busy = false;
      if (answer.data?.operator_state) this.answered = answer.data.operator_state;
      if (answer.ok) this.say(done);
      else if (answer.status === 0) this.say(this.copy.failed_away, true);
      else this.say(answer.sentence || this.copy.failed, true);
      return answer;
    },

    set(changes) {
      return this.ask("operator/controls", { ...changes, version: this.controls.version }, this.copy.done);
    },

    setFor(name, minutes) {
      const until = new Date(this.serverMs + minutes * 60_000).toISOString();
      return this.set({ [name]: true, [`${name}_until`]: until });
    },

    /** Whether it is so because a sensor asks for it, and not by the steward's own switch. */
    bySensor(name) {
      return !this.controls[name] && asksFor(this.view.sensor, name);
    },

    untilWords(name) {
      return this.t("until", { ahead: ahead(Date.parse(this.controls[`${name}_until`]), this.serverMs, this.times) });
    },

    open() {
      return this.set(Object.fromEntries(SWITCHES.filter((name) => this.controls[name]).map((name) => [name, false])));
    },

    close() {
      return this.set({ intake_paused: true, playback_paused: true });
    },

    overrule() {
      return this.ask("operator/sensor/overrule", {}, this.copy.done);
    },

    clear() {
      return this.ask("operator/controls/clear-session", {}, this.copy.cleared);
    },

    async endAll() {
      const answer = await this.ask("operator/sessions/end", {}, this.copy.done);
      if (answer.ok) this.over = true;
    },

    async want(kind) {
      const said = { backup: this.copy.care_backup_wanted, export: this.copy.care_export_wanted, audit: this.copy.care_audit_wanted };
      const answer = await this.ask(`operator/care/${kind}`, {}, said[kind]);
      if (answer.ok) this.askedAtMs = { ...this.askedAtMs, [kind]: Date.now() };
    },

    hold(voice) {
      return this.ask(`operator/artifacts/${voice.artifact_id}/hold`, {}, this.copy.held);
    },

    command(device, command) {
      return this.ask(`operator/devices/${encodeURIComponent(device.id)}/${command}`, {}, this.t(`asked_${command}`, { name: device.label }));
    },

    async tone() {
      const context = audioContext(this.figures.context);
      const heard = await unlock(context, this.figures.context);
      const { destination } = context;
      if (heard) playTone({ context, destination, tone: monitorTone(this.figures.tone), scope: this.scope });
      else this.say(this.copy.tone_blocked, true);
    },

    /** Sends what we changed; what somebody else changed at the same time is shown first. */
    async frame() {
      const now = pick(this.controls, FRAMING);
      const { changes, conflicts } = this.merged;
      if (conflicts.length > 0 && !this.ours) return;
      const sent = this.ours ? { ...changes, ...pick(this.draft, conflicts) } : changes;
      if (Object.keys(sent).length > 0 && !(await this.set(sent)).ok) return;
      this.ours = false;
      this.base = { ...now, ...sent };
      this.draft = { ...this.base };
    },

    takeTheirs() {
      this.ours = false;
      this.base = pick(this.controls, FRAMING);
      this.draft = { ...this.base };
    },

    keepOurs() {
      this.ours = true;
    },

    choiceWords(field, choice) {
      if (choice === "") return this.copy[`none_${field}`];
      if (field === "kiosk_language_code") return this.choices.languages[choice];
      return this.copy[`choice_${choice}`] ?? choice;
    },

    turn(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      this.at = MOMENTS[(MOMENTS.indexOf(this.at) + step + MOMENTS.length) % MOMENTS.length];
      this.$nextTick(() => document.getElementById(`tab-${this.at}`)?.focus());
    },
  },
};
