"""The whole database as plain rows, and back, on either engine."""

import base64
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, LargeBinary, Table, delete, func, insert, select
from sqlalchemy.orm import Session

from core.adapters.sql.copy import continue_sequences
from core.adapters.sql.engine import WRITER, answering
from core.adapters.sql.tables import (
    ACTIVE,
    EPHEMERAL,
    ArtifactRow,
    Base,
    ConsentRow,
    DerivativeRow,
    TombstoneRow,
    UtcDateTime,
)
from core.adapters.sql.tombstones import RESERVED
from core.adapters.sql.work import SqlTransaction
from core.domain.archiving import RAW, Sound
from core.domain.artifact import State
from core.domain.steward import StewardState
from core.errors import BadArchive
from core.ports.archiving import Dumped, Row
from core.ports.work import Transaction

CHUNK_ROWS = 500

LEFT_OUT = frozenset(
    {
        "steward_session",
        "take_key",
        "device",
        "warning",
        "schedule",
        "job_run",
        "presence",
        "decision",
        "report",
        "sensor_word",
        "alembic_version",
    }
)
"""What belongs to the running node only: no copy has it, and no restored node begins with it."""


class SqlRows:
    """See `core.ports.archiving.Rows`."""

    def __init__(self, engine: Engine, *, first: StewardState, name_of: Callable[[str], str]) -> None:
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._readers = engine.execution_options(**snapshot) if engine.dialect.name == "postgresql" else engine
        self._writers = engine.execution_options(**WRITER)
        self._first = first
        self._name_of = name_of

    def dump(self, write: Callable[[Row], None]) -> Dumped:
        """Every row as of one moment: both engines give a transaction one unchanging view."""
        counts: dict[str, int] = {}
        with answering(), self._readers.connect() as connection, connection.begin():
            once = select(ArtifactRow.id).where(ArtifactRow.state == EPHEMERAL)
            consents = select(ArtifactRow.consent_id).where(ArtifactRow.state == EPHEMERAL)
            left = {
                "artifact": ArtifactRow.id.not_in(once),
                "consent": ConsentRow.id.not_in(consents),
                "tombstone": (TombstoneRow.reason != RESERVED)
                & (TombstoneRow.artifact_id.is_(None) | TombstoneRow.artifact_id.not_in(once)),
                "idempotency": Base.metadata.tables["idempotency"].c.artifact_id.not_in(once),
            }
            for table in _tables():
                query = select(table).order_by(*table.primary_key.columns)
                if table.name in left:
                    query = query.where(left[table.name])
                rows = connection.execution_options(yield_per=CHUNK_ROWS).execute(query).mappings()
                counts[table.name] = 0
                for row in rows:
                    write((table.name, {name: _plain(value) for name, value in row.items()}))
                    counts[table.name] += 1
            return Dumped(sounds=self._sounds(connection), counts=counts, shortest_days=_shortest(connection))

    def held(self) -> int:
        """How many artifacts are held now."""
        with answering(), self._readers.connect() as connection:
            held = select(func.count()).select_from(ArtifactRow).where(ArtifactRow.state.in_(_HELD))
            return connection.execute(held).scalar_one()

    def replace(self, rows: Iterable[Row], finish: Callable[[Transaction], None], now: datetime) -> None:
        """One transaction: before its commit the old node is untouched, after it the new one is whole."""
        with answering(), Session(self._writers, expire_on_commit=False) as session:
            before = _keys(session)
            # What waits to be deleted still has to be; whose it was is another matter in the rows to come.
            session.execute(TombstoneRow.__table__.update().values(artifact_id=None))  # type: ignore[attr-defined]
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in ("tombstone", "schedule", "report"):
                    session.execute(delete(table))
            _insert(session, rows)
            after = _keys(session)
            tx = SqlTransaction(session, self._first)
            for key in before - after:
                tx.tombstones.bury(key, artifact_id=None, reason="restored", due_at=now)
            session.execute(
                delete(TombstoneRow).where(TombstoneRow.reason == RESERVED, TombstoneRow.key.in_(_held_keys()))
            )
            session.flush()
            if session.get_bind().dialect.name == "postgresql":
                # Ids were given: what `finish` adds goes on after them.
                continue_sequences(session.connection())
            finish(tx)
            session.commit()

    def _sounds(self, connection: Connection) -> list[Sound]:
        return [
            Sound(artifact_id=artifact_id, key=key, name=f"{self._name_of(public_id)}-{kind}", sha256=sha256)
            for artifact_id, public_id, kind, key, sha256 in _stored(connection)
        ]


def sounds_in(rows: Iterable[Row], name_of: Callable[[str], str]) -> list[Sound]:
    """The sounds that rows of a copy name, in the order they come."""
    artifacts: dict[int, str] = {}
    found: list[Sound] = []
    for table, row in rows:
        if table == "artifact" and row["state"] == State.ACTIVE.value:
            artifacts[row["id"]] = name_of(row["public_id"])
            if row["raw_key"]:
                name = f"{artifacts[row['id']]}-{RAW}"
                found.append(Sound(artifact_id=row["id"], key=row["raw_key"], name=name, sha256=row["sha256"]))
        elif table == "derivative" and row["artifact_id"] in artifacts:
            name = f"{artifacts[row['artifact_id']]}-{row['kind']}"
            found.append(Sound(artifact_id=row["artifact_id"], key=row["key"], name=name, sha256=None))
    return found


_HELD = (State.ACTIVE.value, State.EPHEMERAL.value)


def _tables() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def _stored(connection: Connection) -> Iterator[tuple[int, str, str, str, str | None]]:
    active = ArtifactRow.state == ACTIVE
    raw = select(ArtifactRow.id, ArtifactRow.public_id, ArtifactRow.raw_key, ArtifactRow.sha256)
    for row in connection.execute(raw.where(active, ArtifactRow.raw_key.is_not(None)).order_by(ArtifactRow.id)):
        yield row[0], row[1], RAW, row[2] or "", row[3]
    made = select(ArtifactRow.id, ArtifactRow.public_id, DerivativeRow.kind, DerivativeRow.key)
    joined = made.join(DerivativeRow, DerivativeRow.artifact_id == ArtifactRow.id).where(active)
    for row in connection.execute(joined.order_by(ArtifactRow.id, DerivativeRow.kind)):
        yield row[0], row[1], row[2], row[3], None


def _shortest(connection: Connection) -> float | None:
    """The shortest life any held take was promised for its copies."""
    query = select(ConsentRow.manifest).join(ArtifactRow, ArtifactRow.consent_id == ConsentRow.id)
    found = connection.execute(query.where(ArtifactRow.state == ACTIVE)).scalars()
    return min((float(manifest["backup_days"]) for manifest in found), default=None)


def _held_keys() -> Any:
    raw = select(ArtifactRow.raw_key).where(ArtifactRow.raw_key.is_not(None))
    return raw.union(select(DerivativeRow.key))


def _keys(session: Session) -> set[str]:
    return set(session.execute(_held_keys()).scalars())


def _insert(session: Session, rows: Iterable[Row]) -> None:
    known = {table.name: table for table in _tables()}
    waiting = set(session.execute(select(TombstoneRow.key)).scalars())
    try:
        for name, group in groupby(rows, key=lambda row: row[0]):
            table = known[name]
            chunk: list[dict[str, Any]] = []
            for _, plain in group:
                if name == "tombstone" and plain["key"] in waiting:
                    continue
                chunk.append(_values(table, plain))
                if len(chunk) == CHUNK_ROWS:
                    session.execute(insert(table), chunk)
                    chunk = []
            if chunk:
                session.execute(insert(table), chunk)
    except (KeyError, ValueError, TypeError) as error:
        raise BadArchive("The rows of this copy are not of a version that can be restored here.") from error


def _values(table: Table, plain: dict[str, Any]) -> dict[str, Any]:
    # A column a newer version has added since takes its own default.
    return {name: _typed(table.c[name].type, value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _typed(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(kind, LargeBinary) else value
