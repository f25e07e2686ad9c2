"""Where takes of a kind can be found: what a store's indexes can answer, wider than the kind but never narrower.

A condition says what a take must be; its reach says where every such take lies. Whoever looks only there misses none,
and what is found there is still asked about the condition itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from core.domain.deployment import Narrowing
from core.domain.pool.facts import Density, Lane, Mood, PoolFacts, tidy
from core.domain.pool.lanes import LaneFigures

Bound = TypeVar("Bound")

WIDER = timedelta(seconds=1)
"""Ages are worked out in hours, with a rounding of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Bounds of what a take is; None bounds nothing. All are inclusive; topic and statuses are tidied."""

    deployment: str | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    shortest_ms: int | None = None
    longest_ms: int | None = None
    topic: str | None = None
    statuses: frozenset[str] | None = None

    def admits(self, facts: PoolFacts) -> bool:
        """Whether a take lies within."""
        return (
            (self.deployment is None or facts.deployment == self.deployment)
            and (self.created_from is None or facts.created_at >= self.created_from)
            and (self.created_until is None or facts.created_at <= self.created_until)
            and (self.shortest_ms is None or facts.duration_ms >= self.shortest_ms)
            and (self.longest_ms is None or facts.duration_ms <= self.longest_ms)
            and (self.topic is None or tidy(facts.topic) == self.topic)
            and (self.statuses is None or tidy(facts.status) in self.statuses)
        )

    @property
    def narrow(self) -> bool:
        """Whether it bounds more than the deployment, which most takes of a room share."""
        bounds = (self.created_from, self.created_until, self.shortest_ms, self.longest_ms, self.topic, self.statuses)
        return any(bound is not None for bound in bounds)


EVERYWHERE = Reach()
NOWHERE = Reach(shortest_ms=1, longest_ms=0)


def meet(reaches: Iterable[Reach]) -> Reach:
    """Where all of them are."""
    found = EVERYWHERE
    for one in reaches:
        if _differ(found.deployment, one.deployment) or _differ(found.topic, one.topic):
            return NOWHERE
        found = Reach(
            deployment=found.deployment if one.deployment is None else one.deployment,
            created_from=_tighter(found.created_from, one.created_from, max),
            created_until=_tighter(found.created_until, one.created_until, min),
            shortest_ms=_tighter(found.shortest_ms, one.shortest_ms, max),
            longest_ms=_tighter(found.longest_ms, one.longest_ms, min),
            topic=found.topic if one.topic is None else one.topic,
            statuses=_tighter(found.statuses, one.statuses, frozenset.intersection),
        )
    return found


def of_lane(asked: Lane, now: datetime, figures: LaneFigures) -> Reach:
    """Fresh and mid are of some last hours; worn may be anything."""
    match asked:
        case Lane.FRESH:
            return Reach(created_from=_ago(now, figures.fresh_max_age_hours))
        case Lane.MID:
            return Reach(created_from=_ago(now, figures.worn_min_age_hours))
        case Lane.WORN:
            return EVERYWHERE


def of_density(asked: Density, figures: LaneFigures) -> Reach:
    """By the duration, as the density is."""
    match asked:
        case Density.LIGHT:
            return Reach(longest_ms=figures.light_max_ms)
        case Density.DENSE:
            return Reach(shortest_ms=figures.dense_min_ms)
        case Density.MEDIUM:
            return Reach(shortest_ms=figures.light_max_ms, longest_ms=figures.dense_min_ms)


def of_mood(asked: Mood, now: datetime, figures: LaneFigures) -> Reach:
    """By the lane and the density it is made of."""
    match asked:
        case Mood.CLEAR:
            return meet([of_lane(Lane.FRESH, now, figures), of_density(Density.LIGHT, figures)])
        case Mood.GATHERING:
            return of_lane(Lane.FRESH, now, figures)
        case Mood.WEATHERED:
            return of_density(Density.DENSE, figures)
        case Mood.SUSPENDED:
            return of_lane(Lane.MID, now, figures)
        case Mood.HUSHED:
            return EVERYWHERE


def of_preference(step: Narrowing) -> Reach:
    """Of one step of a deployment's preference; an empty status is no bound, for most takes have none."""
    unbounded = step.statuses is not None and "" in step.statuses
    return Reach(
        created_from=step.created_from,
        created_until=step.created_before,
        topic=step.topic,
        statuses=None if unbounded else step.statuses,
    )


def _ago(now: datetime, hours: float) -> datetime:
    return now - timedelta(hours=hours) - WIDER


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _tighter(one: Bound | None, other: Bound | None, tightest: Callable[[Bound, Bound], Bound]) -> Bound | None:
    return other if one is None else one if other is None else tightest(one, other)
