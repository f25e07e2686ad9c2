"""Programs that pass into each other, that are taken back in the last moment, and a room that comes back by itself."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from core.audio.wav import write
from tests.browser.gaps import gap_errors_ms
from tests.browser.sound_stage import AUDIO, BARE, RATE_HZ, Origin, opened, perform, served

PROGRAM = AUDIO["program"]
WITH_TONE = {**BARE, "tone": {**AUDIO["tone"], "idle": 0.2, "sparse": 0.3, "ducked": 0.05, "fade_s": 0.2}}


@pytest.fixture(scope="module")
def server() -> Iterator[Origin]:
    with served() as running:
        yield running


@pytest.fixture
def origin(server: Origin) -> Iterator[Origin]:
    """The server, as it was before for whoever comes next."""
    yield server
    server.gone.clear()
    server.delay_s = 0


@pytest.fixture(scope="module")
def page(playwright: Playwright, server: Origin) -> Iterator[Page]:
    with opened(playwright, server) as ready:
        yield ready


def noise(seed: int, seconds: float) -> bytes:
    """The WAV of white noise at a tenth of full scale."""
    rng = np.random.default_rng(seed)
    return write((0.1 * rng.standard_normal(int(seconds * RATE_HZ))).astype(np.float32), RATE_HZ)


# Crossfades and layers


def test_two_programs_cross_at_equal_power_and_both_are_heard(page: Page, origin: Origin) -> None:
    origin.takes |= {"one": noise(1, 4), "two": noise(2, 4)}
    levels, heard, posts, starts, ends = perform(
        page,
        """
        const whole = { duration_ms: 4000, level: 1 };
        s.engine.offer(program(1, [item(1, { url: '/wav/one', fade_out_ms: 1500, ...whole })]));
        await until(() => told('started').length === 1);
        s.engine.offer(program(2, [item(2, { url: '/wav/two', fade_in_ms: 1500, ...whole })], { gap_ms: -1500 }));
        await until(() => told('ended').length === 2, 12);
        await pause(0.3);
        const starts = told('started').map((event) => event.startsAtContextTime);
        return [s.tape.levels(), told('ended').map((event) => event.heard), s.posts, starts,
          told('ended').map((event) => event.clockS)];
        """,
    )
    assert heard == [[1], [2]]
    assert posts == ["/heard/1", "/heard/2"]
    assert starts[1] - starts[0] == pytest.approx(2.5, abs=0.005)
    assert ends[0] - starts[0] == pytest.approx(4, abs=0.2)
    assert ends[1] - starts[1] == pytest.approx(4, abs=0.2)
    sounding = [level for level in levels if level > 0.02]
    assert len(sounding) * 0.05 == pytest.approx(6.5, abs=0.15)
    inner = 20 * np.log10(np.array(sounding[2:-2]) / 0.1)
    assert np.abs(inner).max() < 1.2, inner


def test_the_gap_after_a_crossing_counts_from_the_newer_program(page: Page) -> None:
    first, second, third = perform(
        page,
        """
        const long = (id, more) => item(id, { url: '/take/3', duration_ms: 3000, ...more });
        s.engine.offer(program(1, [long(1, { fade_out_ms: 1000 })]));
        await until(() => told('started').length === 1);
        s.engine.offer(program(2, [long(2, { fade_in_ms: 1000, duration_ms: 2500 })], { gap_ms: -1000 }));
        await until(() => told('started').length === 2);
        s.engine.offer(program(3, [item(3)], { gap_ms: 800 }));
        await until(() => told('ended').length === 3, 12);
        return told('started').map((event) => event.startsAtContextTime);
        """,
    )
    assert second - first == pytest.approx(2, abs=0.005)
    assert third - second == pytest.approx(2.5 + 0.8, abs=0.005)


def test_each_of_two_crossing_programs_can_be_taken_back(page: Page) -> None:
    heard, posts = perform(
        page,
        """
        const long = (id, more) => item(id, { url: '/take/4', duration_ms: 4000, ...more });
        s.engine.offer(program(1, [long(1, { fade_out_ms: 2000 })]));
        await until(() => told('started').length === 1);
        s.engine.offer(program(2, [long(2, { fade_in_ms: 2000 })], { gap_ms: -2000 }));
        await until(() => told('started').length === 2, 12);
        await pause(0.5);
        s.engine.drop([1]);
        await pause(0.3);
        const early = told('ended').map((event) => event.heard);
        await until(() => told('ended').length === 2, 12);
        return [[early, told('ended')[1].heard], s.posts];
        """,
    )
    assert heard == [[[]], [2]]
    assert posts == ["/heard/2"]


def test_a_layer_sounds_at_its_gain_after_everything_else(page: Page, origin: Origin) -> None:
    origin.takes |= {"one": noise(1, 2)}
    whole, layer = (
        max(
            perform(
                page,
                f"""
                const layer = {{ url: '/wav/one', duration_ms: 2000, colour: 'radio', gain: {gain} }};
                s.engine.offer(program(1, [item(1, layer)]));
                await until(() => told('ended').length === 1);
                return s.tape.levels(0.5);
                """,
            )
        )
        for gain in (1, 0.68)
    )
    assert layer / whole == pytest.approx(0.68, abs=0.02)


# Confirming


def test_a_voice_is_asked_for_once_before_it_starts(page: Page) -> None:
    ahead_s, urls = perform(
        page,
        """
        s.engine.offer(program(1, [item(1), item(2, { url: '/take/1.5', delay_ms: 200 })], { gap_ms: 2000 }));
        await until(() => told('ended').length === 1);
        const startS = told('started')[0].startsAtContextTime;
        return [s.heads.map(({ clockS }) => startS - clockS), s.heads.map(({ url }) => url)];
        """,
    )
    assert urls == ["/take/1", "/take/1.5"]
    assert all(0.5 < seconds < PROGRAM["confirm_ahead_s"] + 0.1 for seconds in ahead_s)


def test_what_was_taken_back_between_choice_and_start_is_not_played(page: Page, origin: Origin) -> None:
    origin.gone.add("/take/1")
    reasons, needs, sounds, posts = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('failed').length === 1);
        await pause(0.8);
        const reasons = told('failed').map((event) => event.reason);
        return [reasons, told('need').map((event) => event.seq), s.tape.sounds(), s.posts];
        """,
    )
    assert (reasons, sounds, posts) == (["gone"], [], [])
    assert needs == [0, 1]


def test_a_layer_that_was_taken_back_is_left_out(page: Page, origin: Origin) -> None:
    origin.gone.add("/take/1.5")
    heard = perform(
        page,
        """
        s.engine.offer(program(1, [item(1), item(2, { url: '/take/1.5', duration_ms: 1500, delay_ms: 100 })]));
        await until(() => told('ended').length === 1);
        const [sound] = s.tape.sounds();
        return [told('ended')[0].heard, sound[1] - sound[0]];
        """,
    )
    assert heard[0] == [1]
    assert heard[1] == pytest.approx(1, abs=0.03)


def test_what_nobody_confirms_is_not_played_and_asked_for_again_later(page: Page) -> None:
    impatient = {**BARE, "program": {**PROGRAM, "confirm_wait_s": 0.4, "ask_again_s": 1.5}}
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('failed').length === 1);
        const asked = told('need').length;
        await pause(0.5);
        const soon = told('need').length;
        await until(() => told('need').length > soon, 4);
        return [told('failed')[0].reason, soon - asked, s.tape.sounds(), s.posts];
        """,
        figures=impatient,
        unanswered=True,
    )
    assert result == ["unconfirmed", 0, [], []]


def test_with_a_slow_network_everything_is_still_on_time(page: Page, origin: Origin) -> None:
    origin.delay_s = 0.5
    sounds = perform(
        page,
        """
        s.engine.offer(program(1, [item(1, { url: '/take/3', duration_ms: 3000 })]));
        await until(() => told('started').length === 1);
        s.engine.offer(program(2, [item(2)], { gap_ms: 700 }));
        await until(() => told('ended').length === 2, 12);
        await pause(0.1);
        return s.tape.sounds();
        """,
    )
    assert sounds[1][0] - sounds[0][1] == pytest.approx(0.7, abs=0.01)


# Tone


def levels_of(page: Page, script: str, **options: object) -> list[float]:
    """RMS of every half second of tape."""
    return perform(page, f"{script}; return s.tape.levels(0.5);", figures=WITH_TONE, **options)


def test_the_tone_sounds_while_there_is_nothing_else_and_under_everything(page: Page) -> None:
    levels = levels_of(
        page,
        """
        await pause(1.2);
        s.engine.offer(program(1, [item(1, { url: '/nothing' })]));
        await until(() => told('failed').length === 1);
        s.engine.offer(program(2, [], { rest_ms: 800 }));
        await until(() => told('ended').length === 1);
        s.engine.offer(program(3, [item(1, { level: 0.001 })]));
        await until(() => told('ended').length === 2);
        await pause(1);
        """,
    )
    assert min(levels[1:]) > 0.001
    assert max(levels[1:]) > 3 * min(levels[1:])  # ducked under the voice


def test_a_program_brings_its_own_tone_from_its_beginning(page: Page) -> None:
    levels = perform(
        page,
        """
        await pause(1.5);
        s.engine.offer(program(1, [], { rest_ms: 2500, tone: { scale: 0.25, resting: 'sparse' } }));
        await until(() => told('ended').length === 1);
        return s.tape.levels(0.5);
        """,
        figures=WITH_TONE,
    )
    before, during = np.mean(levels[1:3]), np.mean(levels[-3:])
    assert during / before == pytest.approx(0.25 * 0.3 / 0.2, rel=0.25)


def test_the_site_has_its_own_air_as_strong_as_ours(page: Page, origin: Origin) -> None:
    origin.takes["ambience"] = write(
        (0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ * 9) / RATE_HZ)).astype(np.float32), RATE_HZ
    )
    options = {"figures": WITH_TONE, "tone": {"voice": "site", "file_url": "/wav/ambience"}}
    ours = perform(page, "await pause(2.5); return s.tape.levels(0.5);", figures=WITH_TONE)
    theirs, pitches = perform(
        page,
        "await pause(7); return [s.tape.levels(0.5), s.tape.pitches(0.5)];",
        **options,
    )
    assert np.mean(theirs[-6:]) == pytest.approx(np.mean(ours[-3:]), rel=0.3)
    assert min(theirs[1:]) > 0.3 * np.mean(ours[-3:])
    assert pitches[-4:] == pytest.approx([300] * 4, abs=6)


@pytest.mark.parametrize("url", ["/wav/nothing", "/wav/no-sound", "/wav/silence"])
def test_where_the_site_has_no_usable_file_the_air_is_ours(page: Page, origin: Origin, url: str) -> None:
    origin.takes |= {"no-sound": b"<!doctype html>", "silence": write(np.zeros(RATE_HZ, np.float32), RATE_HZ)}
    levels = perform(
        page,
        "await pause(2); return s.tape.levels(0.5);",
        figures=WITH_TONE,
        tone={"voice": "site", "file_url": url},
    )
    assert min(levels[1:]) > 0.01


def test_the_loop_of_a_file_has_no_seam(page: Page) -> None:
    script = """async () => {
      const { seamless } = await import('ambience');
      const { createNoise } = await import('noise');
      const noise = createNoise(1);
      let level = 0;
      const air = Float32Array.from({ length: 48000 }, () => (level = 0.98 * level + 0.02 * noise()));
      const loop = seamless(air, 4800);
      let most = 0;
      for (let i = 1; i < loop.length; i += 1) most = Math.max(most, Math.abs(loop[i] - loop[i - 1]));
      return [loop.length, Math.abs(loop[0] - loop.at(-1)), most];
    }"""
    frames, seam, most = page.evaluate(script)
    assert frames == 43_200
    assert seam <= most


# Coming back


def test_after_a_night_nothing_goes_on_where_it_was(page: Page) -> None:
    heard, reasons, needs, rest_of_it = perform(
        page,
        """
        const long = { good_until_ms: Date.now() + 1e9 };
        s.engine.offer(program(1, [item(1, { url: '/take/6', duration_ms: 6000 })], long));
        await until(() => told('started').length === 1);
        s.engine.offer(program(2, [item(2)], long));
        await pause(0.6);
        const asked = told('need').length;
        s.sleep(8);
        await until(() => told('ended').length === 1, 2);
        await until(() => told('failed').length === 1, 2);
        const atS = s.tape.lengthS;
        await pause(0.6);
        return [told('ended').map((event) => event.heard), told('failed').map((event) => event.reason),
          told('need').length - asked, s.tape.levels(0.1).slice(Math.ceil(atS / 0.1) + 1)];
        """,
    )
    assert heard == [[]]
    assert reasons == ["forgotten"]
    assert needs == 1
    assert max(rest_of_it) < 1e-4


def test_a_short_doze_changes_nothing(page: Page) -> None:
    heard = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('started').length === 1);
        s.sleep(10 / 3600);
        await until(() => told('ended').length === 1);
        return told('ended')[0].heard;
        """,
    )
    assert heard == [1]


def test_after_a_long_pause_the_room_begins_anew(page: Page) -> None:
    quick = {**BARE, "program": {**PROGRAM, "forget_after_s": 1}}
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1, { url: '/take/4', duration_ms: 4000 })]));
        await until(() => told('started').length === 1);
        await pause(0.3);
        s.engine.pause();
        await pause(1.6);
        const asked = told('need').length;
        const atS = s.tape.lengthS;
        s.engine.resume();
        await until(() => told('ended').length === 1, 2);
        await pause(0.6);
        const after = s.tape.levels(0.1).slice(Math.ceil(atS / 0.1) + 1);
        return [told('ended')[0].heard, told('need').length > asked, Math.max(...after)];
        """,
        figures=quick,
    )
    assert result[:2] == [[], True]
    assert result[2] < 1e-3


def test_a_context_that_was_stopped_is_started_again_unless_a_person_paused_it(page: Page) -> None:
    states = perform(
        page,
        """
        const { createWake } = await import('wake');
        const { createScope } = await import('scope');
        const scope = createScope();
        const wanted = { now: true };
        const figures = FIGURES;
        createWake({ context: s.context, figures, wanted: () => wanted.now, elapsed: () => performance.now(), scope,
          environment: { window, document } });
        await s.context.suspend();
        await pause(0.6);
        const back = s.context.state;
        wanted.now = false;
        await s.context.suspend();
        await pause(0.6);
        const paused = s.context.state;
        scope.dispose();
        return [back, paused];
        """.replace("FIGURES", json.dumps({**AUDIO["wake"], "look_ms": 50, "first_s": 0.1})),
    )
    assert states == ["running", "suspended"]


# Timing


def test_gaps_are_kept_to_20_ms_by_a_loaded_page_on_a_slow_network(page: Page, origin: Origin) -> None:
    errors = gap_errors_ms(page, origin, programs=5, seed=7)
    assert max(map(abs, errors)) < 20, errors
