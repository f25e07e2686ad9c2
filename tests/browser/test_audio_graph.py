"""The browser's sound in a real Chromium: offline renders are measured, live playback is taped and timed."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from core.audio.outline import outline
from tests.browser.sound_stage import AUDIO, COLOURS, Origin, colour, opened, perform, probe, served

WEARS = [step / 10 for step in range(11)]


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def page(playwright: Playwright, origin: Origin) -> Iterator[Page]:
    with opened(playwright, origin) as ready:
        yield ready


def worn(page: Page, source: str, wear: float, seed: int = 1) -> Any:
    return probe(page, "wear", source=source, wear=wear, figures=AUDIO["wear"], seed=seed)


def coloured(page: Page, code: str | None, source: str = "white", source_seed: int = 1) -> Any:
    given = None if code is None else colour(code)
    return probe(page, "colour", source=source, colour=given, sourceSeed=source_seed)


def change_db(page: Page, code: str) -> dict[str, float]:
    """What a colour does to each band of white noise, in dB."""
    dry, wet = coloured(page, None)["bands"], coloured(page, code)["bands"]
    return {band: wet[band] - dry[band] for band in dry}


# Wear


@pytest.mark.parametrize("source", ["voice", "white"])
def test_brightness_falls_with_every_step_of_wear(page: Page, source: str) -> None:
    brightness = [worn(page, source, wear)["brightnessHz"] for wear in WEARS]
    assert all(later < earlier for earlier, later in pairwise(brightness)), brightness
    assert brightness[-1] < 0.75 * brightness[0]


def test_an_unworn_take_passes_untouched(page: Page) -> None:
    assert worn(page, "voice", 0)["difference"] == 0


def test_a_fully_worn_take_is_still_there(page: Page) -> None:
    fresh, old = worn(page, "voice", 0), worn(page, "voice", 1)
    assert 0.5 < old["rms"] / fresh["rms"] < 1.2


def test_the_same_render_is_the_same_to_the_last_bit(page: Page) -> None:
    assert worn(page, "voice", 0.8)["digest"] == worn(page, "voice", 0.8)["digest"]


def test_another_seed_wears_otherwise(page: Page) -> None:
    assert worn(page, "voice", 0.8, seed=1)["digest"] != worn(page, "voice", 0.8, seed=2)["digest"]


def test_the_noise_of_wear_grows_and_stays_small(page: Page) -> None:
    noise = [worn(page, "silence", wear)["rms"] for wear in WEARS]
    assert noise[0] == 0
    assert noise == sorted(noise)
    assert 0 < noise[-1] < 0.004


# Colours


def test_clear_loses_rumble_and_gains_presence_and_air(page: Page) -> None:
    change = change_db(page, "clear")
    assert change["rumble"] < -3
    assert change["presence"] > change["low"] + 0.8
    assert 0.8 < change["top"] < 2.2


def test_warm_leans_from_the_top_to_the_bottom(page: Page) -> None:
    change = change_db(page, "warm")
    assert change["low"] > change["middle"] + 1.5
    assert change["high"] < change["middle"] - 2
    assert change["top"] < change["middle"] - 6


def test_radio_is_a_narrow_band_around_its_peak(page: Page) -> None:
    change = change_db(page, "radio")
    assert change["middle"] > change["low"] + 8
    assert change["middle"] > change["high"] + 8
    assert change["middle"] > change["top"] + 14


def test_dream_is_soft_and_rings_on_after_the_voice(page: Page) -> None:
    change = change_db(page, "dream")
    assert change["top"] < change["middle"] - 8
    assert coloured(page, "dream")["tailRms"] > 1e-4
    assert coloured(page, None)["tailRms"] == 0


def test_every_colour_is_a_sound_of_its_own(page: Page) -> None:
    codes = [None, *(entry["code"] for entry in COLOURS)]
    assert len({coloured(page, code)["digest"] for code in codes}) == len(codes)


def test_a_take_dreams_the_same_each_time_and_no_other_take_dreams_it(page: Page) -> None:
    assert coloured(page, "dream")["digest"] == coloured(page, "dream")["digest"]
    other = colour("dream")
    first = probe(page, "dreamRoom", colour=other, sourceSeed=1)
    second = probe(page, "dreamRoom", colour=other, sourceSeed=2)
    assert first == probe(page, "dreamRoom", colour=other, sourceSeed=1)
    assert first != second


# Tone, WAV, outline, microphone


def test_room_tone_ducks_and_returns(page: Page) -> None:
    tone = probe(page, "roomTone", figures=AUDIO["tone"])
    assert 0.08 < tone["ducked"] / tone["idle"] < 0.36
    assert tone["again"] > 2 * tone["ducked"]


def test_room_tone_is_never_cut(page: Page) -> None:
    tone = probe(page, "roomTone", figures=AUDIO["tone"])
    assert tone["beginning"] < 0.05 * tone["idle"]
    assert tone["largestStep"] <= 1.5 * tone["steadySteps"]


def test_an_encoded_take_comes_back_within_one_step_of_16_bit(page: Page) -> None:
    trip = probe(page, "wavRoundTrip")
    assert trip["channels"] == 1
    assert trip["frames"][0] == trip["frames"][1]
    assert trip["difference"] < 1.5 / 32_768


@pytest.mark.parametrize(("rate_hz", "frames"), [(16_000, 48_000), (48_000, 200_001), (48_000, 40)])
def test_the_outline_is_the_same_in_both_languages(page: Page, rate_hz: int, frames: int) -> None:
    rng = np.random.default_rng(5)
    t = np.arange(frames) / rate_hz
    take = (np.sin(2 * np.pi * 220 * t * (1 + t)) * np.sin(t) ** 2 + 0.05 * rng.normal(size=t.size)) * 0.5
    take[20_000:24_000] = 0
    samples = take.astype(np.float32)
    script = "async ([s, hz]) => (await import('outline')).outline(Float32Array.from(s), hz)"
    theirs = page.evaluate(script, [samples.tolist(), rate_hz])
    np.testing.assert_allclose(theirs, outline(samples, rate_hz), atol=0.0021)


def test_a_microphone_records_its_tail_and_is_released(page: Page) -> None:
    take = probe(page, "microphone", figures=AUDIO["take"])
    assert take["levelsWhileArmed"] > 5
    assert take["peak"] > 0.01
    assert take["recordedS"] == pytest.approx(take["spokenS"] + AUDIO["take"]["tail_ms"] / 1000, abs=0.15)
    assert [index for index, _ in take["indices"][:10]] == list(range(10))
    assert take["secondS"] == pytest.approx(0.8, abs=0.2)
    assert take["afterClose"] == 0
    assert take["trackState"] == "ended"
    assert take["processing"] == [False, False, False]


def test_a_lost_microphone_gives_what_it_heard_and_a_page_that_is_left_keeps_none(page: Page) -> None:
    result = probe(page, "lostMicrophones", figures=AUDIO["take"])
    assert result["states"] == [{"lost": True, "muted": False}]
    assert result["rescuedS"] > 0.2
    assert result["outcome"] == "lost"
    assert result["released"] == "ended"


# The player


def test_the_gap_between_two_programs_is_what_was_asked(page: Page) -> None:
    first, second = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('started').length === 1);
        s.engine.offer(program(2, [item(2)], { gap_ms: 950 }));
        await until(() => told('ended').length === 2);
        await pause(0.1);
        return s.tape.sounds();
        """,
    )
    assert first[1] - first[0] == pytest.approx(1, abs=0.02)
    assert second[0] - first[1] == pytest.approx(0.95, abs=0.02)


def test_a_played_voice_is_acknowledged_once_and_told(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(7)]));
        await until(() => told('ended').length === 1);
        await pause(0.3);
        return [s.posts, told('ended')[0].heard, s.events.map((event) => event.type)];
        """,
    )
    assert result[0] == ["/heard/7"]
    assert result[1] == [7]
    assert result[2][:3] == ["need", "need", "started"]


def test_the_start_that_is_told_is_the_start_on_the_audio_clock(page: Page) -> None:
    told_s, sound_s, tape_offset_s = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('ended').length === 1);
        await pause(0.1);
        return [told('started')[0].startsAtContextTime, s.tape.sounds()[0][0], s.context.currentTime - s.tape.lengthS];
        """,
    )
    assert told_s == pytest.approx(sound_s + tape_offset_s, abs=0.12)


def test_a_dropped_voice_is_silent_within_200_ms_and_not_heard(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1, { url: '/take/4', duration_ms: 4000 })]));
        await until(() => told('started').length === 1);
        await pause(0.7);
        const at = s.context.currentTime;
        s.engine.drop([1]);
        await pause(0.8);
        const [sound] = s.tape.sounds();
        const playedS = at - told('started')[0].startsAtContextTime;
        return [sound[1] - sound[0] - playedS, s.posts, told('ended').map((event) => event.heard)];
        """,
    )
    assert 0.03 < result[0] < 0.2  # a fade, not a click
    assert result[1] == []
    assert result[2] == [[]]


def test_a_dropped_program_that_waits_is_never_played(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)], { gap_ms: 700 }));
        await pause(0.3);
        s.engine.drop([1]);
        await pause(1.5);
        return [s.tape.sounds(), s.posts, told('failed').map((event) => event.reason)];
        """,
    )
    assert result == [[], [], ["dropped"]]


def test_an_overlap_layer_survives_the_drop_of_the_first_voice(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1, { url: '/take/3', duration_ms: 3000 }), item(2, { delay_ms: 300 })]));
        await until(() => told('started').length === 2);
        s.engine.drop([1]);
        await until(() => told('ended').length === 1);
        return [told('ended')[0].heard, s.posts];
        """,
    )
    assert result == [[2], ["/heard/2"]]


def test_a_take_that_is_gone_is_skipped_and_the_next_is_asked_for(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1, { url: '/nothing' })]));
        await until(() => told('failed').length === 1);
        const asked = told('need').at(-1).seq;
        s.engine.offer(program(2, [item(2)]));
        await until(() => told('ended').length === 1);
        return [told('failed')[0].reason, asked, s.posts];
        """,
    )
    assert result == ["gone", 1, ["/heard/2"]]


def test_a_layer_that_is_gone_does_not_silence_the_first_voice(page: Page) -> None:
    heard = perform(
        page,
        """
        s.engine.offer(program(1, [item(1), item(2, { url: '/nothing', delay_ms: 200 })]));
        await until(() => told('ended').length === 1);
        return told('ended')[0].heard;
        """,
    )
    assert heard == [1]


def test_nothing_plays_past_the_end_of_its_right(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)], { good_until_ms: Date.now() + 900 }));
        await until(() => told('failed').length === 1);
        await pause(0.5);
        return [told('failed')[0].reason, s.tape.sounds(), s.posts];
        """,
    )
    assert result == ["stale", [], []]


def test_a_right_that_ends_during_a_pause_ends_the_voice(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)], { good_until_ms: Date.now() + 2000 }));
        await until(() => told('started').length === 1);
        await pause(0.2);
        s.engine.pause();
        await pause(2);
        s.engine.resume();
        await pause(1);
        return [told('ended').map((event) => event.heard), s.posts];
        """,
    )
    assert result == [[[]], []]


def test_a_pause_stops_the_voice_and_resuming_finishes_it(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('started').length === 1);
        await pause(0.2);
        s.engine.pause();
        await pause(0.6);
        const state = s.context.state;
        const frozen = s.context.currentTime;
        await pause(0.5);
        const still = s.context.currentTime - frozen;
        s.engine.resume();
        await until(() => told('ended').length === 1);
        return [state, still, told('ended')[0].heard, s.posts];
        """,
    )
    assert result == ["suspended", 0, [1], ["/heard/1"]]


def test_what_plays_into_a_muted_output_is_not_heard(page: Page) -> None:
    result = perform(
        page,
        """
        s.engine.setQuieter({ gain: 0 });
        s.engine.offer(program(1, [item(1)]));
        await until(() => told('ended').length === 1);
        await pause(0.2);
        return [told('ended')[0].heard, s.posts];
        """,
    )
    assert result == [[], []]


def test_an_acknowledgement_is_repeated_until_it_arrives(page: Page) -> None:
    posts = perform(
        page,
        """
        s.engine.offer(program(1, [item(1)]));
        await until(() => s.posts.length === 3, 12);
        await pause(1);
        return s.posts;
        """,
        answers={"/heard/1": [0, 503, 200]},
    )
    assert posts == ["/heard/1"] * 3


def test_a_rest_rests_and_then_asks(page: Page) -> None:
    rested_s, needs = perform(
        page,
        """
        const from = s.context.currentTime;
        s.engine.offer(program(1, [], { rest_ms: 800 }));
        await until(() => told('ended').length === 1);
        return [told('ended')[0].clockS - from, told('need').map((event) => event.seq)];
        """,
    )
    assert rested_s == pytest.approx(0.88, abs=0.15)
    assert needs == [0, 1]


def test_a_worn_and_coloured_window_sounds_as_long_as_it_should(page: Page) -> None:
    (sound,) = perform(
        page,
        """
        const more = { url: '/take/5', start_ms: 2000, duration_ms: 1200, wear: 0.9, colour: 'radio' };
        s.engine.offer(program(1, [item(1, more)]));
        await until(() => told('ended').length === 1);
        await pause(0.3);
        return s.tape.sounds(0.02);
        """,
    )
    assert sound[1] - sound[0] == pytest.approx(1.2, abs=0.03)


def test_an_older_program_is_ignored_and_a_newer_one_takes_its_place(page: Page) -> None:
    seqs = perform(
        page,
        """
        s.engine.offer(program(2, [item(2)], { gap_ms: 100 }));
        s.engine.offer(program(1, [item(1)]));
        s.engine.offer(program(3, [item(3)], { gap_ms: 100 }));
        await until(() => told('ended').length === 1);
        await pause(1);
        return told('started').map((event) => event.seq);
        """,
    )
    assert seqs == [3]
