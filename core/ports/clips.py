"""Where clips lie, and who speaks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.audio.wav import Samples
from core.domain.clips import By, Clip


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A clip whose file is there; `digest` is what its bytes are known by."""

    clip: Clip
    path: Path
    digest: str


class ClipShelf(Protocol):
    """Clips by language and name."""

    def clips(self, language: str) -> Mapping[str, Kept]:
        """Every clip of a language whose file is there. Raises `Unavailable` where it cannot be known which."""
        ...

    def put(self, language: str, name: str, *, says: str, by: By, sound: bytes, suffix: str = ".wav") -> None:
        """Keep a clip in place of the one of its name. Raises `Unavailable`."""
        ...

    def remove(self, language: str, name: str) -> bool:
        """Delete a clip; whether there was one. Raises `Unavailable`."""
        ...


class Speaker(Protocol):
    """A voice that reads texts out."""

    def reads(self, text: str, language: str) -> bool:
        """Whether it can read this text."""
        ...

    def speak(self, text: str, language: str) -> Samples:
        """The text, spoken: float32 of shape (frames,) at `core.audio.clip.RATE_HZ`. Raises `Unavailable`."""
        ...
