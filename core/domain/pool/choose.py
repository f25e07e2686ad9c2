"""The specification of the choice: narrow by rungs, then draw by weight.

A query that chooses faster is right exactly when its choices are distributed as `choose`'s. It may probe rows
at random and keep the first that `accept` takes: a row is accepted with weight / bound, so what is accepted is
drawn by weight among the rows that pass every rung. Where no probe is accepted, some rung may have to give way,
and the rows are scanned with `choose`.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.deployment import Deployment
from core.domain.pool.facts import Density, Lane, Mood, PoolFacts, Rung, Wish
from core.domain.pool.lanes import density, lane, mood, standing
from core.domain.pool.weights import (
    Factors,
    PoolFigures,
    bound,
    cooldown_s,
    is_featured_return,
    is_past_cooldown,
    weigh,
)

Condition = Callable[[PoolFacts], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One take, why it weighed what it did, and which rungs gave way before it was drawn.

    `thread_signal` names the thread this choice opens, "" for none. `pool_size` counts all that was playable.
    """

    facts: PoolFacts
    factors: Factors
    lane: Lane
    density: Density
    mood: Mood
    featured_return: bool
    thread_signal: str
    gave_way: tuple[Rung, ...]
    pool_size: int


def choose(
    facts: Sequence[PoolFacts],
    wish: Wish,
    now: datetime,
    rng: random.Random,
    *,
    figures: PoolFigures,
    deployment: Deployment,
) -> Choice | None:
    """One of `facts` (all playable and not held), or None when there are none. Changes nothing."""
    if not facts:
        return None
    prefers = takes_preference(figures, deployment, rng)
    rows, gave_way = narrow(facts, wish, now, figures, deployment, prefers=prefers)
    weighed = [(row, weigh(row, wish, now, figures, deployment)) for row in rows]
    row = draw([(row, factors.product) for row, factors in weighed], rng)
    return describe(row, wish, now, figures, deployment, gave_way=gave_way, pool_size=len(facts))


def takes_preference(figures: PoolFigures, deployment: Deployment, rng: random.Random) -> bool:
    """Whether this choice follows the deployment's preference; drawn once a choice, before anything else."""
    return bool(deployment.row.preference) and rng.random() < figures.catalog.preference_chance


def narrow(
    facts: Sequence[PoolFacts],
    wish: Wish,
    now: datetime,
    figures: PoolFigures,
    deployment: Deployment,
    *,
    prefers: bool,
) -> tuple[list[PoolFacts], tuple[Rung, ...]]:
    """The rows left after every rung, and the rungs that gave way. Never empties a pool that has a row."""
    rows = list(facts)
    gave_way = []
    for rung, conditions in _rungs(wish, now, figures, deployment, prefers=prefers):
        kept = next(filter(None, ([row for row in rows if holds(row)] for holds in conditions)), None)
        if kept is None:
            gave_way.append(rung)
            kept = _oldest_exclusions_back(rows, wish) if rung is Rung.EXCLUSION else rows
        rows = kept
    return rows, tuple(gave_way)


def accept(
    facts: PoolFacts,
    wish: Wish,
    now: datetime,
    rng: random.Random,
    *,
    figures: PoolFigures,
    deployment: Deployment,
    prefers: bool,
    most: float | None = None,
) -> bool:
    """Whether a row probed at random is the choice. `prefers` is `takes_preference`'s answer for this choice.

    True with weight / bound for a row that passes every rung as asked (of a preference, its best step), never
    for another. `most` spares a caller who probes often the bound of the same wish.
    """
    for _rung, conditions in _rungs(wish, now, figures, deployment, prefers=prefers):
        if not conditions[0](facts):
            return False
    limit = bound(wish, figures, deployment) if most is None else most
    return rng.random() * limit < weigh(facts, wish, now, figures, deployment).product


def draw(weighed: Sequence[tuple[PoolFacts, float]], rng: random.Random) -> PoolFacts:
    """One row with a chance proportional to its weight, in one pass.

    Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006): the largest u^(1/weight)
    wins, here as the smallest -log(u) / weight. ValueError without rows.
    """
    keyed = [(-math.log(1.0 - rng.random()) / weight, index) for index, (_, weight) in enumerate(weighed)]
    _, index = min(keyed)
    return weighed[index][0]


def describe(
    facts: PoolFacts,
    wish: Wish,
    now: datetime,
    figures: PoolFigures,
    deployment: Deployment,
    *,
    gave_way: tuple[Rung, ...],
    pool_size: int,
) -> Choice:
    """The choice of this row, however it was found."""
    take = standing(facts, now, figures.lanes)
    return Choice(
        facts=facts,
        factors=weigh(facts, wish, now, figures, deployment),
        lane=take.lane,
        density=take.density,
        mood=take.mood,
        featured_return=is_featured_return(take, figures.catalog.weights.featured_return),
        thread_signal="",
        gave_way=gave_way,
        pool_size=pool_size,
    )


def _rungs(
    wish: Wish, now: datetime, figures: PoolFigures, deployment: Deployment, *, prefers: bool
) -> list[tuple[Rung, list[Condition]]]:
    """The rungs this wish asks for, outermost first; of several conditions the first to leave a row counts."""
    excluded = frozenset(wish.exclude_ids)
    rest_s = cooldown_s(figures, deployment)
    preference: list[Condition] = [step.admits for step in deployment.preference(wish, now)]
    rungs: list[tuple[Rung, list[Condition]]] = [
        (Rung.DEPLOYMENT, [lambda row: row.deployment == deployment.name]),
        (Rung.EXCLUSION, [lambda row: row.artifact_id not in excluded]),
        (Rung.COOLDOWN, [lambda row: is_past_cooldown(row, now, rest_s)]),
    ]
    if prefers and preference:
        rungs.append((Rung.PREFERENCE, preference))
    if wish.lane is not None:
        rungs.append((Rung.LANE, [lambda row: lane(row, now, figures.lanes) is wish.lane]))
    if wish.density is not None:
        rungs.append((Rung.DENSITY, [lambda row: density(row, figures.lanes) is wish.density]))
    if wish.mood is not None:
        rungs.append((Rung.MOOD, [lambda row: mood(row, now, figures.lanes) is wish.mood]))
    return rungs


def _oldest_exclusions_back(rows: list[PoolFacts], wish: Wish) -> list[PoolFacts]:
    """When all rows are excluded: the one excluded longest ago plays again (ids are newest first)."""
    place = {artifact_id: index for index, artifact_id in reversed(list(enumerate(wish.exclude_ids)))}
    furthest = max(place[row.artifact_id] for row in rows)
    return [row for row in rows if place[row.artifact_id] == furthest]
