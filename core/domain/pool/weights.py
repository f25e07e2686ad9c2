"""How likely a take is to be drawn: named factors, their product, and the most that product can be."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from core.domain.deployment import Deployment
from core.domain.pool.facts import Density, Mood, PoolFacts, Wish, WishLimits, tidy
from core.domain.pool.lanes import LaneFigures, Standing, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class CooldownFigures:
    """The factor is 1 + cooldowns passed since heard, at most `most`."""

    most: float
    never_heard_cooldowns: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RarityFigures:
    """The factor is 1 / (1 + per_play * plays)."""

    per_play: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WearFigures:
    """The factor is start - slope * wear, at least `least`."""

    start: float
    slope: float
    least: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AgeStep:
    """The factor of takes up to and including this age."""

    at_most_hours: float
    factor: float


@dataclass(frozen=True, kw_only=True, slots=True)
class AgeFigures:
    """Steps by rising age; `older` is everything beyond the last."""

    steps: tuple[AgeStep, ...]
    older: float

    def __post_init__(self) -> None:
        ages = [step.at_most_hours for step in self.steps]
        if ages != sorted(ages):
            raise ValueError("the steps are not in order of age")


@dataclass(frozen=True, kw_only=True, slots=True)
class MoodFigures:
    """`near` is by the mood asked for, then by the take's own."""

    exact: float
    other: float
    near: dict[Mood, dict[Mood, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FeaturedReturnFigures:
    """An old take long unheard comes back with this factor."""

    factor: float
    min_age_hours: float
    min_unheard_hours: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DensityBalanceFigures:
    """`after`: the density heard `repeats` times in the last `window`, then the take's own."""

    window: int
    repeats: int
    after: dict[Density, dict[Density, float]]

    def __post_init__(self) -> None:
        if self.repeats * 2 <= self.window:
            raise ValueError("repeats must be more than half of window, or two densities could both repeat")


@dataclass(frozen=True, kw_only=True, slots=True)
class FocusFigures:
    """Factors of a take on the topic, or of the status, that is wished for: a hint under every deployment."""

    topic: float
    status: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightFigures:
    """One table per factor, and the floor of their product."""

    floor: float
    cooldown: CooldownFigures
    rarity: RarityFigures
    wear: WearFigures
    age: AgeFigures
    mood: MoodFigures
    featured_return: FeaturedReturnFigures
    density_balance: DensityBalanceFigures
    focus: FocusFigures


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolCatalog:
    """`assets/catalogs/pool.toml`."""

    preference_chance: float
    wish: WishLimits
    weights: WeightFigures


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolFigures:
    """All a choice is given: the thresholds and the cooldown from the settings, the rest from the catalog."""

    lanes: LaneFigures
    cooldown_s: float
    catalog: PoolCatalog


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """Why a take weighs what it weighs."""

    cooldown: float
    rarity: float
    wear: float
    age: float
    mood: float
    featured_return: float
    density_balance: float
    same_topic: float
    focus: float
    deployment: float
    floor: float

    @property
    def product(self) -> float:
        """The weight; never under the floor.

        One order of multiplication for weights and bounds: rounding is monotone, so a bound, larger in every
        factor, stays at or above each weight to the last bit.
        """
        return max(self.floor, math.prod(_named(self)))


NAMES = tuple(one.name for one in fields(Factors) if one.name != "floor")
"""Every factor there is, in the order in which they are multiplied."""

_named: Callable[[Factors], tuple[float, ...]] = attrgetter(*NAMES)


def weigh(facts: PoolFacts, wish: Wish, now: datetime, figures: PoolFigures, deployment: Deployment) -> Factors:
    """Every factor of one take for one wish."""
    table = figures.catalog.weights
    take = standing(facts, now, figures.lanes)
    return Factors(
        cooldown=cooldown_factor(facts, now, cooldown_s(figures, deployment), table.cooldown),
        rarity=rarity_factor(facts.plays, table.rarity),
        wear=wear_factor(facts.wear, table.wear),
        age=age_factor(take.age_hours, table.age),
        mood=mood_factor(wish.mood, take.mood, table.mood),
        featured_return=featured_return_factor(take, table.featured_return, deployment.row.featured_return),
        density_balance=density_balance_factor(wish.recent_densities, take.density, table.density_balance),
        same_topic=same_topic_factor(facts.topic, wish.recent_topics, deployment.row.same_topic),
        focus=focus_factor(facts, wish, table.focus),
        deployment=deployment.factor(take, facts.status),
        floor=table.floor,
    )


def bound(wish: Wish, figures: PoolFigures, deployment: Deployment) -> float:
    """The most that any take, whatever its facts, can weigh for this wish."""
    table = figures.catalog.weights
    mood = table.mood
    near = () if wish.mood is None else mood.near.get(wish.mood, {}).values()
    balance = _balance(wish.recent_densities, table.density_balance)
    return Factors(
        cooldown=max(1.0, table.cooldown.most),
        rarity=1.0,
        wear=max(table.wear.least, table.wear.start),
        age=max([table.age.older, *(step.factor for step in table.age.steps)]),
        mood=1.0 if wish.mood is None else max(mood.exact, mood.other, *near),
        featured_return=max(1.0, table.featured_return.factor * deployment.row.featured_return),
        density_balance=max([1.0, *balance.values()]),
        same_topic=max(1.0, deployment.row.same_topic) if wish.recent_topics else 1.0,
        focus=(max(1.0, table.focus.topic) if wish.preferred_topic else 1.0)
        * (max(1.0, table.focus.status) if wish.preferred_status else 1.0),
        deployment=deployment.factor_bound(),
        floor=table.floor,
    ).product


def cooldown_s(figures: PoolFigures, deployment: Deployment) -> float:
    """Seconds for which a heard take rests under this deployment."""
    return figures.cooldown_s * deployment.row.cooldown


def is_past_cooldown(facts: PoolFacts, now: datetime, rest_s: float) -> bool:
    """Whether a take has rested `rest_s` seconds since it was heard; never heard counts as rested."""
    return facts.heard_at is None or (now - facts.heard_at).total_seconds() >= rest_s


def is_featured_return(take: Standing, figures: FeaturedReturnFigures) -> bool:
    """Whether the take is old enough and unheard for long enough to come back with emphasis."""
    return take.age_hours >= figures.min_age_hours and take.unheard_hours >= figures.min_unheard_hours


def cooldown_factor(facts: PoolFacts, now: datetime, rest_s: float, figures: CooldownFigures) -> float:
    """The longer unheard, the likelier; a cooldown of 0 s counts as always passed."""
    if facts.heard_at is None:
        return min(figures.most, 1.0 + figures.never_heard_cooldowns)
    if rest_s <= 0:
        return figures.most
    since_s = max(0.0, (now - facts.heard_at).total_seconds())
    return min(figures.most, 1.0 + since_s / rest_s)


def rarity_factor(plays: int, figures: RarityFigures) -> float:
    """The less heard, the likelier."""
    return 1.0 / (1.0 + figures.per_play * max(0, plays))


def wear_factor(wear: float, figures: WearFigures) -> float:
    """The less worn, the likelier."""
    return max(figures.least, figures.start - figures.slope * max(0.0, wear))


def age_factor(age_hours: float, figures: AgeFigures) -> float:
    """By steps: neither the newest nor the oldest is heard most."""
    fitting = (step.factor for step in figures.steps if age_hours <= step.at_most_hours)
    return next(fitting, figures.older)


def mood_factor(asked: Mood | None, own: Mood, figures: MoodFigures) -> float:
    """Exact, near, or other; 1 when none is asked for."""
    if asked is None:
        return 1.0
    if own is asked:
        return figures.exact
    return figures.near.get(asked, {}).get(own, figures.other)


def featured_return_factor(take: Standing, figures: FeaturedReturnFigures, multiplier: float) -> float:
    """The return's factor times the deployment's multiplier; 1 for every other take."""
    return figures.factor * multiplier if is_featured_return(take, figures) else 1.0


def density_balance_factor(recent: tuple[Density, ...], own: Density, figures: DensityBalanceFigures) -> float:
    """Leans away from a density that has just been heard too often; `recent` is newest first."""
    return _balance(recent, figures).get(own, 1.0)


def same_topic_factor(topic: str, recent_topics: tuple[str, ...], multiplier: float) -> float:
    """The deployment's multiplier for a take on a topic that was just heard; no topic is no match."""
    known = tidy(topic)
    return multiplier if known and known in recent_topics else 1.0


def focus_factor(facts: PoolFacts, wish: Wish, figures: FocusFigures) -> float:
    """Leans to what a steward, or a thread, asks for; where nothing is asked, 1."""
    on_topic = bool(wish.preferred_topic) and tidy(facts.topic) == wish.preferred_topic
    of_status = bool(wish.preferred_status) and tidy(facts.status) == wish.preferred_status
    return (figures.topic if on_topic else 1.0) * (figures.status if of_status else 1.0)


def _balance(recent: tuple[Density, ...], figures: DensityBalanceFigures) -> dict[Density, float]:
    last = recent[: figures.window]
    repeated = (table for density, table in figures.after.items() if last.count(density) >= figures.repeats)
    return next(repeated, {})
