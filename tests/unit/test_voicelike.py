"""Listening by measuring: what makes a sound speech-like, and what would make it unpleasant."""

import numpy as np
import numpy.typing as npt
import pytest

from core.adapters.catalogs import load
from core.audio.voicelike import Samples, Speaker, VoiceFigures, voicelike
from core.services.demo import DemoCatalog, DemoTake

Floats = npt.NDArray[np.float64]

CATALOG = load("demo", DemoCatalog)
RATE_HZ = CATALOG.voice.sample_rate_hz
STEADY = Speaker(f0_hz=140, throat=1.0, syllables_per_s=3.2, breath=0.2)


def spoken(speaker: Speaker = STEADY, duration_s: float = 8.0, seed: int = 5) -> Samples:
    return voicelike(speaker, duration_s, CATALOG.voice, np.random.default_rng(seed))


def of(take: DemoTake) -> Samples:
    return voicelike(take.speaker, take.duration_s, CATALOG.voice, np.random.default_rng(take.seed))


@pytest.fixture(scope="module")
def whole_set() -> list[Samples]:
    return [of(take) for take in CATALOG.takes]


def levels(sound: Samples, window_s: float = 0.02) -> Floats:
    """RMS of every window."""
    window = round(window_s * RATE_HZ)
    whole = sound[: sound.size // window * window].astype(np.float64).reshape(-1, window)
    return np.sqrt(np.mean(whole**2, axis=1))


def sounding_rms(sound: Samples) -> float:
    """RMS of the windows that are not pause."""
    found = levels(sound)
    return float(np.sqrt(np.mean(found[found > found.max() / 30] ** 2)))


def centroid_hz(sound: Samples) -> float:
    magnitude = np.abs(np.fft.rfft(sound))
    return float(magnitude @ np.fft.rfftfreq(sound.size, 1 / RATE_HZ) / magnitude.sum())


def clickiness(sound: Samples) -> float:
    """The sharpest corner against the sharpness only a thousandth of all corners have: 1 to 4, more where it clicks."""
    corners = np.abs(np.diff(sound.astype(np.float64), 2))
    return float(corners.max() / np.quantile(corners, 0.999))


def pitch_hz(frame: Samples) -> float:
    """By autocorrelation, between 60 and 400 Hz."""
    spectrum = np.abs(np.fft.rfft(frame * np.hanning(frame.size), 2 * frame.size)) ** 2
    alike = np.fft.irfft(spectrum)
    shortest, longest = RATE_HZ // 400, RATE_HZ // 60
    return RATE_HZ / float(shortest + np.argmax(alike[shortest:longest]))


def test_the_sound_lasts_as_long_as_it_was_asked_to() -> None:
    sound = spoken(duration_s=3.217)
    assert sound.shape == (round(3.217 * RATE_HZ),)
    assert sound.dtype == np.float32


def test_the_same_seed_says_the_same_thing() -> None:
    assert np.array_equal(spoken(seed=8), spoken(seed=8))


def test_another_seed_says_something_else() -> None:
    one, other = spoken(seed=8), spoken(seed=9)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.3


def test_too_short_a_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        spoken(duration_s=0.5)


def test_the_shortest_possible_sound_is_whole() -> None:
    assert np.isfinite(spoken(duration_s=1.1)).all()


def test_no_sound_of_the_set_comes_near_full_scale(whole_set: list[Samples]) -> None:
    assert all(0.3 < np.abs(sound).max() < 0.9 for sound in whole_set)


def test_the_ceiling_holds_where_the_level_would_go_beyond_it() -> None:
    values = {name: getattr(CATALOG.voice, name) for name in VoiceFigures.__dataclass_fields__}
    loud = VoiceFigures(**{**values, "rms": 0.5, "ceiling": 0.6})
    assert np.abs(voicelike(STEADY, 4, loud, np.random.default_rng(1))).max() == pytest.approx(0.6, abs=1e-6)


def test_the_sounds_of_the_set_are_alike_in_level(whole_set: list[Samples]) -> None:
    found = [sounding_rms(sound) for sound in whole_set]
    assert 20 * np.log10(max(found) / min(found)) < 2


def test_the_sounds_of_the_set_lie_where_voices_lie(whole_set: list[Samples]) -> None:
    assert all(300 < centroid_hz(sound) < 2500 for sound in whole_set)


def test_nothing_rumbles_below_a_voice(whole_set: list[Samples]) -> None:
    for sound in whole_set:
        power = np.abs(np.fft.rfft(sound)) ** 2
        assert power[np.fft.rfftfreq(sound.size, 1 / RATE_HZ) < 50].sum() < 0.001 * power.sum()


def test_nothing_in_the_set_clicks(whole_set: list[Samples]) -> None:
    assert all(clickiness(sound) < 6 for sound in whole_set)


def test_the_measure_of_clicks_hears_a_small_one() -> None:
    sound = spoken()
    sound[sound.size // 2] += 0.2
    assert clickiness(sound) > 6


def test_every_sound_of_the_set_begins_and_ends_in_quiet(whole_set: list[Samples]) -> None:
    for sound in whole_set:
        edge = np.concatenate((sound[: RATE_HZ // 100], sound[-RATE_HZ // 100 :]))
        assert np.abs(edge).max() < 0.002
        assert (sound[0], sound[-1]) == (0, 0)


def test_pauses_part_the_phrases_of_every_longer_sound(whole_set: list[Samples]) -> None:
    for sound in whole_set:
        if sound.size > 8 * RATE_HZ:
            found = levels(sound)
            assert 0.05 < np.mean(found < found.max() / 30) < 0.5


def test_no_pause_is_as_long_as_a_take_that_has_ended(whole_set: list[Samples]) -> None:
    for sound in whole_set:
        found = levels(sound)
        edges = np.flatnonzero(found > found.max() / 30)
        assert np.diff(edges).max() * 0.02 < 2


def test_the_level_rises_and_falls_at_the_pace_of_syllables() -> None:
    found = levels(spoken(duration_s=20), window_s=0.01)
    rhythm = np.abs(np.fft.rfft(found - found.mean())) ** 2
    frequency_hz = np.fft.rfftfreq(found.size, 0.01)
    syllables = rhythm[(frequency_hz > 2) & (frequency_hz < 6)].sum()
    assert syllables > 4 * rhythm[(frequency_hz > 12) & (frequency_hz < 50)].sum()


def test_the_pitch_wanders_around_the_speakers_own() -> None:
    sound = spoken(duration_s=20)
    frames = sound[: sound.size // 1200 * 1200].reshape(-1, 1200)
    voiced = frames[np.sqrt(np.mean(frames**2, axis=1)) > 0.05]
    found = np.array([pitch_hz(frame) for frame in voiced])
    assert 0.8 * STEADY.f0_hz < np.median(found) < 1.25 * STEADY.f0_hz
    low, high = np.quantile(found, [0.1, 0.9])
    assert 1 < 12 * np.log2(high / low) < 14


def test_the_resonances_move() -> None:
    sound = spoken(duration_s=20)
    frames = sound[: sound.size // 2400 * 2400].reshape(-1, 2400)
    found = [centroid_hz(frame) for frame in frames if np.sqrt(np.mean(frame**2)) > 0.05]
    assert np.quantile(found, 0.9) > 1.5 * np.quantile(found, 0.1)


def test_a_shorter_throat_sounds_higher() -> None:
    long, short = (
        centroid_hz(spoken(Speaker(f0_hz=140, throat=throat, syllables_per_s=3.2, breath=0.2))) for throat in (1.2, 0.8)
    )
    assert short > 1.15 * long


def test_breath_takes_the_place_of_voice() -> None:
    def voicing(breath: float) -> float:
        sound = spoken(Speaker(f0_hz=140, throat=1.0, syllables_per_s=3.2, breath=breath), 6)
        frames = sound[: sound.size // 1200 * 1200].reshape(-1, 1200)
        loud = frames[np.argsort(np.mean(frames**2, axis=1))[-20:]]
        power = np.abs(np.fft.rfft(loud * np.hanning(1200), axis=1)[:, 1:301]) ** 2
        # Geometric over arithmetic mean: 1 for noise, little for harmonics.
        return float(np.median(np.exp(np.log(power + 1e-12).mean(axis=1)) / power.mean(axis=1)))

    assert voicing(1.0) > 2 * voicing(0.0)


@pytest.mark.parametrize(
    "wrong", [{"vowels_hz": ((300.0, 900.0),) * 3}, {"bandwidths_hz": (70.0,)}, {"closure_share": 0.6}]
)
def test_figures_that_make_no_voice_are_refused(wrong: dict[str, object]) -> None:
    values = {name: getattr(CATALOG.voice, name) for name in VoiceFigures.__dataclass_fields__}
    with pytest.raises(ValueError, match=r"reson|closed"):
        VoiceFigures(**{**values, **wrong})
