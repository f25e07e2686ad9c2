/** Small parts of the steward's pages: a shape before a colour, a step that is done, a page that is open. */

import { ago, fill, moment } from "ledger";

const PATHS = {
  ready: "M2.5 8.5 6.5 12.5 13.5 4",
  degraded: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 1 0 8 2.2",
  broken: "M8 1.2 15.2 14.6H.8Z",
  on: "M2.5 2.5h11v11h-11Z",
  off: "M2.5 8h11",
  silent: "M3 3 13 13M13 3 3 13",
  offline: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 1 0 8 2.2M4 12 12 4",
};
const FILLED = new Set(["broken", "degraded", "on"]);
const ALIAS = {
  critical: "broken", warning: "degraded", online: "ready", waiting: "off", done: "ready", todo: "off", ok: "ready",
  down: "broken", stale: "broken", full: "broken", failing: "degraded", fine: "ready", look: "degraded", wrong: "broken",
  none: "off", running: "on", failed: "broken",
};

/** A sign that stands before a word, never instead of one. */
export const LedgerShape = {
  props: { of: { type: String, required: true } },
  template: `<svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false" :data-filled="String(filled)" :data-kind="kind">
    <path :d="path"/></svg>`,
  computed: {
    kind() {
      return ALIAS[this.of] ?? this.of;
    },
    path() {
      return PATHS[this.kind] ?? PATHS.off;
    },
    filled() {
      return FILLED.has(this.kind);
    },
  },
};

/** Steps with what is done ticked off. */
export const LedgerSteps = {
  components: { LedgerShape },
  props: { steps: { type: Array, required: true }, copy: { type: Object, required: true }, prefix: { type: String, required: true } },
  template: `<ul class="ops-steps">
    <li v-for="step in steps" :key="step.name" :data-done="String(step.done)">
      <LedgerShape :of="step.done ? 'done' : 'todo'"/>
      <span>{{ copy[prefix + step.name + (step.done ? '_done' : '_todo')] }}</span>
    </li>
  </ul>`,
};

/** Open pages: where, how they stand, what they do, and what can be asked of them. */
export const LedgerDevices = {
  components: { LedgerShape },
  props: {
    devices: { type: Array, required: true },
    copy: { type: Object, required: true },
    times: { type: Object, required: true },
    nowMs: { type: Number, required: true },
    mayChange: { type: Boolean, required: true },
    full: { type: Boolean, default: false },
  },
  emits: ["ask"],
  template: `<p v-if="devices.length === 0" class="note">{{ copy.devices_none }}</p>
    <table v-else class="ops-devices">
      <thead class="hidden-words"><tr>
        <th scope="col">{{ copy.devices }}</th><th scope="col">{{ copy.device_standing }}</th>
        <th scope="col">{{ copy.device_doing }}</th><th scope="col">{{ copy.acts }}</th>
      </tr></thead>
      <tbody>
        <tr v-for="device in devices" :key="device.id" :data-standing="device.standing">
          <th scope="row">{{ device.label }}<span class="fine">{{ copy['surface_' + device.surface] }}</span></th>
          <td class="value"><LedgerShape :of="device.standing"/>{{ copy['standing_' + device.standing] }}</td>
          <td>
            <strong v-for="trouble in device.troubles" :key="trouble" class="ops-trouble">{{ say('trouble_' + trouble, device) }}</strong>
            <span class="fine">{{ lines(device).join(' · ') }}</span>
          </td>
          <td class="act">
            <template v-if="mayChange && device.standing !== 'offline'">
              <button class="button" type="button" @click="$emit('ask', device, 'identify')"
                :aria-label="copy.identify + ': ' + device.label">{{ copy.identify }}</button>
              <button class="button" type="button" @click="$emit('ask', device, 'tone')"
                :aria-label="copy.tone + ': ' + device.label">{{ copy.tone }}</button>
              <button class="button" type="button" @click="$emit('ask', device, 'reload')"
                :aria-label="copy.reload + ': ' + device.label">{{ copy.reload }}</button>
            </template>
            <button v-if="mayChange && device.surface === 'kiosk'" class="button" type="button" @click="$emit('ask', device, 'wipe')"
              :aria-label="copy.wipe + ': ' + device.label">{{ copy.wipe }}</button>
            <button v-if="mayChange && device.standing === 'offline'" class="button button-quiet" type="button" @click="$emit('ask', device, 'forget')"
              :aria-label="copy.forget + ': ' + device.label">{{ copy.forget }}</button>
          </td>
        </tr>
      </tbody>
    </table>`,
  methods: {
    say(key, device) {
      return fill(this.copy[key], { seconds: Math.abs(Math.round(device.skew_s)) });
    },

    /** What a steward needs to know of a page beside its troubles. */
    lines(device) {
      const { copy } = this;
      const said = device.standing === "offline" ? [] : [copy[`doing_${device.activity}`]];
      if (device.sound_at_ms !== null) said.push(fill(copy.device_sound, { ago: ago(device.sound_at_ms, this.nowMs, this.times) }));
      if (device.surface === "kiosk" && device.microphone) said.push(device.microphone);
      if (this.full || device.standing === "offline") {
        said.push(fill(copy.device_contact, { ago: ago(device.contact_at_ms, this.nowMs, this.times) }));
      }
      if (this.full) {
        said.push(fill(copy.device_audio, { state: copy[`audio_${device.audio}`] }));
        if (device.surface === "kiosk") said.push(copy[`permission_${device.permission}`]);
        if (!device.troubles.includes("skewed")) said.push(copy.device_clock_right);
        said.push(fill(copy.device_version, { version: device.page_version || "?" }));
      }
      return said;
    },
  },
};

/** Warnings and their remedies, the gravest first. */
export const LedgerWarnings = {
  components: { LedgerShape },
  props: {
    warnings: { type: Array, required: true },
    copy: { type: Object, required: true },
    times: { type: Object, required: true },
    nowMs: { type: Number, required: true },
  },
  template: `<p v-if="warnings.length === 0" class="note">{{ copy.warnings_none }}</p>
    <ol v-else class="ops-warnings">
      <li v-for="warning in warnings" :key="warning.name + warning.subject" :data-level="warning.level">
        <LedgerShape :of="warning.level"/>
        <span><strong>{{ warning.title }}</strong> {{ warning.detail }}
          <span class="fine" v-if="warning.since_ms">{{ since(warning) }}</span></span>
      </li>
    </ol>`,
  methods: {
    since(warning) {
      return fill(this.copy.warning_since, { ago: ago(warning.since_ms, this.nowMs, this.times) });
    },
  },
};

/** The trail, newest first. */
export const LedgerTrail = {
  props: {
    actions: { type: Array, required: true },
    copy: { type: Object, required: true },
    times: { type: Object, required: true },
    nowMs: { type: Number, required: true },
  },
  template: `<table class="ops-trail">
      <tbody>
        <tr v-for="action in actions" :key="action.id">
          <th scope="row">{{ copy['action_' + action.action] ?? action.action }}<span class="fine">{{ action.subject }}</span></th>
          <td><span v-for="line in changes(action)" :key="line">{{ line }}</span></td>
          <td class="fine">{{ action.actor }}</td>
          <td class="fine ago"><time :datetime="action.at">{{ ago(Date.parse(action.at), nowMs, times) }}</time></td>
        </tr>
      </tbody>
    </table>`,
  methods: {
    ago,
    /** "Intake: open to paused", one line a field that is another now. */
    changes(action) {
      const names = [...new Set([...Object.keys(action.before), ...Object.keys(action.after)])];
      return names.flatMap((name) => {
        const label = this.copy[`field_${name}`] ?? name;
        const [before, after] = [action.before, action.after].map((stood) => this.say(stood[name], name.endsWith("_until")));
        return before === after ? [] : [fill(this.copy.changed, { label, before, after })];
      });
    },
    say(value, isTime) {
      if (isTime && value) return moment(Date.parse(value), this.nowMs);
      if (value === true || value === false) return this.copy[value ? "said_on" : "said_off"];
      return value === null || value === undefined || value === "" ? this.copy.said_nothing : String(value);
    },
  },
};
