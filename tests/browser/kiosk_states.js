/**
 * An open kiosk shown in any state there is, and what is amiss with how it stands there. A take is recorded once, for
 * real, and held; from then on nothing but the state is changed. Its clock stands still at a moment that no real one
 * comes to, so nothing that is counted runs on. Laid into the page by kiosk_states.py.
 */
window.kioskStates = (() => {
  const STILL_MS = 1e12;
  const LEAST_PX = 44;
  const SLACK_PX = 1.5;
  const EM = 0.8; // of a line of text: what its letters fill, whatever its font leaves around them

  const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
  const $ = (selector) => document.querySelector(selector);
  const kiosk = () => getElement($(".kiosk"));
  const given = () => mounted_app.elements[$(".kiosk").id.slice(1)].props;
  let held = null; // what the kiosk was when the take was there

  /** To be called in review, once. From here on nobody tells the page what stewards have set. */
  function hold() {
    window.socket.off("update");
    const { take, run } = kiosk().state;
    held = { take, run, levels: kiosk().levels, surface: kiosk().surface, first: kiosk().firstState() };
  }

  function stateOf({ stage, after_s: afterS, untouched_s: untouchedS, alone_s: aloneS, state, language, policy, flaw, kept_part: part }) {
    const { take, run, first } = held;
    const sinceMs = STILL_MS - afterS * 1000;
    const touchedMs = aloneS ? performance.now() - aloneS * 1000 : STILL_MS - untouchedS * 1000;
    const length = take.durationMs;
    const withTake = ["review", "submitting"].includes(stage);
    const [from, to] = part ?? [0, 1];
    const its = withTake ? { take: { ...take, flaw: flaw ?? "" }, trim: { startMs: length * from, endMs: length * to } } : {};
    return {
      ...first, ...its, ...state, stage, run, nowMs: STILL_MS, sinceMs, touchedMs, beats: first.figures.countdown_s + 1,
      limitMs: first.policy.maxRecordingMs, policy: { ...first.policy, language, ...policy },
    };
  }

  /** @param {object} shown what `Shown` of kiosk_states.py is as JSON, with a language and a theme in it */
  async function show(shown) {
    const component = kiosk();
    component.state = Object.freeze(stateOf({ ...shown, stage: "idle", state: {}, policy: {} }));
    given().surface = { ...held.surface, language: shown.language, ...shown.surface };
    await component.$nextTick();
    while (component.said.language !== shown.language) await frame();
    const wanted = Object.freeze(stateOf(shown));
    component.state = wanted;
    await component.$nextTick(); // forgets what was heard in the stage before
    const quiet = { hearing: "", connected: true, focused: true, keyed: false, called: "", levels: held.levels };
    Object.assign(component, quiet, shown.says);
    component.invite();
    component.draw();
    await document.fonts.ready;
    await frame();
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    await frame();
    const moved = Object.keys(wanted).filter((key) => component.state[key] !== wanted[key]);
    if (moved.length > 0) throw new Error(`${shown.name} did not stay: ${moved}`);
  }

  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && !element.closest(".hidden-words, .slip, .kiosk-called[data-called=false]");
  const named = (element) => `${element.tagName.toLowerCase()}.${element.className} “${element.innerText.trim().slice(0, 40)}”`;
  const overlap = (a, b) => Math.min(
    Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  );

  /** Everything that says something: the elements whose own text it is. */
  function texts() {
    const walker = document.createTreeWalker($(".kiosk"), NodeFilter.SHOW_TEXT);
    const found = new Map();
    while (walker.nextNode()) {
      const { currentNode: text } = walker;
      if (text.data.trim() && seen(text.parentElement)) found.set(text.parentElement, [...(found.get(text.parentElement) ?? []), text]);
    }
    return found;
  }

  /** Where the letters stand, line by line. */
  function lines(nodes, element) {
    const range = document.createRange();
    const em = Number.parseFloat(getComputedStyle(element).fontSize) * EM;
    return nodes.flatMap((node) => {
      range.selectNodeContents(node);
      return [...range.getClientRects()].map(({ left, right, top, bottom }) => {
        const middle = (top + bottom) / 2;
        return { left, right, top: middle - em / 2, bottom: middle + em / 2 };
      });
    });
  }

  const touched = () => [...document.querySelectorAll(".kiosk :is(button, label)")].filter(seen);

  function small() {
    return touched().flatMap((target) => {
      const { width, height } = target.getBoundingClientRect();
      const side = Math.round(Math.min(width, height) * 100) / 100;
      return side < LEAST_PX ? [`${named(target)} is only ${side} px`] : [];
    });
  }

  function sideways() {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`${scrollWidth} px of content in ${clientWidth} px`] : [];
  }

  /** Words that run out of the box they stand in, or off the screen. */
  function cut(found) {
    const { clientWidth } = document.documentElement;
    return [...found].flatMap(([element, nodes]) => {
      let box = element;
      while (getComputedStyle(box).display.startsWith("inline")) box = box.parentElement;
      const inner = box.getBoundingClientRect();
      const out = lines(nodes, element).some(({ left, right, top, bottom }) => left < Math.max(0, inner.left - SLACK_PX)
        || right > Math.min(clientWidth, inner.right + SLACK_PX) || top < inner.top - SLACK_PX || bottom > inner.bottom + SLACK_PX);
      const wider = box.clientWidth > 0 && box.scrollWidth > box.clientWidth + SLACK_PX;
      return out || wider ? [`${named(element)} is cut off`] : [];
    });
  }

  /** Words upon words, targets upon targets: looked at from the end of the page, where everything has its own place. */
  function upon(found) {
    const all = [...found].filter(([element]) => !element.closest(".kiosk-called")).map(([element, nodes]) => ({ element, rects: lines(nodes, element) }));
    const targets = touched().map((element) => ({ element, rects: [element.getBoundingClientRect()] }));
    const handles = (a, b) => [a, b].every(({ element }) => element.matches("[role=slider]"));
    return [...pairs(all, () => false), ...pairs(targets, handles)];
  }

  function pairs(all, but) {
    return all.flatMap((a, at) => all.slice(at + 1).flatMap((b) => {
      if (but(a, b) || a.element.contains(b.element)) return [];
      const most = Math.max(...a.rects.flatMap((one) => b.rects.map((other) => overlap(one, other))));
      return most > SLACK_PX ? [`${named(a.element)} lies over ${named(b.element)} by ${Math.round(most)} px`] : [];
    }));
  }

  /** What belongs to the page must come to stand above the actions, which stay in view. */
  function under() {
    const { top } = $(".kiosk-actions").getBoundingClientRect();
    const last = [...$(".kiosk-body").children].findLast(seen);
    const low = [last, $(".kiosk-languages")].filter(Boolean).filter((element) => element.getBoundingClientRect().bottom > top + SLACK_PX);
    return low.map((element) => `${named(element)} stays under the actions`);
  }

  /** Whatever keys come to is seen when they do, and so is enough of the page around it. */
  function covered() {
    const before = document.activeElement;
    const targets = [...document.querySelectorAll(".kiosk-body :is(button, input), .kiosk-languages button")].filter((one) => seen(one) && !one.matches(":disabled"));
    const found = targets.flatMap((target) => {
      window.scrollTo(0, 0);
      target.focus({ focusVisible: true });
      const { top } = $(".kiosk-actions").getBoundingClientRect();
      const box = (target.closest("label") ?? target).getBoundingClientRect();
      return Math.min(box.bottom, box.top + LEAST_PX) > top + SLACK_PX || box.bottom < 0 ? [`${named(target)} has the focus and is not seen`] : [];
    });
    before.focus({ preventScroll: true });
    const { height } = $(".kiosk-actions").getBoundingClientRect();
    const left = window.innerHeight - height;
    return left < window.innerHeight / 3 ? [...found, `the actions leave ${Math.round(left)} px of ${window.innerHeight}`] : found;
  }

  /** @returns {string[]} what is amiss, in words; nothing where all is well */
  function amiss() {
    const hidden = covered();
    window.scrollTo(0, document.documentElement.scrollHeight);
    const found = texts();
    const rest = [...sideways(), ...small(), ...cut(found), ...upon(found), ...under()];
    window.scrollTo(0, 0);
    return [...hidden, ...rest];
  }

  /** What axe has against it; of large words it wants the contrast of all others. */
  async function violations() {
    const expected = { normal: { expected: 4.5 }, large: { expected: 4.5 } };
    axe.configure({ checks: [{ id: "color-contrast", options: { contrastRatio: expected } }] });
    const { violations: found } = await axe.run(document, { resultTypes: ["violations"] });
    return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`));
  }

  return { hold, show, amiss, violations };
})();
