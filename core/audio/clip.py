"""Clips of speech: without silence around them, and all equally loud."""

import io
import wave
from math import ceil, gcd

import numpy as np

from core.audio.loudness import integrated_lufs, true_peak_dbtp
from core.audio.wav import SAMPLE_RATES_HZ, Samples, inspect, write
from core.errors import BadTake, NotWav, TakeTooLarge

RATE_HZ = 22_050
LONGEST_S = 60
LARGEST_BYTES = LONGEST_S * max(SAMPLE_RATES_HZ) * 4 + 65_536
TARGET_LUFS = -23.0
CEILING_DBTP = -1.5

_MEASURED_S = 3.0
_MEASURED_PEAK = 0.5
_NOTHING_DBFS = -60.0
_WINDOW_S = 0.01
_SILENCE_DB = -45.0
_SILENT = "Nothing is to be heard in it."
_KEPT_BEFORE_S, _KEPT_AFTER_S, _FADE_S = 0.02, 0.05, 0.005


def recording(data: bytes) -> Samples:
    """The sound of a recording: a WAV of 8 to 96 kHz, 16 bit, mono or stereo, at most `LONGEST_S` long.

    Returns float32 of shape (frames,), -1 <= x < 1, at `RATE_HZ`; of two channels the mean.

    Raises:
        NotWav: not a WAV of PCM.
        BadTake: another shape, or it ends early.
        TakeTooLarge: longer than that.
    """
    from scipy.signal import resample_poly  # noqa: PLC0415 -- heavy, and only here

    if len(data) > LARGEST_BYTES:
        raise TakeTooLarge(f"The recording is longer than {LONGEST_S} seconds.")
    try:
        with wave.open(io.BytesIO(data)) as reader:
            channels, width, rate_hz, frames = reader.getparams()[:4]
            sound = reader.readframes(frames)
    except (wave.Error, EOFError) as error:
        raise NotWav("The recording is not a WAV of PCM, 16 bit.") from error
    if width != 2 or channels not in (1, 2) or rate_hz not in SAMPLE_RATES_HZ:
        raise BadTake(
            f"The recording has {8 * width} bits, {channels} channels, {rate_hz} Hz: save it with 16 bit, one or two "
            "channels and a usual rate of 8 to 96 kHz."
        )
    if frames > LONGEST_S * rate_hz:
        raise TakeTooLarge(f"The recording is longer than {LONGEST_S} seconds.")
    if not frames or len(sound) != frames * channels * width:
        raise BadTake("The recording is empty, or ends before its sound does.")
    mono = np.frombuffer(sound, dtype="<i2").reshape(-1, channels).mean(axis=1) / 32768
    shared = gcd(rate_hz, RATE_HZ)
    return np.asarray(resample_poly(mono, RATE_HZ // shared, rate_hz // shared), dtype=np.float32)


def evened(samples: Samples) -> Samples:
    """`samples`, float32 of shape (frames,) at `RATE_HZ`, trimmed and at `TARGET_LUFS` as far as its peaks allow.

    Raises:
        BadTake: nothing is to be heard in it.
    """
    sound = _trimmed(samples)
    sound *= np.float32(_MEASURED_PEAK / np.abs(sound).max())
    # Gating blocks are 0.4 s long, a sign may be shorter: measured as if it were said again and again.
    often = np.tile(sound, ceil(_MEASURED_S * RATE_HZ / sound.size)) if sound.size < _MEASURED_S * RATE_HZ else sound
    data = write(often, RATE_HZ)
    stream = io.BytesIO(data)
    wav = inspect(stream, size_bytes=len(data), max_duration_s=2 * LONGEST_S, max_rate_hz=RATE_HZ)
    lufs, peak_dbtp = integrated_lufs(stream, wav), true_peak_dbtp(stream, wav)
    if lufs is None or peak_dbtp is None:
        raise BadTake(_SILENT)
    gain_db = min(TARGET_LUFS - lufs, CEILING_DBTP - peak_dbtp)
    return (sound * np.float32(10 ** (gain_db / 20))).astype(np.float32)


def _trimmed(samples: Samples) -> Samples:
    window = int(_WINDOW_S * RATE_HZ)
    count = ceil(samples.size / window)
    windows = np.pad(samples, (0, count * window - samples.size)).reshape(count, window)
    levels = np.sqrt((windows.astype(np.float64) ** 2).mean(axis=1))
    if not levels.size or levels.max() < 10 ** (_NOTHING_DBFS / 20):
        raise BadTake(_SILENT)
    loud = np.flatnonzero(levels > levels.max() * 10 ** (_SILENCE_DB / 20))
    start = max(0, int(loud[0]) * window - int(_KEPT_BEFORE_S * RATE_HZ))
    end = min(samples.size, (int(loud[-1]) + 1) * window + int(_KEPT_AFTER_S * RATE_HZ))
    sound = samples[start:end].copy()
    fade = min(int(_FADE_S * RATE_HZ), sound.size // 2)
    ramp = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)
    sound[:fade] *= ramp
    sound[sound.size - fade :] *= ramp[::-1]
    return sound
