import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DOORS, ENDS, ERRORS, FLAWS, MODES, NOTICES, STAGES, gated, initialState, reduce, secondsLeft, spoken,
} from "ritual";
import { eventForKey } from "ritual_keys";

const FIGURES = Object.freeze({
  countdown_s: 3, shortest_take_ms: 900, arming_timeout_s: 60, armed_timeout_s: 60, stop_timeout_s: 5,
  review_timeout_s: 90, review_counted_s: 30, complete_return_s: 60, once_return_s: 20, error_return_s: 30,
  language_return_s: 60,
});
const COLOURS = Object.freeze(["warm", "dream"]);
const LANGUAGES = Object.freeze(["de", "en", "ar"]);
const OPEN = Object.freeze({ blocked: "", maxRecordingMs: 120_000, language: "en", topics: ["rain", "stairs"], prints: false });
const PAUSED = Object.freeze({ ...OPEN, blocked: "paused" });

/** A ritual that is driven by events; the clock only moves when told. */
function begin(policy = OPEN) {
  const ritual = {
    state: initialState({ figures: FIGURES, colours: COLOURS, languages: LANGUAGES, policy, nowMs: 0 }),
    nowMs: 0,
    effects: [],
    send(type, more = {}) {
      const step = reduce(ritual.state, { type, nowMs: ritual.nowMs, ...more });
      ritual.state = step.state;
      ritual.effects = step.effects;
      return ritual;
    },
    answer: (type, more = {}) => ritual.send(type, { run: ritual.state.run, ...more }),
    wait(seconds) {
      const effects = [];
      for (let tenth = 0; tenth < Math.round(seconds * 10); tenth += 1) {
        ritual.nowMs += 100;
        effects.push(...ritual.send("tick").effects);
      }
      ritual.effects = effects;
      return ritual;
    },
    types: () => ritual.effects.map((effect) => effect.type),
    has: (type) => ritual.types().includes(type),
  };
  return ritual;
}

const TAKE = { spokenMs: 4100, durationMs: 4000, flaw: "", silent: false, key: "key-1" };
const WHOLE = Object.freeze({ startMs: 0, endMs: 4000 });
/** What is sent of a take that nobody has touched. */
const parcel = (more) => ({ run: 1, colour: "", topic: "", trim: WHOLE, idempotencyKey: "key-1", ...more });
const to = {
  idle: () => begin(),
  arming: () => begin().send("primary"),
  armed: () => to.arming().answer("microphoneOpened"),
  countdown: () => to.armed().send("primary"),
  recording: () => to.countdown().wait(3),
  review: (take = {}) => to.recording().wait(4).send("primary").answer("takeReady", { ...TAKE, ...take }),
  submitting: (mode = "ROOM") => to.review().send("mode", { mode }).send("primary"),
  complete: () => to.submitting().answer("submitted", { receipt: { code: "abc" } }),
  error: () => to.arming().answer("microphoneFailed", { code: "denied" }),
};

test("every stage can be reached", () => {
  for (const stage of STAGES) assert.equal(to[stage]().state.stage, stage);
});

test("Esc leads from every stage to idle, and lets go of microphone and take", () => {
  for (const stage of STAGES) {
    const ritual = to[stage]().send("cancel");
    assert.equal(ritual.state.stage, "idle", stage);
    assert.equal(ritual.state.take, null);
    if (stage !== "idle") assert.ok(ritual.has("closeMicrophone") && ritual.has("wipe"), stage);
  }
});

test("the microphone is asked for by the primary action only", () => {
  assert.deepEqual(to.arming().effects, [{ type: "openMicrophone", run: 1 }]);
});

test("a kiosk whose way in is shut does not begin, and opens again when it is open", () => {
  for (const blocked of DOORS.slice(1)) {
    const ritual = begin({ ...PAUSED, blocked }).send("primary");
    assert.equal(ritual.state.stage, "idle", blocked);
    assert.equal(ritual.send("policy", { policy: OPEN }).send("primary").state.stage, "arming");
  }
});

test("a pause before the recording lets go of the microphone, a pause after it keeps the take", () => {
  for (const stage of ["arming", "armed", "countdown"]) {
    const ritual = to[stage]().send("policy", { policy: PAUSED });
    assert.equal(ritual.state.stage, "idle", stage);
    assert.ok(ritual.has("closeMicrophone"));
  }
  for (const stage of ["recording", "review", "submitting", "complete"]) {
    assert.equal(to[stage]().send("policy", { policy: PAUSED }).state.stage, stage);
  }
});

test("a microphone that opens after Esc is closed again", () => {
  const ritual = to.arming().send("cancel").send("microphoneOpened", { run: 1 });
  assert.equal(ritual.state.stage, "idle");
  assert.deepEqual(ritual.effects, [{ type: "closeMicrophone", run: 1 }]);
});

test("each microphone failure has its error, and the primary action tries again", () => {
  for (const code of ["denied", "absent", "busy", "insecure", "unsupported", "lost"]) {
    const ritual = to.arming().answer("microphoneFailed", { code });
    assert.equal(ritual.state.error, code);
    assert.equal(ritual.send("primary").state.stage, "arming");
  }
});

test("an error goes away by itself, and a refusal leads back to the beginning", () => {
  assert.equal(to.error().wait(30).state.stage, "idle");
  const refused = to.submitting().answer("submitFailed", { kind: "refused", uncertain: false, waitS: 0 });
  assert.equal(refused.state.error, "refused");
  assert.equal(refused.send("primary").state.stage, "idle");
});

test("an unanswered microphone question and a forgotten armed kiosk end by themselves", () => {
  for (const stage of ["arming", "armed"]) {
    const ritual = to[stage]().wait(60);
    assert.equal(ritual.state.stage, "idle");
    assert.ok(ritual.has("closeMicrophone"));
  }
});

test("the countdown is three tones a second apart, the last one higher, then the recording", () => {
  const ritual = to.armed().send("primary");
  assert.deepEqual(ritual.effects, [{ type: "tone", pitch: "tick" }]);
  assert.deepEqual(ritual.wait(1).effects, [{ type: "tone", pitch: "tick" }]);
  assert.deepEqual(ritual.wait(1).effects, [{ type: "tone", pitch: "last" }]);
  assert.deepEqual(ritual.wait(1).effects, [{ type: "startRecording", run: 1 }]);
});

test("the primary action does nothing during the countdown", () => {
  const ritual = to.countdown().send("primary");
  assert.equal(ritual.state.stage, "countdown");
  assert.deepEqual(ritual.effects, []);
});

test("a recording stops once, by hand or at its limit", () => {
  const byHand = to.recording().wait(2).send("primary");
  assert.deepEqual(byHand.types(), ["stopRecording"]);
  assert.deepEqual(byHand.send("primary").effects, []);
  const atLimit = to.recording().wait(119.9);
  assert.equal(atLimit.state.stopping, false);
  assert.deepEqual(atLimit.wait(0.1).types(), ["stopRecording"]);
  assert.deepEqual(atLimit.wait(0.5).effects, []);
});

test("the limit is the one that held when the recording began", () => {
  const ritual = to.recording().send("policy", { policy: { ...OPEN, maxRecordingMs: 30_000 } });
  assert.equal(ritual.wait(60).state.stopping, false);
});

test("a recording that never stops becomes an error, not a dead end", () => {
  assert.equal(to.recording().send("primary").wait(5).state.error, "lost");
  assert.equal(to.recording().send("primary").answer("takeFailed").state.error, "lost");
});

test("after the recording the microphone is released", () => {
  assert.deepEqual(to.review().effects, [{ type: "closeMicrophone", run: 1 }]);
});

test("a take under the shortest length is an error, and the primary action records again", () => {
  const ritual = to.recording().send("primary").answer("takeReady", { ...TAKE, spokenMs: 899 });
  assert.equal(ritual.state.error, "too_short");
  assert.equal(ritual.send("primary").state.stage, "arming");
});

test("a microphone lost while recording keeps what was recorded, if it is long enough", () => {
  const long = to.recording().wait(4).send("microphoneLost", { run: 1 });
  assert.ok(long.has("stopRecording"));
  assert.equal(long.answer("takeReady", TAKE).state.stage, "review");
  const short = to.recording().send("microphoneLost", { run: 1 }).answer("takeReady", { ...TAKE, spokenMs: 200 });
  assert.equal(short.state.error, "lost");
});

test("a microphone lost before the recording is an error", () => {
  for (const stage of ["armed", "countdown"]) assert.equal(to[stage]().answer("microphoneLost").state.error, "lost");
});

test("a hidden page releases the microphone; a recording is kept, a review falls silent", () => {
  for (const stage of ["arming", "armed", "countdown"]) {
    const ritual = to[stage]().send("hidden");
    assert.equal(ritual.state.stage, "idle", stage);
    assert.ok(ritual.has("closeMicrophone"));
  }
  assert.deepEqual(to.recording().send("hidden").types(), ["stopRecording"]);
  assert.deepEqual(to.review().send("listen").send("hidden").types(), ["stopListening"]);
});

test("the primary action in review listens until a mode is chosen, then sends it", () => {
  const ritual = to.review().send("primary");
  assert.deepEqual(ritual.effects, [{ type: "listen", run: 1, colour: "", trim: WHOLE }]);
  assert.deepEqual(ritual.send("primary").effects, [{ type: "stopListening" }]);
  ritual.send("mode", { mode: "FOSSIL" }).send("primary");
  assert.deepEqual(ritual.effects, [parcel({ type: "submit", mode: "FOSSIL" })]);
});

test("sending silences the preview first", () => {
  const ritual = to.review().send("listen").send("mode", { mode: "ROOM" }).send("primary");
  assert.deepEqual(ritual.types(), ["stopListening", "submit"]);
});

test("a colour is heard as soon as it is chosen, and what sounds goes over to it", () => {
  const ritual = to.review().send("colour", { colour: "warm" });
  assert.deepEqual(ritual.effects, [{ type: "listen", run: 1, colour: "warm", trim: WHOLE }]);
  assert.deepEqual(ritual.send("colour", { colour: "dream" }).effects, [{ type: "listen", run: 1, colour: "dream", trim: WHOLE }]);
  assert.equal(ritual.state.listening, true);
  assert.deepEqual(ritual.send("colour", { colour: "" }).effects, [{ type: "listen", run: 1, colour: "", trim: WHOLE }]);
});

test("listening again plays the colour chosen, and every mode sends it", () => {
  for (const mode of MODES) {
    const ritual = to.review().send("colour", { colour: "dream" }).answer("listened");
    assert.deepEqual(ritual.send("listen").effects, [{ type: "listen", run: 1, colour: "dream", trim: WHOLE }]);
    ritual.send("mode", { mode }).send("primary");
    assert.deepEqual(ritual.types(), ["stopListening", "submit"]);
    assert.equal(ritual.effects[1].colour, "dream");
    assert.equal(ritual.effects[1].mode, mode);
  }
});

test("a colour neither chooses nor changes what becomes of the take", () => {
  assert.equal(to.review().send("colour", { colour: "warm" }).state.mode, "");
  const chosen = to.review().send("mode", { mode: "FOSSIL" }).send("colour", { colour: "warm" });
  assert.equal(chosen.state.mode, "FOSSIL");
});

test("every new take, every way out and every error begins without a colour", () => {
  const coloured = () => to.review().send("colour", { colour: "dream" });
  assert.equal(coloured().send("cancel").state.colour, "");
  assert.equal(coloured().answer("listened").wait(90).state.colour, "");
  assert.equal(coloured().send("again").state.colour, "");
  const sent = () => coloured().send("mode", { mode: "ROOM" }).send("primary");
  assert.equal(sent().answer("submitted", { receipt: {} }).send("primary").state.colour, "");
  const refused = { kind: "refused", uncertain: false, waitS: 0 };
  assert.equal(sent().answer("submitFailed", refused).state.colour, "");
});

test("a colour is chosen in review alone, not for a very quiet take, and not once an answer was lost", () => {
  for (const stage of STAGES) {
    const { colour } = to[stage]().send("colour", { colour: "warm" }).state;
    assert.equal(colour, stage === "review" ? "warm" : "", stage);
  }
  assert.equal(to.review({ flaw: "quiet" }).send("colour", { colour: "warm" }).state.colour, "");
  const failed = (uncertain) => to.submitting().answer("submitFailed", { kind: "away", uncertain, waitS: 0 });
  assert.equal(failed(false).send("colour", { colour: "warm" }).state.colour, "warm");
  const lost = failed(true).send("colour", { colour: "warm" });
  assert.equal(lost.state.colour, "");
  assert.deepEqual(lost.effects, []);
});

test("choosing a colour is a sign of life", () => {
  const ritual = to.review().wait(80).send("colour", { colour: "warm" });
  assert.equal(ritual.answer("listened").wait(89.9).state.stage, "review");
  assert.equal(ritual.wait(0.1).state.stage, "idle");
});

test("a very quiet take asks first: again is primary, keeping it is a choice", () => {
  const ritual = to.review({ flaw: "quiet" });
  assert.ok(gated(ritual.state));
  assert.equal(ritual.send("mode", { mode: "ROOM" }).state.mode, "");
  assert.equal(ritual.send("keep").send("mode", { mode: "ROOM" }).state.mode, "ROOM");
  assert.equal(to.review({ flaw: "quiet" }).send("primary").state.stage, "arming");
});

test("recording again forgets the take and asks for the microphone anew", () => {
  const ritual = to.review().send("again");
  assert.equal(ritual.state.take, null);
  assert.deepEqual(ritual.types(), ["stopListening", "hush", "closeMicrophone", "wipe", "openMicrophone"]);
});

test("the review ends after ninety quiet seconds; a touch begins them anew, listening suspends them", () => {
  const ritual = to.review().wait(80);
  assert.equal(secondsLeft(ritual.state), 10);
  ritual.send("touch");
  assert.equal(secondsLeft(ritual.state), 90);
  ritual.send("listen").wait(200);
  assert.equal(ritual.state.stage, "review");
  ritual.answer("listened").wait(89.9);
  assert.equal(ritual.state.stage, "review");
  assert.equal(ritual.wait(0.1).state.stage, "idle");
  assert.ok(ritual.has("wipe"));
});

test("a refusal for now keeps the take in review and sends it again under the same key", () => {
  for (const kind of NOTICES) {
    const ritual = to.submitting().answer("submitFailed", { kind, uncertain: kind === "away", waitS: 40 });
    assert.equal(ritual.state.stage, "review");
    assert.deepEqual(ritual.state.notice, { kind, waitS: 40 });
    ritual.send("primary");
    assert.deepEqual(ritual.effects, [parcel({ type: "submit", mode: "ROOM" })]);
  }
});

test("a choice may change after a clear refusal, not after an answer that never came", () => {
  const failed = (uncertain) => to.submitting().answer("submitFailed", { kind: "away", uncertain, waitS: 0 });
  assert.equal(failed(false).send("mode", { mode: "NOSAVE" }).state.mode, "NOSAVE");
  assert.equal(failed(true).send("mode", { mode: "NOSAVE" }).state.mode, "ROOM");
});

test("leaving while a take is on its way takes back whatever the server answers", () => {
  const ritual = to.submitting().send("cancel");
  assert.deepEqual(ritual.effects[0], { type: "abandonSubmission", run: 1 });
  ritual.send("submitted", { run: 1, receipt: {} });
  assert.equal(ritual.state.stage, "idle");
});

test("a receipt is printed as often as is wanted, and printing keeps it", () => {
  const ritual = to.complete();
  ritual.wait(50).send("print");
  assert.deepEqual(ritual.effects, [{ type: "print" }]);
  ritual.wait(50);
  assert.equal(ritual.state.stage, "complete");
  assert.deepEqual(to.submitting("NOSAVE").answer("onceHeard").send("print").effects, []);
});

test("the receipt stays until its time is over; touching the screen keeps it longer", () => {
  const ritual = to.complete();
  assert.equal(ritual.state.outcome, "kept");
  ritual.wait(50).send("touch").wait(50);
  assert.equal(ritual.state.stage, "complete");
  ritual.wait(10);
  assert.equal(ritual.state.stage, "idle");
  assert.equal(ritual.state.receipt, null);
});

test("a one-time take is heard once and gone, and nothing of it stays", () => {
  const ritual = to.submitting("NOSAVE").answer("oncePlaying");
  assert.equal(ritual.state.playingOnce, true);
  ritual.answer("onceHeard");
  assert.equal(ritual.state.outcome, "heard");
  assert.deepEqual(ritual.effects, [{ type: "wipe", run: 1 }]);
  assert.equal(to.submitting("NOSAVE").answer("onceLost", { disposed: true }).state.outcome, "gone");
  assert.equal(to.submitting("NOSAVE").answer("onceLost", { disposed: false }).state.outcome, "expiring");
});

test("the monitor tone sounds in idle, armed and review only", () => {
  for (const stage of STAGES) {
    const tone = to[stage]().send("monitor").has("check");
    assert.equal(tone, ["idle", "armed", "review"].includes(stage), stage);
  }
  assert.equal(to.review().send("listen").send("monitor").has("check"), false);
});

test("keys become events; repeats, modifiers, text fields and a control's own keys do not", () => {
  const press = (key, more = {}) => eventForKey({ key, repeat: false, modified: false, target: "none", ...more });
  assert.deepEqual(press(" "), { type: "primary" });
  assert.deepEqual(press("Enter"), { type: "primary" });
  assert.deepEqual(press("Escape"), { type: "cancel" });
  assert.deepEqual(["1", "2", "3"].map((key) => press(key).mode), MODES);
  assert.deepEqual(press("m"), { type: "monitor" });
  assert.deepEqual(press("R"), { type: "read" });
  assert.equal(press("x"), null);
  assert.equal(press(" ", { repeat: true }), null);
  assert.equal(press("m", { modified: true }), null);
  for (const key of [" ", "Enter", "1", "m", "Escape"]) assert.equal(press(key, { target: "text" }), null);
  assert.equal(press(" ", { target: "button" }), null);
  assert.equal(press("Enter", { target: "button" }), null);
  assert.equal(press("Enter", { target: "link" }), null);
  assert.equal(press(" ", { target: "radio" }), null);
  assert.deepEqual(press("Enter", { target: "radio" }), { type: "primary" });
  assert.equal(press("2", { target: "button" }).mode, "FOSSIL");
});

test("missing figures, unknown events, modes and errors are refused loudly", () => {
  assert.throws(() => initialState({ figures: {}, colours: COLOURS, languages: LANGUAGES, policy: OPEN, nowMs: 0 }), /countdown_s/);
  assert.throws(() => begin().send("nonsense"), /unknown event/);
  assert.throws(() => reduce(begin().state, { type: "tick" }), /nowMs/);
  assert.throws(() => to.review().send("mode", { mode: "KEEP" }), /unknown mode/);
  assert.throws(() => to.review().send("colour", { colour: "sepia" }), /unknown colour/);
  assert.throws(() => initialState({ figures: FIGURES, policy: OPEN, nowMs: 0 }), /colours/);
  assert.throws(() => to.arming().answer("microphoneFailed", { code: "odd" }), /unknown error/);
});

// --- random walks ---------------------------------------------------------------------------------------

function mulberry(seed) {
  let word = seed;
  return () => {
    word = (word + 0x6d2b79f5) | 0;
    let mixed = Math.imul(word ^ (word >>> 15), 1 | word);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Any event a participant, the browser or the server could cause, in any order. */
function anyEvent(random, state) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const run = random() < 0.95 ? state.run : Math.max(1, state.run - 1);
  return pick([
    () => ({ type: "primary" }), () => ({ type: "primary" }), () => ({ type: "primary" }),
    () => ({ type: "mode", mode: pick(MODES) }), () => ({ type: "mode", mode: pick(MODES) }),
    () => ({ type: "tick" }), () => ({ type: "tick" }), () => ({ type: "tick" }),
    () => ({ type: "colour", colour: pick(["", ...COLOURS]) }),
    () => ({ type: "topic", topic: pick(["", ...OPEN.topics]) }),
    () => ({ type: "trim", startMs: random() * 4000 - 500, endMs: state.trim?.endMs ?? 0 }),
    () => ({ type: "trim", startMs: state.trim?.startMs ?? 0, endMs: random() * 4000 - 500 }),
    () => ({ type: pick(["listen", "keep", "touch", "monitor", "read"]) }),
    () => ({ type: "sounding", run, what: "" }), () => ({ type: "microphoneBack" }),
    () => ({ type: random() < 0.3 ? pick(["again", "hidden"]) : "tick" }),
    () => ({ type: "microphoneOpened", run }), () => ({ type: "microphoneOpened", run }),
    () => ({ type: "microphoneFailed", run, code: pick(ERRORS.slice(0, 6)) }),
    () => ({ type: "takeReady", run, spokenMs: pick([200, 3000, 9000]), durationMs: 3000, flaw: pick(["", "", "", ...FLAWS]), silent: random() < 0.05, key: `k${random()}` }),
    () => ({ type: pick(["listened", "microphoneLost", "takeFailed", "oncePlaying", "onceHeard"]), run }),
    () => ({ type: "submitted", run, receipt: {} }),
    () => ({ type: "submitFailed", run, kind: pick([...NOTICES, "refused"]), uncertain: random() < 0.5, waitS: 3 }),
    () => ({ type: "onceLost", run, disposed: random() < 0.5 }),
    () => ({ type: "policy", policy: random() < 0.1 ? PAUSED : OPEN }),
    () => ({ type: random() < 0.2 ? "cancel" : "touch" }),
  ])();
}

function walk(seed, steps, visit) {
  const random = mulberry(seed);
  let state = initialState({ figures: FIGURES, colours: COLOURS, languages: LANGUAGES, policy: OPEN, nowMs: 0 });
  let nowMs = 0;
  for (let step = 0; step < steps; step += 1) {
    nowMs += Math.floor(random() * 1500);
    const event = { ...anyEvent(random, state), nowMs };
    const next = reduce(state, event);
    visit({ before: state, event, ...next });
    state = next.state;
  }
}

test("on any path: every stage is met, Esc leads to idle, and no stage waits for ever", () => {
  const met = new Set();
  for (let seed = 1; seed <= 60; seed += 1) {
    walk(seed, 300, ({ state }) => {
      met.add(state.stage);
      assert.ok(STAGES.includes(state.stage));
      assert.equal(reduce(state, { type: "cancel", nowMs: state.nowMs }).state.stage, "idle");
      if (["idle", "submitting"].includes(state.stage) || state.listening || state.sounding === "reading") return;
      let left = state;
      for (let minute = 1; minute < 20 && left.stage === state.stage; minute += 1) {
        left = reduce(left, { type: "tick", nowMs: state.nowMs + minute * 121_000 }).state;
      }
      assert.notEqual(left.stage, state.stage);
    });
  }
  assert.deepEqual([...met].sort(), [...STAGES].sort());
});

test("on any path: nothing is sent but the take in review, in the mode and colour chosen, by the primary action", () => {
  let sent = 0;
  for (let seed = 100; seed <= 200; seed += 1) {
    const sendings = new Map();
    walk(seed, 300, ({ before, event, effects }) => {
      for (const effect of effects.filter(({ type }) => type === "submit")) {
        sent += 1;
        assert.equal(before.stage, "review");
        assert.equal(event.type, "primary");
        assert.ok(MODES.includes(before.mode));
        assert.equal(effect.mode, before.mode);
        assert.equal(effect.colour, before.colour);
        assert.equal(effect.topic, before.topic);
        assert.equal(effect.trim, before.trim);
        assert.equal(effect.idempotencyKey, before.take.key);
        assert.ok(!gated(before));
        const sending = JSON.stringify([effect.mode, effect.colour, effect.topic, effect.trim]);
        if (before.uncertain) assert.equal(sending, sendings.get(effect.idempotencyKey));
        sendings.set(effect.idempotencyKey, sending);
      }
    });
  }
  assert.ok(sent > 50, `${sent} takes sent`);
});

test("on any path: a microphone is open only while it is wanted", () => {
  for (let seed = 300; seed <= 360; seed += 1) {
    const open = new Set();
    walk(seed, 300, ({ before, event, state, effects }) => {
      if (event.type === "microphoneOpened" && (before.stage === "arming" || event.run !== before.run)) open.add(event.run);
      for (const effect of effects) if (effect.type === "closeMicrophone") open.delete(effect.run);
      if (!["armed", "countdown", "recording"].includes(state.stage)) assert.equal(open.size, 0, state.stage);
    });
  }
});

test("a language is chosen on the first screen alone, by name or one after the other", () => {
  const ritual = begin().send("language", { language: "ar" });
  assert.equal(spoken(ritual.state), "ar");
  assert.equal(spoken(ritual.send("nextLanguage").state), "de");
  assert.equal(spoken(ritual.send("nextLanguage").state), "en");
  assert.deepEqual(eventForKey({ key: "l", repeat: false, modified: false, target: "none" }), { type: "nextLanguage" });
  for (const stage of STAGES.slice(1)) assert.equal(to[stage]().send("language", { language: "de" }).state.language, "", stage);
  assert.throws(() => begin().send("language", { language: "tlh" }), /unknown language/);
});

test("a chosen language lasts for one participant: through errors and new takes, not past the receipt", () => {
  const chosen = () => begin().send("language", { language: "de" }).send("primary");
  assert.equal(chosen().answer("microphoneFailed", { code: "denied" }).send("primary").state.language, "de");
  assert.equal(chosen().send("cancel").state.language, "de");
  const review = () => chosen().answer("microphoneOpened").send("primary").wait(3).wait(4).send("primary").answer("takeReady", TAKE);
  assert.equal(review().send("again").state.language, "de");
  const done = () => review().send("mode", { mode: "ROOM" }).send("primary").answer("submitted", { receipt: { code: "abc" } });
  assert.equal(done().state.language, "de");
  assert.equal(done().send("primary").state.language, "");
});

test("a language nobody goes on in is forgotten, at once by Esc", () => {
  const chosen = () => begin().send("language", { language: "de" });
  assert.equal(secondsLeft(chosen().state), 60);
  assert.equal(chosen().wait(59).state.language, "de");
  assert.equal(chosen().wait(60).state.language, "");
  assert.equal(chosen().send("cancel").state.language, "");
  assert.equal(chosen().send("primary").wait(60).state.language, "");
  assert.equal(secondsLeft(begin().state), null);
});

test("where the stewards change what is spoken, it is spoken unless somebody has chosen", () => {
  const change = { policy: { ...OPEN, language: "ar" } };
  assert.equal(spoken(begin().send("policy", change).state), "ar");
  assert.equal(spoken(begin().send("language", { language: "de" }).send("policy", change).state), "de");
  assert.throws(() => begin().send("policy", { policy: { ...OPEN, language: "" } }), /language/);
});

const STANDING = { mode: "", colour: "", topic: "", trim: null, ended: "", language: "", keptFlaw: false, sent: false };
const left = (standing = {}) => begin().send("resumed", {
  take: { durationMs: 4000, flaw: "", key: "key-1" }, standing: { ...STANDING, ...standing },
});

test("a take that was left behind comes back to review, and is sent only by a choice", () => {
  const ritual = left({ mode: "ROOM", colour: "warm", language: "de" });
  assert.equal(ritual.state.stage, "review");
  assert.deepEqual([ritual.state.mode, ritual.state.colour, spoken(ritual.state), ritual.state.uncertain], ["", "warm", "de", false]);
  assert.deepEqual(ritual.effects, []);
  assert.equal(ritual.send("mode", { mode: "FOSSIL" }).send("primary").effects.at(-1).idempotencyKey, "key-1");
  assert.equal(left({ language: "tlh" }).state.language, "");
});

test("whoever is at the kiosk already is not disturbed by what was left behind", () => {
  for (const stage of STAGES.slice(1)) {
    assert.equal(to[stage]().send("resumed", { take: TAKE, standing: STANDING }).state.stage, stage);
  }
});

test("what was being sent comes back as it was sent, under the same key", () => {
  const ritual = left({ mode: "ROOM", sent: true });
  assert.deepEqual([ritual.state.mode, ritual.state.uncertain, ritual.state.notice.kind], ["ROOM", true, "away"]);
  assert.equal(ritual.send("mode", { mode: "FOSSIL" }).state.mode, "ROOM");
  assert.equal(ritual.send("primary").effects.at(-1).idempotencyKey, "key-1");
});

test("what was sent and nobody waits for is handed in, and is not shown to who comes next", () => {
  const ritual = left({ mode: "FOSSIL", colour: "warm", sent: true });
  const { run } = ritual.state;
  ritual.wait(90);
  assert.deepEqual([ritual.state.stage, ritual.state.take, ritual.state.receipt], ["idle", null, null]);
  assert.deepEqual(ritual.effects[0], parcel({ type: "handIn", run, mode: "FOSSIL", colour: "warm" }));
  assert.equal(ritual.has("wipe"), false);
  assert.ok(left().wait(90).has("wipe"));
  assert.ok(left({ mode: "ROOM", sent: true }).send("cancel").has("wipe"));
  const unanswered = to.submitting().answer("submitFailed", { kind: "away", uncertain: true, waitS: 0 });
  assert.equal(unanswered.wait(90).effects[0].type, "handIn");
  const once = to.submitting("NOSAVE").answer("submitFailed", { kind: "away", uncertain: true, waitS: 0 });
  assert.ok(once.wait(90).has("wipe"));
});

test("whoever chooses to be heard once leaves nothing on the disk from then on", () => {
  assert.deepEqual(to.review().send("mode", { mode: "NOSAVE" }).effects, [{ type: "unkeep" }]);
  assert.deepEqual(to.review().send("mode", { mode: "ROOM" }).effects, []);
});

test("two handles leave out the beginning and the end, never so much that nothing is left to be heard", () => {
  const ritual = to.review().send("trim", { startMs: 1000.4, endMs: 4000 });
  assert.deepEqual(ritual.state.trim, { startMs: 1000, endMs: 4000 });
  assert.deepEqual(ritual.send("trim", { startMs: 1000, endMs: 1200 }).state.trim, { startMs: 1000, endMs: 1900 });
  assert.deepEqual(ritual.send("trim", { startMs: 1800, endMs: 1900 }).state.trim, { startMs: 1000, endMs: 1900 });
  assert.deepEqual(ritual.send("trim", { startMs: -80, endMs: 1900 }).state.trim, { startMs: 0, endMs: 1900 });
  assert.deepEqual(ritual.send("trim", { startMs: 0, endMs: 9000 }).state.trim, WHOLE);
  assert.deepEqual(to.review({ durationMs: 600 }).send("trim", { startMs: 300, endMs: 600 }).state.trim, { startMs: 0, endMs: 600 });
});

test("what is left between the handles is what is heard and sent, under the take's one key", () => {
  const ritual = to.review().send("listen").send("trim", { startMs: 500, endMs: 4000 });
  assert.deepEqual(ritual.types(), ["stopListening"]);
  const trim = { startMs: 500, endMs: 4000 };
  assert.deepEqual(ritual.send("listen").effects, [{ type: "listen", run: 1, colour: "", trim }]);
  ritual.answer("listened").send("mode", { mode: "ROOM" }).send("primary");
  assert.deepEqual(ritual.effects, [parcel({ type: "submit", mode: "ROOM", trim })]);
});

test("after an answer that never came neither handles nor topic move: the same key brings back the same take", () => {
  const ritual = to.submitting().answer("submitFailed", { kind: "away", uncertain: true, waitS: 0 });
  assert.deepEqual(ritual.send("trim", { startMs: 500, endMs: 4000 }).state.trim, WHOLE);
  assert.equal(ritual.send("topic", { topic: "rain" }).state.topic, "");
});

test("a topic is one of those the stewards wrote, goes with the take, and stays for nobody else", () => {
  const ritual = to.review().send("topic", { topic: "rain" }).send("mode", { mode: "ROOM" }).send("primary");
  assert.equal(ritual.effects.at(-1).topic, "rain");
  assert.equal(ritual.answer("submitted", { receipt: {} }).send("primary").state.topic, "");
  assert.throws(() => to.review().send("topic", { topic: "snow" }), /topic/);
});

test("a take that ended by itself says why: its time, its microphone, its page", () => {
  const ended = (ritual) => ritual.answer("takeReady", TAKE).state;
  assert.equal(ended(to.recording().wait(121)).ended, "full");
  assert.equal(ended(to.recording().wait(4).answer("microphoneLost")).ended, "lost");
  assert.equal(ended(to.recording().wait(4).send("hidden")).ended, "hidden");
  assert.equal(ended(to.recording().wait(4).send("primary")).ended, "");
  assert.equal(ended(to.recording().wait(4).send("primary").send("hidden")).ended, "");
  assert.deepEqual(ENDS, ["", "full", "lost", "hidden"]);
});

test("a take in which there is nothing at all is no take, and one that was too loud asks first", () => {
  assert.equal(to.review({ silent: true }).state.error, "silent");
  const loud = to.review({ flaw: "clipped" });
  assert.ok(gated(loud.state));
  assert.ok(!gated(loud.send("keep").state));
});

test("every way out of an error of the microphone arms again, and so does a microphone that is back", () => {
  for (const code of ERRORS.slice(0, 6)) {
    const failed = () => to.arming().answer("microphoneFailed", { code });
    assert.equal(failed().send("primary").state.stage, "arming", code);
    assert.equal(failed().send("microphoneBack").state.stage, "arming", code);
  }
  for (const take of [{ spokenMs: 200 }, { silent: true }]) {
    assert.equal(to.review(take).send("microphoneBack").state.stage, "error");
    assert.equal(to.review(take).send("primary").state.stage, "arming");
  }
  for (const stage of STAGES.slice(0, -1)) assert.equal(to[stage]().send("microphoneBack").state.stage, stage);
});

test("what the kiosk itself says gives way to a voice: no tone is ever recorded", () => {
  const checking = to.armed().send("monitor");
  assert.deepEqual(checking.effects, [{ type: "check", run: 1 }]);
  assert.deepEqual(checking.send("primary").types(), ["hush", "tone"]);
  assert.deepEqual(to.review().send("read").send("listen").types(), ["hush", "listen"]);
  assert.deepEqual(to.review().send("listen").send("read").types(), ["stopListening", "read"]);
  assert.deepEqual(to.review().send("read").send("mode", { mode: "ROOM" }).send("primary").types(), ["hush", "submit"]);
  assert.deepEqual(to.review().send("read").send("hidden").types(), ["hush"]);
});

test("nobody is counted out while something is read to them; asked for again, it is silent", () => {
  for (const stage of ["armed", "review", "complete"]) {
    const ritual = to[stage]().send("read");
    assert.deepEqual(ritual.effects, [{ type: "read", run: 1, stage }]);
    assert.equal(ritual.wait(300).state.stage, stage);
    assert.deepEqual(ritual.send("read").effects, [{ type: "hush" }]);
    assert.equal(ritual.send("read").answer("sounding", { what: "" }).state.sounding, "");
    assert.equal(ritual.wait(100).state.stage, "idle");
  }
  assert.deepEqual(to.recording().send("read").effects, []);
  assert.deepEqual(to.submitting("NOSAVE").answer("onceHeard").send("read").effects, []);
});

test("a receipt is printed unasked where the kiosk is set so, and a one-time take has none", () => {
  const prints = (ritual) => ritual.send("policy", { policy: { ...OPEN, prints: true } });
  assert.ok(prints(to.submitting()).answer("submitted", { receipt: {} }).has("print"));
  assert.ok(!prints(to.submitting("NOSAVE")).answer("onceHeard").has("print"));
});

test("a receipt that was left behind is shown again as it was, is not printed again, and goes like any other", () => {
  const ritual = begin({ ...OPEN, prints: true }).send("receiptBack", {
    receipt: { code: "abc" }, standing: { stage: "complete", mode: "FOSSIL", colour: "warm", language: "de" },
  });
  const { stage, outcome, mode, receipt } = ritual.state;
  assert.deepEqual([stage, outcome, mode, receipt, spoken(ritual.state)], ["complete", "kept", "FOSSIL", { code: "abc" }, "de"]);
  assert.deepEqual(ritual.effects, []);
  assert.ok(ritual.wait(60).has("wipe"));
  assert.equal(ritual.state.receipt, null);
  for (const busy of STAGES.slice(1)) assert.equal(to[busy]().send("receiptBack", { receipt: {}, standing: {} }).state.stage, busy);
});

test("handles and topic of a take that was left behind come back with it", () => {
  const trim = { startMs: 500, endMs: 3000 };
  const ritual = left({ trim, topic: "rain", ended: "lost" });
  assert.deepEqual([ritual.state.trim, ritual.state.topic, ritual.state.ended], [trim, "rain", "lost"]);
  assert.deepEqual(left().state.trim, WHOLE);
});
