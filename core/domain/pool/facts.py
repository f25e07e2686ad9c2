"""What the choice is told: the facts of each take, and the wish it is to meet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

LARGEST_ID = 2**63 - 1

Closed = TypeVar("Closed", bound=StrEnum)


class Lane(StrEnum):
    """How far a take has travelled through the room, by age, wear and plays."""

    FRESH = "fresh"
    MID = "mid"
    WORN = "worn"


class Density(StrEnum):
    """How long a take lasts."""

    LIGHT = "light"
    MEDIUM = "medium"
    DENSE = "dense"


class Mood(StrEnum):
    """What a take lends the room, by lane, density and age."""

    CLEAR = "clear"
    HUSHED = "hushed"
    SUSPENDED = "suspended"
    WEATHERED = "weathered"
    GATHERING = "gathering"


class Rung(StrEnum):
    """The narrowing steps of a choice, outermost first. A rung narrows only where a row remains."""

    DEPLOYMENT = "deployment"
    EXCLUSION = "exclusion"
    COOLDOWN = "cooldown"
    PREFERENCE = "preference"
    LANE = "lane"
    DENSITY = "density"
    MOOD = "mood"


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolFacts:
    """One playable take, as the choice sees it. `wear` is 0 to 1; `heard_at` None means never heard."""

    artifact_id: int
    created_at: datetime
    duration_ms: int
    wear: float
    plays: int
    heard_at: datetime | None
    deployment: str
    topic: str
    status: str

    def age_hours(self, now: datetime) -> float:
        """Hours since the take was left; never negative, whatever the clock did."""
        return max(0.0, (now - self.created_at).total_seconds() / 3600)

    def unheard_hours(self, now: datetime) -> float:
        """Hours since the take was last heard, or since it was left when nobody has heard it."""
        since = self.created_at if self.heard_at is None else self.heard_at
        return max(0.0, (now - since).total_seconds() / 3600)


@dataclass(frozen=True, kw_only=True, slots=True)
class WishLimits:
    """How much of a wish is read; the rest is dropped in silence."""

    exclude_ids: int
    recent_densities: int
    recent_topics: int
    topic_characters: int
    status_characters: int
    variant_characters: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What the asker would like: wishes, not orders. None means any; every sequence is newest first.

    Topics and statuses are tidied (see `tidy`), as every comparison with a take's own is.
    """

    lane: Lane | None = None
    density: Density | None = None
    mood: Mood | None = None
    exclude_ids: tuple[int, ...] = ()
    recent_densities: tuple[Density, ...] = ()
    recent_topics: tuple[str, ...] = ()
    preferred_topic: str = ""
    preferred_status: str = ""
    variant: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str], limits: WishLimits) -> "Wish":
        """Read `GET /api/v1/pool/next`'s query. Never raises: what is unknown or damaged means any."""
        densities = (_member(Density, part) for part in _parts(query, "recent_densities"))
        topics = (tidy(part)[: limits.topic_characters] for part in _parts(query, "recent_topics"))
        return cls(
            lane=_member(Lane, query.get("lane", "")),
            density=_member(Density, query.get("density", "")),
            mood=_member(Mood, query.get("mood", "")),
            exclude_ids=_ids(_parts(query, "exclude_ids"), limits.exclude_ids),
            recent_densities=tuple(d for d in densities if d is not None)[: limits.recent_densities],
            recent_topics=tuple(t for t in topics if t)[: limits.recent_topics],
            preferred_topic=tidy(query.get("preferred_topic", ""))[: limits.topic_characters],
            preferred_status=tidy(query.get("preferred_lifecycle_status", ""))[: limits.status_characters],
            variant=query.get("segment_variant", "").strip()[: limits.variant_characters],
        )


def tidy(text: str) -> str:
    """Topic or status in the one form in which they are compared: single spaces, lower case."""
    return " ".join(text.split()).lower()


def _member(kind: type[Closed], text: str) -> Closed | None:
    try:
        return kind(text.strip().lower())
    except ValueError:
        return None


def _parts(query: Mapping[str, str], name: str) -> list[str]:
    return query.get(name, "").split(",")


def _ids(parts: Iterable[str], most: int) -> tuple[int, ...]:
    """The first `most` distinct ids; what no database could hold as an id is passed over."""
    found: dict[int, None] = {}
    for part in parts:
        digits = part.strip()
        if digits.isascii() and digits.isdigit() and len(digits) <= 19 and 0 < int(digits) <= LARGEST_ID:
            found[int(digits)] = None
        if len(found) == most:
            break
    return tuple(found)
