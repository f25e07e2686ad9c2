"""One stored sound and the states it passes through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.consent import Kind, Mode

Outline = tuple[tuple[float, float], ...]
"""64 points of (level 0..1, spectral centroid 0..1): the shadow of a voice, cleared with it."""

DRAW_BITS = 62
"""Width of the random number every artifact carries, by which a large pool is probed; fits a signed 64-bit column."""


class State(StrEnum):
    """ACTIVE plays in the room; EPHEMERAL waits for its one hearing; the other two are husks."""

    ACTIVE = "ACTIVE"
    EPHEMERAL = "EPHEMERAL"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"

    @property
    def held(self) -> bool:
        """Whether bytes of such an artifact may still exist by right."""
        return self in (State.ACTIVE, State.EPHEMERAL)


class Review(StrEnum):
    """Whether the room may have a take: HELD and FLAGGED ones are heard by stewards only, until one passes them."""

    NONE = ""
    HELD = "held"
    FLAGGED = "flagged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A row as services see it; times are UTC, durations milliseconds, wear 0..1.

    `lufs` and `peak_dbtp` are known once it is `measured`, and None for silence. `station` is the kiosk it was left at;
    `flagged_at` when a listener asked for it to be checked, and `passed_at` when
    a steward last let it into the room.
    """

    id: int
    public_id: str
    consent_id: int
    mode: Mode
    state: State
    raw_key: str | None
    sha256: str | None
    duration_ms: int
    wear: float
    plays: int
    created_at: datetime
    heard_at: datetime | None
    raw_until: datetime | None
    derivative_until: datetime | None
    playable_until: datetime | None
    ended_at: datetime | None
    gone_at: datetime | None
    deployment: str
    topic: str
    status: str
    effect: str
    outline: Outline | None
    version: int
    demo: bool = False
    measured: bool = False
    lufs: float | None = None
    peak_dbtp: float | None = None
    station: str = ""
    review: Review = Review.NONE
    flagged_at: datetime | None = None
    passed_at: datetime | None = None

    def playable(self, now: datetime) -> bool:
        """Whether the room may choose and serve it at `now`; time itself ends the right."""
        return self.lasts(now) and self.review is Review.NONE

    def lasts(self, now: datetime) -> bool:
        """Whether anything of it may still sound at `now`, if only for a steward."""
        return self.state is State.ACTIVE and self.playable_until is not None and now < self.playable_until

    def raw_lasts(self, now: datetime) -> bool:
        """Whether the take itself is there and may still sound, rather than what it left."""
        return self.raw_key is not None and self.raw_until is not None and now < self.raw_until


@dataclass(frozen=True, kw_only=True, slots=True)
class NewArtifact:
    """What intake hands to the repository; the database gives the integer id."""

    public_id: str
    consent_id: int
    state: State
    raw_key: str
    sha256: str
    duration_ms: int
    created_at: datetime
    raw_until: datetime
    derivative_until: datetime | None
    playable_until: datetime
    deployment: str
    topic: str
    status: str
    effect: str
    outline: Outline
    once_hash: str | None = None
    draw: int = 0
    demo: bool = False
    heard_at: datetime | None = None
    plays: int = 0
    wear: float = 0.0
    station: str = ""
    review: Review = Review.NONE


PREFIXES = ("raw/", "ephemeral/", "derived/")
"""What every key of a sound begins with: what lies elsewhere in the store was put there by somebody else."""


def raw_key(public_id: str, *, ephemeral: bool) -> str:
    """Object key of a take's WAV; keys are never reused because public ids are random."""
    return f"{'ephemeral' if ephemeral else 'raw'}/{public_id}/audio.wav"


def derivative_key(public_id: str, attempt_id: str, kind: Kind) -> str:
    """Object key of one attempt at a derivative; every attempt has its own, so that no key is ever written twice."""
    return f"derived/{public_id}-{attempt_id}/{kind.file}"
