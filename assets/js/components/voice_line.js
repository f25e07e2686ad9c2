/** One trace as large as its element: drawn anew when the element changes its size, and at rest without points. */

import { restingTrace, seedOf, tracePath } from "trace";

export default {
  props: {
    figures: { type: Object, required: true },
    seed: { type: String, required: true },
    label: { type: String, required: true },
    points: { type: Array, default: () => [] },
    wear: { type: Number, default: 0 },
  },
  template: `
    <div role="img" :aria-label="label">
      <svg class="trace" aria-hidden="true" width="100%" height="100%" :viewBox="'0 0 ' + width + ' ' + height">
        <path v-if="width" :d="line.d" :stroke-width="line.strokeWidth" :opacity="line.opacity" :stroke-dasharray="line.dash" />
      </svg>
    </div>`,

  data() {
    return { width: 0, height: 0 };
  },

  computed: {
    line() {
      const { width, height, figures, wear } = this;
      const box = { width, height, figures, seed: seedOf(this.seed) };
      return this.points.length > 0 ? tracePath(this.points, { ...box, wear }) : restingTrace(box);
    },
  },

  mounted() {
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      this.width = contentRect.width;
      this.height = contentRect.height;
    });
    this.sizes.observe(this.$el);
  },

  unmounted() {
    this.sizes.disconnect();
  },
};
