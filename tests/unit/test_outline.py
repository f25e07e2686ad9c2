import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.audio.outline import POINTS, outline
from tests import wavs

SILENCE = ((0.0, 0.0),) * POINTS


def centroids(samples, rate=48_000):
    return [centroid for _, centroid in outline(samples, rate)]


def levels(samples, rate=48_000):
    return [level for level, _ in outline(samples, rate)]


def test_an_outline_has_64_points_of_two_values_with_three_decimals():
    points = outline(wavs.noise(), 48_000)
    assert len(points) == 64
    assert all(0 <= value <= 1 and value == round(value, 3) for point in points for value in point)


def test_the_level_follows_the_envelope_relative_to_the_loudest_slice():
    samples = wavs.sine(4.0)
    ramp = np.linspace(0, 1, samples.size, dtype=np.float32)
    found = levels(samples * ramp)
    assert found[-1] == 1
    assert found == sorted(found)
    assert found[32] == pytest.approx(0.51, abs=0.02)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("frequency", [250, 1000, 3000])
def test_the_centroid_of_a_sine_is_its_frequency_on_the_log_scale(rate, frequency):
    samples = wavs.sine(4.0, frequency_hz=frequency, sample_rate_hz=rate)
    expected = math.log2(frequency / 100) / math.log2(80)
    assert centroids(samples, rate)[20] == pytest.approx(expected, abs=0.02)


def test_frequencies_beyond_the_scale_are_held_at_its_ends():
    assert centroids(wavs.sine(4.0, frequency_hz=50))[20] == pytest.approx(0, abs=0.01)
    assert centroids(wavs.sine(4.0, frequency_hz=12_000))[20] == 1


def test_a_constant_offset_does_not_pull_the_centroid_down():
    samples = wavs.sine(4.0, frequency_hz=1000, peak=0.3)
    assert centroids(samples + np.float32(0.3))[20] == pytest.approx(centroids(samples)[20], abs=0.01)


def test_silence_is_all_zeros():
    assert outline(np.zeros(48_000, dtype=np.float32), 48_000) == SILENCE


def test_no_samples_are_all_zeros():
    assert outline(np.zeros(0, dtype=np.float32), 48_000) == SILENCE


def test_a_silent_slice_within_a_take_has_neither_level_nor_centroid():
    samples = wavs.noise(2.0)
    samples[: samples.size // 2] = 0
    assert outline(samples, 48_000)[10] == (0.0, 0.0)


def test_the_outline_does_not_depend_on_loudness():
    quiet = wavs.sine(2.0, peak=0.01)
    assert outline(quiet, 48_000) == outline(quiet * np.float32(64), 48_000)


@given(arrays.arrays(np.float32, st.integers(0, 300), elements=st.floats(-1, 1, width=32)))
@settings(max_examples=100, deadline=None)
def test_any_short_take_has_an_outline_within_bounds(samples):
    points = outline(samples, 8000)
    assert len(points) == 64
    assert all(0 <= value <= 1 for point in points for value in point)


@pytest.mark.parametrize(("samples", "rate"), [(np.zeros((2, 4), np.float32), 8000), (np.zeros(4, np.float32), 0)])
def test_what_is_not_a_take_is_refused(samples, rate):
    with pytest.raises(ValueError, match="outline"):
        outline(samples, rate)


def test_two_minutes_at_48_khz_are_outlined_within_50_ms():
    samples = wavs.noise(120.0)
    took_s = []
    for _ in range(5):
        began = time.perf_counter()
        outline(samples, 48_000)
        took_s.append(time.perf_counter() - began)
    assert min(took_s) < 0.05
