"""How takes divide: by lane, density, mood, colour, deployment, topic, status, and the day they were left."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from core.domain.pool.facts import PoolFacts, tidy
from core.domain.pool.lanes import LaneFigures, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """Counts by name; each of them, but `topics` and `statuses`, adds up to the number of takes counted.

    `topics` and `statuses` are tidied, and leave out takes that have none; `days` are UTC.
    """

    lanes: dict[str, int]
    densities: dict[str, int]
    moods: dict[str, int]
    memory_colors: dict[str, int]
    deployments: dict[str, int]
    topics: dict[str, int]
    statuses: dict[str, int]
    days: dict[str, int]

    def to_json(self) -> dict[str, dict[str, int]]:
        """Plain JSON values."""
        return asdict(self)


def census(takes: Iterable[tuple[PoolFacts, str]], now: datetime, figures: LaneFigures) -> Census:
    """Count takes, each given with its memory colour."""
    found = [(facts, colour, standing(facts, now, figures)) for facts, colour in takes]
    return Census(
        lanes=_counted(stands.lane.value for _, _, stands in found),
        densities=_counted(stands.density.value for _, _, stands in found),
        moods=_counted(stands.mood.value for _, _, stands in found),
        memory_colors=_counted(colour for _, colour, _ in found),
        deployments=_counted(facts.deployment for facts, _, _ in found),
        topics=_counted(name for facts, _, _ in found if (name := tidy(facts.topic))),
        statuses=_counted(name for facts, _, _ in found if (name := tidy(facts.status))),
        days=_counted(facts.created_at.date().isoformat() for facts, _, _ in found),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
