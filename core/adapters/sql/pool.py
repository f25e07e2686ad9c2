"""The playable takes of a database, as `core.domain.pool.drawing` asks for them."""

import json
import random
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from core.adapters.sql.artifacts import SqlArtifacts
from core.adapters.sql.tables import (
    ACTIVE,
    NOTHING,
    ArtifactRow,
)
from core.adapters.sql.work import SqlTransaction
from core.domain.artifact import DRAW_BITS
from core.domain.deployment import Deployment
from core.domain.pool.drawing import SCAN_MOST, Holds, draw_from
from core.domain.pool.facts import PoolFacts, Wish, tidy
from core.domain.pool.looked import Recording
from core.domain.pool.reach import EVERYWHERE, Reach
from core.domain.pool.weights import PoolFigures
from core.ports.outside import PoolAnswer
from core.ports.work import Transaction

EXACT_COUNT_MOST = 5_000
SAMPLE_FOR = timedelta(seconds=60)
AT_ONCE = 500
"""So many rows of a scan are in memory at once."""
LOOKED_AT_FIRST = 32
"""Among so many one that holds is looked for first."""


class SqlPool:
    """See `core.ports.outside.Pool`."""

    def __init__(self, *, figures: PoolFigures, deployment: Deployment, scan_most: int = SCAN_MOST) -> None:
        self._figures = figures
        self._deployment = deployment
        self._scan_most = scan_most
        self._sample: tuple[datetime, int] | None = None
        self._sample_lock = Lock()
        self._crowded: dict[tuple[Reach, int], datetime] = {}

    def draw(self, tx: Transaction, wish: Wish, now: datetime, rng: random.Random) -> PoolAnswer | None:
        """One playable artifact, distributed as `choose` would; None when nothing is playable."""
        session = cast("SqlTransaction", tx).session
        rows = Recording(_Rows(session, now, self._size, self._crowded))
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
        artifacts = SqlArtifacts(session)
        size = artifacts.count_playable(now, most=EXACT_COUNT_MOST)
        if size <= EXACT_COUNT_MOST:
            return size
        size = artifacts.count_playable(now)
        with self._sample_lock:
            self._sample = (now, size)
        return size


class _Rows:
    """See `core.domain.pool.drawing.Rows`."""

    def __init__(
        self,
        session: Session,
        now: datetime,
        size: Callable[[Session, datetime], int],
        crowded: dict[tuple[Reach, int], datetime],
    ) -> None:
        self._session = session
        self._now = now
        self._size = size
        self._crowded = crowded
        self._places: list[int] = []
        self._few = False
        self._counted: Reach | None = None
        self._on_server = session.get_bind().dialect.name == "postgresql"

    def size(self) -> int:
        size = self._size(self._session, self._now)
        self._few = size <= AT_ONCE
        return size

    def scan(self, reach: Reach, holds: Holds) -> Sequence[PoolFacts]:
        return [facts for facts in self._all(reach) if holds(facts)]

    def find(self, reach: Reach, holds: Holds) -> PoolFacts | None:
        # Most often it is among the first, and a cursor costs more than they do.
        first = self._session.execute(self._within(reach).limit(LOOKED_AT_FIRST)).all()
        met = next((facts for facts in map(_fact, first) if reach.admits(facts) and holds(facts)), None)
        if met is not None or len(first) < LOOKED_AT_FIRST:
            return met
        with closing(self._all(reach)) as found:
            return next((facts for facts in found if holds(facts)), None)

    def probe(self, cells: int, places: Sequence[tuple[int, int]]) -> Sequence[PoolFacts | None]:
        width = (1 << DRAW_BITS) // cells + 1
        rows = self._session.execute(*(self._listed if self._on_server else self._written)(width, places))
        found = {row[-1]: _fact(row) for row in rows}
        return [found.get(at) for at in range(len(places))]

    # Each gives a statement, and what is given with it.
    def _written(self, width: int, places: Sequence[tuple[int, int]]) -> tuple[Any, dict[str, Any]]:
        given: dict[str, Any] = {"now": self._now}
        for at, (cell, rank) in enumerate(places):
            given |= {f"from{at}": cell * width, f"to{at}": (cell + 1) * width, f"rank{at}": rank}
        return _probes(len(places)), given

    def _listed(self, width: int, places: Sequence[tuple[int, int]]) -> tuple[Any, dict[str, Any]]:
        return _listed_probes(), {
            "now": self._now,
            "least": [cell * width for cell, _ in places],
            "below": [(cell + 1) * width for cell, _ in places],
            "rank": [rank for _, rank in places],
        }

    def within(self, reach: Reach, most: int) -> int:
        # That a length is common is known for a while: it is not counted for every draw. Hours go on, and are.
        key = (Reach(shortest_ms=reach.shortest_ms, longest_ms=reach.longest_ms), most)
        lasting = reach.narrow and reach == replace(key[0], deployment=reach.deployment)
        since = self._crowded.get(key) if lasting else None
        if since is not None and self._now - SAMPLE_FOR < since <= self._now:
            return most + 1
        # Only what an index holds is counted: whether a place is playable is asked of those that are picked.
        query = select(ArtifactRow.id).where(*self._leading(reach)).limit(most + 1)
        self._places, self._counted = self._ids(query), reach
        if lasting and len(self._places) > most:
            self._crowded[key] = self._now
        return len(self._places)

    def _ids(self, query: Select[Any]) -> list[int]:
        # As one value: thousands of rows cost more to take apart than to find.
        found = query.subquery().c.id
        listed = select((func.array_agg if self._on_server else func.json_group_array)(found))
        value = self._session.execute(listed).scalar_one()
        ids: list[int] = (value or []) if self._on_server else json.loads(value)
        return ids

    def pick(self, _reach: Reach, places: Sequence[int]) -> Sequence[PoolFacts | None]:
        ids = [self._places[place] for place in places]
        query = _columns().where(*_playable(self._now), ArtifactRow.id.in_(ids))
        found = {row[0]: _fact(row) for row in self._session.execute(query)}
        return [found.get(one) for one in ids]

    def _all(self, reach: Reach) -> Generator[PoolFacts]:
        query = self._within(reach)
        # A server streams through a cursor, which costs four questions more: not where a few are all there are.
        few = self._few or (reach == self._counted and len(self._places) <= AT_ONCE)
        options = {} if few else {"yield_per": AT_ONCE}
        with self._session.execute(query, execution_options=options) as found:
            for facts in map(_fact, found):
                if reach.admits(facts):
                    yield facts

    def _within(self, reach: Reach) -> Any:
        return _columns().where(*self._leading(reach), *_playable(self._now, by_index=reach == EVERYWHERE))

    def _leading(self, reach: Reach) -> list[Any]:
        """The one bound that an index is asked for, the narrowest first; two at once are asked of no index here."""
        row = ArtifactRow
        active = row.state == ACTIVE
        if reach.topic is not None:
            return [active, row.topic != NOTHING, row.topic.in_(self._words(row.topic, {reach.topic}))]
        if reach.created_from is not None or reach.created_until is not None:
            return [active, *_between(row.created_at, reach.created_from, reach.created_until)]
        if reach.statuses is not None:
            return [active, row.status != NOTHING, row.status.in_(self._words(row.status, reach.statuses))]
        if reach.shortest_ms is not None or reach.longest_ms is not None:
            return [active, *_between(row.duration_ms, reach.shortest_ms, reach.longest_ms)]
        return [active] if reach.deployment is None else [active, row.deployment == reach.deployment]

    def _words(self, column: Any, tidied: Collection[str]) -> list[str]:
        """These topics or statuses as they were written: one step through the index for each that is in use."""
        used = [ArtifactRow.state == ACTIVE, column != NOTHING]
        words = select(func.min(column).label("word")).where(*used).cte("words", recursive=True)
        following = select(func.min(column)).where(*used, column > words.c.word).correlate(words).scalar_subquery()
        words = words.union_all(select(following).where(words.c.word.is_not(None)))
        found = self._session.execute(select(words.c.word).where(words.c.word.is_not(None)))
        return [word for word in found.scalars() if tidy(word) in tidied]


@cache
def _probes(count: int) -> Any:
    """A statement that probes so many times at once, each written out; the last column says which a row belongs to."""
    now = bindparam("now", type_=ArtifactRow.playable_until.type)
    row, found = aliased(ArtifactRow, name="a"), aliased(ArtifactRow, name="f")
    each = []
    for at in range(count):
        # Held takes are counted as places, too: so an index knows everything until the one row is read.
        place = (
            select(row.id)
            .where(
                row.state == ACTIVE,
                row.playable_until > now,
                row.draw >= bindparam(f"from{at}", type_=row.draw.type),
                row.draw < bindparam(f"to{at}", type_=row.draw.type),
            )
            .order_by(row.draw)
            .offset(bindparam(f"rank{at}", type_=Integer))
            .limit(literal_column("1", Integer))
        )
        number = literal_column(str(at), Integer).label("probe")
        met = _columns(found).add_columns(number)
        each.append(met.where(found.id == place.scalar_subquery(), found.review == NOTHING))
    return union_all(*each)


@cache
def _listed_probes() -> Any:
    """The same for a server, which can go through a list; the last column counts from 0."""
    numbers = ARRAY(BigInteger)
    lists = [bindparam(name, type_=numbers) for name in ("least", "below", "rank")]
    names = [column(name, BigInteger) for name in ("least", "below", "rank")]
    asked = func.unnest(*lists).table_valued(*names, with_ordinality="probe", name="p").render_derived()
    row, found = aliased(ArtifactRow, name="a"), aliased(ArtifactRow, name="f")
    place = (
        select(row.id)
        .where(
            row.state == ACTIVE,
            # Asked for within: of a moment it knows the server would make a plan of its own each time.
            row.playable_until > select(bindparam("now", type_=row.playable_until.type)).scalar_subquery(),
            row.draw >= asked.c.least,
            row.draw < asked.c.below,
        )
        .order_by(row.draw)
        .offset(asked.c.rank)
        .limit(literal_column("1", Integer))
        .lateral("place")
    )
    return (
        _columns(found)
        .add_columns(asked.c.probe - literal_column("1", Integer))
        .select_from(asked.join(place, true()).join(found, (found.id == place.c.id) & (found.review == NOTHING)))
    )


def _playable(now: datetime, *, by_index: bool = True) -> list[Any]:
    until = ArtifactRow.playable_until
    # Where another index is meant to lead, none is offered: without statistics a database may take the wrong one.
    return [
        ArtifactRow.state == ACTIVE,
        (until if by_index else func.coalesce(until, until, type_=until.type)) > now,
        ArtifactRow.review == NOTHING,
    ]


def _between(column: Any, least: Any, most: Any) -> list[Any]:
    return [*([] if least is None else [column >= least]), *([] if most is None else [column <= most])]


def _columns(row: type[ArtifactRow] = ArtifactRow) -> Any:
    return select(
        row.id,
        row.created_at,
        row.duration_ms,
        row.wear,
        row.plays,
        row.heard_at,
        row.deployment,
        row.topic,
        row.status,
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
