"""What the kiosk lets a participant hear: a take that goes from one colour to the next, measured on offline renders."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright

from core.audio.wav import Samples, write
from tests.browser.sound_stage import AUDIO, COLOURS, RATE_HZ, Origin, opened, preview, served, turned

TURN_S = AUDIO["level"]["fade_in_s"]
CODES = [entry["code"] for entry in COLOURS]
LOW_HZ, HIGH_HZ, CHANGE_S, LENGTH_S = 400, 900, 1.0, 3.0


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def page(playwright: Playwright, origin: Origin) -> Iterator[Page]:
    with opened(playwright, origin) as ready:
        yield ready


@pytest.fixture(scope="module")
def wav() -> bytes:
    """A tone that rises after a second, in one phase."""
    hz = np.where(np.arange(int(LENGTH_S * RATE_HZ)) < CHANGE_S * RATE_HZ, LOW_HZ, HIGH_HZ)
    return write((0.3 * np.sin(np.cumsum(2 * np.pi * hz / RATE_HZ))).astype(np.float32), RATE_HZ)


def cut(samples: Samples, from_s: float, to_s: float) -> Samples:
    return samples[int(from_s * RATE_HZ) : int(to_s * RATE_HZ)].astype(np.float64)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def pitch_hz(samples: Samples) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))))) * RATE_HZ / len(samples)


def roughness(samples: Samples) -> float:
    """The largest bend between neighbouring samples: a click bends where a tone does not."""
    return float(np.abs(np.diff(samples, 2)).max())


@pytest.mark.parametrize("code", CODES)
def test_another_colour_goes_on_where_the_take_is_and_does_not_click(
    page: Page, origin: Origin, wav: bytes, code: str
) -> None:
    at_s = 1.5
    heard = turned(page, origin, wav, [(0, ""), (at_s, code)])
    dry, wet = preview(page, origin, wav, ""), preview(page, origin, wav, code)
    assert np.allclose(cut(heard, 0, at_s - 0.01), cut(dry, 0, at_s - 0.01))
    turning = cut(heard, at_s - 0.01, at_s + 2 * TURN_S)
    assert pitch_hz(turning) == pytest.approx(HIGH_HZ, abs=10)
    settled = [cut(sound, 1.1, 2.5) for sound in (dry, wet)]
    assert roughness(turning) < 1.2 * max(roughness(sound) for sound in settled)
    late = (at_s + 4 * TURN_S, 2.5)
    assert rms(cut(heard, *late)) == pytest.approx(rms(cut(wet, *late)), rel=0.05)


@pytest.mark.parametrize("code", CODES)
def test_on_the_way_from_one_colour_to_the_next_there_is_no_gap(page: Page, origin: Origin, code: str) -> None:
    noise = np.random.default_rng(5).uniform(-0.3, 0.3, int(LENGTH_S * RATE_HZ)).astype(np.float32)
    wav = write(noise, RATE_HZ)
    heard = turned(page, origin, wav, [(0, ""), (1.5, code)])
    settled = [rms(cut(preview(page, origin, wav, which), 1, 2.5)) for which in ("", code)]
    levels = [rms(window) for window in np.array_split(cut(heard, 1.4, 1.8), 20)]
    assert 0.6 * min(settled) < min(levels)
    assert max(levels) < 1.4 * max(settled)


def test_near_its_end_a_take_begins_again_in_the_new_colour(page: Page, origin: Origin, wav: bytes) -> None:
    heard = turned(page, origin, wav, [(0, ""), (LENGTH_S - 0.2, "clear")])
    assert pitch_hz(cut(heard, LENGTH_S + 0.1, LENGTH_S + 0.6)) == pytest.approx(LOW_HZ, abs=10)


def test_what_is_stopped_fades_to_nothing_and_does_not_click(page: Page, origin: Origin, wav: bytes) -> None:
    heard = turned(page, origin, wav, [(0, "dream"), (1.5, None)])
    assert roughness(cut(heard, 1.49, 2)) < 1.2 * roughness(cut(heard, 1.1, 1.5))
    assert np.abs(cut(heard, 1.5 + TURN_S + 0.01, LENGTH_S)).max() == 0


def test_a_dream_rings_on_when_the_take_is_over(page: Page, origin: Origin, wav: bytes) -> None:
    after = (LENGTH_S + 0.05, LENGTH_S + 0.5)
    assert np.abs(cut(turned(page, origin, wav, [(0, "clear"), (1.5, "dream")]), *after)).max() > 1e-4
    assert np.abs(cut(turned(page, origin, wav, [(0, "dream"), (1.5, "clear")]), *after)).max() < 1e-6
