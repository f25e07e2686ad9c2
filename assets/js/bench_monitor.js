/** Listening to the steward's own machine: a tone, and its microphone with a guard against howling. */

import { audioContext, unlock } from "context";
import { createMonitor } from "monitor";
import { createScope } from "scope";
import { monitorTone, playTone } from "test_tone";

export const BenchMonitor = {
  props: {
    copy: { type: Object, required: true },
    ops: { type: Object, required: true },
    figures: { type: Object, required: true },
  },
  template: `
    <section class="bench-part" id="monitor" aria-labelledby="h-monitor">
      <h2 id="h-monitor">{{ copy.monitor }}</h2>
      <p class="note">{{ copy.monitor_note }}</p>
      <div class="row"><button class="button" type="button" @click="tone">{{ ops.tone_here }}</button>
        <button class="button" type="button" :aria-pressed="String(listening)" @click="listen">{{ copy[listening ? 'live_stop' : 'live'] }}</button></div>
      <p class="note" role="status">{{ monitorSaid }}</p>
      <div class="bench-level" role="meter" aria-valuemin="-60" aria-valuemax="0" :aria-valuenow="Math.round(level)" :aria-label="copy.level">
        <i :style="{ inlineSize: Math.max(0, Math.min(100, (level + 60) / 0.6)) + '%' }"></i></div>
    </section>`,

  data() {
    return { listening: false, level: -120, monitorSaid: "" };
  },

  mounted() {
    this.scope = createScope();
  },

  unmounted() {
    this.scope.dispose();
  },

  methods: {
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
