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
    return Standing(
        age_hours=facts.age_hours(now),
        unheard_hours=facts.unheard_hours(now),
        duration_ms=facts.duration_ms,
        lane=lane(facts, now, figures),
        density=density(facts, figures),
        mood=mood(facts, now, figures),
    )


def lane(facts: PoolFacts, now: datetime, figures: LaneFigures) -> Lane:
    """Fresh asks for all three signs of youth, worn for any one sign of use; the rest is mid."""
    age_hours = facts.age_hours(now)
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
    found_density = density(facts, figures)
    match lane(facts, now, figures):
        case Lane.FRESH:
            return Mood.CLEAR if found_density is Density.LIGHT else Mood.GATHERING
        case Lane.WORN:
            return Mood.WEATHERED if found_density is Density.DENSE else Mood.HUSHED
        case Lane.MID:
            late = facts.age_hours(now) >= figures.suspended_min_age_hours
            return Mood.SUSPENDED if late or found_density is Density.DENSE else Mood.HUSHED
