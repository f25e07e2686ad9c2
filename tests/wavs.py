"""Takes for tests: honest ones, and every way we know a WAV can lie."""

import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from core.audio import wav

Samples = npt.NDArray[np.float32]

UPLOAD_LIMIT_BYTES = 32 * 1024 * 1024
LONGEST_TAKE_S = 300.0
HIGHEST_RATE_HZ = 96_000


def sine(
    duration_s: float = 1.0, *, frequency_hz: float = 440.0, sample_rate_hz: int = 48_000, peak: float = 0.5
) -> Samples:
    """A sine of `peak`, float32 of shape (frames,)."""
    time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return (peak * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(duration_s: float = 1.0, *, sample_rate_hz: int = 48_000, peak: float = 0.5, seed: int = 1) -> Samples:
    """White noise, even between -peak and peak, float32 of shape (frames,)."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-peak, peak, round(duration_s * sample_rate_hz)).astype(np.float32)


def take(duration_s: float = 1.0, *, frequency_hz: float = 440.0, sample_rate_hz: int = 48_000) -> bytes:
    """A WAV that is accepted: a sine."""
    return wav.write(sine(duration_s, frequency_hz=frequency_hz, sample_rate_hz=sample_rate_hz), sample_rate_hz)


def chunk(name: bytes, body: bytes, *, claims: int | None = None) -> bytes:
    """One chunk, padded to an even length; `claims` puts another length into its header."""
    head = struct.pack("<4sI", name, len(body) if claims is None else claims)
    return head + body + b"\0" * (len(body) % 2)


def form(
    *,
    kind: int = 1,
    channels: int = 1,
    sample_rate_hz: int = 48_000,
    bits: int = 16,
    bytes_per_s: int | None = None,
    tail: bytes = b"",
) -> bytes:
    """A format chunk; its derived figures are right unless given, modulo what their fields can hold."""
    frame_bytes = channels * ((bits + 7) // 8) % 2**16
    rate = sample_rate_hz * frame_bytes % 2**32 if bytes_per_s is None else bytes_per_s
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, sample_rate_hz, rate, frame_bytes, bits) + tail)


def riff(*chunks: bytes, claims: int | None = None, magic: bytes = b"RIFF", kind: bytes = b"WAVE") -> bytes:
    """A RIFF file of chunks; `claims` puts another length into its header."""
    body = b"".join(chunks)
    return struct.pack("<4sI4s", magic, len(body) + 4 if claims is None else claims, kind) + body


def _malformed() -> dict[str, tuple[bytes, int]]:
    good = take(0.25)
    sound = good[44:]
    data = chunk(b"data", sound)
    extensible = struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1) + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    rate_8k = form(sample_rate_hz=8000)
    return {
        "empty": (b"", 400),
        "one byte": (b"\x00", 415),
        "only the letters RIFF": (b"RIFF", 400),
        "only a RIFF header": (riff(), 400),
        "cut in the header": (good[:30], 400),
        "cut in the sound": (good[: len(good) // 2], 400),
        "cut by one byte": (good[:-1], 400),
        "one byte too many": (good + b"\0", 400),
        "RIFF length too large": (riff(form(), data, claims=len(good) + 1000), 400),
        "RIFF length too small": (riff(form(), data, claims=len(good) - 1000), 400),
        "RIFF length unknown": (riff(form(), data, claims=0xFFFFFFFF), 400),
        "data length too large": (riff(form(), chunk(b"data", sound, claims=len(sound) + 1000)), 400),
        "data length too small": (riff(form(), chunk(b"data", sound, claims=len(sound) - 1000)), 400),
        "data length zero before sound": (riff(form(), chunk(b"data", sound, claims=0)), 400),
        "data length unknown": (riff(form(), chunk(b"data", sound, claims=0xFFFFFFFF)), 400),
        "format length too large": (riff(form()[:4] + struct.pack("<I", 2**31) + form()[8:], data), 400),
        "format length too small": (riff(chunk(b"fmt ", form()[8:22]), data), 400),
        "no format": (riff(data), 400),
        "no data": (riff(form()), 400),
        "data before format": (riff(data, form()), 400),
        "two formats": (riff(form(), form(), data), 400),
        "two data chunks": (riff(form(), data, data), 400),
        "zero frames": (riff(form(), chunk(b"data", b"")), 400),
        "half a frame": (riff(form(), chunk(b"data", sound[:-1])), 400),
        "8 bit": (riff(form(bits=8), data), 400),
        "12 bit": (riff(form(bits=12), data), 400),
        "24 bit": (riff(form(bits=24), chunk(b"data", sound + sound[: len(sound) // 2])), 400),
        "stereo": (riff(form(channels=2), data), 400),
        "no channels": (riff(form(channels=0), data), 400),
        "float": (riff(form(kind=3, bits=32), chunk(b"data", sound + sound)), 400),
        "mu-law": (riff(form(kind=7, bits=8), data), 400),
        "extensible": (riff(form(kind=0xFFFE, tail=extensible), data), 400),
        "contradicting byte rate": (riff(form(bytes_per_s=1), data), 400),
        "sample rate 0": (riff(form(sample_rate_hz=0), data), 400),
        "sample rate 1": (riff(form(sample_rate_hz=1), data), 400),
        "sample rate 4 GHz": (riff(form(sample_rate_hz=4_000_000_000), data), 400),
        "sample rate 192 kHz": (riff(form(sample_rate_hz=192_000), data), 400),
        "junk before larger than the sound": (riff(form(), chunk(b"JUNK", bytes(len(data))), data), 400),
        "junk after larger than the sound": (riff(form(), data, chunk(b"JUNK", bytes(len(data)))), 400),
        "junk that lies": (riff(form(), chunk(b"JUNK", b"ab", claims=2**31), data), 400),
        "a hundred empty chunks": (riff(form(), chunk(b"JUNK", b"") * 100, data), 400),
        "RF64": (riff(chunk(b"ds64", bytes(28)), form(), data, magic=b"RF64", claims=0xFFFFFFFF), 400),
        "RIFX": (riff(form(), data, magic=b"RIFX"), 400),
        "AVI": (riff(form(), data, kind=b"AVI "), 415),
        "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64), 415),
        "MP3": (b"ID3\x04\0\0\0\0\0\x23" + b"\xff\xfb\x90\x64" + bytes(400), 415),
        "text": (b"This is not a recording, it only says so.\n", 415),
        "301 seconds": (riff(rate_8k, chunk(b"data", bytes(301 * 16_000))), 413),
        "a frame longer than 300 seconds": (riff(rate_8k, chunk(b"data", bytes(300 * 16_000 + 2))), 413),
        "more than 32 MiB": (
            riff(form(sample_rate_hz=96_000), chunk(b"data", bytes(UPLOAD_LIMIT_BYTES))),
            413,
        ),
    }


MALFORMED: Mapping[str, tuple[bytes, int]] = _malformed()
"""What a client may send instead of a take: name -> (bytes, status of the refusal)."""

ONLY_TOO_MANY_BYTES = frozenset({"more than 32 MiB"})
"""Those that are sound as WAVs: only the upload's limit in bytes refuses them."""
