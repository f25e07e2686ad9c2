"""WAV at the boundary: PCM, 16 bit, one channel, and nothing that only claims to be.

A header is a claim made by a stranger. Every length in it is compared with the bytes that are there before
anything is read or allocated by it, and only a few dozen bytes are looked at until the claims have held. The
standard library's `wave` has the last word on a file that has passed: it trusts lengths, so it is never asked
before.

Layout: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991), "WAVE".
"""

import io
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from core.errors import BadTake, NotWav, TakeTooLarge

Samples = npt.NDArray[np.float32]

SAMPLE_RATES_HZ = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})

_PCM = 1
_OTHER_FORMATS = {
    3: "floating point",
    6: "A-law",
    7: "mu-law",
    0x55: "MP3",
    0xFFFE: "the extensible WAV format",
}
_FRAME_BYTES = 2
_HEAD_BYTES = 8
_RIFF_BYTES = 12
_FULL_SCALE = 32768.0
# An honest recorder writes a handful; walking millions of empty ones would cost seconds.
_MOST_CHUNKS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Wav:
    """What an inspected take is: its rate, its length, and where in the file its sound lies."""

    sample_rate_hz: int
    frames: int
    duration_ms: int
    data_offset: int
    data_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chunk:
    name: bytes
    offset: int
    size_bytes: int


def inspect(stream: BinaryIO, *, size_bytes: int, max_duration_s: float, max_rate_hz: int) -> Wav:
    """Read the header of a seekable `stream` of `size_bytes` and believe only what the bytes bear out.

    Reads less than a kilobyte however long the take is, and leaves the stream's position anywhere.

    Raises:
        NotWav: not RIFF/WAVE at all.
        BadTake: damaged, or not PCM of 16 bit, one channel and an accepted rate of at most `max_rate_hz`.
        TakeTooLarge: longer than `max_duration_s`.
    """
    present = min(size_bytes, stream.seek(0, io.SEEK_END))
    _check_kind(stream, present)
    form, sound, other_bytes = _sort(list(_walk(stream, present)))
    sample_rate_hz = _format(stream, form, max_rate_hz)
    if sound.size_bytes == 0:
        raise BadTake("The take holds no sound.")
    if sound.size_bytes % _FRAME_BYTES:
        raise BadTake("The sound of the take ends in the middle of a sample.")
    if other_bytes > sound.size_bytes:
        raise BadTake("The file holds more of other data than of sound.")
    frames = sound.size_bytes // _FRAME_BYTES
    if frames > max_duration_s * sample_rate_hz:
        raise TakeTooLarge(f"The take is longer than {max_duration_s:g} seconds.")
    _second_opinion(stream, sample_rate_hz, frames)
    return Wav(
        sample_rate_hz=sample_rate_hz,
        frames=frames,
        duration_ms=max(1, round(frames * 1000 / sample_rate_hz)),
        data_offset=sound.offset,
        data_bytes=sound.size_bytes,
    )


def read_samples(stream: BinaryIO, wav: Wav) -> Samples:
    """The sound of an inspected take: float32 of shape (frames,), -1 <= x < 1.

    Raises:
        BadTake: the stream ends before the sound does.
    """
    return read_part(stream, wav, 0, wav.frames)


def read_part(stream: BinaryIO, wav: Wav, start: int, end: int) -> Samples:
    """Samples `start` to `end` of an inspected take, held within it; float32 of shape (frames,).

    Raises:
        BadTake: the stream ends before the sound does.
    """
    start, end = max(start, 0), min(end, wav.frames)
    size_bytes = (end - start) * _FRAME_BYTES
    stream.seek(wav.data_offset + start * _FRAME_BYTES)
    data = stream.read(size_bytes)
    if len(data) != size_bytes:
        raise BadTake("The take ends before its sound does.")
    samples = np.frombuffer(data, dtype="<i2").astype(np.float32)
    samples /= np.float32(_FULL_SCALE)
    return samples


def write(samples: Samples, sample_rate_hz: int) -> bytes:
    """A complete PCM16 mono WAV of `samples`, shape (frames,), clipped to full scale.

    What `read_samples` gave comes back bit for bit.

    Raises:
        ValueError: not one-dimensional, not finite, or a rate that `inspect` would refuse.
    """
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise ValueError("samples must be one-dimensional and finite")
    if sample_rate_hz not in SAMPLE_RATES_HZ:
        raise ValueError(f"{sample_rate_hz} Hz is not an accepted sample rate")
    whole = np.clip(np.rint(samples * np.float32(_FULL_SCALE)), -_FULL_SCALE, _FULL_SCALE - 1)
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(_FRAME_BYTES)
        writer.setframerate(sample_rate_hz)
        # `wave` takes native 16-bit and swaps on big-endian machines by itself.
        writer.writeframes(whole.astype(np.int16).tobytes())
    return out.getvalue()


def _check_kind(stream: BinaryIO, present: int) -> None:
    """RIFF and WAVE by name, and a RIFF length that is the file's own."""
    if present == 0:
        raise BadTake("The file is empty.")
    stream.seek(0)
    head = stream.read(min(_RIFF_BYTES, present))
    if head[:4] in {b"RF64", b"RIFX", b"BW64"} and head[8:12] == b"WAVE":
        raise BadTake(f"This kind of WAV ({head[:4].decode('ascii')}) is not accepted: send plain RIFF.")
    if head[:4] != b"RIFF" or (len(head) == _RIFF_BYTES and head[8:] != b"WAVE"):
        raise NotWav("The file is not a WAV.")
    if len(head) < _RIFF_BYTES:
        raise BadTake("The file ends within its own header.")
    claimed = struct.unpack_from("<I", head, 4)[0] + _HEAD_BYTES
    if claimed > present:
        raise BadTake("The file is shorter than its header says.")
    if claimed < present:
        raise BadTake("The file is longer than its header says.")


def _walk(stream: BinaryIO, present: int) -> Iterator[_Chunk]:
    """Every chunk of the file, in order, each lying wholly within it."""
    at = _RIFF_BYTES
    for _ in range(_MOST_CHUNKS):
        if at >= present:
            return
        stream.seek(at)
        head = stream.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES or at + _HEAD_BYTES > present:
            raise BadTake("The file ends within a chunk's header.")
        name, size_bytes = struct.unpack("<4sI", head)
        if not all(0x20 <= byte < 0x7F for byte in name):
            raise BadTake("The file holds bytes that belong to no chunk.")
        at += _HEAD_BYTES
        if size_bytes > present - at:
            raise BadTake("A chunk of the file claims more bytes than there are.")
        yield _Chunk(name=name, offset=at, size_bytes=size_bytes)
        # Chunks are padded to even lengths; many writers leave out the pad byte of the last one.
        at += size_bytes + size_bytes % 2
    if at < present:
        raise BadTake("The file is divided into too many chunks.")


def _sort(chunks: list[_Chunk]) -> tuple[_Chunk, _Chunk, int]:
    """The format, the sound, and the bytes spent on anything else."""
    forms = [chunk for chunk in chunks if chunk.name == b"fmt "]
    sounds = [chunk for chunk in chunks if chunk.name == b"data"]
    if len(forms) != 1 or len(sounds) != 1:
        raise BadTake("A WAV needs exactly one format chunk and one data chunk.")
    form, sound = forms[0], sounds[0]
    if form.offset > sound.offset:
        raise BadTake("The sound comes before its format.")
    others = [chunk.size_bytes for chunk in chunks if chunk not in (form, sound)]
    return form, sound, sum(others) + _HEAD_BYTES * len(others)


def _format(stream: BinaryIO, form: _Chunk, max_rate_hz: int) -> int:
    """The sample rate in Hz of a format chunk that is PCM, 16 bit, mono and agrees with itself."""
    if form.size_bytes not in {16, 18, 40}:
        raise BadTake("The format chunk has an unknown length.")
    stream.seek(form.offset)
    raw = stream.read(form.size_bytes)
    if len(raw) < form.size_bytes:
        raise BadTake("The file is shorter than its header says.")
    kind, channels, sample_rate_hz, bytes_per_s, frame_bytes, bits = struct.unpack_from("<HHIIHH", raw)
    if kind != _PCM:
        named = _OTHER_FORMATS.get(kind, f"format {kind}")
        raise BadTake(f"The take is stored as {named}: send plain PCM, 16 bit, one channel.")
    if channels != 1:
        raise BadTake(f"The take has {channels} channels: send one.")
    if bits != 8 * _FRAME_BYTES:
        raise BadTake(f"The take has {bits} bits a sample: send 16.")
    if sample_rate_hz not in SAMPLE_RATES_HZ or sample_rate_hz > max_rate_hz:
        raise BadTake(f"A sample rate of {sample_rate_hz} Hz is not accepted.")
    if frame_bytes != _FRAME_BYTES or bytes_per_s != _FRAME_BYTES * sample_rate_hz:
        raise BadTake("The format chunk contradicts itself.")
    return int(sample_rate_hz)


def _second_opinion(stream: BinaryIO, sample_rate_hz: int, frames: int) -> None:
    """The standard library must read the same file the same way."""
    stream.seek(0)
    try:
        with wave.open(stream, "rb") as reader:
            seen = (reader.getnchannels(), reader.getsampwidth(), reader.getframerate(), reader.getnframes())
    except (wave.Error, EOFError, struct.error, ValueError, RuntimeError) as error:
        raise BadTake("The WAV cannot be read.") from error
    if seen != (1, _FRAME_BYTES, sample_rate_hz, frames):
        raise BadTake("The WAV can be read in more than one way.")
