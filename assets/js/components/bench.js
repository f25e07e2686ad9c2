/**
 * The bench: everything a steward may want to know and the rarer things to do. The server pushes `view`; lists are asked
 * for, and asked for again when the view says that something in them has changed.
 */

import { audioContext, unlock } from "context";
import { ago, clockTime, fill, gigabytes, moment, shares } from "ledger";
import { LedgerDevices, LedgerShape, LedgerTrail, LedgerWarnings } from "ledger_parts";
import { watchLink } from "link";
import { createMonitor } from "monitor";
import { createPlots } from "plots";
import { createScope } from "scope";
import { createStewardClient } from "steward_client";
import { monitorTone, playTone } from "test_tone";
import { restingTrace, seedOf, tracePath } from "trace";

const TICK_MS = 1000;
const PAGE = 25;
const TRAIL_PAGE = 25;
const PARTS = ["health", "waiting", "takes", "balance", "charts", "jobs", "retention", "budgets", "devices", "prompts", "trail",
  "fossils", "monitor"];
const EMPTY_FILTER = { since: "", until: "", station: "", topic: "", deployment: "", status: "" };

export default {
  components: { LedgerDevices, LedgerShape, LedgerTrail, LedgerWarnings },
  props: {
    copy: { type: Object, required: true },
    ops: { type: Object, required: true },
    times: { type: Object, required: true },
    node: { type: Object, required: true },
    choices: { type: Object, required: true },
    figures: { type: Object, required: true },
    plotly_url: { type: String, required: true },
    view: { type: Object, default: null },
  },
  template: `
    <div v-if="view === null || over" class="ops ops-over">
      <h1>{{ ops.over }}</h1>
      <p class="note">{{ ops.over_note }}</p>
      <p><a class="button button-primary" href="/ops/">{{ ops.over_again }}</a></p>
    </div>
    <div v-else class="ops bench" :data-state="view.state" :data-link="link">
      <header class="ops-head">
        <h1>{{ node.name }}</h1>
        <nav class="ops-ways" :aria-label="ops.pages">
          <a href="/ops/">{{ ops.page_room }}</a><a href="/ops/bench/" aria-current="page">{{ ops.page_bench }}</a>
        </nav>
        <span class="fine ops-who"><LedgerShape :of="view.state"/>{{ ops['state_' + view.state] }}</span>
        <form method="post" action="/ops/logout/"><button class="button" type="submit">{{ ops.sign_out }}</button></form>
      </header>
      <p v-if="link === 'lost'" class="ops-lost" role="alert">{{ say(ops.link_lost, { time: moment(view.now_ms, nowMs) }) }}</p>
      <nav class="bench-index" :aria-label="copy.index">
        <a v-for="name in parts" :key="name" :href="'#' + name">{{ copy[name] }}</a>
      </nav>
      <p class="ops-said" role="status" :data-bad="String(said.bad)">{{ said.words }}</p>

      <section class="bench-part" id="health" aria-labelledby="h-health">
        <h2 id="h-health">{{ copy.health }}</h2>
        <div class="bench-columns">
          <div><h3>{{ ops.components }}</h3><table><tbody>
            <tr v-for="(state, name) in view.components" :key="name"><th scope="row">{{ ops['component_' + name] }}</th>
              <td class="value"><LedgerShape :of="state"/>{{ ops['component_is_' + state] }}</td></tr>
          </tbody></table></div>
          <div><h3>{{ ops.troubles }}</h3>
            <LedgerWarnings :warnings="view.warnings" :copy="ops" :times="times" :now-ms="serverMs"/></div>
          <div><h3>{{ ops.sounding }}</h3>
            <p v-if="view.sounding.length === 0" class="note">{{ ops.sounding_none }}</p>
            <table v-else><tbody><tr v-for="voice in view.sounding" :key="voice.device_id">
              <th scope="row">{{ voice.caption }}<span class="fine">{{ voice.device }}</span></th>
              <td class="number">{{ say(ops.artifact, { id: voice.artifact_id }) }}</td></tr></tbody></table>
            <h3>{{ copy.disk }}</h3>
            <table><tbody>
              <tr><th scope="row">{{ copy.disk_free }}</th><td class="number">{{ gb(view.storage.free_bytes) }}</td></tr>
              <tr><th scope="row">{{ copy.disk_total }}</th><td class="number">{{ gb(view.storage.total_bytes) }}</td></tr>
              <tr><th scope="row">{{ copy.disk_reserve }}</th><td class="number">{{ gb(view.storage.reserve_bytes) }}</td></tr>
            </tbody></table></div>
        </div>
      </section>

      <section v-for="list in lists" :key="list.name" class="bench-part" :id="list.name" :aria-labelledby="'h-' + list.name">
        <h2 :id="'h-' + list.name">{{ copy[list.name] }}</h2>
        <p class="note">{{ copy[list.name + '_note'] }} <a v-if="list.name === 'takes'" href="/ops/#fix">{{ copy.takes_help }}</a></p>
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
                <input type="text" maxlength="64" :value="take.topic_tag" :aria-label="say(copy.topic_of, { id: take.id })"
                  :placeholder="copy.topic" @change="describe(take, { topic_tag: $event.target.value })">
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
      </section>

      <section class="bench-part" id="balance" aria-labelledby="h-balance">
        <h2 id="h-balance">{{ copy.balance }}</h2>
        <p class="note" v-if="!view.exact">{{ say(copy.counted, { ago: ago(view.counted_at_ms, serverMs, times) }) }}</p>
        <div class="bench-columns">
          <div v-for="group in balance" :key="group.name"><h3>{{ copy['balance_' + group.name] }}</h3><table><tbody>
            <tr v-for="row in group.rows" :key="row.name"><th scope="row">{{ row.name || copy.no_colour }}</th>
              <td class="bench-share"><i :style="{ inlineSize: row.share * 100 + '%' }"></i></td>
              <td class="number">{{ row.count }}</td><td class="number fine">{{ Math.round(row.share * 100) }} %</td></tr>
          </tbody></table></div>
        </div>
      </section>

      <section class="bench-part" id="charts" aria-labelledby="h-charts">
        <h2 id="h-charts">{{ copy.charts }}</h2>
        <div class="row"><button v-for="hours in [24, 168]" :key="hours" class="button" type="button" :aria-pressed="String(span === hours)"
          @click="draw(hours)">{{ copy['span_' + hours] }}</button></div>
        <p v-if="charts === 'failed'" class="note">{{ copy.charts_failed }}</p>
        <p v-else-if="charts === 'empty'" class="note">{{ copy.charts_empty }}</p>
        <div ref="charts" class="bench-charts"></div>
      </section>

      <section class="bench-part" id="jobs" aria-labelledby="h-jobs">
        <h2 id="h-jobs">{{ copy.jobs }}</h2>
        <table><tbody>
          <tr><th scope="row">{{ copy.queue_waiting }}</th><td class="number">{{ view.queue?.waiting ?? '–' }}</td></tr>
          <tr><th scope="row">{{ copy.queue_running }}</th><td class="number">{{ view.queue?.running ?? '–' }}</td></tr>
          <tr><th scope="row">{{ copy.queue_oldest }}</th><td class="number">{{ view.queue ? Math.round(view.queue.oldest_waiting_s) + ' s' : '–' }}</td></tr>
          <tr v-for="beat in view.heartbeats" :key="beat.role"><th scope="row">{{ ops['component_' + beat.role] }}</th>
            <td class="number">{{ ago(beat.seen_at_ms, serverMs, times) }}</td></tr>
        </tbody></table>
        <p v-if="view.failures.length === 0" class="note">{{ copy.failures_none }}</p>
        <table v-else class="bench-rows"><tbody>
          <tr v-for="failure in view.failures" :key="failure.job + failure.subject"><th scope="row">{{ failure.job }}<span class="fine">{{ failure.subject }}</span></th>
            <td>{{ failure.error }}<span class="fine">{{ say(copy.failure_attempts, { count: failure.attempts, ago: ago(failure.failed_at_ms, serverMs, times) }) }}</span></td>
            <td class="act"><button v-if="mayChange" class="button" type="button" @click="retry(failure)">{{ copy.retry }}</button></td></tr>
        </tbody></table>
      </section>

      <section class="bench-part" id="retention" aria-labelledby="h-retention">
        <h2 id="h-retention">{{ copy.retention }}</h2>
        <div class="bench-columns">
          <div><h3>{{ copy.held_now }}</h3><table><tbody>
            <tr v-for="name in ['raw_held', 'raw_expiring_soon', 'fossil_retained', 'fossil_residue_only']" :key="name">
              <th scope="row">{{ say(copy[name], { hours: view.retention.soon_window_hours }) }}</th><td class="number">{{ view.retention[name] }}</td></tr>
            <tr v-for="name in ['next_raw_expiry_at', 'next_fossil_expiry_at']" :key="name"><th scope="row">{{ copy[name] }}</th>
              <td class="number">{{ view.retention[name] ? moment(Date.parse(view.retention[name]), nowMs) : '–' }}</td></tr>
          </tbody></table></div>
          <div><h3>{{ copy.deletions }}</h3><table><tbody>
            <tr><th scope="row">{{ copy.deletions_due }}</th><td class="number">{{ view.tombstones.due }}</td></tr>
            <tr><th scope="row">{{ copy.deletions_failing }}</th><td class="number">{{ view.tombstones.failing }}</td></tr>
            <tr><th scope="row">{{ copy.deletions_oldest }}</th><td class="number">{{ view.tombstones.oldest_due_at_ms ? ago(view.tombstones.oldest_due_at_ms, serverMs, times) : '–' }}</td></tr>
            <tr><th scope="row">{{ copy.ended_expired }}</th><td class="number">{{ view.expired }}</td></tr>
            <tr><th scope="row">{{ copy.ended_revoked }}</th><td class="number">{{ view.revoked }}</td></tr>
          </tbody></table>
          <p class="row"><a class="button" href="/api/v1/operator/artifact-summary">{{ copy.summary }}</a></p></div>
        </div>
      </section>

      <section class="bench-part" id="budgets" aria-labelledby="h-budgets">
        <h2 id="h-budgets">{{ copy.budgets }}</h2>
        <div class="bench-scroll" role="group" tabindex="0" aria-labelledby="h-budgets"><table><thead><tr><th scope="col">{{ copy.budget }}</th><th scope="col" class="number">{{ copy.per_station }}</th>
          <th scope="col" class="number">{{ copy.per_address }}</th><th scope="col" class="number">{{ copy.window }}</th><th scope="col" class="number">{{ copy.denied }}</th></tr></thead><tbody>
          <tr v-for="(budget, name) in view.throttles" :key="name"><th scope="row">{{ copy['budget_' + name] ?? name }}</th>
            <td class="number">{{ budget.per_station }}</td><td class="number">{{ budget.per_address }}</td>
            <td class="number">{{ Math.round(budget.window_seconds / 60) }} min</td><td class="number">{{ budget.denied_last_hour }}</td></tr>
        </tbody></table></div>
      </section>

      <section class="bench-part" id="devices" aria-labelledby="h-devices">
        <h2 id="h-devices">{{ copy.devices }}</h2>
        <LedgerDevices :devices="view.devices" :copy="ops" :times="times" :now-ms="serverMs" :may-change="mayChange" full @ask="command"/>
        <form v-if="mayChange && view.devices.length" class="bench-filter" @submit.prevent="rename">
          <label class="ops-field"><span>{{ copy.rename }}</span><select v-model="naming.id"><option v-for="device in view.devices" :key="device.id" :value="device.id">{{ device.label }}</option></select></label>
          <label class="ops-field"><span>{{ copy.new_name }}</span><input type="text" maxlength="64" v-model="naming.name"></label>
          <div class="row"><button class="button" type="submit" :disabled="!naming.id || !naming.name.trim()">{{ ops.save }}</button></div>
        </form>
      </section>

      <section class="bench-part" id="prompts" aria-labelledby="h-prompts">
        <h2 id="h-prompts">{{ copy.prompts }}</h2>
        <p class="note">{{ copy.prompts_note }}</p>
        <table v-if="prompts && prompts.length" class="bench-rows"><tbody>
          <tr v-for="prompt in prompts" :key="prompt.id" :data-active="String(prompt.active)">
            <td><label class="ops-field"><span class="hidden-words">{{ copy.prompt }}</span><input type="text" maxlength="240" :value="prompt.text" :readonly="!mayChange"
              @change="changePrompt(prompt, { text: $event.target.value })"></label></td>
            <td class="fine">{{ copy[prompt.active ? 'prompt_used' : 'prompt_unused'] }}</td>
            <td class="act" v-if="mayChange"><button class="button" type="button" @click="changePrompt(prompt, { active: !prompt.active })">{{ copy[prompt.active ? 'prompt_stop' : 'prompt_use'] }}</button>
              <button class="button button-quiet" type="button" @click="removePrompt(prompt)">{{ copy.prompt_remove }}</button></td>
          </tr>
        </tbody></table>
        <form v-if="mayChange" class="bench-filter" @submit.prevent="addPrompt">
          <label class="ops-field"><span>{{ copy.prompt_new }}</span><input type="text" maxlength="240" v-model="newPrompt"></label>
          <div class="row"><button class="button" type="submit" :disabled="!newPrompt.trim()">{{ copy.prompt_add }}</button></div>
        </form>
      </section>

      <section class="bench-part" id="trail" aria-labelledby="h-trail">
        <h2 id="h-trail">{{ copy.trail }}</h2>
        <form class="bench-filter" @submit.prevent="readTrail()">
          <label class="ops-field"><span>{{ copy.words }}</span><input type="search" maxlength="200" v-model="words"></label>
          <div class="row"><button class="button" type="submit">{{ copy.search }}</button>
            <a class="button button-quiet" :href="csvUrl">{{ copy.csv }}</a></div>
        </form>
        <LedgerTrail v-if="trail" :actions="trail" :copy="ops" :times="times" :now-ms="serverMs"/>
        <div class="row" v-if="trailMore"><button class="button button-quiet" type="button" @click="readTrail(true)">{{ copy.more }}</button></div>
      </section>

      <section class="bench-part" id="fossils" aria-labelledby="h-fossils">
        <h2 id="h-fossils">{{ copy.fossils }}</h2>
        <p v-if="fossils !== null && fossils.length === 0" class="note">{{ copy.fossils_none }}</p>
        <ul v-else-if="fossils" class="bench-fossils"><li v-for="fossil in fossils" :key="fossil.image_url">
          <img :src="fossil.image_url" loading="lazy" :alt="say(copy.fossil, { id: fossil.artifact_id })">
          <span class="fine">{{ say(ops.artifact, { id: fossil.artifact_id }) }} · {{ moment(Date.parse(fossil.created_at), nowMs) }}</span></li></ul>
      </section>

      <section class="bench-part" id="monitor" aria-labelledby="h-monitor">
        <h2 id="h-monitor">{{ copy.monitor }}</h2>
        <p class="note">{{ copy.monitor_note }}</p>
        <div class="row"><button class="button" type="button" @click="tone">{{ ops.tone_here }}</button>
          <button class="button" type="button" :aria-pressed="String(listening)" @click="listen">{{ copy[listening ? 'live_stop' : 'live'] }}</button></div>
        <p class="note" role="status">{{ monitorSaid }}</p>
        <div class="bench-level" role="meter" aria-valuemin="-60" aria-valuemax="0" :aria-valuenow="Math.round(level)" :aria-label="copy.level">
          <i :style="{ inlineSize: Math.max(0, Math.min(100, (level + 60) / 0.6)) + '%' }"></i></div>
      </section>
    </div>`,

  data() {
    return {
      parts: PARTS, nowMs: Date.now(), aheadMs: 0, link: "up", over: false, said: { words: "", bad: false },
      lists: [{ name: "waiting", rows: null, more: false }, { name: "takes", rows: null, more: false }],
      filter: { ...EMPTY_FILTER }, chosen: [], asking: "", stationIds: [], statuses: [], span: 24, charts: "",
      naming: { id: "", name: "" }, prompts: null, newPrompt: "", trail: null, hearing: 0, trailMore: false, words: "", fossils: null,
      listening: false, level: -120, monitorSaid: "",
    };
  },

  computed: {
    mayChange() {
      return this.view.me.changes;
    },
    serverMs() {
      return this.nowMs + this.aheadMs;
    },
    balance() {
      return ["lanes", "moods", "memory_colors"].map((name) => ({ name, rows: shares(this.view[name]) }));
    },
    stations() {
      return this.stationIds.map((id) => ({ id, label: this.stationLabel(id) }));
    },
    csvUrl() {
      return `/api/v1/operator/actions/csv?limit=5000${this.words ? `&words=${encodeURIComponent(this.words)}` : ""}`;
    },
    /** What changed since lists were last asked for. */
    marks() {
      return this.view === null ? "" : `${this.view.marks.pool} ${this.view.marks.trail}`;
    },
  },

  watch: {
    view(view) {
      if (view !== null) this.aheadMs = view.now_ms - Date.now();
    },
    marks() {
      if (this.view !== null) this.readAgain();
    },
  },

  mounted() {
    this.scope = createScope();
    this.client = createStewardClient({
      fetch: (...given) => fetch(...given), timeoutMs: this.figures.answer_timeout_ms, onEnded: () => (this.over = true),
    });
    if (this.view === null) return;
    this.aheadMs = this.view.now_ms - Date.now();
    this.plots = createPlots({ url: this.plotly_url, place: this.$refs.charts, scope: this.scope });
    this.scope.interval(() => (this.nowMs = Date.now()), TICK_MS);
    watchLink((up) => (this.link = up ? "up" : "lost"), this.scope);
    this.readAgain();
    this.readPrompts();
    this.readFossils();
    this.draw(this.span);
    this.scope.interval(() => this.draw(this.span), this.figures.charts_every_ms);
    const asked = location.hash.slice(1);
    if (PARTS.includes(asked)) this.$nextTick(() => document.getElementById(asked)?.scrollIntoView());
  },

  unmounted() {
    this.player?.pause();
    this.monitor?.dispose();
    this.scope.dispose();
  },

  methods: {
    ago, clockTime, moment,

    say: fill,

    gb(bytes) {
      return fill(this.ops.gigabytes, { count: gigabytes(bytes) });
    },

    tell(words, bad = false) {
      this.said = { words, bad };
    },

    async send(path, body, done) {
      const answer = await this.client.post(path, body);
      if (answer.ok) this.tell(done);
      else this.tell(answer.status === 0 ? this.ops.failed_away : answer.sentence || this.ops.failed, true);
      return answer;
    },

    readAgain() {
      for (const list of this.lists) this.search(list);
      this.readTrail();
    },

    query(list) {
      if (list.name === "waiting") return { waiting: true };
      const at = (text) => (text ? new Date(text).toISOString() : "");
      return { ...this.filter, since: at(this.filter.since), until: at(this.filter.until) };
    },

    async search(list, more = false) {
      const shown = more ? list.rows : [];
      const limit = more ? PAGE : Math.min(200, Math.max(PAGE, list.rows?.length ?? 0));
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
      const box = { width: 112, height: 26, seed: seedOf(String(take.id)), figures: this.figures.trace };
      const drawn = take.outline ? tracePath(take.outline, { ...box, wear: take.wear }) : restingTrace(box);
      return { d: drawn.d, "stroke-width": drawn.strokeWidth, opacity: drawn.opacity, "stroke-dasharray": drawn.dash };
    },

    stationLabel(station) {
      const device = this.view.devices.find((one) => one.station === station && station !== "");
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
      if (!answer.ok) this.readAgain();
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

    retry(failure) {
      return this.send("operator/jobs/retry", { job: failure.job, subject: failure.subject }, this.copy.retried);
    },

    command(device, command) {
      return this.send(`operator/devices/${encodeURIComponent(device.id)}/${command}`, {}, fill(this.ops[`asked_${command}`], { name: device.label }));
    },

    async rename() {
      const path = `operator/devices/${encodeURIComponent(this.naming.id)}/name`;
      if ((await this.send(path, { name: this.naming.name }, this.ops.done)).ok) this.naming.name = "";
    },

    async readPrompts() {
      const { ok, data } = await this.client.get("operator/prompts");
      if (ok) this.prompts = data.prompts;
    },

    async addPrompt() {
      const text = this.newPrompt;
      if ((await this.send("operator/prompts", { text }, this.copy.prompt_added)).ok) this.newPrompt = "";
      this.readPrompts();
    },

    async changePrompt(prompt, change) {
      await this.send(`operator/prompts/${prompt.id}`, { ...change, version: prompt.version }, this.ops.done);
      this.readPrompts();
    },

    async removePrompt(prompt) {
      await this.send(`operator/prompts/${prompt.id}/remove`, {}, this.ops.done);
      this.readPrompts();
    },

    async readTrail(more = false) {
      const before = more ? this.trail.at(-1)?.id : null;
      const { ok, data } = await this.client.get("operator/actions", { words: this.words, before, limit: TRAIL_PAGE });
      if (!ok) return;
      this.trail = more ? [...this.trail, ...data.actions] : data.actions;
      this.trailMore = data.actions.length === TRAIL_PAGE;
    },

    async readFossils() {
      const { ok, data } = await this.client.get("derivatives/spectrograms");
      if (ok) this.fossils = data.spectrograms;
    },

    async draw(hours) {
      this.span = hours;
      const { ok, data } = await this.client.get("operator/charts", { hours });
      if (!ok) return;
      this.charts = data.figures.length === 0 ? "empty" : (await this.plots.draw(data.figures)) ? "" : "failed";
    },

    async tone() {
      const context = audioContext(this.figures.context);
      const heard = await unlock(context, this.figures.context);
      const { destination } = context;
      if (heard) playTone({ context, destination, tone: monitorTone(this.figures.tone), scope: this.scope });
      else this.monitorSaid = this.ops.tone_blocked;
    },

    async listen() {
      if (this.listening) {
        this.hush(this.copy.live_off);
        return;
      }
      const context = audioContext(this.figures.context);
      if (!(await unlock(context, this.figures.context))) {
        this.monitorSaid = this.ops.tone_blocked;
        return;
      }
      try {
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
        });
        this.monitor = createMonitor({
          context, figures: this.figures.tone, stream, scope: this.scope, onLevel: (db) => (this.level = db),
          onHowl: () => this.hush(this.copy.live_howl),
        });
        this.listening = true;
        this.monitorSaid = this.copy.live_on;
      } catch {
        this.monitorSaid = this.copy.live_refused;
      }
    },

    hush(words) {
      this.monitor?.dispose();
      this.monitor = null;
      this.listening = false;
      this.level = -120;
      this.monitorSaid = words;
    },
  },
};
