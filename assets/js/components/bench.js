/**
 * The bench: everything a steward may want to know and the rarer things to do. The server pushes `view`; lists are asked
 * for, and asked for again when the view says that something in them has changed.
 */

import { BenchMonitor } from "bench_monitor";
import { BenchPrompts } from "bench_prompts";
import { BenchTakes } from "bench_takes";
import { BenchWhy } from "bench_why";
import { ago, fill, gigabytes, moment, shares } from "ledger";
import { LedgerDevices, LedgerShape, LedgerTrail, LedgerWarnings } from "ledger_parts";
import { watchLink } from "link";
import { createPlots } from "plots";
import { createScope } from "scope";
import { createStewardClient } from "steward_client";

const TICK_MS = 1000;
const TRAIL_PAGE = 25;
const PARTS = ["health", "waiting", "takes", "why", "balance", "charts", "jobs", "retention", "budgets", "devices", "prompts",
  "trail", "fossils", "monitor"];

export default {
  components: { BenchMonitor, BenchPrompts, BenchTakes, BenchWhy, LedgerDevices, LedgerShape, LedgerTrail, LedgerWarnings },
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
          <a href="/ops/">{{ ops.page_room }}</a><a href="/ops/bench/" aria-current="page">{{ ops.page_bench }}</a><a href="/docs/">{{ ops.page_docs }}</a>
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


      <BenchTakes ref="takes" :client="client" :copy="copy" :ops="ops" :choices="choices" :trace="figures.trace" :devices="view.devices"
        :now-ms="nowMs" :may-change="mayChange" :tell="tell" :send="send"/>

      <BenchWhy ref="why" :client="client" :copy="copy" :now-ms="nowMs"/>

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


      <BenchPrompts :client="client" :copy="copy" :ops="ops" :languages="choices.languages" :may-change="mayChange" :send="send"/>

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

      <BenchMonitor :copy="copy" :ops="ops" :figures="figures"/>
    </div>`,

  data() {
    return {
      parts: PARTS, nowMs: Date.now(), aheadMs: 0, link: "up", over: false, said: { words: "", bad: false },
      span: 24, charts: "", naming: { id: "", name: "" }, trail: null, trailMore: false, words: "", fossils: null,
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
    csvUrl() {
      return `/api/v1/operator/actions/csv?limit=5000${this.words ? `&words=${encodeURIComponent(this.words)}` : ""}`;
    },
    /** What changed since lists were last asked for. */
    marks() {
      return this.view === null ? "" : `${this.view.marks.pool} ${this.view.marks.trail}`;
    },
    /** Which voices sound where: another one means that a page has chosen. */
    sounding() {
      return this.view === null ? "" : this.view.sounding.map((voice) => `${voice.device_id} ${voice.artifact_id}`).join();
    },
  },

  watch: {
    view(view) {
      if (view !== null) this.aheadMs = view.now_ms - Date.now();
    },
    marks() {
      if (this.view !== null) this.readAgain();
    },
    sounding() {
      this.$refs.why?.read();
    },
  },

  created() {
    this.client = createStewardClient({
      fetch: (...given) => fetch(...given), timeoutMs: this.figures.answer_timeout_ms, onEnded: () => (this.over = true),
    });
  },

  mounted() {
    this.scope = createScope();
    if (this.view === null) return;
    this.aheadMs = this.view.now_ms - Date.now();
    this.plots = createPlots({ url: this.plotly_url, place: this.$refs.charts, scope: this.scope });
    this.scope.interval(() => (this.nowMs = Date.now()), TICK_MS);
    watchLink((up) => (this.link = up ? "up" : "lost"), this.scope);
    this.readAgain();
    this.readFossils();
    this.draw(this.span);
    this.scope.interval(() => this.draw(this.span), this.figures.charts_every_ms);
    const asked = location.hash.slice(1);
    if (PARTS.includes(asked)) this.$nextTick(() => document.getElementById(asked)?.scrollIntoView());
  },

  unmounted() {
    this.scope.dispose();
  },

  methods: {
    ago, moment,

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
      this.$refs.takes.read();
      this.$refs.why.read();
      this.readTrail();
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
  },
};
