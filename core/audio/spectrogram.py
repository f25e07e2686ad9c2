"""A picture of a take: time to the right, pitch upwards, loudness as ink on the room's dark wall.

However long the take is, each column of pixels is the mean power of a bounded number of windows spread evenly over
its share of the take, so that the work is bounded and nothing of the take is left out. Windows are Hann, their mean
removed; rows are logarithmic in frequency, each a triangle over the bins around its middle and never narrower than
one bin, so that the lowest rows are interpolated rather than empty. Levels are in dB below the loudest spot.

Before the logarithm the power of every row is averaged along time, under a Hann kernel wider than a syllable, and kept
only as often as that kernel is wide to one side: a picture that is sharp in time, or whose blur can be undone, can be
turned back into speech that is understood (decision 24). What is heard at a moment is brightest within half of `blur_s`
of it, and seen up to two `blur_s` away.

Nothing heavy is loaded before the first picture: the figures may be read by a process that draws none.
"""

import io
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from core.audio.wav import Wav, read_part

Shades = npt.NDArray[np.uint8]

# Columns worked on at a time: some megabytes of windows, which caches still like.
_COLUMNS_AT_A_TIME = 32
# Far below the last step of 16-bit sound: keeps the logarithm of silence finite.
_LEAST_POWER = 1e-20
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SpectrogramFigures:
    """`[spectrogram]` of `assets/catalogs/derivatives.toml`. `ink`: colours `#rrggbb`, evenly spaced, ground first."""

    width_px: int
    height_px: int
    window_samples: int
    least_hop_samples: int
    most_windows_per_column: int
    blur_s: float
    lowest_hz: float
    highest_hz: float
    range_db: float
    quietest_peak_dbfs: float
    levels: int
    ink: tuple[str, ...]

    def __post_init__(self) -> None:
        counts = (self.width_px, self.height_px, self.least_hop_samples, self.most_windows_per_column)
        if min(counts) < 1 or self.window_samples < 2 or self.range_db <= 0:
            raise ValueError("pixels, windows and range_db must be positive, window_samples at least 2")
        # Not a number is no blur, and must not pass for one.
        if not self.blur_s >= 0:
            raise ValueError("blur_s must not be negative")
        if not 0 < self.lowest_hz < self.highest_hz:
            raise ValueError("lowest_hz must be positive and below highest_hz")
        if not 2 <= self.levels <= 256:
            raise ValueError("levels must be 2 to 256: what a palette holds")
        if len(self.ink) < 2 or not all(_COLOUR.fullmatch(stop) for stop in self.ink):
            raise ValueError("ink needs two or more colours like #100e0c")


def spectrogram_png(stream: BinaryIO, wav: Wav, figures: SpectrogramFigures) -> bytes:
    """The picture of an inspected take as a PNG with a palette, `width_px` by `height_px`.

    `stream` must be seekable; it is read in parts, a few seconds of sound at a time. The same take gives the same
    bytes; silence gives the bare ground.

    Raises:
        BadTake: the stream ends before the sound does.
    """
    from PIL import Image  # noqa: PLC0415 -- see above

    shades = _shades(_levels_db(stream, wav, figures), figures)
    image = Image.fromarray(shades)
    image.putpalette(_palette(figures))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def row_hz(figures: SpectrogramFigures, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """The frequency in the middle of every row of pixels, top first, shape (height_px,)."""
    highest_hz = min(figures.highest_hz, sample_rate_hz / 2)
    share = (np.arange(figures.height_px)[::-1] + 0.5) / figures.height_px
    middles: npt.NDArray[np.float64] = figures.lowest_hz * (highest_hz / figures.lowest_hz) ** share
    return middles


def _levels_db(stream: BinaryIO, wav: Wav, figures: SpectrogramFigures) -> npt.NDArray[np.float32]:
    """Level of every pixel, dB against a sine of full scale, shape (height_px, width_px)."""
    width = figures.width_px
    each = -(-wav.frames // (width * figures.least_hop_samples))
    each = min(each, figures.most_windows_per_column)
    # Windows around the middles of equal shares: the first and the last reach beyond the ends of the take.
    starts = (2 * np.arange(width * each) + 1) * wav.frames // (2 * width * each) - figures.window_samples // 2
    bands = _bands(figures, wav.sample_rate_hz)
    columns = [
        _power(stream, wav, starts[each * first : each * (first + _COLUMNS_AT_A_TIME)], each, figures) @ bands
        for first in range(0, width, _COLUMNS_AT_A_TIME)
    ]
    power = np.concatenate(columns).T
    column_s = wav.frames / wav.sample_rate_hz / width
    if figures.blur_s > column_s:
        power = power @ _blur(width, figures.blur_s / column_s)
    levels_db: npt.NDArray[np.float32] = 10 * np.log10(np.maximum(power, np.float32(_LEAST_POWER)))
    return levels_db


def _power(
    stream: BinaryIO, wav: Wav, starts: npt.NDArray[np.int64], each: int, figures: SpectrogramFigures
) -> npt.NDArray[np.float32]:
    """Mean power of `each` neighbouring windows, shape (columns, bins); a sine of full scale has power 1."""
    from scipy import fft  # noqa: PLC0415 -- see above

    size = figures.window_samples
    first, end = int(starts[0]), int(starts[-1]) + size
    part = read_part(stream, wav, first, end)
    # Held rather than followed by silence, so that an offset does not end in an audible step.
    part = np.pad(part, (max(-first, 0), max(end - wav.frames, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(part, size)[starts - first]
    windows -= windows.mean(axis=1, keepdims=True)
    hann = np.hanning(size + 1)[:-1]
    windows *= (hann * (2 / hann.sum())).astype(np.float32)
    spectrum = fft.rfft(windows, axis=1, overwrite_x=True)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    mean: npt.NDArray[np.float32] = power.reshape(-1, each, power.shape[1]).mean(axis=1)
    return mean


def _bands(figures: SpectrogramFigures, sample_rate_hz: int) -> npt.NDArray[np.float32]:
    """Weights of bins in rows, shape (bins, height_px), top row first; those of a row add up to 1."""
    highest_hz = min(figures.highest_hz, sample_rate_hz / 2)
    bin_hz = sample_rate_hz / figures.window_samples
    middles_hz = row_hz(figures, sample_rate_hz)
    step = (highest_hz / figures.lowest_hz) ** (1 / figures.height_px)
    # A triangle of one bin to either side is the straight line between two bins.
    reach_hz = np.maximum(middles_hz * (step - 1), bin_hz)
    bins_hz = np.arange(figures.window_samples // 2 + 1) * bin_hz
    weights = np.maximum(1 - np.abs(bins_hz[:, None] - middles_hz) / reach_hz, 0)
    bands: npt.NDArray[np.float32] = (weights / weights.sum(axis=0)).astype(np.float32)
    return bands


def _blur(width: int, reach: float) -> npt.NDArray[np.float32]:
    """Weights of columns in blurred columns, shape (width, width): Hann, `reach` columns to either side, then sampled.

    Blurred columns are kept only `reach` apart, straight lines drawn between them and the outermost held to the ends:
    what a known kernel does can be undone, what is not kept cannot. The weights of a blurred column add up to 1, also
    where the kernel reaches beyond an end.
    """
    count = int((width - 1) / reach) + 1
    kept = (width - 1) / 2 + (np.arange(count) - (count - 1) / 2) * reach
    apart = np.minimum(np.abs(np.arange(width)[:, None] - kept) / reach, 1)
    weights, lines = 0.5 + 0.5 * np.cos(np.pi * apart), 1 - apart
    weights /= weights.sum(axis=0)
    lines /= lines.sum(axis=1, keepdims=True)
    blur: npt.NDArray[np.float32] = (weights @ lines.T).astype(np.float32)
    return blur


def _shades(levels_db: npt.NDArray[np.float32], figures: SpectrogramFigures) -> Shades:
    """Number of the palette's colour for every pixel, shape (height_px, width_px)."""
    loudest_db = max(float(levels_db.max()), figures.quietest_peak_dbfs)
    share = np.clip((levels_db - loudest_db) / figures.range_db + 1, 0, 1)
    shades: Shades = np.rint(share * (figures.levels - 1)).astype(np.uint8)
    return shades


def _palette(figures: SpectrogramFigures) -> list[int]:
    """`levels` colours as red, green, blue, red, green, blue, ..."""
    stops = np.array([[int(stop[at:next_at], 16) for at, next_at in pairwise((1, 3, 5, 7))] for stop in figures.ink])
    at = np.linspace(0, len(stops) - 1, figures.levels)
    colours = np.stack([np.interp(at, np.arange(len(stops)), channel) for channel in stops.T], axis=1)
    return [int(value) for value in np.rint(colours).ravel()]
