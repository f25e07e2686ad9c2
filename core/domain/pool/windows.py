"""Long takes are heard in slices, another one every revolution."""

import hashlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceFigures:
    """`longest_ms`: takes up to this long play whole; `step_ms`: the grid on which slices start."""

    longest_ms: int
    revolution_s: int
    step_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The part of a take to play, and the revolution that chose it."""

    start_ms: int
    duration_ms: int
    windowed: bool
    revolution_index: int
    revolution_s: int


def slice_of(artifact_id: int, duration_ms: int, variant: str, now: datetime, figures: SliceFigures) -> Slice:
    """The slice of a take at `now`; the same for everybody who asks within one revolution.

    The start is a step k of the grid: k = BLAKE2b-64("id:revolution:variant") mod the number of steps
    at which a whole slice still fits. A hash and not `rng`, so that two rooms, a retry and a restart agree.
    """
    revolution_index = int(now.timestamp() // figures.revolution_s)
    windowed = duration_ms > figures.longest_ms
    start_ms = 0
    if windowed:
        steps = (duration_ms - figures.longest_ms) // figures.step_ms + 1
        seed = f"{artifact_id}:{revolution_index}:{variant}".encode()
        digest = hashlib.blake2b(seed, digest_size=8).digest()
        start_ms = int.from_bytes(digest, "big") % steps * figures.step_ms
    return Slice(
        start_ms=start_ms,
        duration_ms=min(duration_ms, figures.longest_ms),
        windowed=windowed,
        revolution_index=revolution_index,
        revolution_s=figures.revolution_s,
    )
