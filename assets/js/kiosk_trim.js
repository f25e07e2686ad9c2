/** Two handles on the line of a take: what lies between them is what is kept. */

import { clockTime, sentence } from "ritual_screen";
import { movedByKey, shareAt, trimmed } from "trim";

const EDGES = ["start", "end"];

export const KioskTrim = {
  props: {
    copy: { type: Object, required: true },
    direction: { type: String, required: true },
    trim: { type: Object, required: true },
    durationMs: { type: Number, required: true },
    stepMs: { type: Number, required: true },
    fixed: { type: Boolean, required: true },
  },
  emits: ["trim"],
  template: `
    <div class="kiosk-trim" role="group" :aria-label="copy.trim" ref="line">
      <button v-for="edge in edges" :key="edge" type="button" role="slider" class="kiosk-edge" :data-edge="edge" :data-held="String(held === edge)"
        :disabled="fixed" :style="{ insetInlineStart: share(edge) + '%' }" :aria-label="copy['trim_' + edge]" aria-valuemin="0"
        :aria-valuemax="durationMs" :aria-valuenow="at(edge)" :aria-valuetext="said(edge)" @keydown="key(edge, $event)"
        @pointerdown="hold(edge, $event)" @pointermove="drag(edge, $event)" @pointerup="held = ''" @pointercancel="held = ''">
        <span class="kiosk-edge-time figures" aria-hidden="true">{{ time(at(edge)) }}</span></button>
    </div>`,

  data() {
    return { held: "" };
  },

  computed: {
    edges: () => EDGES,
  },

  methods: {
    at(edge) {
      return this.trim[`${edge}Ms`];
    },

    share(edge) {
      return (this.at(edge) / this.durationMs) * 100;
    },

    time(ms) {
      return clockTime(ms / 1000);
    },

    said(edge) {
      return sentence(this.copy, "trim_at", { at: this.time(this.at(edge)), length: this.time(this.durationMs) });
    },

    move(edge, atMs) {
      this.$emit("trim", trimmed(edge, atMs, this.trim));
    },

    hold(edge, press) {
      this.held = edge;
      press.target.setPointerCapture(press.pointerId);
    },

    drag(edge, press) {
      if (this.held !== edge) return;
      const share = shareAt(press.clientX, this.$refs.line.getBoundingClientRect(), this.direction);
      this.move(edge, share * this.durationMs);
    },

    key(edge, press) {
      const { durationMs, stepMs, direction } = this;
      const atMs = movedByKey(press.key, { atMs: this.at(edge), durationMs, stepMs, direction });
      if (atMs === null) return;
      press.preventDefault();
      this.move(edge, atMs);
    },
  },
};
