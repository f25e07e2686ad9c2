"""The playable takes of a database, as `core.domain.pool.drawing` asks for them."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.adapters.sql.engine import answering
from core.adapters.sql.tables import ArtifactRow
from core.domain.artifact import DRAW_BITS, State
from core.domain.deployment import Deployment
from core.domain.pool.drawing import SCAN_MOST, Recording, draw_from
from core.domain.pool.facts import PoolFacts, Wish
from core.domain.pool.weights import PoolFigures
from core.ports.outside import PoolAnswer

EXACT_COUNT_MOST = 5_000
SAMPLE_FOR = timedelta(seconds=60)


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
            rows = Recording(_Rows(session, now, self._size))
            choice = draw_from(
                rows,
                wish,
                now,
                rng,
                figures=self._figures,
                deployment=self._deployment,
                scan_most=self._scan_most,
            )
        if choice is None:
            return None
        return PoolAnswer(choice=choice, pool_size=choice.pool_size, looked=rows.looked())

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


class _Rows:
    """See `core.domain.pool.drawing.Rows`."""

    def __init__(self, session: Session, now: datetime, size: Callable[[Session, datetime], int]) -> None:
        self._session = session
        self._now = now
        self._size = size

    def size(self) -> int:
        return self._size(self._session, self._now)

    def scan(self) -> Sequence[PoolFacts]:
        return [_fact(row) for row in self._session.execute(_columns().where(*_playable(self._now)))]

    def probe(self, cells: int, cell: int, rank: int) -> PoolFacts | None:
        width = (1 << DRAW_BITS) // cells + 1
        start = cell * width
        where = [*_playable(self._now), ArtifactRow.draw >= start, ArtifactRow.draw < start + width]
        query = _columns().where(*where).order_by(ArtifactRow.draw).offset(rank).limit(1)
        row = self._session.execute(query).one_or_none()
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
