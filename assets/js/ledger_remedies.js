/** What only a steward's word ends: each is asked twice, and says in between what it means. */

import { fill } from "ledger";

/** @returns {{name: string, path: string}[]} what waits for a word now */
export function remediesOf(view) {
  const found = [];
  if (view.clock.doubt) found.push({ name: "clock", path: "operator/clock/confirm" });
  if (view.closed !== "") found.push({ name: "node", path: "operator/node/open" });
  return found;
}

/** @param {number} ms @returns {string} with day, month and year: two clocks that disagree may be years apart */
export function wholeMoment(ms) {
  const parts = { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Date(ms).toLocaleString("en-GB", parts);
}

/** Emits `ask` (path) once a steward has said yes. */
export const LedgerRemedies = {
  props: {
    view: { type: Object, required: true },
    copy: { type: Object, required: true },
    busy: { type: Boolean, required: true },
  },
  emits: ["ask"],
  template: `<div v-for="remedy in remedies" :key="remedy.name" class="ops-remedy" role="group" :aria-label="copy[remedy.name + '_act']">
      <p v-if="asked !== remedy.name"><button class="button" type="button" :disabled="busy" @click="ask(remedy.name)">{{ copy[remedy.name + '_act'] }}</button></p>
      <template v-else>
        <p>{{ words(remedy.name) }}</p>
        <p class="row">
          <button class="button button-primary" type="button" :disabled="busy" @click="yes(remedy)">{{ copy[remedy.name + '_yes'] }}</button>
          <button ref="no" class="button button-quiet" type="button" @click="asked = ''">{{ copy.not_now }}</button>
        </p>
      </template>
    </div>`,

  data() {
    return { asked: "" };
  },

  computed: {
    remedies() {
      return remediesOf(this.view);
    },
  },

  methods: {
    ask(name) {
      this.asked = name;
      // On what changes nothing: a second press of the same key must not say yes.
      this.$nextTick(() => this.$refs.no[0].focus());
    },

    yes(remedy) {
      this.asked = "";
      this.$emit("ask", remedy.path);
    },

    words(name) {
      const { clock, closed } = this.view;
      if (name === "node") return this.copy[`node_means_${closed}`];
      const params = { system: wholeMoment(clock.system_now_ms), believed: wholeMoment(clock.believed_now_ms) };
      return fill(this.copy.clock_means, params);
    },
  },
};
