"""What a simulation is told, what it holds while it runs, and what comes of it."""

import math
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from core.domain.pool.drawing import Holds
from core.domain.pool.facts import PoolFacts
from core.domain.pool.reach import Reach
from core.domain.room.posture import Posture


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrivals:
    """Who comes. Durations are log-normal around `median_s`, cut to 1 s .. `longest_s`.

    Raw takes sound for `room_hours`; a share `fossils` for `fossil_raw_hours`, and then, by what is left of them, until
    `fossil_hours` are over. `topics` of 0 leaves takes without a topic.
    """

    per_day: float
    median_s: float = 9.0
    spread: float = 0.6
    longest_s: float = 120.0
    fossils: float = 0.3
    room_hours: float = 48.0
    fossil_raw_hours: float = 48.0
    fossil_hours: float = 365 * 24.0
    topics: int = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Headcount:
    """What a counter would say, every day alike: from each hour of the site's clock on, so many people are there.

    `steps` are hours and people, in the order of the hours; before the first the last one counts.
    """

    steps: tuple[tuple[int, int], ...]

    def people(self, local: datetime) -> int:
        """How many are there at a time of the site's clock."""
        return next(self._back(local))[1]

    def empty_s(self, local: datetime) -> float:
        """For how long nobody has been there by then; 0 while somebody is."""
        since = None
        for began, people in self._back(local):
            if people:
                return (local - since).total_seconds() if since is not None else 0.0
            since = began.astimezone(UTC)
        return math.inf

    def _back(self, local: datetime) -> Iterator[tuple[datetime, int]]:
        """The steps of this day and the one before that have begun by a moment, the latest first, and when."""
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for day in (midnight, midnight - timedelta(days=1)):
            for hour, people in reversed(self.steps):
                began = day.replace(hour=hour)
                if began <= local:
                    yield began, people


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is simulated: from `start`, for `days`, open from `opens_hour` to `closes_hour` of the site's clock; `held`
    takes are there from the beginning and never end (their ages spread over `held_age_hours`). `headcount` says who is
    there, None where nobody counts."""

    start: datetime
    days: int
    seed: int
    arrivals: Arrivals
    opens_hour: int = 10
    closes_hour: int = 18
    held: int = 0
    held_age_hours: float = 240.0
    posture: Posture = field(default_factory=lambda: Posture(plays=True, quieter=False))
    headcount: Headcount | None = None


@dataclass(slots=True)
class Take:
    """One take in memory, as it stands; from `raw_until` on what a fossil left sounds in its place."""

    facts: PoolFacts
    raw_until: datetime
    ends_at: datetime
    place: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """One program as it was: when its first voice began, after which gap, its voices, and how the pool stood."""

    at: datetime
    gap_ms: int
    gap_kind: str
    length_ms: int
    voices: tuple[int, ...]
    lane: str
    mood: str
    movement: str
    scene: str
    pool_size: int
    thread_signal: str
    featured_return: bool
    gave_way: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """What was there when a day closed."""

    day: int
    playable: int
    lanes: dict[str, int]
    moods: dict[str, int]
    mean_wear: float


@dataclass(slots=True)
class Run:
    """What came of a simulation. `takes` are all there ever were, `open_ms` how long the room was open, `rested_ms` for
    how much of it nothing was played, and `alone_ms` of that because nobody was there."""

    plan: Plan
    played: list[Played] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    takes: dict[int, Take] = field(default_factory=dict)
    open_ms: int = 0
    rested_ms: int = 0
    alone_ms: int = 0


class MemoryRows:
    """Takes in memory as `core.domain.pool.drawing` asks for them: in the order of a random place each has for good."""

    def __init__(self) -> None:
        self._placed: list[tuple[float, int]] = []
        self.takes: dict[int, Take] = {}
        self._reached_last: list[PoolFacts] = []

    def add(self, take: Take) -> None:
        """A take more."""
        self.takes[take.facts.artifact_id] = take
        insort(self._placed, (take.place, take.facts.artifact_id))

    def drop(self, number: int) -> None:
        """A take less."""
        del self.takes[number]
        self._placed = [placed for placed in self._placed if placed[1] != number]

    def size(self) -> int:
        """See `Rows`."""
        return len(self._placed)

    def scan(self, reach: Reach, holds: Holds) -> list[PoolFacts]:
        """See `Rows`."""
        return [facts for facts in self._reached(reach) if holds(facts)]

    def find(self, reach: Reach, holds: Holds) -> PoolFacts | None:
        """See `Rows`."""
        return next((facts for facts in self._reached(reach) if holds(facts)), None)

    def probe(self, cells: int, places: Sequence[tuple[int, int]]) -> list[PoolFacts | None]:
        """See `Rows`. Cells are equal parts of the row here: places are evenly spread, and every rank is met alike."""
        return [self._probe(cells, cell, rank) for cell, rank in places]

    def within(self, reach: Reach, most: int) -> int:
        """See `Rows`."""
        self._reached_last = list(islice(self._reached(reach), most + 1))
        return len(self._reached_last)

    def pick(self, _reach: Reach, places: Sequence[int]) -> list[PoolFacts | None]:
        """See `Rows`."""
        return [self._reached_last[place] for place in places]

    def _probe(self, cells: int, cell: int, rank: int) -> PoolFacts | None:
        first = cell * len(self._placed) // cells
        end = (cell + 1) * len(self._placed) // cells
        return self.takes[self._placed[first + rank][1]].facts if first + rank < end else None

    def _reached(self, reach: Reach) -> Iterator[PoolFacts]:
        return (take.facts for take in self.takes.values() if reach.admits(take.facts))
