"""Queries over everything that is not an artifact or a tombstone."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import CursorResult, Select, Text, delete, func, literal, or_, select, update
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.adapters.sql.sensor import SqlSensor
from core.adapters.sql.tables import (
    AccessEventRow,
    ConsentRow,
    DerivativeRow,
    IdempotencyRow,
    NodeRow,
    ScheduleRow,
    StewardActionRow,
    StewardStateRow,
    TakeKeyRow,
)
from core.domain.consent import Manifest, Mode
from core.domain.custody import Closed
from core.domain.sensor import Sensed
from core.domain.steward import SWITCHES, StewardState
from core.ports.work import Consent, Derivative, Remembered, StewardAction, TakeKey, TrailQuery

STEWARD_ROW = 1


def insert_once(session: Session, row: type[Any], values: dict[str, Any]) -> bool:
    """Insert unless a unique value is there already; True where this call inserted."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # SQLAlchemy does not count inserted rows on PostgreSQL: what was inserted is asked for.
    inserted = dialect.insert(row).values(**values).on_conflict_do_nothing().returning(*row.__table__.primary_key)
    return session.execute(inserted).first() is not None


def _rowcount(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount


class SqlConsents:
    """See `core.ports.work.Consents`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, manifest: Manifest, *, code_hash: str | None, key_id: str) -> int:
        """Store a promise; its id."""
        row = ConsentRow(
            mode=manifest.mode.value,
            manifest=manifest.to_json(),
            code_hash=code_hash,
            key_id=key_id,
            notice_version=manifest.notice_version,
            language=manifest.notice_language,
            created_at=manifest.given_at,
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def by_code(self, code_hashes: Sequence[str]) -> Consent | None:
        """The promise whose code hashes to one of these."""
        row = self._session.execute(
            select(ConsentRow).where(ConsentRow.code_hash.in_(code_hashes))
        ).scalar_one_or_none()
        if row is None:
            return None
        return Consent(
            id=row.id,
            mode=Mode(row.mode),
            given=Manifest.from_json(row.manifest),
            manifest=holding_now(row.manifest, row.narrowed_at),
            narrowed_at=row.narrowed_at,
            withdrawn_at=row.withdrawn_at,
        )

    def withdraw(self, consent_id: int, now: datetime) -> None:
        """Note when a participant took the promise back; the first time counts."""
        self._session.execute(
            update(ConsentRow)
            .where(ConsentRow.id == consent_id, ConsentRow.withdrawn_at.is_(None))
            .values(withdrawn_at=now)
        )

    def narrow(self, consent_id: int, now: datetime) -> None:
        """Note when a participant narrowed the promise; the first time counts. What was promised stays written."""
        self._session.execute(
            update(ConsentRow)
            .where(ConsentRow.id == consent_id, ConsentRow.narrowed_at.is_(None))
            .values(narrowed_at=now, mode=Mode.ROOM.value)
        )

    def manifest(self, consent_id: int) -> Manifest:
        """The promise as it holds now."""
        stored, narrowed_at = self._session.execute(
            select(ConsentRow.manifest, ConsentRow.narrowed_at).where(ConsentRow.id == consent_id)
        ).one()
        return holding_now(stored, narrowed_at)


def holding_now(stored: dict[str, Any], narrowed_at: datetime | None) -> Manifest:
    """A stored promise as it holds now."""
    given = Manifest.from_json(stored)
    return given.narrowed() if narrowed_at is not None else given


class SqlDerivatives:
    """See `core.ports.work.Derivatives`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, derivative: Derivative, *, publishable: bool, now: datetime) -> None:
        """Publish; the caller holds the artifact's lock and has looked that the kind is missing."""
        row = DerivativeRow(**asdict(derivative), publishable=publishable, created_at=now)
        self._session.add(row)
        self._session.flush()

    def due(self, now: datetime, *, limit: int) -> list[Derivative]:
        """Derivatives whose own right is over."""
        rows = self._session.execute(
            select(DerivativeRow).where(DerivativeRow.until <= now).order_by(DerivativeRow.until).limit(limit)
        ).scalars()
        return [derivative_of(row) for row in rows]

    def drop_one(self, derivative: Derivative) -> bool:
        """Delete one row; False where it is gone already."""
        result = self._session.execute(
            delete(DerivativeRow).where(
                DerivativeRow.artifact_id == derivative.artifact_id,
                DerivativeRow.kind == derivative.kind,
                DerivativeRow.key == derivative.key,
            )
        )
        return _rowcount(result) == 1

    def of(self, artifact_id: int) -> list[Derivative]:
        """What exists of one artifact."""
        rows = self._session.execute(select(DerivativeRow).where(DerivativeRow.artifact_id == artifact_id)).scalars()
        return [derivative_of(row) for row in rows]

    def drop(self, artifact_id: int) -> list[Derivative]:
        """Delete the rows; the caller buries the keys in the same transaction."""
        dropped = self.of(artifact_id)
        self._session.execute(delete(DerivativeRow).where(DerivativeRow.artifact_id == artifact_id))
        return dropped


def derivative_of(row: DerivativeRow) -> Derivative:
    return Derivative(
        artifact_id=row.artifact_id,
        kind=row.kind,
        key=row.key,
        until=row.until,
        duration_ms=row.duration_ms,
        loudness_lufs=row.loudness_lufs,
        peak_dbtp=row.peak_dbtp,
    )


class SqlIdempotency:
    """See `core.ports.work.Idempotency`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, key_hash: str, since: datetime) -> Remembered | None:
        """What this key led to, unless that was before `since`."""
        row = self._session.get(IdempotencyRow, key_hash, populate_existing=True)
        if row is None or row.created_at < since:
            return None
        return Remembered(
            request_digest=row.request_digest, artifact_id=row.artifact_id, sealed_answer=row.sealed_answer
        )

    def remember(self, key_hash: str, remembered: Remembered, now: datetime, *, since: datetime) -> bool:
        """Remember an answer; False where the key was taken by another request since `since`."""
        self._session.execute(
            delete(IdempotencyRow).where(IdempotencyRow.key_hash == key_hash, IdempotencyRow.created_at < since)
        )
        return insert_once(
            self._session, IdempotencyRow, {"key_hash": key_hash, "created_at": now, **asdict(remembered)}
        )

    def prune(self, before: datetime) -> int:
        """Forget keys older than `before`."""
        return _rowcount(self._session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < before)))


class SqlTakeKeys:
    """See `core.ports.work.TakeKeys`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: TakeKey) -> None:
        """Hold a key."""
        self._session.add(TakeKeyRow(**asdict(key)))
        self._session.flush()

    def get(self, key_id: str, now: datetime) -> TakeKey | None:
        """A key whose time is not over."""
        row = self._session.get(TakeKeyRow, key_id, populate_existing=True)
        if row is None or row.until <= now:
            return None
        return TakeKey(id=row.id, key=row.key, station=row.station, until=row.until)

    def prolong(self, key_id: str, until: datetime) -> None:
        """Hold it for longer."""
        self._session.execute(update(TakeKeyRow).where(TakeKeyRow.id == key_id).values(until=until))

    def drop(self, key_id: str) -> bool:
        """Forget a key; False where there was none."""
        return _rowcount(self._session.execute(delete(TakeKeyRow).where(TakeKeyRow.id == key_id))) == 1

    def drop_of(self, station: str) -> int:
        """Forget every key of a station."""
        return _rowcount(self._session.execute(delete(TakeKeyRow).where(TakeKeyRow.station == station)))

    def keep_newest(self, station: str, most: int) -> int:
        """Forget the oldest of a station's keys above `most`."""
        newest = (
            select(TakeKeyRow.id).where(TakeKeyRow.station == station).order_by(TakeKeyRow.until.desc()).limit(most)
        )
        older = (TakeKeyRow.station == station, TakeKeyRow.id.not_in(newest))
        return _rowcount(self._session.execute(delete(TakeKeyRow).where(*older)))

    def prune(self, now: datetime) -> int:
        """Forget keys whose time is over."""
        return _rowcount(self._session.execute(delete(TakeKeyRow).where(TakeKeyRow.until <= now)))


class SqlAccessEvents:
    """See `core.ports.work.AccessEvents`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def enter(self, artifact_id: int, *, nonce: str, context: str, action: str, now: datetime) -> bool:
        """Note a playback; False where this nonce is spent."""
        values = {"artifact_id": artifact_id, "nonce": nonce, "context": context, "action": action, "at": now}
        return insert_once(self._session, AccessEventRow, values)

    def count(self, since: datetime, until: datetime) -> int:
        """How many playbacks were acknowledged after `since`, up to `until`."""
        within = (AccessEventRow.at > since, AccessEventRow.at <= until)
        return self._session.execute(select(func.count()).select_from(AccessEventRow).where(*within)).scalar_one()

    def prune(self, before: datetime) -> int:
        """Forget events older than `before`."""
        return _rowcount(self._session.execute(delete(AccessEventRow).where(AccessEventRow.at < before)))


class SqlStewardship:
    """See `core.ports.work.Stewardship`."""

    def __init__(self, session: Session, first: StewardState, sensor: SqlSensor) -> None:
        self._session = session
        self._first = first
        self._sensor = sensor

    def state(self) -> StewardState:
        """The posture now; a node nobody has touched has the posture of its settings."""
        said, row = self._session.execute(_posture()).one()
        closed, sensed = Closed(said or ""), Sensed(words=tuple(self._sensor.all()))
        if row is None:
            return replace(self._first, closed=closed, sensed=sensed)
        fields = {name: _time(value) if name in _TIMES else value for name, value in row.fields.items()}
        known = {"updated_at": row.updated_at, "version": row.version, "closed": closed, "sensed": sensed}
        return StewardState(**{**asdict(self._first), **fields, **known})

    def save(self, state: StewardState, *, expected_version: int) -> bool:
        """Write where nobody else has since `expected_version`; False otherwise."""
        first = asdict(self._first)
        # Only what a steward has changed: the rest goes on following the settings.
        fields = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(state).items()
            if name not in ("updated_at", "version", "closed", "sensed") and value != first[name]
        }
        insert_once(
            self._session,
            StewardStateRow,
            {
                "id": STEWARD_ROW,
                "fields": {},
                "updated_at": self._first.updated_at,
                "version": self._first.version,
            },
        )
        result = self._session.execute(
            update(StewardStateRow)
            .where(StewardStateRow.id == STEWARD_ROW, StewardStateRow.version == expected_version)
            .values(fields=fields, updated_at=state.updated_at, version=expected_version + 1)
        )
        return _rowcount(result) == 1

    def record(self, action: StewardAction) -> None:
        """Add to the trail."""
        values = asdict(action)
        del values["id"]
        self._session.add(StewardActionRow(**values))

    def search(self, query: TrailQuery) -> list[StewardAction]:
        """Entries of the trail, newest first."""
        row = StewardActionRow
        where = [
            *([row.id < query.before] if query.before is not None else []),
            *([row.at >= query.since] if query.since is not None else []),
            *([row.at <= query.until] if query.until is not None else []),
            *([row.actor == query.actor] if query.actor else []),
            *([row.action == query.action] if query.action else []),
        ]
        searched = (row.actor, row.action, row.subject, cast_to(row.before, Text), cast_to(row.after, Text))
        where += [
            or_(*(column.icontains(word, autoescape=True) for column in searched)) for word in query.words.split()
        ]
        rows = self._session.execute(select(row).where(*where).order_by(row.id.desc()).limit(query.limit)).scalars()
        return [
            StewardAction(
                id=found.id,
                at=found.at,
                actor=found.actor,
                action=found.action,
                subject=found.subject,
                before=found.before,
                after=found.after,
            )
            for found in rows
        ]

    def prune(self, before: datetime) -> int:
        """Forget entries older than `before`."""
        return _rowcount(self._session.execute(delete(StewardActionRow).where(StewardActionRow.at < before)))


@cache
def _posture() -> Select[Any]:
    """Why the node is closed, and its row of posture: one question, made once, for it is asked with every voice."""
    reason = select(NodeRow.closed_reason).limit(1).scalar_subquery()
    asked = select(reason, StewardStateRow).select_from(select(literal(1)).subquery())
    asked = asked.outerjoin(StewardStateRow, StewardStateRow.id == STEWARD_ROW)
    return asked.execution_options(populate_existing=True)


_TIMES = tuple(f"{name}_until" for name in SWITCHES)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value is not None else None


class SqlSchedule:
    """See `core.ports.work.Schedule`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, name: str, slot_at: datetime, *, ahead_at: datetime, first_counts: bool = True) -> bool:
        """Claim a slot; True for exactly one caller. Where the first does not count, a new node waits for its next.

        One claimed beyond `ahead_at` was claimed by a clock that ran ahead, and holds nobody up.
        """
        if insert_once(self._session, ScheduleRow, {"name": name, "slot_at": slot_at}):
            return first_counts
        result = self._session.execute(
            update(ScheduleRow)
            .where(ScheduleRow.name == name, or_(ScheduleRow.slot_at < slot_at, ScheduleRow.slot_at > ahead_at))
            .values(slot_at=slot_at)
        )
        return _rowcount(result) == 1
