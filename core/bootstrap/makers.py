"""The audio layer as the derive service wants it: each function opens what it is handed and knows its figures."""

from functools import cache, partial
from typing import BinaryIO

from core.adapters.catalogs import load
from core.audio.essence import DerivativeCatalog, essence_wav
from core.audio.loudness import integrated_lufs, true_peak_dbtp
from core.audio.spectrogram import spectrogram_png
from core.audio.wav import Wav, inspect
from core.domain.consent import Kind
from core.services.derive import HIGHEST_HZ, LONGEST_S, Loudness, Makers


@cache
def makers() -> Makers:
    """What is made from a take."""
    catalog = load("derivatives", DerivativeCatalog)
    return Makers(
        derivatives={
            Kind.SPECTROGRAM: partial(_spectrogram, catalog),
            Kind.ESSENCE: partial(_essence, catalog),
        },
        loudness=_loudness,
    )


def _spectrogram(catalog: DerivativeCatalog, stream: BinaryIO, size_bytes: int, _seed: bytes) -> bytes:
    return spectrogram_png(stream, _wav(stream, size_bytes), catalog.spectrogram)


def _essence(catalog: DerivativeCatalog, stream: BinaryIO, size_bytes: int, seed: bytes) -> bytes:
    return essence_wav(stream, _wav(stream, size_bytes), seed=seed, figures=catalog.essence)


def _loudness(stream: BinaryIO, size_bytes: int) -> Loudness:
    wav = _wav(stream, size_bytes)
    return Loudness(lufs=integrated_lufs(stream, wav), peak_dbtp=true_peak_dbtp(stream, wav))


def _wav(stream: BinaryIO, size_bytes: int) -> Wav:
    return inspect(stream, size_bytes=size_bytes, max_duration_s=LONGEST_S, max_rate_hz=HIGHEST_HZ)
