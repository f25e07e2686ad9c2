/** A field of a row that is drawn anew under whoever types in it. */

/**
 * What is stored, until somebody types; `set` is emitted with what was typed, once they are done. It stands until what is
 * stored has changed: whoever is refused can read the reason and try again.
 */
export const LedgerField = {
  props: { stored: { type: String, required: true } },
  emits: ["set"],
  template: `<input type="text" :value="typed ?? stored" @input="type($event.target.value)" @change="send" @blur="leave">`,

  data() {
    return { typed: null, sent: false };
  },

  watch: {
    stored() {
      if (this.sent) this.typed = null;
    },
  },

  methods: {
    type(words) {
      this.typed = words;
      this.sent = false;
    },

    send() {
      this.sent = true;
      this.$emit("set", this.typed);
    },

    leave() {
      if (!this.sent) this.typed = null;
    },
  },
};
