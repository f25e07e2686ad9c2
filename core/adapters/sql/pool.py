"""Drawing from the pool: a scan where it is small, probes where it is large.

A large pool is divided into equal cells of the random `draw` column. A probe picks a cell and a rank in it, both
uniformly, and reads the row that stands there, if one does: every row is met with the same chance, whatever came and
went. A met row is kept with weight / bound (`core.domain.pool.choose.accept`). Where no probe is kept, a rung may
have to give way, and the exact scan decides.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.adapters.sql.engine import answering
from core.adapters.sql.tables import ArtifactRow
from core.domain.artifact import DRAW_BITS, State
from core.domain.deployment import Deployment
from core.domain.pool.choose import accept, choose, describe, draw, narrow, takes_preference
from core.domain.pool.facts import PoolFacts, Wish
from core.domain.pool.weights import PoolFigures, bound, weigh
from core.ports.outside import PoolAnswer

SCAN_MOST = 2_000
EXACT_COUNT_MOST = 5_000
SAMPLE_FOR = timedelta(seconds=60)
CELL_ROWS = 256
CELL_RANKS = 512  # 16 standard deviations above a full cell: no row is ever out of reach
PROBES = 400


class SqlPool:
    """See `core.ports.outside.Pool`."""

    def __init__(
        self, engine: Engine, *, figures: PoolFigures, deployment: Deployment, scan_most: int = SCAN_MOST
    ) -> None:
        self._engine = engine
        self._figures = figures
        self._deployment = deployment
        self._scan_most = scan_most
        self._sample: tuple[datetime, int] | None = None
        self._sample_lock = Lock()

    def draw(self, wish: Wish, now: datetime, rng: random.Random) -> PoolAnswer | None:
        """One playable artifact, distributed as `choose` would; None when nothing is playable."""
        with answering(), Session(self._engine) as session:
            size = self._size(session, now)
            if size <= self._scan_most:
                rows = _facts(session, _playable(now))
                choice = choose(rows, wish, now, rng, figures=self._figures, deployment=self._deployment)
                return PoolAnswer(choice=choice, pool_size=len(rows)) if choice is not None else None
            return self._draw_from_many(session, wish, now, rng, size)

    def _draw_from_many(
        self, session: Session, wish: Wish, now: datetime, rng: random.Random, size: int
    ) -> PoolAnswer | None:
        figures, deployment = self._figures, self._deployment
        prefers = takes_preference(figures, deployment, rng)
        most = bound(wish, figures, deployment)
        cells = max(1, size // CELL_ROWS)
        for _ in range(PROBES):
            row = _probe(session, now, cells, rng)
            if row is not None and accept(
                row, wish, now, rng, figures=figures, deployment=deployment, prefers=prefers, most=most
            ):
                choice = describe(row, wish, now, figures, deployment, gave_way=(), pool_size=size)
                return PoolAnswer(choice=choice, pool_size=size)
        rows, gave_way = narrow(_facts(session, _playable(now)), wish, now, figures, deployment, prefers=prefers)
        if not rows:
            return None
        chosen = draw([(row, weigh(row, wish, now, figures, deployment).product) for row in rows], rng)
        choice = describe(chosen, wish, now, figures, deployment, gave_way=gave_way, pool_size=size)
        return PoolAnswer(choice=choice, pool_size=size)

    def _size(self, session: Session, now: datetime) -> int:
        """Exact to 5,000; above that a count at most a minute old."""
        with self._sample_lock:
            sample = self._sample
        if sample is not None and now - SAMPLE_FOR < sample[0] <= now:
            return sample[1]
        first = select(ArtifactRow.id).where(*_playable(now)).limit(EXACT_COUNT_MOST + 1).subquery()
        size = session.execute(select(func.count()).select_from(first)).scalar_one()
        if size <= EXACT_COUNT_MOST:
            return size
        size = session.execute(select(func.count()).select_from(ArtifactRow).where(*_playable(now))).scalar_one()
        with self._sample_lock:
            self._sample = (now, size)
        return size


def _probe(session: Session, now: datetime, cells: int, rng: random.Random) -> PoolFacts | None:
    width = (1 << DRAW_BITS) // cells + 1
    start = rng.randrange(cells) * width
    where = [*_playable(now), ArtifactRow.draw >= start, ArtifactRow.draw < start + width]
    query = _columns().where(*where).order_by(ArtifactRow.draw).offset(rng.randrange(CELL_RANKS)).limit(1)
    row = session.execute(query).one_or_none()
    return _fact(row) if row is not None else None


def _playable(now: datetime) -> list[Any]:
    return [
        ArtifactRow.state == State.ACTIVE.value,
        ArtifactRow.playable_until > now,
        ArtifactRow.review == "",
    ]


def _columns() -> Any:
    return select(
        ArtifactRow.id,
        ArtifactRow.created_at,
        ArtifactRow.duration_ms,
        ArtifactRow.wear,
        ArtifactRow.plays,
        ArtifactRow.heard_at,
        ArtifactRow.deployment,
        ArtifactRow.topic,
        ArtifactRow.status,
    )


def _facts(session: Session, where: list[Any]) -> list[PoolFacts]:
    return [_fact(row) for row in session.execute(_columns().where(*where))]


def _fact(row: Sequence[Any]) -> PoolFacts:
    return PoolFacts(
        artifact_id=row[0],
        created_at=row[1],
        duration_ms=row[2],
        wear=row[3],
        plays=row[4],
        heard_at=row[5],
        deployment=row[6],
        topic=row[7],
        status=row[8],
    )
