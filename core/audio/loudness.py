"""How loud a take is, by ITU-R BS.1770: integrated loudness in LUFS and true peak in dBTP.

pyloudnorm weights the sound and measures the gating blocks, a few seconds at a time; what remains here is the gate
over all of them (BS.1770-4, Annex 1, equations 4 to 7). Of its filters those named after De Man are taken: their
coefficients at 48 kHz are the recommendation's own (De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", 2018).

Nothing heavy is loaded before the first measurement.
"""

from collections.abc import Iterator
from math import ceil, log10
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from core.audio.wav import Samples, Wav, read_part

Floats = npt.NDArray[np.float64]

BLOCK_S = 0.4
STEP_S = 0.1
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

_BLOCKS_AT_A_TIME = 100
# Measured and thrown away before every part but the first: by then the filters have forgotten that they just began.
_LEAD_BLOCKS = 4
_PEAK_BLOCK = 16_384
# Input samples the interpolation looks at to either side.
_REACH = 10


def integrated_lufs(stream: BinaryIO, wav: Wav) -> float | None:
    """Integrated loudness of an inspected take in LUFS; None for silence: nothing reaches -70 LUFS.

    A take shorter than a gating block (0.4 s) is measured as if silence followed up to its length. `stream` must be
    seekable; it is read in parts.

    Raises:
        BadTake: the stream ends before the sound does.
    """
    loudness = np.concatenate(list(_blocks(stream, wav)))
    power = 10 ** (loudness / 10)
    audible = loudness >= ABSOLUTE_GATE_LUFS
    if not audible.any():
        return None
    gate = 10 * log10(float(power[audible].mean())) + RELATIVE_GATE_LU
    return 10 * log10(float(power[audible & (loudness > gate)].mean()))


def true_peak_dbtp(stream: BinaryIO, wav: Wav) -> float | None:
    """Largest level of an inspected take between its samples too, dB against full scale; None for digital silence.

    Oversampled as BS.1770 asks (Annex 2): four times, twice from 96 kHz. Blocks are looked at loudest first, until what
    the interpolation could at most make of the next one has already been found.

    Raises:
        BadTake: the stream ends before the sound does.
    """
    from scipy import signal  # noqa: PLC0415 -- see above

    factor = 2 if wav.sample_rate_hz >= 96_000 else 4
    taps = signal.firwin(2 * _REACH * factor + 1, 1 / factor, window=("kaiser", 5.0)).astype(np.float32)
    phases = np.pad(taps * factor, (0, -taps.size % factor)).reshape(-1, factor)
    most_gain = float(np.abs(phases).sum(axis=0).max())
    peaks = _sample_peaks(stream, wav)
    found = float(peaks.max())
    for number in np.argsort(-peaks, kind="stable"):
        if float(peaks[number]) * most_gain <= found:
            break
        start = int(number) * _PEAK_BLOCK
        part = read_part(stream, wav, start - _REACH, start + _PEAK_BLOCK + _REACH)
        between = signal.resample_poly(part, factor, 1, window=taps)
        # Beside the block the neighbours of the neighbours are missing; beside the take there is nothing.
        inside = between[factor * min(start, _REACH) :][: factor * _PEAK_BLOCK]
        found = max(found, float(np.abs(inside).max()))
    return 20 * log10(found) if found > 0 else None


def _blocks(stream: BinaryIO, wav: Wav) -> Iterator[Floats]:
    """Loudness of the gating blocks in LUFS, in order; -inf for digital silence. Incomplete ones do not count."""
    import pyloudnorm  # noqa: PLC0415 -- see above

    rate_hz = wav.sample_rate_hz
    meter = pyloudnorm.Meter(rate_hz, filter_class="DeMan", block_size=BLOCK_S, overlap=1 - STEP_S / BLOCK_S)
    # Integers, because 0.4 and 0.1 s are no binary numbers and a block more or less would hang on that.
    count = max(1, (10 * wav.frames // rate_hz) - 3)
    for first in range(0, count, _BLOCKS_AT_A_TIME):
        last = min(first + _BLOCKS_AT_A_TIME, count)
        lead = min(first, _LEAD_BLOCKS)
        start = (first - lead) * rate_hz // 10
        end = ceil((last + 3) * rate_hz / 10)
        part = _padded(read_part(stream, wav, start, end), end - start)
        meter.integrated_loudness(part.astype(np.float64))
        yield np.array(meter.blockwise_loudness[lead : lead + last - first])


def _padded(part: Samples, length: int) -> Samples:
    """`part` with silence up to `length` samples."""
    return np.pad(part, (0, max(0, length - part.size)))


def _sample_peaks(stream: BinaryIO, wav: Wav) -> Samples:
    """Largest sample of every block, neighbours within reach of the interpolation included."""
    return np.array(
        [
            np.abs(read_part(stream, wav, start - _REACH, start + _PEAK_BLOCK + _REACH)).max()
            for start in range(0, wav.frames, _PEAK_BLOCK)
        ]
    )
