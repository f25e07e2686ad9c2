/** Held takes on the bench: those that wait for a steward, and every one there is, to find, hear, describe and take out. */

import { clockTime, fill, moment } from "ledger";
import { LedgerField } from "ledger_field";
import { LedgerShape } from "ledger_parts";
import { restingTrace, seedOf, tracePath } from "trace";

const PAGE = 25;
const MOST = 200;
const EMPTY_FILTER = { since: "", until: "", station: "", topic: "", deployment: "", status: "" };

export const BenchTakes = {
  components: { LedgerField, LedgerShape },
  props: {
    copy: { type: Object, required: true },
    ops: { type: Object, required: true },
    client: { type: Object, required: true },
    choices: { type: Object, required: true },
    trace: { type: Object, required: true },
    devices: { type: Array, required: true },
    nowMs: { type: Number, required: true },
    mayChange: { type: Boolean, required: true },
    send: { type: Function, required: true },
    tell: { type: Function, required: true },
  },
  template: `
    <section v-for="list in lists" :key="list.name" class="bench-part" :id="list.name" :aria-labelledby="'h-' + list.name">
      <h2 :id="'h-' + list.name">{{ copy[list.name] }}</h2>
      <p class="note">{{ copy[list.name + '_note'] }}</p>
      <details v-if="list.name === 'takes'" class="bench-help" id="lost-code"><summary>{{ copy.takes_help }}</summary><ol>
        <li v-for="step in helpSteps" :key="step">{{ copy[step] }}</li>
      </ol></details>
      <form v-if="list.name === 'takes'" class="bench-filter" @submit.prevent="search(list)">
        <label class="ops-field"><span>{{ copy.filter_since }}</span><input type="datetime-local" v-model="filter.since"></label>
        <label class="ops-field"><span>{{ copy.filter_until }}</span><input type="datetime-local" v-model="filter.until"></label>
        <label class="ops-field"><span>{{ copy.filter_station }}</span><select v-model="filter.station"><option value="">{{ copy.any }}</option>
          <option v-for="station in stations" :key="station.id" :value="station.id">{{ station.label }}</option></select></label>
        <label class="ops-field"><span>{{ copy.filter_topic }}</span><input type="text" maxlength="64" v-model="filter.topic"></label>
        <label class="ops-field"><span>{{ copy.filter_status }}</span><select v-model="filter.status"><option value="">{{ copy.any }}</option>
          <option v-for="status in statuses" :key="status" :value="status">{{ status }}</option></select></label>
        <label class="ops-field"><span>{{ copy.filter_deployment }}</span><select v-model="filter.deployment"><option value="">{{ copy.any }}</option>
          <option v-for="name in choices.deployments" :key="name" :value="name">{{ name }}</option></select></label>
        <div class="row"><button class="button" type="submit">{{ copy.search }}</button>
          <button class="button button-quiet" type="button" @click="forget(list)">{{ copy.all }}</button></div>
      </form>
      <div class="row" v-if="mayChange && list.name === 'takes' && chosen.length">
        <button class="button" type="button" @click="removeChosen">{{ say(asking === 'many' ? copy.remove_many_sure : copy.remove_many, { count: chosen.length }) }}</button>
        <button v-if="asking === 'many'" class="button button-quiet" type="button" @click="asking = ''">{{ copy.keep }}</button>
      </div>
      <p v-if="list.rows !== null && list.rows.length === 0" class="note">{{ copy.none_found }}</p>
      <table v-else-if="list.rows !== null" class="bench-rows"><tbody>
        <tr v-for="take in list.rows" :key="take.id" :data-review="take.review">
          <td v-if="mayChange && list.name === 'takes'"><label class="ops-check"><input type="checkbox" :value="take.id" v-model="chosen"
            :aria-label="say(copy.choose, { id: take.id })"></label></td>
          <th scope="row"><svg class="bench-trace" viewBox="0 0 112 26" preserveAspectRatio="none" aria-hidden="true"><path v-bind="line(take)"/></svg>
            {{ say(ops.artifact, { id: take.id }) }}<span class="fine">{{ moment(Date.parse(take.created_at), nowMs) }} · {{ clockTime(take.duration_ms) }} · {{ stationLabel(take.station) }}</span></th>
          <td><span>{{ takeWords(take) }}</span><span class="fine">{{ endWords(take) }}</span>
            <span v-if="take.review || take.flagged_at" class="fine"><LedgerShape of="warning"/>{{ reviewWords(take) }}</span></td>
          <td><button class="button" type="button" :aria-pressed="String(hearing === take.id)" :aria-label="say(copy.listen_to, { id: take.id })"
            @click="hear(take)">{{ copy[hearing === take.id ? 'listen_stop' : 'listen'] }}</button></td>
          <td class="act" v-if="mayChange"><div class="bench-edit">
              <LedgerField maxlength="64" :stored="take.topic_tag" :aria-label="say(copy.topic_of, { id: take.id })"
                :placeholder="copy.topic" @set="describe(take, { topic_tag: $event })"/>
              <select :value="take.lifecycle_status" :aria-label="say(copy.status_of, { id: take.id })"
                @change="describe(take, { lifecycle_status: $event.target.value })">
                <option v-for="status in statusChoices(take)" :key="status" :value="status">{{ status || copy.no_status }}</option></select>
              <button v-for="status in quick(take)" :key="status" class="button" type="button"
                @click="describe(take, { lifecycle_status: status })">{{ status }}</button>
            <button v-if="take.review || take.flagged_at" class="button" type="button" @click="act(take, 'pass', copy.passed)">{{ copy.pass }}</button>
            <button v-else class="button" type="button" @click="act(take, 'hold', ops.held)">{{ copy.hold }}</button>
            <button class="button" type="button" @click="remove(take)">{{ asking === take.id ? copy.remove_sure : copy.remove }}</button>
            <button v-if="asking === take.id" class="button button-quiet" type="button" @click="asking = ''">{{ copy.keep }}</button>
          </div></td>
        </tr>
      </tbody></table>
      <div class="row" v-if="list.more"><button class="button button-quiet" type="button" @click="search(list, true)">{{ copy.more }}</button></div>
    </section>`,

  data() {
    return {
      lists: [{ name: "waiting", rows: null, more: false }, { name: "takes", rows: null, more: false }],
      helpSteps: ["help_find", "help_listen", "help_remove", "help_tell"], filter: { ...EMPTY_FILTER }, chosen: [],
      asking: "", stationIds: [], statuses: [], hearing: 0,
    };
  },

  computed: {
    stations() {
      return this.stationIds.map((id) => ({ id, label: this.stationLabel(id) }));
    },
  },

  unmounted() {
    this.player?.pause();
  },

  methods: {
    clockTime, moment,

    say: fill,

    /** Everything anew; called again when something in it has changed. */
    read() {
      for (const list of this.lists) this.search(list);
    },

    query(list) {
      if (list.name === "waiting") return { waiting: true };
      const at = (text) => (text ? new Date(text).toISOString() : "");
      return { ...this.filter, since: at(this.filter.since), until: at(this.filter.until) };
    },

    async search(list, more = false) {
      const shown = more ? list.rows : [];
      const limit = more ? PAGE : Math.min(MOST, Math.max(PAGE, list.rows?.length ?? 0));
      const before = more ? shown.at(-1)?.id : null;
      const { ok, data } = await this.client.get("operator/archive", { ...this.query(list), before, limit });
      if (!ok) return;
      list.rows = [...shown, ...data.artifacts];
      list.more = data.next_before !== null;
      if (list.name !== "takes") return;
      this.stationIds = data.stations;
      this.statuses = data.statuses;
      const here = new Set(list.rows.map((take) => take.id));
      this.chosen = this.chosen.filter((id) => here.has(id));
    },

    forget(list) {
      this.filter = { ...EMPTY_FILTER };
      this.search(list);
    },

    /** The trace of a take, as the kiosk and the wall draw it. */
    line(take) {
      const box = { width: 112, height: 26, seed: seedOf(String(take.id)), figures: this.trace };
      const drawn = take.outline ? tracePath(take.outline, { ...box, wear: take.wear }) : restingTrace(box);
      return { d: drawn.d, "stroke-width": drawn.strokeWidth, opacity: drawn.opacity, "stroke-dasharray": drawn.dash };
    },

    stationLabel(station) {
      const device = this.devices.find((one) => one.station === station && station !== "");
      return device?.label ?? (station ? station.slice(0, 8) : this.copy.no_station);
    },

    takeWords(take) {
      return fill(this.copy.take, {
        mode: this.copy[`mode_${take.kind}`], count: take.play_count, wear: Math.round(take.wear * 100),
      });
    },

    endWords(take) {
      return fill(this.copy.ends, { when: moment(Date.parse(take.expires_at), this.nowMs) });
    },

    reviewWords(take) {
      return this.copy[`review_${take.review || "asked"}`];
    },

    statusChoices(take) {
      return [...new Set(["", ...this.choices.statuses, ...this.statuses, take.lifecycle_status])];
    },

    /** The deployment's own statuses, one click away. */
    quick(take) {
      return this.choices.statuses.filter((status) => status !== take.lifecycle_status).slice(0, 2);
    },

    /** As it was left, without wear: nobody is counted as having heard it. */
    hear(take) {
      this.player ??= new Audio();
      this.player.pause();
      if (this.hearing === take.id) {
        this.hearing = 0;
        return;
      }
      this.hearing = take.id;
      this.player.src = take.audio_url;
      this.player.onended = () => (this.hearing = 0);
      this.player.play().catch(() => {
        if (this.hearing !== take.id) return;
        this.hearing = 0;
        this.tell(this.copy.listen_failed, true);
      });
    },

    async describe(take, change) {
      const body = { topic_tag: take.topic_tag, lifecycle_status: take.lifecycle_status, ...change, version: take.version };
      const answer = await this.send(`operator/artifacts/${take.id}/metadata`, body, this.ops.done);
      if (!answer.ok) this.read();
    },

    act(take, what, done) {
      return this.send(`operator/artifacts/${take.id}/${what}`, {}, done);
    },

    /** Asked twice: nobody brings a removed voice back. */
    async remove(take) {
      if (this.asking !== take.id) {
        this.asking = take.id;
        return;
      }
      this.asking = "";
      const answer = await this.send(`operator/artifacts/${take.id}/remove`, {}, "");
      if (answer.ok) this.tell(this.copy[answer.data.verified_gone_at ? "removed" : "removed_waiting"]);
    },

    async removeChosen() {
      if (this.asking !== "many") {
        this.asking = "many";
        return;
      }
      this.asking = "";
      const answer = await this.send("operator/artifacts/remove", { ids: this.chosen }, "");
      if (!answer.ok) return;
      const removed = answer.data.results.filter((one) => one.ok).length;
      this.tell(fill(this.copy.removed_many, { count: removed, of: answer.data.results.length }));
      this.chosen = [];
    },
  },
};
