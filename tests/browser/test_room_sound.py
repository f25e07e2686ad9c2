"""Real speech through the room: what level, wear and colour make of it, measured."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations, pairwise

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright
from pystoi import stoi

from core.adapters.catalogs import parse
from core.audio.wav import Samples
from core.domain.memory_color import ColorCatalog, MemoryColor
from tests import speech
from tests.browser.sound_stage import (
    AUDIO,
    COLOURS,
    RATE_HZ,
    Origin,
    band_db,
    centroid_hz,
    opened,
    preview,
    probe,
    render,
    served,
)

WEARS = [0, 0.25, 0.5, 0.75, 1]
LEVEL = AUDIO["level"]
CODES = ["", *(entry["code"] for entry in COLOURS)]
SPEAKERS = list(speech.SPEAKERS)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def page(playwright: Playwright, origin: Origin) -> Iterator[Page]:
    with opened(playwright, origin) as ready:
        yield ready


def level_of(wav: bytes) -> float:
    """The linear gain that the server would send with a take."""
    samples, _ = speech.read(wav)
    wanted_db = LEVEL["target_lufs"] - speech.loudness(samples)
    return 10 ** (min(wanted_db, LEVEL["ceiling_dbtp"] - speech.true_peak(samples)) / 20)


# Level


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_loudness_is_the_same_in_both_languages(page: Page, origin: Origin, speaker: str) -> None:
    wav = speech.at(speaker, -31)
    origin.takes["measured"] = wav
    samples, _ = speech.read(wav)
    measured = probe(page, "measured", "speech_probe", url="/wav/measured")
    assert measured["lufs"] == pytest.approx(speech.loudness(samples), abs=0.3)
    assert measured["peakDbtp"] == pytest.approx(speech.true_peak(samples), abs=0.3)


@pytest.mark.parametrize("code", CODES)
def test_a_colour_leaves_speech_as_loud_as_it_was(page: Page, origin: Origin, code: str) -> None:
    changes = [
        speech.loudness(render(page, origin, wav, colour=code)) - LEVEL["target_lufs"]
        for _, wav in speech.everyone(LEVEL["target_lufs"])
    ]
    assert np.mean(changes) == pytest.approx(0, abs=0.3)
    assert changes == pytest.approx([0] * len(changes), abs=1)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("lufs", [-34, -18])
def test_the_kiosk_lets_a_participant_hear_what_the_room_will_play(
    page: Page, origin: Origin, code: str, lufs: float
) -> None:
    wav = speech.at("en woman", lufs)
    room = render(page, origin, wav, colour=code, level=level_of(wav)).astype(np.float64)
    kiosk = preview(page, origin, wav, code).astype(np.float64)
    gain = np.dot(kiosk, room) / np.dot(room, room)
    assert 20 * np.log10(gain) == pytest.approx(LEVEL["preview_lift_db"], abs=0.3)
    assert np.abs(kiosk - gain * room).max() < 0.01 * np.abs(kiosk).max()


@pytest.mark.parametrize("wear", [0, 1])
@pytest.mark.parametrize("code", CODES)
def test_quiet_and_loud_speakers_are_equally_loud_in_the_room(
    page: Page, origin: Origin, code: str, wear: float
) -> None:
    heard = []
    for number, speaker in enumerate(SPEAKERS):
        wav = speech.at(speaker, (-40, -14)[number % 2])
        heard.append(render(page, origin, wav, colour=code, wear=wear, level=level_of(wav)))
    loudness = [speech.loudness(samples) for samples in heard]
    assert max(loudness) - min(loudness) < 1.5, loudness
    assert max(speech.true_peak(samples) for samples in heard) <= -1


@pytest.mark.parametrize("code", CODES)
def test_one_voice_is_as_loud_whether_it_whispered_or_shouted(page: Page, origin: Origin, code: str) -> None:
    takes = [speech.at("fr", lufs) for lufs in (-40, -14)]
    quiet, loud = (speech.loudness(render(page, origin, wav, colour=code, level=level_of(wav))) for wav in takes)
    assert quiet == pytest.approx(loud, abs=0.3)


# Wear


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_worn_speech_grows_dull_step_by_step_and_is_understood_to_the_end(
    page: Page, origin: Origin, speaker: str
) -> None:
    wav = speech.at(speaker, LEVEL["target_lufs"])
    dry, _ = speech.read(wav)
    worn = [render(page, origin, wav, wear=wear)[: len(dry)] for wear in WEARS]
    brightness = [centroid_hz(samples) for samples in worn]
    assert all(later < earlier for earlier, later in pairwise(brightness)), brightness
    assert brightness[-1] < 0.9 * brightness[0]
    assert stoi(dry, worn[-1], RATE_HZ) >= 0.75


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_unworn_speech_is_what_was_spoken(page: Page, origin: Origin, speaker: str) -> None:
    wav = speech.at(speaker, LEVEL["target_lufs"])
    steps = np.frombuffer(wav[44:], "<i2").astype(np.float64)
    spoken = steps / np.where(steps < 0, 32_768, 32_767)  # as Chromium decodes
    whole = slice(int(LEVEL["fade_in_s"] * RATE_HZ) + 1, len(spoken) - int(LEVEL["fade_out_s"] * RATE_HZ) - 1)
    assert np.abs(render(page, origin, wav)[: len(spoken)][whole] - spoken[whole]).max() < 10 ** (-120 / 20)


# Colours


def kept(page: Page, origin: Origin, colours: list[dict], code: str) -> list[str]:
    """Which of the bands that a colour states it does not keep, for any speaker."""
    stated = next(entry for entry in colours if entry["code"] == code)["states"]
    broken = []
    for speaker, wav in speech.everyone(LEVEL["target_lufs"]):
        dry = render(page, origin, wav)
        wet = render(page, origin, wav, colours=colours, colour=code)
        for band in stated:
            change = band_db(wet, band["low_hz"], band["high_hz"]) - band_db(dry, band["low_hz"], band["high_hz"])
            least, most = band.get("at_least_db"), band.get("at_most_db")
            if (least is not None and change < least) or (most is not None and change > most):
                broken.append(f"{speaker}: {band} is {change:+.1f} dB")
    return broken


@pytest.mark.parametrize("code", CODES[1:])
def test_a_colour_does_to_speech_what_its_catalog_states(page: Page, origin: Origin, code: str) -> None:
    assert kept(page, origin, COLOURS, code) == []


def test_every_colour_is_another_one(page: Page, origin: Origin) -> None:
    wav = speech.at("en woman", LEVEL["target_lufs"])
    bands = [(100, 250), (250, 500), (500, 1000), (1000, 1900), (1900, 3000), (3000, 4500), (4500, 6000), (6000, 9000)]
    profiles = {code: [band_db(render(page, origin, wav, colour=code), *band) for band in bands] for code in CODES}
    for one, other in combinations(profiles.values(), 2):
        assert max(np.abs(np.subtract(one, other))) > 0.7


def test_a_new_colour_of_a_known_topology_needs_its_catalog_entry_and_nothing_else(page: Page, origin: Origin) -> None:
    text = """
    [[colours]]
    code = "shellac"
    topology = "driven"
    gain = 0.3
    filters = [
      { kind = "highpass", frequency_hz = 500, q = 0.8 },
      { kind = "peaking", frequency_hz = 1800, q = 1.4, gain_db = 5 },
    ]
    drive = 3
    states = [
      { low_hz = 100, high_hz = 250, at_most_db = -8 },
      { low_hz = 1600, high_hz = 2200, at_least_db = 1 },
    ]
    """
    (made,) = parse("colours.toml", text, ColorCatalog).colours
    assert isinstance(made, MemoryColor)
    assert kept(page, origin, [asdict(made)], "shellac") == []


def test_a_take_dreams_the_same_twice_and_no_other_take_dreams_it(page: Page, origin: Origin) -> None:
    wav = speech.at("en man", LEVEL["target_lufs"])
    other = bytearray(wav)
    other[-2] ^= 1  # its very last sample, by the least there is

    def dreamt(take: bytes) -> Samples:
        return render(page, origin, take, colour="dream")

    assert np.array_equal(dreamt(wav), dreamt(wav))
    difference = dreamt(bytes(other)) - dreamt(wav)
    assert np.sqrt(np.mean(difference**2)) > 0.05 * np.sqrt(np.mean(dreamt(wav) ** 2))
