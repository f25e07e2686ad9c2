"""The voices of one program, and each one's place in it."""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.pool.choose import Choice


class LayerKind(StrEnum):
    """Why a voice sounds with another."""

    OVERLAP = "overlap"
    CHORUS = "chorus"


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """A chosen take, and how long it will sound; `kind` None for the first voice of a program."""

    choice: Choice
    sounds_ms: int
    kind: LayerKind | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One voice's place in a program: how long after the first, how loud beside it, and its fades where they differ."""

    delay_ms: int
    gain: float
    fade_in_ms: int | None = None
    fade_out_ms: int | None = None
