"""What a fossil sounds like once its take is gone: noise that rises and falls as the voice did, and says nothing.

Two things of the take go into it: the mean spectrum of its loudest seconds, too coarse for pitch or a single sound,
and one envelope, too slow for the sounds of speech. Everything else is noise. Of speech of which one band's envelope
is left hardly a word is understood (Shannon et al., "Speech recognition with primarily temporal cues", 1995).

Nothing heavy is loaded before the first essence: the figures may be read by a process that makes none.
"""

from dataclasses import dataclass
from math import gcd
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from core.audio.outline import SILENT_RMS
from core.audio.spectrogram import SpectrogramFigures
from core.audio.wav import SAMPLE_RATES_HZ, Samples, Wav, read_part, write

Floats = npt.NDArray[np.float64]

# Steps of the search read at a time.
_STEPS_AT_A_TIME = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class EssenceFigures:
    """`[essence]` of `assets/catalogs/derivatives.toml`. `peak` and `envelope_floor` are linear."""

    duration_s: float
    search_step_s: float
    sample_rate_hz: int
    lowpass_hz: float
    lowpass_slope_hz: float
    spectrum_samples: int
    envelope_samples: int
    envelope_floor: float
    fade_s: float
    peak: float

    def __post_init__(self) -> None:
        if self.sample_rate_hz not in SAMPLE_RATES_HZ:
            raise ValueError(f"sample_rate_hz {self.sample_rate_hz} is not an accepted rate")
        if not 0 < self.search_step_s <= self.duration_s or self.fade_s < 0:
            raise ValueError("search_step_s must be positive and within duration_s, fade_s not negative")
        if not 0 < self.lowpass_slope_hz <= self.lowpass_hz <= self.sample_rate_hz / 2:
            raise ValueError("the slope lies below lowpass_hz, that below half the sample rate")
        if self.spectrum_samples < 2 or self.envelope_samples < 1:
            raise ValueError("spectrum_samples must be at least 2, envelope_samples at least 1")
        if not 0 <= self.envelope_floor <= 1 or not 0 < self.peak < 1:
            raise ValueError("envelope_floor is 0 to 1, peak between 0 and 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class DerivativeCatalog:
    """`assets/catalogs/derivatives.toml`."""

    spectrogram: SpectrogramFigures
    essence: EssenceFigures


def essence_wav(stream: BinaryIO, wav: Wav, *, seed: bytes, figures: EssenceFigures) -> bytes:
    """The essence of an inspected take: a WAV at `figures.sample_rate_hz`, as long as its loudest slice.

    `stream` must be seekable; it is read in parts. `seed` (the take's digest) decides the noise: the same take and
    seed give the same bytes. A take without sound gives silence of its own length.

    Raises:
        BadTake: the stream ends before the sound does.
    """
    from scipy import signal  # noqa: PLC0415 -- see above

    start, end = loudest_slice(stream, wav, figures)
    common = gcd(figures.sample_rate_hz, wav.sample_rate_hz)
    part = read_part(stream, wav, start, end)
    # Without its offset, which would begin and end with a bang in the filter.
    part -= part.mean()
    source = signal.resample_poly(part, figures.sample_rate_hz // common, wav.sample_rate_hz // common)
    rng = np.random.default_rng(int.from_bytes(seed))
    return write(_essence(source.astype(np.float64), figures, rng), figures.sample_rate_hz)


def loudest_slice(stream: BinaryIO, wav: Wav, figures: EssenceFigures) -> tuple[int, int]:
    """Start and end, in samples, of the `duration_s` with the most energy; the whole of a take that is no longer."""
    length = round(figures.duration_s * wav.sample_rate_hz)
    if wav.frames <= length:
        return 0, wav.frames
    step = max(1, round(figures.search_step_s * wav.sample_rate_hz))
    energy = _energy(stream, wav, step)
    until = np.concatenate(([0.0], np.cumsum(energy)))
    steps = length // step
    loudest = int(np.argmax(until[steps:] - until[:-steps]))
    # The last step of a take is seldom whole.
    start = min(loudest * step, wav.frames - length)
    return start, start + length


def _energy(stream: BinaryIO, wav: Wav, step: int) -> Floats:
    """Energy of every `step` samples, around their mean, so that an offset is not taken for sound."""
    found = []
    for start in range(0, wav.frames, step * _STEPS_AT_A_TIME):
        part = read_part(stream, wav, start, start + step * _STEPS_AT_A_TIME)
        part = np.pad(part, (0, -part.size % step), mode="edge").reshape(-1, step)
        found.append(part.var(axis=1) * step)
    return np.concatenate(found).astype(np.float64)


def _essence(source: Floats, figures: EssenceFigures, rng: np.random.Generator) -> Samples:
    """Noise under the spectrum and the envelope of `source`, faded, at `figures.peak`; zeros for silence."""
    silence = np.zeros(source.size, np.float32)
    if source.std() < SILENT_RMS:
        return silence
    shaped = _noise_like(source, figures, rng) * _envelope(source, figures) * _fades(source.size, figures)
    peak = float(np.abs(shaped).max())
    # A sound of a few samples is all fade, or too short to have a spectrum.
    if peak == 0:
        return silence
    essence: Samples = (shaped * (figures.peak / peak)).astype(np.float32)
    return essence


def _noise_like(source: Floats, figures: EssenceFigures, rng: np.random.Generator) -> Floats:
    """Noise with the mean spectrum of `source` below `figures.lowpass_hz` and nothing above, shape as `source`."""
    from scipy import fft, signal  # noqa: PLC0415 -- see above

    rate_hz = figures.sample_rate_hz
    known_hz, power = signal.welch(source, rate_hz, nperseg=min(figures.spectrum_samples, source.size))
    frequency_hz = fft.rfftfreq(source.size, 1 / rate_hz)
    fall = np.clip((figures.lowpass_hz - frequency_hz) / figures.lowpass_slope_hz, 0, 1)
    gain = np.sqrt(np.interp(frequency_hz, known_hz, power)) * (0.5 - 0.5 * np.cos(np.pi * fall))
    noise: Floats = fft.irfft(fft.rfft(rng.standard_normal(source.size)) * gain, source.size)
    return noise


def _envelope(source: Floats, figures: EssenceFigures) -> Floats:
    """Smoothed level of `source`, which is not silent: at most 1 and never under the floor."""
    from scipy import signal  # noqa: PLC0415 -- see above

    level = np.abs(source - source.mean())
    mean = signal.oaconvolve(level, np.full(figures.envelope_samples, 1 / figures.envelope_samples), mode="same")
    envelope: Floats = np.maximum(mean / mean.max(), figures.envelope_floor)
    return envelope


def _fades(frames: int, figures: EssenceFigures) -> Floats:
    """A gain that rises from 0 and falls back to it over `fade_s`, or over half of a sound that is too short."""
    length = min(round(figures.fade_s * figures.sample_rate_hz), frames // 2)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))
    return np.concatenate((rise, np.ones(frames - 2 * length), rise[::-1]))
