"""Drawing from a pool of any size: all rows are weighed where they are few, some are met at random where they are many.

Three ways of meeting rows, each of which meets every row it could with the same chance:

- A **probe** picks one of equal cells of a random number every take carries, and a rank in it, both uniformly, and
  looks at the row that stands there, if one does, whatever came and went.
- A **pick** takes a place uniformly out of all that an index finds within the reach of what is asked: what is asked
  may be rare, and what lies outside its reach is none of it.
- A **scan** goes through a reach and keeps what passes.

A row that was met is kept with weight / bound. Where none is kept, it is found out rung by rung which give way, as the
specification does, and what is left is drawn from in the same ways.

Everything random comes from the one `rng`, and everything that was looked at can be recorded: a draw is replayed from
its seed and its record, to the same take.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from core.domain.deployment import Deployment
from core.domain.pool.asked import Asked, Condition
from core.domain.pool.choose import (
    RUNNERS_UP,
    Choice,
    Weighed,
    choose_from,
    describe,
    oldest_exclusions_back,
    takes_preference,
)
from core.domain.pool.facts import PoolFacts, Rung, Wish
from core.domain.pool.reach import EVERYWHERE, Reach, meet
from core.domain.pool.weights import PoolFigures

SCAN_MOST = 200
"""Of so many rows each is weighed; reading and weighing one takes as long as probing for a tenth of a choice."""

CELL_ROWS = 256
CELL_RANKS = 400  # 9 standard deviations above the most a cell is expected to hold: no row is ever out of reach

BATCHES = (8, 24, 64, 64, 64, 64, 64, 64)
"""So many rows are met at once, one batch after the other: the first is enough for every second choice."""

FEW = 2_500
MANY = 10_000
"""A reach of up to `FEW` places is picked from at once, one of up to `MANY` where probes have found nothing."""

Holds = Callable[[PoolFacts], bool]


class Rows(Protocol):
    """The playable takes of one moment."""

    def size(self) -> int:
        """How many there are; above 5,000 possibly as of a moment ago."""

    def scan(self, reach: Reach, holds: Holds) -> Sequence[PoolFacts]:
        """All of those within reach that hold."""

    def find(self, reach: Reach, holds: Holds) -> PoolFacts | None:
        """Any one of them; None where there is none."""

    def probe(self, cells: int, places: Sequence[tuple[int, int]]) -> Sequence[PoolFacts | None]:
        """The takes at (cell, rank) of `cells`, by the number takes carry; None beyond the last of a cell."""

    def within(self, reach: Reach, most: int) -> int:
        """How many places there are within reach, some of them empty; `most` + 1 where there are more than `most`."""

    def pick(self, reach: Reach, places: Sequence[int]) -> Sequence[PoolFacts | None]:
        """The takes at these of the places that `within` counted last; None for an empty one."""


def draw_from(
    rows: Rows,
    wish: Wish,
    now: datetime,
    rng: random.Random,
    *,
    figures: PoolFigures,
    deployment: Deployment,
    scan_most: int = SCAN_MOST,
) -> Choice | None:
    """One take, distributed as `choose` would; None when there is none."""
    size = rows.size()
    if size == 0:
        return None
    asked = Asked(wish, now, figures, deployment, prefers=takes_preference(figures, deployment, rng))
    if size > scan_most:
        found = _Search(rows, asked, rng, size, scan_most).choice()
        if found is not None:
            return found
    facts = rows.scan(EVERYWHERE, _anything)
    if not facts:
        return None
    return choose_from(facts, asked, rng, pool_size=len(facts) if size <= scan_most else size)


class _Search:
    """One draw from many rows."""

    def __init__(self, rows: Rows, asked: Asked, rng: random.Random, size: int, scan_most: int) -> None:
        self._rows = rows
        self._asked = asked
        self._rng = rng
        self._size = size
        self._scan_most = scan_most
        self._met: dict[int, PoolFacts] = {}

    def choice(self) -> Choice | None:
        """The choice; None only where rows went while they were looked at."""
        found = self._sampled(self._asked.first, ())
        if found is not None:
            return found
        conditions, gave_way = self._settled()
        if gave_way or conditions != self._asked.first:
            found = self._sampled(conditions, gave_way)
        return found or self._weighed(conditions)

    def _sampled(self, conditions: Sequence[Condition], gave_way: tuple[Rung, ...]) -> Choice | None:
        """One of those that hold, met at random; None where none was met, or none is there."""
        reach = meet(condition.reach for condition in conditions)
        if not reach.narrow:
            return self._probed(conditions, gave_way)
        count = self._rows.within(reach, FEW)
        if count <= self._scan_most:
            return self._weighed(conditions)
        if count > FEW:
            found = self._probed(conditions, gave_way)
            if found is not None:
                return found
            count = self._rows.within(reach, MANY)
        return self._picked(conditions, gave_way, reach, count) if count <= MANY else None

    def _probed(self, conditions: Sequence[Condition], gave_way: tuple[Rung, ...]) -> Choice | None:
        cells, rng = -(-self._size // CELL_ROWS), self._rng

        def met(batch: int) -> Sequence[PoolFacts | None]:
            places = [(rng.randrange(cells), rng.randrange(CELL_RANKS)) for _ in range(batch)]
            return self._rows.probe(cells, places)

        return self._first_kept(met, conditions, gave_way)

    def _picked(
        self, conditions: Sequence[Condition], gave_way: tuple[Rung, ...], reach: Reach, count: int
    ) -> Choice | None:
        def met(batch: int) -> Sequence[PoolFacts | None]:
            return self._rows.pick(reach, [self._rng.randrange(count) for _ in range(batch)])

        return self._first_kept(met, conditions, gave_way)

    def _first_kept(
        self,
        met: Callable[[int], Sequence[PoolFacts | None]],
        conditions: Sequence[Condition],
        gave_way: tuple[Rung, ...],
    ) -> Choice | None:
        asked, rng = self._asked, self._rng
        passed_over: dict[int, Weighed] = {}
        for batch in BATCHES:
            for row in met(batch):
                if row is None:
                    continue
                self._met[row.artifact_id] = row
                if not _all_hold(conditions, row):
                    continue
                factors = asked.weigh(row)
                if rng.random() * asked.most < factors.product:
                    passed_over.pop(row.artifact_id, None)
                    runners_up = tuple(passed_over.values())[:RUNNERS_UP]
                    return describe(row, asked, gave_way=gave_way, pool_size=self._size, runners_up=runners_up)
                if len(passed_over) <= RUNNERS_UP:
                    passed_over[row.artifact_id] = Weighed(facts=row, factors=factors)
        return None

    def _weighed(self, conditions: Sequence[Condition]) -> Choice | None:
        """One of all that hold; None where none does. Of these the same rungs give way as of all."""
        facts = self._scan(conditions)
        return choose_from(facts, self._asked, self._rng, pool_size=self._size) if facts else None

    def _settled(self) -> tuple[tuple[Condition, ...], tuple[Rung, ...]]:
        """What is asked for in the end, and the rungs that gave way: `narrow`, without going through every row."""
        kept: list[Condition] = []
        gave_way: list[Rung] = []
        for rung, steps in self._asked.rungs:
            step = next((step for step in steps if self._is_left([*kept, step])), None)
            if step is None:
                gave_way.append(rung)
                step = self._oldest_exclusions(kept) if rung is Rung.EXCLUSION else None
            if step is not None:
                kept.append(step)
        return tuple(kept), tuple(gave_way)

    def _is_left(self, conditions: Sequence[Condition]) -> bool:
        if any(_all_hold(conditions, row) for row in self._met.values()):
            return True
        reach = meet(condition.reach for condition in conditions)
        found = self._rows.find(reach, lambda row: _all_hold(conditions, row))
        if found is not None:
            self._met[found.artifact_id] = found
        return found is not None

    def _oldest_exclusions(self, kept: Sequence[Condition]) -> Condition | None:
        wish = self._asked.wish
        # All are excluded, so they are few; what came since then is not.
        rows = [row for row in self._scan(kept) if row.artifact_id in wish.exclude_ids]
        if not rows:
            return None
        back = {row.artifact_id for row in oldest_exclusions_back(rows, wish)}
        return Condition(holds=lambda row: row.artifact_id in back)

    def _scan(self, conditions: Sequence[Condition]) -> Sequence[PoolFacts]:
        reach = meet(condition.reach for condition in conditions)
        return self._rows.scan(reach, lambda row: _all_hold(conditions, row))


def _all_hold(conditions: Sequence[Condition], row: PoolFacts) -> bool:
    return all(condition.holds(row) for condition in conditions)


def _anything(_row: PoolFacts) -> bool:
    return True
