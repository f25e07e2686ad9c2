"""Spoken takes at a stated loudness, made on the spot: several voices, several languages, women and men."""

import io
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from math import gcd
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.signal import resample_poly

from core.audio.loudness import integrated_lufs, true_peak_dbtp
from core.audio.wav import Samples, Wav, inspect, read_samples, write

RATE_HZ = 48_000
SPEAKERS: Mapping[str, tuple[str, str]] = {
    "en man": ("en-gb", "I remember the smell of rain on the warm street in the summer when I was seven."),
    "en woman": ("en-us+f3", "My grandmother kept a blue radio on the shelf, and it never quite found its station."),
    "de": ("de+m3", "Wir haben die Schiffe vom Fenster aus gezählt, bis einer von uns eingeschlafen ist."),
    "fr": ("fr+f2", "Il y avait un chien qui nous suivait jusqu'à la maison, et personne ne savait à qui il était."),
    "es": ("es+m1", "Mi abuelo silbaba siempre la misma canción cuando abría la puerta del jardín."),
    "ar": ("ar+f4", "كنا نجلس على السطح في الليل ونعد النجوم حتى ننام"),
}
"""Name to the synthesiser's voice and what it says."""


@cache
def spoken(speaker: str) -> Samples:
    """(frames,) of one of `SPEAKERS`, 48 kHz, as the synthesiser left its level."""
    voice, sentence = SPEAKERS[speaker]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", str(path), sentence], check=True)
        samples, rate_hz = read(path.read_bytes())
    shared = gcd(rate_hz, RATE_HZ)
    return np.asarray(resample_poly(samples, RATE_HZ // shared, rate_hz // shared), dtype=np.float32)


def at(speaker: str, lufs: float) -> bytes:
    """The WAV of a speaker at that integrated loudness; what passes full scale is clipped, as in a microphone."""
    samples = spoken(speaker)
    return write(samples * np.float32(10 ** ((lufs - loudness(samples)) / 20)), RATE_HZ)


def everyone(lufs: float) -> Iterator[tuple[str, bytes]]:
    """Every speaker's name and WAV at one loudness."""
    return ((speaker, at(speaker, lufs)) for speaker in SPEAKERS)


def loudness(samples: Samples, rate_hz: int = RATE_HZ) -> float:
    """Integrated loudness in LUFS, as the node measures it; scaled first, lest 16 bit clip or swallow it."""
    scale = 0.5 / float(np.abs(samples).max())
    stream, wav = _opened(write((samples * scale).astype(np.float32), rate_hz))
    lufs = integrated_lufs(stream, wav)
    assert lufs is not None
    return lufs - 20 * float(np.log10(scale))


def true_peak(samples: Samples, rate_hz: int = RATE_HZ) -> float:
    """True peak in dBTP, as the node measures it."""
    scale = 0.5 / float(np.abs(samples).max())
    stream, wav = _opened(write((samples * scale).astype(np.float32), rate_hz))
    peak = true_peak_dbtp(stream, wav)
    assert peak is not None
    return peak - 20 * float(np.log10(scale))


def read(wav: bytes) -> tuple[Samples, int]:
    """(samples, rate in Hz) of a WAV."""
    stream, form = _opened(wav)
    return read_samples(stream, form), form.sample_rate_hz


def _opened(wav: bytes) -> tuple[io.BytesIO, Wav]:
    stream = io.BytesIO(wav)
    return stream, inspect(stream, size_bytes=len(wav), max_duration_s=600, max_rate_hz=96_000)
