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
    if samples.ndim != 1 or sample_rate_hz <= 0:
        raise ValueError("an outline needs one-dimensional samples and a positive sample rate")
    if samples.size == 0:
        return ((0.0, 0.0),) * POINTS
    edges = np.arange(POINTS + 1) * samples.size // POINTS
    starts = edges[:-1]
    ends = np.maximum(starts + 1, edges[1:])
    rms = np.array([_rms(samples[start:end]) for start, end in zip(starts, ends, strict=True)])
    loudest = rms.max()
    if loudest < SILENT_RMS:
        return ((0.0, 0.0),) * POINTS
    levels = rms / loudest
    centroids = np.where(rms < SILENT_RMS, 0.0, _centroids(samples, starts, ends, sample_rate_hz))
    return tuple(
        (round(float(level), 3), round(float(centroid), 3)) for level, centroid in zip(levels, centroids, strict=True)
    )


def _rms(part: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.dot(part, part) / part.size))


def _centroids(
    samples: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    sample_rate_hz: int,
) -> npt.NDArray[np.float64]:
    """Centroid of every slice, shape (64,), 0..1."""
    magnitude = np.abs(np.fft.rfft(_frames(samples, starts, ends), axis=-1)).sum(axis=1)
    # Bin 0 is DC: a microphone's offset, not a voice.
    magnitude = magnitude[:, 1:].astype(np.float64)
    frequency_hz = np.fft.rfftfreq(FRAME, 1 / sample_rate_hz)[1:]
    total = magnitude.sum(axis=1)
    mean_hz = magnitude @ frequency_hz / np.where(total > 0, total, 1.0)
    octaves = np.log2(np.maximum(mean_hz, LOWEST_HZ) / LOWEST_HZ)
    centroids: npt.NDArray[np.float64] = np.clip(octaves / np.log2(HIGHEST_HZ / LOWEST_HZ), 0.0, 1.0)
    return centroids


def _frames(
    samples: npt.NDArray[np.float32], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Windowed frames, shape (64, 4, 1024); a frame never reaches into the next slice."""
    spread = np.linspace(0.0, 1.0, FRAMES_PER_SLICE)
    room = np.maximum(ends - starts - FRAME, 0)
    first = starts[:, None] + np.rint(room[:, None] * spread).astype(np.int64)
    length = np.minimum(ends - starts, FRAME)[:, None, None]
    step = np.arange(FRAME)
    inside = step < length
    frames = np.where(inside, samples[np.minimum(first[:, :, None] + step, samples.size - 1)], np.float32(0))
    mean = frames.sum(axis=-1, keepdims=True) / length.astype(np.float32)
    # As long as the sound in the frame: a window cut off where a short slice ends would smear its spectrum.
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * step / np.maximum(length - 1, 1))
    window: npt.NDArray[np.float32] = np.where(inside, hann, 0.0).astype(np.float32)
    centred: npt.NDArray[np.float32] = frames - mean
    return centred * window
