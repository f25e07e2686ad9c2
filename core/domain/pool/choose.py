"""The specification of the choice: narrow by rungs, then draw by weight.

A draw that chooses faster is right exactly when its choices are distributed as `choose`'s. `core.domain.pool.drawing`
meets rows at random and keeps one with weight / bound: what is kept is drawn by weight among the rows that pass.
"""

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.deployment import Deployment
from core.domain.pool.asked import Asked
from core.domain.pool.facts import Density, Lane, Mood, PoolFacts, Rung, Wish
from core.domain.pool.lanes import standing
from core.domain.pool.weights import Factors, PoolFigures, is_featured_return

RUNNERS_UP = 4
"""How many takes that were not chosen a choice remembers, to say what it was chosen before."""

WEIGH_MOST = 2_000
"""Of more rows than this not every one is weighed; who would have been next is then not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """A take and what it weighed, factor by factor."""

    facts: PoolFacts
    factors: Factors


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One take, why it weighed what it did, and which rungs gave way before it was drawn.

    `thread_signal` names the thread this choice opens, "" for none. `pool_size` counts all that was playable;
    `remaining` the takes left after every rung, None where a large pool was probed and nobody counted; `chance` the
    share of their weight this one had, None where not all of them were weighed. `runners_up` are the takes that would
    have been next.
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
    remaining: int | None = None
    chance: float | None = None
    runners_up: tuple[Weighed, ...] = ()


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
    return choose_from(facts, Asked(wish, now, figures, deployment, prefers=prefers), rng, pool_size=len(facts))


def choose_from(facts: Sequence[PoolFacts], asked: Asked, rng: random.Random, *, pool_size: int) -> Choice:
    """The choice among rows that are all there; ValueError without any."""
    rows, gave_way = narrow(facts, asked)
    if len(rows) > WEIGH_MOST:
        row = _by_rejection(rows, asked, rng)
        return describe(row, asked, gave_way=gave_way, pool_size=pool_size, remaining=len(rows))
    weighed = [(row, asked.weigh(row)) for row in rows]
    order = ranked([factors.product for _, factors in weighed], rng, RUNNERS_UP + 1)
    row, factors = weighed[order[0]]
    return describe(
        row,
        asked,
        gave_way=gave_way,
        pool_size=pool_size,
        remaining=len(rows),
        chance=factors.product / math.fsum(factors.product for _, factors in weighed),
        runners_up=tuple(Weighed(facts=weighed[at][0], factors=weighed[at][1]) for at in order[1:]),
    )


def _by_rejection(rows: Sequence[PoolFacts], asked: Asked, rng: random.Random) -> PoolFacts:
    """One of many rows, by weight: any of them, kept with weight / bound. The floor of weights ends it."""
    while True:
        row = rng.choice(rows)
        if rng.random() * asked.most < asked.weigh(row).product:
            return row


def takes_preference(figures: PoolFigures, deployment: Deployment, rng: random.Random) -> bool:
    """Whether this choice follows the deployment's preference; drawn once a choice, before anything else."""
    return bool(deployment.row.preference) and rng.random() < figures.catalog.preference_chance


def narrow(facts: Sequence[PoolFacts], asked: Asked) -> tuple[list[PoolFacts], tuple[Rung, ...]]:
    """The rows left after every rung, and the rungs that gave way. Never empties a pool that has a row."""
    rows = list(facts)
    gave_way = []
    for rung, conditions in asked.rungs:
        kept = next(filter(None, ([row for row in rows if each.holds(row)] for each in conditions)), None)
        if kept is None:
            gave_way.append(rung)
            kept = oldest_exclusions_back(rows, asked.wish) if rung is Rung.EXCLUSION else rows
        rows = kept
    return rows, tuple(gave_way)


def ranked(weights: Sequence[float], rng: random.Random, most: int) -> list[int]:
    """Places of up to `most` rows in the order of a draw without replacement, each by its weight, in one pass.

    Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006): the largest u^(1/weight)
    wins, here as the smallest -log(u) / weight. ValueError without rows.
    """
    if not weights:
        raise ValueError("nothing to draw from")
    keyed = ((-math.log(1.0 - rng.random()) / weight, index) for index, weight in enumerate(weights))
    return [index for _, index in heapq.nsmallest(most, keyed)]


def describe(
    facts: PoolFacts,
    asked: Asked,
    *,
    gave_way: tuple[Rung, ...],
    pool_size: int,
    remaining: int | None = None,
    chance: float | None = None,
    runners_up: tuple[Weighed, ...] = (),
) -> Choice:
    """The choice of this row, however it was found."""
    take = standing(facts, asked.now, asked.figures.lanes)
    return Choice(
        facts=facts,
        factors=asked.weigh(facts),
        lane=take.lane,
        density=take.density,
        mood=take.mood,
        featured_return=is_featured_return(take, asked.figures.catalog.weights.featured_return),
        thread_signal=asked.deployment.thread_signal(facts),
        gave_way=gave_way,
        pool_size=pool_size,
        remaining=remaining,
        chance=chance,
        runners_up=runners_up,
    )


def oldest_exclusions_back(rows: list[PoolFacts], wish: Wish) -> list[PoolFacts]:
    """When all rows are excluded: the one excluded longest ago plays again (ids are newest first)."""
    place = {artifact_id: index for index, artifact_id in reversed(list(enumerate(wish.exclude_ids)))}
    furthest = max(place[row.artifact_id] for row in rows)
    return [row for row in rows if place[row.artifact_id] == furthest]
