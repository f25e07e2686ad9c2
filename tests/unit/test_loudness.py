"""Measured against the figures that ITU-R BS.1770 and EBU Tech 3341 themselves give."""

import io

import numpy as np
import pyloudnorm
import pytest
from scipy import signal

from core.audio import wav
from core.audio.loudness import integrated_lufs, true_peak_dbtp
from core.errors import BadTake
from tests import wavs

RATES_HZ = sorted(wav.SAMPLE_RATES_HZ)


def taken(samples: wav.Samples, rate_hz: int = 48_000) -> tuple[io.BytesIO, wav.Wav]:
    data = wav.write(samples, rate_hz)
    stream = io.BytesIO(data)
    return stream, wav.inspect(stream, size_bytes=len(data), max_duration_s=300, max_rate_hz=96_000)


def lufs(samples: wav.Samples, rate_hz: int = 48_000) -> float:
    found = integrated_lufs(*taken(samples, rate_hz))
    assert found is not None
    return found


def dbtp(samples: wav.Samples, rate_hz: int = 48_000) -> float:
    found = true_peak_dbtp(*taken(samples, rate_hz))
    assert found is not None
    return found


def at_dbfs(level: float, duration_s: float, *, frequency_hz: float = 997, rate_hz: int = 48_000) -> wav.Samples:
    return wavs.sine(duration_s, frequency_hz=frequency_hz, sample_rate_hz=rate_hz, peak=10 ** (level / 20))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_full_scale_sine_of_997_hz_is_minus_3_01_lufs(rate_hz: int) -> None:
    assert lufs(at_dbfs(0, 5, rate_hz=rate_hz), rate_hz) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("gain_db", [-6.02, -20.0, -40.0])
def test_loudness_goes_with_gain(gain_db: float) -> None:
    samples = wavs.noise(5.0, peak=0.9)
    gain = np.float32(10 ** (gain_db / 20))
    assert lufs(samples * gain) - lufs(samples) == pytest.approx(gain_db, abs=0.02)


@pytest.mark.parametrize("duration_s", [0.4, 1.0, 9.9, 10.3, 10.4, 23.7])
def test_parts_measure_what_the_library_measures_in_one_go(duration_s: float) -> None:
    rng = np.random.default_rng(5)
    level = np.repeat(rng.uniform(0.01, 1, round(duration_s * 10)), 4800)
    samples = (wavs.noise(duration_s, peak=0.8) * level).astype(np.float32)
    whole = pyloudnorm.Meter(48_000, filter_class="DeMan").integrated_loudness(samples.astype(np.float64))
    assert lufs(samples) == pytest.approx(whole, abs=0.005)


def test_a_quiet_passage_is_left_out_by_the_relative_gate() -> None:
    # EBU Tech 3341, case 3, for one channel: 10 s at -36, 60 s at -23, 10 s at -36.
    samples = np.concatenate([at_dbfs(-33, 10), at_dbfs(-20, 60), at_dbfs(-33, 10)])
    assert lufs(samples) == pytest.approx(-23.01, abs=0.1)


def test_silence_around_a_voice_is_left_out_by_the_absolute_gate() -> None:
    still = np.zeros(20 * 48_000, np.float32)
    assert lufs(np.concatenate([still, at_dbfs(-20, 20), still])) == pytest.approx(-23.01, abs=0.1)


def test_low_frequencies_count_for_less_and_high_ones_for_more() -> None:
    low, middle, high = (lufs(at_dbfs(-10, 3, frequency_hz=hertz)) for hertz in (40, 997, 4000))
    assert low < middle - 5
    assert high > middle + 2


def test_digital_silence_has_no_loudness() -> None:
    assert integrated_lufs(*taken(np.zeros(48_000, np.float32))) is None


def test_what_does_not_reach_the_absolute_gate_has_no_loudness() -> None:
    assert integrated_lufs(*taken(at_dbfs(-75, 3))) is None


def test_a_constant_offset_has_no_loudness_of_its_own() -> None:
    samples = at_dbfs(-20, 5)
    assert lufs(samples + np.float32(0.3)) == pytest.approx(lufs(samples), abs=0.1)


def test_a_take_shorter_than_a_block_counts_as_one_block_with_silence_after_it() -> None:
    long, short = lufs(at_dbfs(-10, 0.4)), lufs(at_dbfs(-10, 0.2))
    assert short - long == pytest.approx(-3.01, abs=0.15)


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 96_000])
@pytest.mark.parametrize("frames", [1, 2, 100])
def test_a_take_of_a_few_samples_is_measured(rate_hz: int, frames: int) -> None:
    samples = np.copysign(np.float32(0.8), wavs.noise(1, sample_rate_hz=rate_hz)[:frames])
    assert -70 <= lufs(samples, rate_hz) < 0
    assert -3 < dbtp(samples, rate_hz) < 6


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_peaks_between_samples_are_found(rate_hz: int) -> None:
    # A quarter of the rate, 45 degrees off: samples reach 0.707 of what the sound does.
    step = np.arange(rate_hz)
    swell = np.hanning(rate_hz)
    samples = (0.5 * swell * np.sin(np.pi / 2 * step + np.pi / 4)).astype(np.float32)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-9.03, abs=0.05)
    assert dbtp(samples, rate_hz) == pytest.approx(-6.02, abs=0.2)


def test_a_sine_peaks_where_its_samples_do() -> None:
    assert dbtp(at_dbfs(-6, 2)) == pytest.approx(-6, abs=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_looking_at_the_loudest_blocks_first_finds_what_looking_at_all_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = wavs.noise(3.0, seed=seed) * np.repeat(rng.uniform(0.3, 1, 30), 4800).astype(np.float32)
    stream, inspected = taken(samples)
    stored = wav.read_samples(stream, inspected)
    whole = np.abs(signal.resample_poly(stored, 4, 1)).max()
    assert dbtp(samples) == pytest.approx(20 * np.log10(whole), abs=1e-4)


@pytest.mark.parametrize("at", [0, 16_383, 16_384, 16_390, 40_000, 47_999])
def test_a_single_full_sample_anywhere_is_a_peak(at: int) -> None:
    samples = np.zeros(48_000, np.float32)
    samples[at] = -1
    assert dbtp(samples) == pytest.approx(0, abs=0.05)


def test_blocks_within_a_steady_level_make_no_peak_of_their_own() -> None:
    samples = np.full(100_000, 0.5, np.float32) * np.hanning(100_000).astype(np.float32)
    assert dbtp(samples) == pytest.approx(-6.02, abs=0.01)


def test_silence_has_no_peak() -> None:
    assert true_peak_dbtp(*taken(np.zeros(1000, np.float32))) is None


def test_a_take_that_is_cut_off_while_it_is_read_is_refused() -> None:
    for measure in (integrated_lufs, true_peak_dbtp):
        stream, inspected = taken(wavs.noise(1.0))
        stream.truncate(20_000)
        with pytest.raises(BadTake):
            measure(stream, inspected)
