"""Drawing from a pool of any size: a scan where it is small, probes where it is large.

A large pool is divided into equal cells of a random number every take carries. A probe picks a cell and a rank in it,
both uniformly, and looks at the row that stands there, if one does: every row is met with the same chance, whatever
came and went. A met row is kept with weight / bound. Where no probe is kept, a rung may have to give way, and the exact
scan decides.

Everything random comes from the one `rng`, and everything that was looked at can be recorded: a draw is replayed from
its seed and its record, to the same take.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.domain.deployment import Deployment
from core.domain.pool.asked import Asked
from core.domain.pool.choose import RUNNERS_UP, Choice, Weighed, accept, choose_from, describe, takes_preference
from core.domain.pool.facts import PoolFacts, Wish
from core.domain.pool.weights import PoolFigures

SCAN_MOST = 2_000
CELL_ROWS = 256
CELL_RANKS = 512  # 16 standard deviations above a full cell: no row is ever out of reach
PROBES = 400


class Rows(Protocol):
    """The playable takes of one moment."""

    def size(self) -> int:
        """How many there are; above 5,000 possibly as of a moment ago."""

    def scan(self) -> Sequence[PoolFacts]:
        """All of them."""

    def probe(self, cells: int, cell: int, rank: int) -> PoolFacts | None:
        """The take at `rank` in cell number `cell` of `cells`, by the number takes carry; None beyond the last."""


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
        found = _by_probes(rows, asked, rng, size)
        if found is not None:
            return found
    facts = rows.scan()
    if not facts:
        return None
    return choose_from(facts, asked, rng, pool_size=len(facts) if size <= scan_most else size)


def _by_probes(rows: Rows, asked: Asked, rng: random.Random, size: int) -> Choice | None:
    cells = max(1, size // CELL_ROWS)
    passed_over: dict[int, Weighed] = {}
    for _ in range(PROBES):
        row = rows.probe(cells, rng.randrange(cells), rng.randrange(CELL_RANKS))
        if row is None:
            continue
        if accept(row, asked, rng):
            passed_over.pop(row.artifact_id, None)
            runners_up = tuple(passed_over.values())[:RUNNERS_UP]
            return describe(row, asked, gave_way=(), pool_size=size, runners_up=runners_up)
        if len(passed_over) <= RUNNERS_UP and asked.passes(row):
            passed_over[row.artifact_id] = Weighed(facts=row, factors=asked.weigh(row))
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What one draw looked at: enough to draw again. `scanned` None means that nothing was scanned."""

    size: int
    probed: tuple[PoolFacts | None, ...] = ()
    scanned: tuple[PoolFacts, ...] | None = None


@dataclass(slots=True)
class Recording:
    """Rows that note what is looked at."""

    rows: Rows
    _size: int = 0
    _probed: list[PoolFacts | None] = field(default_factory=list)
    _scanned: tuple[PoolFacts, ...] | None = None

    def size(self) -> int:
        """See `Rows`."""
        self._size = self.rows.size()
        return self._size

    def scan(self) -> Sequence[PoolFacts]:
        """See `Rows`."""
        self._scanned = tuple(self.rows.scan())
        return self._scanned

    def probe(self, cells: int, cell: int, rank: int) -> PoolFacts | None:
        """See `Rows`."""
        found = self.rows.probe(cells, cell, rank)
        self._probed.append(found)
        return found

    def looked(self) -> Looked:
        """The record so far."""
        return Looked(size=self._size, probed=tuple(self._probed), scanned=self._scanned)


class Replaying:
    """Rows as they were looked at once."""

    def __init__(self, looked: Looked) -> None:
        self._looked = looked
        self._probes = iter(looked.probed)

    def size(self) -> int:
        """See `Rows`."""
        return self._looked.size

    def scan(self) -> Sequence[PoolFacts]:
        """See `Rows`."""
        return self._looked.scanned or ()

    def probe(self, cells: int, cell: int, rank: int) -> PoolFacts | None:
        """See `Rows`; in the order in which they were looked at, wherever that was."""
        return next(self._probes, None)
