"""Real speech through the room: what level, wear and colour make of it, measured."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from tests import speech
from tests.browser.sound_stage import AUDIO, COLOURS, Origin, opened, preview, probe, render, served

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
