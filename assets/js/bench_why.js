/** Why this voice, why now: the newest choices of the room on the bench, and the one looked at in full. */

import { chanceWords, factorRows, factRows, figure, gapParts, outcome, pageWords, second } from "bench_why_parts";
import { fill } from "ledger";

const SHOWN = 25;
const NOT_ASKED = { key: "", bad: false, rows: [] };

export const BenchWhy = {
  props: {
    copy: { type: Object, required: true },
    client: { type: Object, required: true },
    nowMs: { type: Number, required: true },
  },
  template: `
    <section class="bench-part" id="why" aria-labelledby="h-why">
      <h2 id="h-why">{{ copy.why }}</h2>
      <p class="note">{{ copy.why_note }}</p>
      <p v-if="chosen === null && decisions !== null" class="note">{{ copy.why_none }}</p>
      <div v-else-if="chosen !== null" class="bench-why">
        <div class="bench-why-list" role="group" tabindex="0" :aria-label="copy.why_list"><table>
          <thead><tr><th scope="col">{{ copy.why_when }}</th><th scope="col">{{ copy.why_where }}</th>
            <th scope="col" class="number">{{ copy.why_take }}</th><th scope="col" class="number">{{ copy.why_chance }}</th></tr></thead>
          <tbody><tr v-for="one in decisions" :key="one.id" :data-chosen="String(one.id === chosen.id)">
            <th scope="row"><button type="button" :aria-pressed="String(one.id === chosen.id)" @click="choose(one)">{{ when(one) }}</button>
              <span class="fine">{{ page(one) }}</span></th>
            <td>{{ one.why.movement }}<span class="fine">{{ one.why.scene }}</span></td>
            <td class="number">{{ one.artifact_id }}</td>
            <td class="number">{{ chance(one.why.voices[0]) }}</td></tr></tbody>
        </table></div>

        <article class="bench-why-one" aria-labelledby="h-why-one">
          <h3 id="h-why-one">{{ say(copy.why_title, { id: chosen.artifact_id, when: when(chosen) }) }}</h3>
          <table class="bench-why-facts"><caption class="hidden-words">{{ copy.why_facts }}</caption><tbody>
            <tr v-for="fact in facts" :key="fact.name"><th scope="row">{{ copy[fact.name] }}</th>
              <td><span v-for="line in fact.lines" :key="line">{{ line }}</span></td></tr>
          </tbody></table>

          <h4 id="h-why-weights">{{ copy.why_weights }}</h4>
          <p class="fine">{{ copy.why_weights_note }} <template v-if="first.runners_up.length === 0">{{ copy.why_weights_alone }}</template>
            <template v-else-if="first.remaining === null">{{ copy.why_weights_probed }}</template></p>
          <div class="bench-scroll" role="group" tabindex="0" aria-labelledby="h-why-weights"><table class="bench-factors">
            <thead><tr><th scope="col">{{ copy.why_factor }}</th>
              <th scope="col" colspan="2" class="number came">{{ say(copy.why_came, { id: first.artifact_id }) }}</th>
              <th v-for="other in first.runners_up" :key="other.artifact_id" scope="col" class="number">{{ say(copy.why_other, { id: other.artifact_id }) }}</th></tr></thead>
            <tbody><tr v-for="row in factors" :key="row.name" :data-largest="String(row.largest)">
              <th scope="row">{{ copy['why_factor_' + row.name] }}<span v-if="row.largest" class="fine">{{ copy[row.raised ? 'why_raised' : 'why_lowered'] }}</span></th>
              <td class="bar"><i aria-hidden="true"><b :style="{ insetInlineStart: row.start + '%', inlineSize: row.size + '%' }"></b></i></td>
              <td v-for="(value, at) in row.values" :key="at" class="number" :class="{ came: at === 0 }" :data-even="String(value === 1)">{{ times(value) }}</td>
            </tr></tbody>
            <tfoot><tr><th scope="row" colspan="2">{{ copy.why_weight }}</th>
              <td v-for="take in [first, ...first.runners_up]" :key="take.artifact_id" class="number">{{ figure(take.weight) }}</td></tr></tfoot>
          </table></div>

          <div class="bench-why-pair">
            <div><h4>{{ copy.why_gap }}</h4>
              <p v-if="gap.joins">{{ say(copy.why_gap_joins, { seconds: gap.seconds }) }}</p>
              <template v-else><table><tbody>
                <tr><th scope="row">{{ copy.why_gap_drawn }}</th><td class="number">{{ say(copy.why_gap_is, { seconds: gap.drawn }) }}</td></tr>
                <tr v-for="term in gap.terms" :key="term.name"><th scope="row">{{ copy['why_gap_' + term.name] }}</th><td class="number">{{ times(term.factor) }}</td></tr>
              </tbody><tfoot><tr><th scope="row">{{ copy.why_gap_total }}</th><td class="number">{{ say(copy.why_gap_is, { seconds: gap.seconds }) }}</td></tr></tfoot></table>
              <p v-if="gap.cut" class="fine">{{ copy.why_gap_cut }}</p></template></div>
            <div><h4 id="h-why-voices">{{ copy.why_voices }}</h4>
              <p v-if="chosen.why.layers_wished === 0">{{ copy.why_voices_none }}</p>
              <div v-if="others.length" class="bench-scroll" role="group" tabindex="0" aria-labelledby="h-why-voices"><table>
                <thead><tr><th scope="col">{{ copy.why_take }}</th><th scope="col">{{ copy.why_kind }}</th><th scope="col" class="number">{{ copy.why_delay }}</th>
                  <th scope="col" class="number">{{ copy.why_gain }}</th><th scope="col" class="number">{{ copy.why_chance }}</th></tr></thead>
                <tbody><tr v-for="voice in others" :key="voice.artifact_id"><th scope="row">{{ voice.artifact_id }}</th><td>{{ copy['why_kind_' + voice.kind] }}</td>
                  <td class="number">{{ say(copy.why_milliseconds, { count: voice.delay_ms }) }}</td><td class="number">{{ times(voice.gain) }}</td>
                  <td class="number">{{ chance(voice) }}</td></tr></tbody></table></div>
              <p v-if="missing > 0" class="fine">{{ say(copy.why_voices_fewer, { count: chosen.why.layers_wished, missing }) }}</p></div>
          </div>

          <h4>{{ copy.why_again_head }}</h4>
          <p class="fine">{{ copy.why_again_note }} {{ copy.why_seed }} <span class="bench-seed">{{ chosen.why.seed }}</span></p>
          <div class="row"><button class="button" type="button" @click="again">{{ copy.why_again }}</button></div>
          <div role="status" class="bench-why-again"><p v-if="came.key" :data-bad="String(came.bad)">{{ copy[came.key] }}</p>
            <table v-if="came.rows.length"><thead><tr><th scope="col">{{ copy.why_differs }}</th><th scope="col">{{ copy.why_then }}</th><th scope="col">{{ copy.why_now }}</th></tr></thead>
              <tbody><tr v-for="row in came.rows" :key="row.name"><th scope="row">{{ copy[row.name] }}</th><td>{{ row.before }}</td><td>{{ row.after }}</td></tr></tbody></table></div>
        </article>
      </div>
    </section>`,

  data() {
    return { decisions: null, chosen: null, came: NOT_ASKED };
  },

  computed: {
    first() {
      return this.chosen.why.voices[0];
    },
    others() {
      return this.chosen.why.voices.slice(1);
    },
    missing() {
      return this.chosen.why.layers_wished - this.others.length;
    },
    facts() {
      return factRows(this.chosen, this.copy);
    },
    factors() {
      return factorRows(this.first);
    },
    gap() {
      return gapParts(this.chosen.why.gap);
    },
  },

  methods: {
    figure,

    say: fill,

    when(decision) {
      return second(Date.parse(decision.at), this.nowMs);
    },

    page(decision) {
      return pageWords(decision, this.copy);
    },

    chance(voice) {
      return chanceWords(voice.chance, this.copy);
    },

    times(value) {
      return fill(this.copy.why_factor_is, { value: figure(value) });
    },

    /** The list anew; what is looked at stays, also when the list has gone on without it. */
    async read() {
      const { ok, data } = await this.client.get("operator/decisions", { limit: SHOWN });
      if (!ok) return;
      this.decisions = data.decisions;
      this.chosen ??= data.decisions[0] ?? null;
    },

    choose(decision) {
      this.chosen = decision;
      this.came = NOT_ASKED;
    },

    async again() {
      const asked = this.chosen;
      const { ok, data } = await this.client.get(`operator/decisions/${asked.id}/replay`);
      if (this.chosen !== asked) return;
      this.came = ok ? { bad: false, ...outcome(data, this.copy) } : { key: "why_again_failed", bad: true, rows: [] };
    },
  },
};
