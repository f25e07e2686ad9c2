"""The six deployments: what each multiplies, prefers and favours.

All of it is read from one table (`assets/catalogs/deployments.toml`); preference and factor are one pure
function each over a deployment's row. No code, here or elsewhere, asks which deployment is active.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.pool.facts import Density, Lane, Mood, PoolFacts, Wish, tidy
from core.domain.pool.lanes import Standing


class DeploymentName(StrEnum):
    """The known deployments."""

    MEMORY = "memory"
    QUESTION = "question"
    PROMPT = "prompt"
    REPAIR = "repair"
    WITNESS = "witness"
    ORACLE = "oracle"


class Resolution(StrEnum):
    """What a lifecycle status amounts to."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A factor, and what a take must be for it. A condition that is None or empty asks nothing."""

    factor: float
    age_under_hours: float | None = None
    age_at_most_hours: float | None = None
    age_at_least_hours: float | None = None
    unheard_at_most_hours: float | None = None
    unheard_at_least_hours: float | None = None
    at_most_ms: int | None = None
    at_least_ms: int | None = None
    resolution: Resolution | None = None
    lanes: tuple[Lane, ...] = ()
    densities: tuple[Density, ...] = ()
    moods: tuple[Mood, ...] = ()

    def holds(self, take: Standing, resolution: Resolution) -> bool:
        """Whether every condition that is asked is met."""
        return (
            (self.age_under_hours is None or take.age_hours < self.age_under_hours)
            and _within(take.age_hours, self.age_at_least_hours, self.age_at_most_hours)
            and _within(take.unheard_hours, self.unheard_at_least_hours, self.unheard_at_most_hours)
            and _within(take.duration_ms, self.at_least_ms, self.at_most_ms)
            and self.resolution in (None, resolution)
            and (not self.lanes or take.lane in self.lanes)
            and (not self.densities or take.density in self.densities)
            and (not self.moods or take.mood in self.moods)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferenceRow:
    """One step of a preference. With `wanted`, it exists only for a wish that names a topic or status."""

    wanted_topic: bool = False
    wanted_status: bool = False
    unresolved: bool = False
    within_hours: float | None = None
    older_than_hours: float | None = None
    unheard_hours: float | None = None


class ThreadSignal(StrEnum):
    """What a take on a topic may open: more of that topic, in the way `core.domain.room.threads` lays out."""

    NONE = ""
    QUESTION_CHORUS = "question_chorus"
    REPAIR_BENCH = "repair_bench"


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadRow:
    """The thread that a take with a topic opens; `resolutions` limits it to such takes, empty means all."""

    signal: ThreadSignal
    resolutions: tuple[Resolution, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentRow:
    """One deployment's figures. All but the window are multipliers of what the room does otherwise.

    `factor` is a product over groups; in each group the first rule that holds counts, and 1 if none does.
    `preference` is tried in order, and the first step that leaves a row is taken.
    """

    cooldown: float
    wear: float
    anti_repetition_window: int
    cue_gap: float
    pause_gap: float
    room_tone: float
    overlap_chance: float
    featured_return: float
    same_topic: float
    statuses: tuple[str, ...]
    preference: tuple[PreferenceRow, ...] = ()
    thread: ThreadRow | None = None
    factor: dict[str, tuple[Rule, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentCatalog:
    """`assets/catalogs/deployments.toml`."""

    unresolved: tuple[str, ...]
    resolved: tuple[str, ...]
    deployments: dict[DeploymentName, DeploymentRow]

    def __post_init__(self) -> None:
        missing = [name for name in DeploymentName if name not in self.deployments]
        both = sorted(set(self.unresolved) & set(self.resolved))
        if missing:
            raise ValueError(f"no row for {', '.join(missing)}")
        if both:
            raise ValueError(f"both resolved and unresolved: {', '.join(both)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """One preference, made concrete for a wish and a moment; a query can say the same in SQL.

    `statuses` None asks nothing; `created_from` is inclusive, `created_before` exclusive;
    `unheard_since` is met by what was last heard (or, never heard, created) at or before it.
    """

    topic: str | None = None
    statuses: frozenset[str] | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    unheard_since: datetime | None = None

    def admits(self, facts: PoolFacts) -> bool:
        """Whether the take is among the preferred."""
        heard_at = facts.created_at if facts.heard_at is None else facts.heard_at
        return (
            (self.topic is None or tidy(facts.topic) == self.topic)
            and (self.statuses is None or tidy(facts.status) in self.statuses)
            and (self.created_from is None or facts.created_at >= self.created_from)
            and (self.created_before is None or facts.created_at < self.created_before)
            and (self.unheard_since is None or heard_at <= self.unheard_since)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """The active deployment: its name, its row, and what statuses mean."""

    name: DeploymentName
    row: DeploymentRow
    unresolved: frozenset[str]
    resolved: frozenset[str]

    def resolution(self, status: str) -> Resolution:
        """Unresolved, resolved, or a status that is neither."""
        known = tidy(status)
        if known in self.unresolved:
            return Resolution.UNRESOLVED
        return Resolution.RESOLVED if known in self.resolved else Resolution.OTHER

    def thread_signal(self, facts: PoolFacts) -> ThreadSignal:
        """What a take opens; a take without a topic opens nothing."""
        thread = self.row.thread
        if thread is None or not tidy(facts.topic):
            return ThreadSignal.NONE
        fits = not thread.resolutions or self.resolution(facts.status) in thread.resolutions
        return thread.signal if fits else ThreadSignal.NONE

    def preference(self, wish: Wish, now: datetime) -> tuple[Narrowing, ...]:
        """Which takes come before weighting, best first; empty where this deployment prefers none."""
        return tuple(self._narrowing(row, wish, now) for row in self.row.preference if _is_asked(row, wish))

    def factor(self, take: Standing, status: str) -> float:
        """The deployment's part of a take's weight."""
        resolution = self.resolution(status)
        return math.prod(_first(rules, take, resolution) for rules in self.row.factor.values())

    def factor_bound(self) -> float:
        """The most that `factor` can come to, multiplied in the same order."""
        return math.prod(max(1.0, *(rule.factor for rule in rules)) for rules in self.row.factor.values() if rules)

    def _narrowing(self, row: PreferenceRow, wish: Wish, now: datetime) -> Narrowing:
        statuses = self.unresolved if row.unresolved else None
        if row.wanted_status and wish.preferred_status:
            wanted = frozenset({tidy(wish.preferred_status)})
            statuses = wanted if statuses is None else wanted & statuses
        return Narrowing(
            topic=tidy(wish.preferred_topic) if row.wanted_topic and wish.preferred_topic else None,
            statuses=statuses,
            created_from=_ago(now, row.within_hours),
            created_before=_ago(now, row.older_than_hours),
            unheard_since=_ago(now, row.unheard_hours),
        )


def find_deployment(name: str, catalog: DeploymentCatalog) -> Deployment:
    """The deployment called `name`; ValueError listing the known ones for any other name."""
    try:
        known = DeploymentName(name)
    except ValueError:
        raise ValueError(f"unknown deployment {name!r}; known are {', '.join(DeploymentName)}") from None
    return Deployment(
        name=known,
        row=catalog.deployments[known],
        unresolved=frozenset(catalog.unresolved),
        resolved=frozenset(catalog.resolved),
    )


def _first(rules: Iterable[Rule], take: Standing, resolution: Resolution) -> float:
    return next((rule.factor for rule in rules if rule.holds(take, resolution)), 1.0)


def _is_asked(row: PreferenceRow, wish: Wish) -> bool:
    if not (row.wanted_topic or row.wanted_status):
        return True
    return bool((row.wanted_topic and wish.preferred_topic) or (row.wanted_status and wish.preferred_status))


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _ago(now: datetime, hours: float | None) -> datetime | None:
    return None if hours is None else now - timedelta(hours=hours)
