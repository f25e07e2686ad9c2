/** Parts of the steward's page that tell how safe the promise is, and let a steward see to it. */

import { ASKED, careRow, findingGroups, keptTiles } from "care";
import { LedgerShape } from "ledger_parts";

const WORDS = {
  view: { type: Object, required: true },
  copy: { type: Object, required: true },
  times: { type: Object, required: true },
  nowMs: { type: Number, required: true },
};
const words = ({ copy, times, nowMs }) => ({ copy, times, nowMs });

/** What is kept safe, one tile each: a shape and a word before any colour. */
export const LedgerKept = {
  components: { LedgerShape },
  props: WORDS,
  template: `<ul class="ops-kept">
      <li v-for="tile in tiles" :key="tile.name" :data-state="tile.state">
        <h4>{{ copy['kept_' + tile.name] }}</h4>
        <p class="ops-kept-is"><LedgerShape :of="tile.state"/>{{ copy['kept_is_' + tile.state] }}</p>
        <p v-for="line in tile.lines" :key="line" class="fine">{{ line }}</p>
      </li>
    </ul>
    <template v-if="found.length > 0">
      <h4 class="ops-found">{{ copy.findings }}</h4>
      <ol class="ops-warnings">
        <li v-for="one in found" :key="one.name" data-level="critical"><LedgerShape of="wrong"/>
          <span><strong>{{ copy['wrong_' + one.name] }}: {{ one.count }}.</strong> {{ copy['wrong_' + one.name + '_todo'] }}
            <span class="fine ops-subjects">{{ one.subjects.join(' · ') }}</span></span></li>
      </ol>
    </template>`,
  computed: {
    tiles() {
      return keptTiles(this.view, words(this));
    },
    found() {
      return findingGroups(this.view.care.audited);
    },
  },
};

/** Backup, export, audit: asked for, followed, and what came of the last. */
export const LedgerCare = {
  components: { LedgerShape },
  props: { ...WORDS, mayChange: { type: Boolean, required: true }, asked: { type: Array, required: true } },
  emits: ["want"],
  template: `<table class="ops-care"><tbody>
      <tr v-for="row in rows" :key="row.kind" :data-care="row.kind" :data-running="String(row.running !== null)">
        <th scope="row"><LedgerShape :of="row.running ? 'running' : row.state"/>{{ copy['care_is_' + row.kind] }}</th>
        <td>
          <span v-if="row.running" role="status">{{ row.running.line }}
            <progress :aria-label="row.running.line" :max="row.running.total || 1" :value="row.running.done"></progress></span>
          <span v-for="line in row.lines" :key="line" :class="{ fine: row.running !== null }">{{ line }}</span>
        </td>
        <td class="act" v-if="mayChange">
          <button class="button" type="button" :disabled="row.running !== null || asked.includes(row.kind)"
            @click="$emit('want', row.kind)">{{ copy['care_' + row.kind] }}</button>
        </td>
      </tr>
    </tbody></table>`,
  computed: {
    rows() {
      return ASKED.map((kind) => ({ kind, ...careRow(kind, this.view, words(this)) }));
    },
  },
};
