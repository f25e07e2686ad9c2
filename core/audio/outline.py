"""The outline of a take: the few points a trace is drawn from.

64 slices of equal length, each `(level, centroid)`, both 0..1 and rounded to three decimals:

    level     RMS of the slice over the largest slice RMS of the take
    centroid  magnitude-weighted mean frequency of the slice, on a log2 scale from 100 Hz (0) to 8 kHz (1)

Slice `i` of `n` samples is `[floor(i n / 64), max(start + 1, floor((i + 1) n / 64)))`, so that a take of
fewer samples than slices still has them all. The spectrum of a slice comes from at most four frames of 1,024
samples spread evenly over it: mean removed, a symmetric Hann window as long as the sound in the frame, then
zero-padded where the slice is shorter. The work is bounded however long the take. The centroid is that of
Peeters, "A large set of audio features", 2004, without DC.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

POINTS = 64
FRAME = 1024
FRAMES_PER_SLICE = 4
LOWEST_HZ = 100.0
HIGHEST_HZ = 8000.0
# Under a third of the smallest step of 16-bit sound: nothing a microphone has said.
SILENT_RMS = 1e-5

Outline = tuple[tuple[float, float], ...]


def outline(samples: npt.NDArray[np.float32], sample_rate_hz: int) -> Outline:
    """64 points `(level, centroid)` of `samples`, float32 of shape (frames,) in -1..1, finite.

    A silent slice has centroid 0, a silent or empty take is all zeros.

    Raises:
        ValueError: not one-dimensional, or a rate that is not positive.
    """
    if samples.ndim != 1:
        raise ValueError("an outline needs one-dimensional samples")
    return outline_of((samples[start:end] for start, end in slices(samples.size)), sample_rate_hz)


def outline_of(parts: Iterable[npt.NDArray[np.float32]], sample_rate_hz: int) -> Outline:
    """The same of a take that is read slice by slice (see `slices`), so that it is never in memory as a whole.

    Raises:
        ValueError: a rate that is not positive.
    """
    if sample_rate_hz <= 0:
        raise ValueError("an outline needs a positive sample rate")
    found = [(_rms(part), _magnitude(part)) for part in parts]
    rms = np.array([level for level, _ in found])
    if not found or rms.max() < SILENT_RMS:
        return ((0.0, 0.0),) * POINTS
    magnitude = np.array([heard for _, heard in found])
    centroids = np.where(rms < SILENT_RMS, 0.0, _centroids(magnitude, sample_rate_hz))
    levels = rms / rms.max()
    return tuple(
        (round(float(level), 3), round(float(centroid), 3)) for level, centroid in zip(levels, centroids, strict=True)
    )


def slices(frames: int) -> list[tuple[int, int]]:
    """Where each of the 64 slices of a take begins and ends; none of a take of nothing."""
    if frames == 0:
        return []
    edges = [point * frames // POINTS for point in range(POINTS + 1)]
    return [(start, max(start + 1, end)) for start, end in pairwise(edges)]


def _rms(part: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.dot(part, part) / part.size))


def _magnitude(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The spectrum of a slice, shape (512,), summed over its frames. Bin 0 is left out: a microphone's offset."""
    heard: npt.NDArray[np.float64] = np.abs(np.fft.rfft(_frames(part), axis=-1)).sum(axis=0)[1:].astype(np.float64)
    return heard


def _centroids(magnitude: npt.NDArray[np.float64], sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Centroid of every slice, shape (64,), 0..1."""
    frequency_hz = np.fft.rfftfreq(FRAME, 1 / sample_rate_hz)[1:]
    total = magnitude.sum(axis=1)
    mean_hz = magnitude @ frequency_hz / np.where(total > 0, total, 1.0)
    octaves = np.log2(np.maximum(mean_hz, LOWEST_HZ) / LOWEST_HZ)
    centroids: npt.NDArray[np.float64] = np.clip(octaves / np.log2(HIGHEST_HZ / LOWEST_HZ), 0.0, 1.0)
    return centroids


def _frames(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Windowed frames of a slice, shape (4, 1024); short ones are padded."""
    length = min(part.size, FRAME)
    first = np.rint((part.size - length) * np.linspace(0.0, 1.0, FRAMES_PER_SLICE)).astype(np.int64)
    frames = part[first[:, None] + np.arange(length)]
    padded = np.zeros((FRAMES_PER_SLICE, FRAME), dtype=np.float32)
    padded[:, :length] = (frames - frames.mean(axis=-1, keepdims=True)) * _window(length)
    return padded


@lru_cache(maxsize=4)
def _window(length: int) -> npt.NDArray[np.float32]:
    """As long as the sound in the frame: one cut off where a short slice ends would smear its spectrum."""
    window: npt.NDArray[np.float32] = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / max(length - 1, 1))).astype(
        np.float32
    )
    window.flags.writeable = False
    return window
