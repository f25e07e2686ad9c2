/** What stands on the kiosk, stage by stage; names are those of the component (components/recorder). */
export const KIOSK = `
<section class="kiosk" :lang="said.language" :dir="said.direction" :aria-label="t('label')" :data-stage="state.stage"
  :data-mode="state.mode" :data-error="state.error" :data-outcome="state.outcome" :data-blocked="state.policy.blocked"
  :data-quiet="String(inGate)" :data-contrast="contrast" :data-size="size" :data-reduced-motion="String(stillness)"
  :data-layout="fittings.layout" :data-sounding="state.sounding"
  @pointerdown="touch">
  <header class="kiosk-head">
    <span class="kiosk-name">{{ node.name }}</span>
    <span class="kiosk-theme" v-if="surface.session_theme_title && state.stage !== 'idle'">{{ surface.session_theme_title }}</span>
  </header>

  <div class="kiosk-body">
    <div class="kiosk-words">
      <h1 ref="heading" tabindex="-1" class="kiosk-question" :lang="heading.language" :dir="heading.direction">{{ heading.invitation }}</h1>
      <p class="kiosk-lead lead" :role="state.notice ? 'alert' : null">{{ lead }}</p>
      <p v-if="state.stage === 'idle' && state.policy.blocked && surface.kiosk_closed_words" class="kiosk-own" dir="auto">{{ surface.kiosk_closed_words }}</p>
    </div>

    <div class="kiosk-line">
      <svg ref="trace" class="trace" :style="tint" aria-hidden="true">
        <defs><clipPath id="kiosk-heard"><rect ref="heard" x="0" y="-9" height="999" width="0"/></clipPath></defs>
        <path ref="ghost" class="kiosk-ghost"/>
        <path ref="ink" class="kiosk-ink"/>
      </svg>
      <KioskTrim v-if="choosing" :copy="said.copy" :direction="said.direction" :trim="state.trim" :duration-ms="state.take.durationMs"
        :step-ms="figures.kiosk.trim_step_ms" :fixed="state.uncertain" @trim="dispatch('trim', $event)"/>
      <p v-if="state.stage === 'countdown'" class="kiosk-breath figures" aria-hidden="true">
        <span :key="count">{{ count }}</span>
      </p>
      <div v-if="state.stage === 'recording'" class="kiosk-time figures" role="timer">
        <span class="kiosk-elapsed">{{ t('elapsed') }}</span>
        <span class="kiosk-limit" aria-hidden="true"><i :style="{ inlineSize: spent + '%' }"></i></span>
        <span class="kiosk-remaining">{{ t('remaining') }}</span>
      </div>
    </div>

    <fieldset v-if="choosing" class="kiosk-colours" role="radiogroup" :disabled="state.uncertain">
      <legend>{{ t('colours') }}</legend>
      <label v-for="choice in sounds" :key="choice.code" class="kiosk-colour" :data-chosen="String(state.colour === choice.code)">
        <input type="radio" name="kiosk-colour" :value="choice.code" :checked="state.colour === choice.code"
          @change="dispatch('colour', { colour: choice.code })">
        <span>{{ choice.words }}</span>
      </label>
    </fieldset>

    <fieldset v-if="choosing && state.policy.topics.length" class="kiosk-colours kiosk-topics" role="radiogroup" :disabled="state.uncertain">
      <legend>{{ t('topics') }}</legend>
      <label v-for="choice in topics" :key="choice.topic" class="kiosk-colour" :data-chosen="String(state.topic === choice.topic)">
        <input type="radio" name="kiosk-topic" :value="choice.topic" :checked="state.topic === choice.topic"
          @change="dispatch('topic', { topic: choice.topic })">
        <span dir="auto">{{ choice.words }}</span>
      </label>
    </fieldset>

    <fieldset v-if="choosing" class="kiosk-choices" role="radiogroup" :disabled="state.uncertain">
      <legend class="hidden-words">{{ t('choices') }}</legend>
      <label v-for="(mode, index) in modes" :key="mode" class="kiosk-choice" :data-chosen="String(state.mode === mode)">
        <input type="radio" name="kiosk-mode" :value="mode" :checked="state.mode === mode"
          :aria-describedby="'kiosk-promise-' + mode" @change="dispatch('mode', { mode })">
        <kbd v-if="keyed" class="kiosk-key kiosk-choice-key" aria-hidden="true">{{ index + 1 }}</kbd>
        <span class="kiosk-choice-words">
          <span class="kiosk-choice-name">{{ consent(mode).name }}</span>
          <span class="kiosk-choice-promise" :id="'kiosk-promise-' + mode">{{ consent(mode).promise }}</span>
        </span>
      </label>
    </fieldset>

    <div v-if="state.outcome === 'kept'" class="kiosk-receipt">
      <div class="kiosk-square" role="img" :aria-label="t('square')" v-html="state.receipt.receipt.qr"></div>
      <div class="kiosk-kept">
        <p class="code" role="img" :aria-label="t('code_label')"><span v-for="(group, index) in code" :key="index">{{ group }}</span></p>
        <p class="kiosk-promise">{{ promise }}</p>
        <p class="note">{{ t('take_back') }}<br>{{ t('ask') }}</p>
      </div>
    </div>
  </div>

  <div v-if="state.stage === 'idle'" class="kiosk-languages" role="group" :aria-label="t('languages')">
    <button v-for="one in languages" :key="one.language" type="button" class="kiosk-language" :lang="one.language"
      :dir="one.direction" :aria-pressed="String(one.language === said.language)"
      @click="dispatch('language', { language: one.language })">{{ one.name }}</button>
    <kbd v-if="keyed" class="kiosk-key" aria-hidden="true">{{ keyFor('nextLanguage') }}</kbd>
  </div>

  <div class="kiosk-actions">
    <p v-if="aside" class="kiosk-aside note">{{ aside }}</p>
    <div class="kiosk-primary">
      <button v-if="screen.primary" type="button" :class="['button', 'button-primary', { 'button-clay': screen.accent }]"
        :aria-disabled="screen.primary.event ? null : 'true'" @click="press(screen.primary.event)">{{ t(screen.primary.label) }} <kbd v-if="keyed && screen.primary.event" class="kiosk-key" aria-hidden="true">{{ keyFor('primary') }}</kbd></button>
    </div>
    <div class="kiosk-secondary">
      <button v-for="action in secondary" :key="action.label" type="button" class="button button-quiet"
        :data-action="action.event" @click="press(action.event)">{{ t(action.label) }} <kbd v-if="keyed && keyFor(action.event)" class="kiosk-key" aria-hidden="true">{{ keyFor(action.event) }}</kbd></button>
    </div>
  </div>
  <p class="hidden-words" aria-live="polite">{{ announcement }}</p>
  <p class="kiosk-called" role="status" :data-called="String(called !== '')">{{ called }}</p>
  <div v-if="state.outcome === 'kept'" class="slip" aria-hidden="true">
    <p class="slip-place"><strong>{{ node.name }}</strong><br>{{ node.location }}</p>
    <svg class="slip-line" :viewBox="slip.box" preserveAspectRatio="none"><path :d="slip.d" :stroke-width="slip.strokeWidth"/></svg>
    <p class="slip-says">{{ promise }}</p>
    <p class="slip-label">{{ t('slip_code') }}</p>
    <p class="slip-code"><span v-for="(group, index) in code" :key="index">{{ group }}</span></p>
    <p class="slip-label">{{ t('slip_take_back') }}</p>
    <div class="slip-square" v-html="state.receipt.receipt.qr"></div>
    <p class="slip-label"><bdi>{{ address }}</bdi><br>{{ t('ask') }}</p>
  </div>
</section>
`;
