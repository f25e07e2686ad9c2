"""Lane, density and mood of a take: derived when asked, never stored."""

from dataclasses import dataclass
from datetime import datetime

from core.domain.pool.facts import Density, Lane, Mood, PoolFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneFigures:
    """The thresholds. All are inclusive: a take exactly on one belongs to the named class."""

    fresh_max_age_hours: float
    fresh_max_wear: float
    fresh_max_plays: int
    worn_min_age_hours: float
    worn_min_wear: float
    worn_min_plays: int
    light_max_ms: int
    dense_min_ms: int
    suspended_min_age_hours: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where one take stands at one moment."""

    age_hours: float
    unheard_hours: float
    duration_ms: int
    lane: Lane
    density: Density
    mood: Mood


def standing(facts: PoolFacts, now: datetime, figures: LaneFigures) -> Standing:
    """Everything about `facts` that depends on the moment or on thresholds."""
    age_hours = facts.age_hours(now)
    own_lane, own_density = _lane(facts, age_hours, figures), density(facts, figures)
    return Standing(
        age_hours=age_hours,
        unheard_hours=facts.unheard_hours(now),
        duration_ms=facts.duration_ms,
        lane=own_lane,
        density=own_density,
        mood=_mood(own_lane, own_density, age_hours, figures),
    )


def lane(facts: PoolFacts, now: datetime, figures: LaneFigures) -> Lane:
    """Fresh asks for all three signs of youth, worn for any one sign of use; the rest is mid."""
    return _lane(facts, facts.age_hours(now), figures)


def _lane(facts: PoolFacts, age_hours: float, figures: LaneFigures) -> Lane:
    if (
        age_hours <= figures.fresh_max_age_hours
        and facts.wear <= figures.fresh_max_wear
        and facts.plays <= figures.fresh_max_plays
    ):
        return Lane.FRESH
    if (
        age_hours >= figures.worn_min_age_hours
        or facts.wear >= figures.worn_min_wear
        or facts.plays >= figures.worn_min_plays
    ):
        return Lane.WORN
    return Lane.MID


def density(facts: PoolFacts, figures: LaneFigures) -> Density:
    """By the take's whole duration, not by the slice that is played of it."""
    if facts.duration_ms <= figures.light_max_ms:
        return Density.LIGHT
    if facts.duration_ms >= figures.dense_min_ms:
        return Density.DENSE
    return Density.MEDIUM


def mood(facts: PoolFacts, now: datetime, figures: LaneFigures) -> Mood:
    """Lane first, then density, then (in the mid lane only) age."""
    age_hours = facts.age_hours(now)
    return _mood(_lane(facts, age_hours, figures), density(facts, figures), age_hours, figures)


def _mood(own_lane: Lane, own_density: Density, age_hours: float, figures: LaneFigures) -> Mood:
    match own_lane:
        case Lane.FRESH:
            return Mood.CLEAR if own_density is Density.LIGHT else Mood.GATHERING
        case Lane.WORN:
            return Mood.WEATHERED if own_density is Density.DENSE else Mood.HUSHED
        case Lane.MID:
            late = age_hours >= figures.suspended_min_age_hours
            return Mood.SUSPENDED if late or own_density is Density.DENSE else Mood.HUSHED
