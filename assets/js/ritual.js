/**
 * The kiosk ritual as a pure reducer: `reduce(state, event) -> {state, effects}`.
 *
 * Nothing here touches the DOM, the network, a clock or a source of chance. Every event carries `nowMs` (a
 * monotonic clock); events that answer an effect also carry the `run` they belong to, so that an answer which
 * arrives after the participant has left cannot bring a take back.
 *
 *   idle -> arming -> armed -> countdown -> recording -> review -> submitting -> complete -> idle
 *     \________________ a take that was left behind _________/
 *                \________ error ________________/            ^________/
 *
 * Effects (carried out by the recorder component):
 *   openMicrophone {run}   closeMicrophone {run}   startRecording {run}   stopRecording {run}
 *   tone {pitch: "tick" | "last"}   check {run}: a tone, then a voice   read {run, stage}   hush: neither, nor reading
 *   listen {run, colour, trim}      stopListening
 *   submit {run, mode, colour, topic, trim, idempotencyKey}     abandonSubmission {run}
 *   wipe {run}             forget samples, WAV and receipt of that run, in memory and on the disk
 *   unkeep                 destroy what the disk holds of the take; it goes on in memory
 *   handIn, with what submit has   send once more, for a steward, what nobody waits for; then forget it
 *   print                  the receipt, on whatever the browser prints on
 *
 * @typedef {{type: string, [key: string]: unknown}} Effect
 * @typedef {{type: string, nowMs: number, run?: number, [key: string]: any}} RitualEvent
 * @typedef {{durationMs: number, flaw: string, key: string}} Take `flaw` is one of FLAWS, "" for none; `key` is the take's
 *   idempotency key
 * @typedef {{startMs: number, endMs: number}} Trim what is kept of a take, in its own time
 * @typedef {{blocked: string, maxRecordingMs: number, language: string, topics: string[], prints: boolean}} Policy
 *   `blocked` is one of DOORS; `language` is spoken while nobody has chosen another; `prints`: receipts are printed unasked
 * @typedef {{
 *   stage: string, run: number, nowMs: number, sinceMs: number, touchedMs: number,
 *   figures: Record<string, number>, colours: string[], languages: string[], policy: Policy, limitMs: number, beats: number,
 *   stopping: boolean, ended: string, take: Take | null, trim: Trim | null, keptFlaw: boolean, listening: boolean,
 *   sounding: string, mode: string, colour: string, topic: string, uncertain: boolean, notice: {kind: string, waitS: number} | null,
 *   playingOnce: boolean, outcome: string, receipt: object | null, error: string, language: string,
 * }} RitualState `ended` says why a recording did: one of ENDS, "" by its speaker; `sounding` what the kiosk itself says
 *   just now: one of SOUNDS
 */

export const STAGES = Object.freeze([
  "idle", "arming", "armed", "countdown", "recording", "review", "submitting", "complete", "error",
]);

export const MODES = Object.freeze(["ROOM", "FOSSIL", "NOSAVE"]);

/** Errors after which the microphone is worth asking for again. */
export const MICROPHONE_ERRORS = Object.freeze(["denied", "absent", "busy", "insecure", "unsupported", "lost"]);

export const ERRORS = Object.freeze([...MICROPHONE_ERRORS, "too_short", "silent", "refused"]);

/** What makes a take worth a second thought. */
export const FLAWS = Object.freeze(["quiet", "clipped"]);

export const ENDS = Object.freeze(["", "full", "lost", "hidden"]);

export const SOUNDS = Object.freeze(["", "tone", "check", "reading"]);

/** Refused for now: the take stays in review and may be sent again. */
export const NOTICES = Object.freeze(["away", "paused", "budget", "full"]);

/** How the way in stands; "" while it is open. */
export const DOORS = Object.freeze(["", "closed", "maintenance", "paused", "clock", "full", "budget"]);

export const OUTCOMES = Object.freeze(["kept", "heard", "gone", "expiring"]);

const FIGURES = [
  "countdown_s", "shortest_take_ms", "arming_timeout_s", "armed_timeout_s", "stop_timeout_s", "review_timeout_s",
  "review_counted_s", "complete_return_s", "once_return_s", "error_return_s", "language_return_s",
];

const EMPTY = Object.freeze({
  beats: 0, limitMs: 0, stopping: false, ended: "", take: null, trim: null, keptFlaw: false, listening: false, sounding: "",
  mode: "", colour: "", topic: "", uncertain: false, notice: null, playingOnce: false, outcome: "", receipt: null, error: "",
});

/**
 * @param {{figures: Record<string, number>, colours: string[], languages: string[], policy: Policy, nowMs: number}} options
 *   `colours`: the codes of the memory colours there are; `languages`: those to choose from
 * @returns {RitualState} its `colour` is "" while the take is to be heard as it was spoken, its `language` "" while nobody
 *   has chosen one; a choice lasts for one participant
 */
export function initialState({ figures, colours, languages, policy, nowMs }) {
  for (const name of FIGURES) {
    if (!Number.isFinite(figures[name])) throw new TypeError(`ritual: figure ${name} is missing`);
  }
  if (!Array.isArray(colours)) throw new TypeError("ritual: the colours are missing");
  if (!Array.isArray(languages)) throw new TypeError("ritual: the languages are missing");
  checkPolicy(policy);
  return { ...EMPTY, stage: "idle", run: 1, nowMs, sinceMs: nowMs, touchedMs: nowMs, figures, colours, languages, policy, language: "" };
}

/**
 * @param {RitualState} state
 * @param {RitualEvent} event
 * @returns {{state: RitualState, effects: Effect[]}}
 */
export function reduce(state, event) {
  if (!Number.isFinite(event.nowMs)) throw new TypeError(`ritual: ${event.type} carries no nowMs`);
  if (!EVENTS.has(event.type)) throw new TypeError(`ritual: unknown event ${event.type}`);
  const now = { ...state, nowMs: Math.max(state.nowMs, event.nowMs) };
  if (event.run !== undefined && event.run !== state.run) return stale(now, event);
  const handle = RITUAL[state.stage][event.type] ?? EVERYWHERE[event.type] ?? stay;
  return handle(TOUCHES.has(event.type) ? { ...now, touchedMs: now.nowMs } : now, event);
}

/**
 * Seconds left until the kiosk acts by itself, or null while nothing is counted.
 * @param {RitualState} state
 * @returns {number | null}
 */
export function secondsLeft(state) {
  const limitS = timeoutS(state);
  if (limitS === null) return null;
  return Math.max(0, Math.ceil((state.touchedMs + limitS * 1000 - state.nowMs) / 1000));
}

/** The language to speak in. @param {RitualState} state @returns {string} */
export function spoken(state) {
  return state.language || state.policy.language;
}

/** How long the current stage waits for a sign of life, in seconds; null: for ever. */
function timeoutS({ stage, figures, listening, sounding, stopping, outcome, language }) {
  if (sounding === "reading") return null;
  if (stage === "idle") return language === "" ? null : figures.language_return_s;
  if (stage === "arming") return figures.arming_timeout_s;
  if (stage === "armed") return figures.armed_timeout_s;
  if (stage === "recording") return stopping ? figures.stop_timeout_s : null;
  if (stage === "review") return listening ? null : figures.review_timeout_s;
  if (stage === "complete") return outcome === "kept" ? figures.complete_return_s : figures.once_return_s;
  if (stage === "error") return figures.error_return_s;
  return null;
}

// --- the stages -----------------------------------------------------------------------------------------

const IDLE = {
  primary: (state) => (state.policy.blocked ? stay(state) : arm(state)),
  monitor: check,
  language(state, { language }) {
    if (!state.languages.includes(language)) throw new TypeError(`ritual: unknown language ${language}`);
    return { state: { ...state, language }, effects: [] };
  },
  nextLanguage(state) {
    const at = state.languages.indexOf(spoken(state));
    return IDLE.language(state, { language: state.languages[(at + 1) % state.languages.length] });
  },
  /** What a page that is no more left behind comes back to review: nothing is sent without a choice. */
  resumed(state, { take, standing }) {
    const { mode, colour, topic, trim, ended, language, keptFlaw, sent } = standing;
    const kept = {
      take, colour, topic, ended, keptFlaw, trim: trim ?? whole(take), language: state.languages.includes(language) ? language : "",
    };
    const sending = sent ? { mode, uncertain: true, notice: { kind: "away", waitS: 0 } } : {};
    return enter({ ...state, ...kept, ...sending }, "review");
  },
  /** The same of a receipt: it stays as long as it would have. */
  receiptBack(state, { receipt, standing }) {
    const { mode, colour, language } = standing;
    const kept = { receipt, mode, colour, language: state.languages.includes(language) ? language : "", outcome: "kept" };
    return enter({ ...state, ...kept }, "complete");
  },
  cancel: (state) => ({ state: { ...state, language: "" }, effects: [] }),
  timeout: (state) => IDLE.cancel(state),
};

const ARMING = {
  microphoneOpened: (state) => enter(state, "armed"),
  microphoneFailed: (state, { code }) => fail(state, code),
  hidden: leave,
  policy: leaveWhenBlocked,
};

const ARMED = {
  primary(state) {
    const quiet = hush(state);
    const begun = beat(enter(quiet.state, "countdown").state);
    return { state: begun.state, effects: [...quiet.effects, ...begun.effects] };
  },
  microphoneLost: (state) => fail(state, "lost"),
  monitor: check,
  read,
  hidden: leave,
  policy: leaveWhenBlocked,
};

const COUNTDOWN = {
  tick: beat,
  microphoneLost: ARMED.microphoneLost,
  hidden: leave,
  policy: leaveWhenBlocked,
};

const RECORDING = {
  primary: (state) => stop(state, ""),
  hidden: (state) => stop(state, "hidden"),
  microphoneLost: (state) => stop(state, "lost"),
  tick(state) {
    const full = state.nowMs - state.sinceMs >= state.limitMs;
    return full && !state.stopping ? stop(state, "full") : expire(state);
  },
  takeReady(state, { spokenMs, durationMs, flaw, silent, key }) {
    if (spokenMs < state.figures.shortest_take_ms) return fail(state, state.ended === "lost" ? "lost" : "too_short");
    if (silent) return fail(state, "silent");
    const take = { durationMs, flaw, key };
    const review = { ...state, stopping: false, take, trim: whole(take) };
    return enter(review, "review", [{ type: "closeMicrophone", run: state.run }]);
  },
  takeFailed: (state) => fail(state, "lost"),
  timeout: (state) => fail(state, "lost"),
};

const REVIEW = {
  primary(state) {
    if (gated(state)) return again(state);
    return state.mode ? send(state) : toggleListening(state);
  },
  listen: toggleListening,
  listened: (state) => ({ state: { ...state, listening: false, touchedMs: state.nowMs }, effects: [] }),
  keep: (state) => ({ state: { ...state, keptFlaw: true }, effects: [] }),
  again,
  mode(state, { mode }) {
    if (!MODES.includes(mode)) throw new TypeError(`ritual: unknown mode ${mode}`);
    if (gated(state) || state.uncertain) return stay(state);
    const chosen = { ...state, mode, notice: mode === state.mode ? state.notice : null };
    return { state: chosen, effects: mode === "NOSAVE" ? [{ type: "unkeep" }] : [] };
  },
  colour(state, { colour }) {
    if (colour !== "" && !state.colours.includes(colour)) throw new TypeError(`ritual: unknown colour ${colour}`);
    return gated(state) || state.uncertain ? stay(state) : hear({ ...state, colour });
  },
  /** What is heard meanwhile is no more what would be sent. */
  trim(state, { startMs, endMs }) {
    if (gated(state) || state.uncertain) return stay(state);
    const quiet = silence(state);
    return { state: { ...quiet.state, trim: within(state, startMs, endMs) }, effects: quiet.effects };
  },
  topic(state, { topic }) {
    if (topic !== "" && !state.policy.topics.includes(topic)) throw new TypeError(`ritual: unknown topic ${topic}`);
    return gated(state) || state.uncertain ? stay(state) : { state: { ...state, topic }, effects: [] };
  },
  monitor: (state) => (state.listening ? stay(state) : check(state)),
  read,
  hidden(state) {
    const [quiet, hushed] = [silence(state), hush(state)];
    return { state: { ...quiet.state, sounding: "" }, effects: [...quiet.effects, ...hushed.effects] };
  },
  /** Somebody chose and sent it, and left before the answer: it is handed in, and its code is shown to nobody. */
  timeout(state) {
    if (!state.uncertain || state.mode === "NOSAVE") return leaveForGood(state);
    const left = leaveForGood(state);
    return { state: left.state, effects: [{ ...parcel(state), type: "handIn" }, ...left.effects.filter(({ type }) => type !== "wipe")] };
  },
};

const SUBMITTING = {
  submitted(state, { receipt }) {
    const kept = finish({ ...state, receipt }, "kept");
    return state.policy.prints ? { ...kept, effects: [...kept.effects, { type: "print" }] } : kept;
  },
  submitFailed: refuse,
  oncePlaying: (state) => ({ state: { ...state, playingOnce: true }, effects: [] }),
  onceHeard: (state) => finish(state, "heard"),
  onceLost: (state, { disposed }) => finish(state, disposed ? "gone" : "expiring"),
  cancel: abandon,
};

const COMPLETE = {
  primary: leaveForGood,
  read: (state) => (state.outcome === "kept" ? read(state) : stay(state)),
  print: (state) => (state.outcome === "kept" ? { state, effects: [{ type: "print" }] } : stay(state)),
};

const ERROR = {
  primary: (state) => (state.error === "refused" || state.policy.blocked ? leave(state) : arm(leave(state).state)),
  /** Somebody has plugged it in again, or allowed it. */
  microphoneBack: (state) => (MICROPHONE_ERRORS.includes(state.error) ? ERROR.primary(state) : stay(state)),
};

const RITUAL = {
  idle: IDLE, arming: ARMING, armed: ARMED, countdown: COUNTDOWN, recording: RECORDING, review: REVIEW,
  submitting: SUBMITTING, complete: COMPLETE, error: ERROR,
};

/** What holds in every stage unless the stage says otherwise. */
const EVERYWHERE = {
  tick: expire,
  cancel: leave,
  timeout: leaveForGood,
  policy: (state, { policy }) => ({ state: { ...state, policy: checkPolicy(policy) }, effects: [] }),
  /** What the kiosk itself says just now; at its end its listener is still there. */
  sounding(state, { what }) {
    if (!SOUNDS.includes(what)) throw new TypeError(`ritual: unknown sound ${what}`);
    return { state: { ...state, sounding: what, touchedMs: state.nowMs }, effects: [] };
  },
};

/** Signs of life: they put off the kiosk's own return. */
const TOUCHES = new Set([
  "primary", "touch", "listen", "keep", "mode", "colour", "trim", "topic", "monitor", "read", "print", "language",
  "nextLanguage",
]);

const EVENTS = new Set([
  ...Object.values(RITUAL).flatMap(Object.keys), ...Object.keys(EVERYWHERE), ...TOUCHES,
]);

// --- the steps ------------------------------------------------------------------------------------------

function stay(state) {
  return { state, effects: [] };
}

function enter(state, stage, effects = []) {
  return { state: { ...state, stage, sinceMs: state.nowMs, touchedMs: state.nowMs }, effects };
}

/** Back to the beginning; whatever this run held is released and forgotten. */
function leave(state) {
  const { run } = state;
  return enter({ ...state, ...EMPTY, run: run + 1 }, "idle", [
    { type: "stopListening" }, { type: "hush" }, { type: "closeMicrophone", run }, { type: "wipe", run },
  ]);
}

/** Nobody is there any more, or the next one comes: the next one has not chosen a language. */
function leaveForGood(state) {
  const left = leave(state);
  return { ...left, state: { ...left.state, language: "" } };
}

/** Leaving while a take is on its way: whatever the server answers is taken back again. */
function abandon(state) {
  const left = leave(state);
  return { state: left.state, effects: [{ type: "abandonSubmission", run: state.run }, ...left.effects] };
}

function leaveWhenBlocked(state, { policy }) {
  const next = { ...state, policy: checkPolicy(policy) };
  return policy.blocked ? leave(next) : stay(next);
}

function arm(state) {
  return enter(state, "arming", [{ type: "openMicrophone", run: state.run }]);
}

/** One breath of the countdown: a tone for each second begun, recording when the last has passed. */
function beat(state) {
  const passed = Math.floor((state.nowMs - state.sinceMs) / 1000);
  if (passed >= state.figures.countdown_s) {
    const begun = { ...state, beats: 0, limitMs: state.policy.maxRecordingMs };
    return enter(begun, "recording", [{ type: "startRecording", run: state.run }]);
  }
  if (passed < state.beats) return stay(state);
  const pitch = passed === state.figures.countdown_s - 1 ? "last" : "tick";
  return { state: { ...state, beats: passed + 1 }, effects: [{ type: "tone", pitch }] };
}

function stop(state, ended) {
  if (state.stopping) return stay(ended === "lost" ? { ...state, ended } : state);
  const stopping = { ...state, stopping: true, ended, touchedMs: state.nowMs };
  return { state: stopping, effects: [{ type: "stopRecording", run: state.run }] };
}

/** Whether it has a flaw that nobody has accepted yet. */
export function gated(state) {
  return state.take.flaw !== "" && !state.keptFlaw;
}

/** @param {Take} take @returns {Trim} */
function whole({ durationMs }) {
  return { startMs: 0, endMs: durationMs };
}

/** As near to what is wanted as leaves enough to be heard. */
function within({ take, trim, figures }, startMs, endMs) {
  const shortest = Math.min(figures.shortest_take_ms, take.durationMs);
  if (endMs === trim.endMs) return { startMs: Math.round(Math.max(0, Math.min(startMs, endMs - shortest))), endMs };
  return { startMs, endMs: Math.round(Math.min(take.durationMs, Math.max(endMs, startMs + shortest))) };
}

/** A tone and a voice of the kiosk's own, so that one hears how loud it is. Whatever else sounds gives way. */
function check(state) {
  return { state: { ...state, sounding: "tone" }, effects: [{ type: "check", run: state.run }] };
}

/** What stands on the screen, in the voice of a clip; asked for again it is silent. */
function read(state) {
  if (state.sounding === "reading") return hush(state);
  const quiet = silence(state);
  const reading = { type: "read", run: state.run, stage: state.stage };
  return { state: { ...quiet.state, sounding: "reading" }, effects: [...quiet.effects, reading] };
}

function hush(state) {
  if (state.sounding === "") return stay(state);
  return { state: { ...state, sounding: "", touchedMs: state.nowMs }, effects: [{ type: "hush" }] };
}

function toggleListening(state) {
  return state.listening ? silence(state) : hear(state);
}

/** In the colour chosen; what sounds already goes over to it. */
function hear(state) {
  const { run, colour, trim } = state;
  const hushed = hush(state);
  return { state: { ...hushed.state, listening: true }, effects: [...hushed.effects, { type: "listen", run, colour, trim }] };
}

function silence(state) {
  if (!state.listening) return stay(state);
  return { state: { ...state, listening: false, touchedMs: state.nowMs }, effects: [{ type: "stopListening" }] };
}

function again(state) {
  const left = leave(state);
  if (state.policy.blocked) return left;
  const armed = arm(left.state);
  return { state: armed.state, effects: [...left.effects, ...armed.effects] };
}

function send(state) {
  const [quiet, hushed] = [silence(state), hush(state)];
  const silent = { ...quiet.state, sounding: "", notice: null };
  return enter(silent, "submitting", [...quiet.effects, ...hushed.effects, { ...parcel(state), type: "submit" }]);
}

/** What is sent, and how it is to be known. */
function parcel({ run, mode, colour, topic, trim, take }) {
  return { run, mode, colour, topic, trim, idempotencyKey: take.key };
}

/**
 * A refusal for now leaves the take in review. When the answer never came the take may have arrived: the choice
 * and the colour then stay as they were, because the same key can only ever bring back the receipt of what was sent.
 */
function refuse(state, { kind, uncertain, waitS }) {
  if (kind === "refused") return fail(state, "refused");
  if (!NOTICES.includes(kind)) throw new TypeError(`ritual: unknown refusal ${kind}`);
  const notice = { kind, waitS };
  return enter({ ...state, notice, uncertain: state.uncertain || uncertain, playingOnce: false }, "review");
}

function finish(state, outcome) {
  const { receipt, mode, colour, run } = state;
  const done = { ...state, ...EMPTY, outcome, receipt, mode, colour };
  return enter(done, "complete", outcome === "kept" ? [] : [{ type: "wipe", run }]);
}

function fail(state, code) {
  if (!ERRORS.includes(code)) throw new TypeError(`ritual: unknown error ${code}`);
  const left = leave(state);
  return { state: { ...left.state, stage: "error", error: code }, effects: left.effects };
}

function expire(state, event) {
  if (secondsLeft(state) !== 0) return stay(state);
  const handle = RITUAL[state.stage].timeout ?? EVERYWHERE.timeout;
  return handle(state, event);
}

/** An answer to a run that is over: a microphone that opened late is closed again, the rest is dropped. */
function stale(state, event) {
  const late = event.type === "microphoneOpened";
  return { state, effects: late ? [{ type: "closeMicrophone", run: event.run }] : [] };
}

function checkPolicy(policy) {
  if (!DOORS.includes(policy.blocked)) throw new TypeError("ritual: unknown policy");
  if (!(policy.maxRecordingMs > 0)) throw new TypeError("ritual: maxRecordingMs is missing");
  if (!Array.isArray(policy.topics)) throw new TypeError("ritual: the topics are missing");
  if (!policy.language) throw new TypeError("ritual: the language is missing");
  return policy;
}
