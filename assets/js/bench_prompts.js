/** Prompts of the kiosk on the bench. */

import { fill } from "ledger";
import { LedgerField } from "ledger_field";

export const BenchPrompts = {
  components: { LedgerField },
  props: {
    copy: { type: Object, required: true },
    ops: { type: Object, required: true },
    languages: { type: Object, required: true },
    client: { type: Object, required: true },
    mayChange: { type: Boolean, required: true },
    send: { type: Function, required: true },
  },
  template: `
    <section class="bench-part" id="prompts" aria-labelledby="h-prompts">
      <h2 id="h-prompts">{{ copy.prompts }}</h2>
      <p class="note">{{ copy.prompts_note }}</p>
      <table v-if="prompts && prompts.length" class="bench-rows"><tbody>
        <tr v-for="prompt in prompts" :key="prompt.id" :data-active="String(prompt.active)">
          <td><label class="ops-field"><span class="hidden-words">{{ copy.prompt }}</span><LedgerField maxlength="240" :lang="prompt.language" dir="auto" :stored="prompt.text" :readonly="!mayChange"
            @set="changePrompt(prompt, { text: $event })"/></label></td>
          <td class="fine" :lang="prompt.language">{{ languages[prompt.language] ?? prompt.language }}</td>
          <td class="fine">{{ copy[prompt.active ? 'prompt_used' : 'prompt_unused'] }}</td>
          <td class="act" v-if="mayChange"><button class="button" type="button" @click="changePrompt(prompt, { active: !prompt.active })">{{ copy[prompt.active ? 'prompt_stop' : 'prompt_use'] }}</button>
            <button class="button button-quiet" type="button" @click="removePrompt(prompt)">{{ copy.prompt_remove }}</button></td>
        </tr>
      </tbody></table>
      <form v-if="mayChange" class="bench-filter" @submit.prevent="addPrompt">
        <label class="ops-field"><span>{{ copy.prompt_new }}</span><input type="text" maxlength="240" dir="auto" :lang="language" v-model="newPrompt"></label>
        <label class="ops-field"><span>{{ copy.prompt_language }}</span><select v-model="language">
          <option v-for="(name, tag) in languages" :key="tag" :value="tag">{{ name }}</option></select></label>
        <div class="row"><button class="button" type="submit" :disabled="!newPrompt.trim()">{{ copy.prompt_add }}</button></div>
      </form>
      <div v-if="mayChange && packs.length" class="bench-packs">
        <p class="note">{{ copy.packs_note }}</p>
        <table class="bench-rows"><tbody>
          <tr v-for="one in packs" :key="one.pack">
            <th scope="row">{{ one.name }}</th>
            <td class="fine">{{ one.texts.join(' ') }}</td>
            <td class="act"><button class="button" type="button" :aria-label="say(copy.pack_add, one)" @click="addPack(one)">{{ copy.prompt_add }}</button></td>
          </tr>
        </tbody></table>
      </div>
    </section>`,

  data() {
    return { prompts: null, packs: [], newPrompt: "", language: "en" };
  },

  mounted() {
    this.readPrompts();
  },

  methods: {
    say: fill,

    async readPrompts() {
      const { ok, data } = await this.client.get("operator/prompts");
      if (ok) ({ prompts: this.prompts, packs: this.packs } = data);
    },

    async addPack({ pack }) {
      await this.send(`operator/prompts/packs/${pack}`, {}, this.copy.pack_added);
      this.readPrompts();
    },

    async addPrompt() {
      const { newPrompt: text, language } = this;
      if ((await this.send("operator/prompts", { text, language }, this.copy.prompt_added)).ok) this.newPrompt = "";
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
  },
};
