"""Queries over artifacts. The artifact row is the one lock, taken first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import CursorResult, Select, String, bindparam, case, delete, exists, func, or_, select, update
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import Session

from core.adapters.sql.records import derivative_of, holding_now
from core.adapters.sql.tables import (
    ACTIVE,
    EPHEMERAL,
    NOTHING,
    ArtifactRow,
    ConsentRow,
    DerivativeRow,
    JobRunRow,
    TombstoneRow,
)
from core.adapters.sql.words import forget_words
from core.domain.artifact import Artifact, NewArtifact, Outline, Review, State
from core.domain.consent import Kind, Mode
from core.domain.work import Job
from core.ports.work import Derivative, Holding, Lacking


class SqlArtifacts:
    """See `core.ports.work.Artifacts`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, new: NewArtifact) -> int:
        """Insert; the new integer id."""
        row = ArtifactRow(
            public_id=new.public_id,
            consent_id=new.consent_id,
            state=new.state.value,
            raw_key=new.raw_key,
            sha256=new.sha256,
            duration_ms=new.duration_ms,
            draw=new.draw,
            plays=new.plays,
            wear=new.wear,
            heard_at=new.heard_at,
            created_at=new.created_at,
            raw_until=new.raw_until,
            derivative_until=new.derivative_until,
            playable_until=new.playable_until,
            once_hash=new.once_hash,
            deployment=new.deployment,
            topic=new.topic,
            status=new.status,
            effect=new.effect,
            outline=[list(point) for point in new.outline],
            demo=new.demo,
            station=new.station,
            review=new.review.value,
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def get(self, artifact_id: int) -> Artifact | None:
        """Read without a lock."""
        return self._one(_by_id(), id=artifact_id)

    def sounding(self, artifact_id: int) -> tuple[Artifact, Derivative | None] | None:
        """The same, and what it has left that sounds, in one question: it is asked with every voice."""
        row = self._session.execute(_with_what_sounds(), {"id": artifact_id}).one_or_none()
        return None if row is None else (artifact_of(row), derivative_of(row[2]) if row[2] is not None else None)

    def lock(self, artifact_id: int) -> Artifact | None:
        """Read and lock until the transaction ends."""
        return self._one(artifacts().where(ArtifactRow.id == artifact_id).with_for_update(of=ArtifactRow))

    def of_consent(self, consent_id: int) -> list[Artifact]:
        """Everything under one promise, unlocked."""
        return self._all(artifacts().where(ArtifactRow.consent_id == consent_id))

    def lock_consent(self, consent_id: int) -> list[Artifact]:
        """Everything under one promise, locked in the order of ids."""
        return self._all(
            artifacts()
            .where(ArtifactRow.consent_id == consent_id)
            .order_by(ArtifactRow.id)
            .with_for_update(of=ArtifactRow)
        )

    def end(self, artifact_id: int, state: State, now: datetime) -> None:
        """Turn a held artifact into a husk: state, times and counts stay, everything else goes."""
        self._session.execute(
            update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id)
            .values(
                state=state.value,
                ended_at=now,
                playable_until=None,
                version=ArtifactRow.version + 1,
                **_HUSK,
            )
        )
        forget_words(self._session, artifact_id)

    def drop_raw(self, artifact_id: int, playable_until: datetime) -> None:
        """The raw has ended and a derivative carries on until `playable_until`."""
        self._session.execute(
            update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id)
            .values(
                raw_key=None,
                sha256=None,
                playable_until=playable_until,
                version=ArtifactRow.version + 1,
            )
        )

    def once_waiting(self, artifact_id: int) -> tuple[Artifact, str] | None:
        """A one-time take that still waits for its hearing, with the hash of its token."""
        row = self._session.execute(
            artifacts(ArtifactRow.once_hash).where(ArtifactRow.id == artifact_id, ArtifactRow.state == EPHEMERAL)
        ).one_or_none()
        return (artifact_of(row), row[-1]) if row is not None and row[-1] is not None else None

    def claim_once(self, artifact_id: int, once_hash: str, now: datetime) -> Artifact | None:
        """Claim the one hearing of a one-time take; exactly one caller ever gets an answer.

        The claim itself makes the husk; the answer is the artifact as it was a moment before.
        """
        before = self.lock(artifact_id)
        claimed = self._session.execute(
            update(ArtifactRow)
            .where(
                ArtifactRow.id == artifact_id,
                ArtifactRow.state == EPHEMERAL,
                ArtifactRow.once_hash == once_hash,
                ArtifactRow.raw_until > now,
            )
            .values(
                state=State.REVOKED.value,
                ended_at=now,
                playable_until=None,
                version=ArtifactRow.version + 1,
                **_HUSK,
            )
        )
        return before if _rowcount(claimed) == 1 else None

    def heard(self, artifact_id: int, *, wear_step: float, now: datetime) -> bool:
        """Count one hearing where the artifact is still playable; wear is capped at 1 in SQL.

        The version stays: what a steward is just changing is not what a hearing changes.
        """
        worn = ArtifactRow.wear + wear_step
        result = self._session.execute(
            update(ArtifactRow)
            .where(
                ArtifactRow.id == artifact_id,
                ArtifactRow.state == ACTIVE,
                ArtifactRow.playable_until > now,
                ArtifactRow.review == NOTHING,
            )
            .values(
                plays=ArtifactRow.plays + 1,
                wear=_least_one(worn),
                heard_at=now,
            )
        )
        return _rowcount(result) == 1

    def stamp_gone(self, artifact_id: int, now: datetime) -> None:
        """Stamp an ended artifact gone once no tombstone of it is left."""
        self._session.execute(select(ArtifactRow.id).where(ArtifactRow.id == artifact_id).with_for_update())
        self._session.execute(
            update(ArtifactRow)
            .where(
                ArtifactRow.id == artifact_id,
                ArtifactRow.ended_at.is_not(None),
                ArtifactRow.gone_at.is_(None),
                ~exists().where(TombstoneRow.artifact_id == artifact_id),
            )
            .values(gone_at=now)
        )

    def due(self, now: datetime, *, limit: int) -> list[int]:
        """Ids of artifacts with a right that has ended, of each kind of right the oldest first."""
        row = ArtifactRow
        active, ephemeral = row.state == ACTIVE, row.state == EPHEMERAL
        # One query for each kind of end: each has an index of its own, and looks at what is due and at nothing else.
        ended = (
            ([active, row.raw_until <= now, row.raw_key.is_not(None)], row.raw_until),
            ([active, row.playable_until <= now], row.playable_until),
            ([ephemeral, row.raw_until <= now], row.raw_until),
        )
        found: dict[int, None] = {}
        for where, until in ended:
            query = select(row.id).where(*where).order_by(until).limit(limit - len(found))
            found |= dict.fromkeys(self._session.execute(query).scalars())
        return list(found)

    def measured(self, artifact_id: int, *, lufs: float | None, peak_dbtp: float | None, now: datetime) -> None:
        """Note the loudness; None for both where the take is silent."""
        self._session.execute(
            update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id)
            .values(loudness_lufs=lufs, peak_dbtp=peak_dbtp, measured_at=now)
        )

    def extend(self, artifact_id: int, playable_until: datetime) -> None:
        """Something that outlives the raw has been published."""
        self._session.execute(
            update(ArtifactRow).where(ArtifactRow.id == artifact_id).values(playable_until=playable_until)
        )

    def narrow(self, artifact_id: int, playable_until: datetime) -> None:
        """Nothing outlives the raw any more."""
        self._session.execute(
            update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id)
            .values(derivative_until=None, playable_until=playable_until, version=ArtifactRow.version + 1)
        )

    def lacking(self, now: datetime, *, before: datetime, limit: int) -> list[Lacking]:
        """Work that artifacts given before `before` still lack while their raw is there.

        What was never asked for comes first and what has failed most last: neither a backlog nor what nobody can do
        keeps the rest from being found.
        """
        held = [
            ArtifactRow.state == ACTIVE,
            ArtifactRow.raw_until > now,
            ArtifactRow.raw_key.is_not(None),
            ArtifactRow.created_at < before,
        ]
        own = cast_to(ArtifactRow.id, String)
        found = self._lacking(Job.MEASURE, None, own, [*held, ArtifactRow.measured_at.is_(None)], limit)
        for kind in Kind:
            made = exists().where(DerivativeRow.artifact_id == ArtifactRow.id, DerivativeRow.kind == kind.value)
            wanting = [*held, ArtifactRow.derivative_until > now, _grants(kind), ~made]
            found += self._lacking(Job.DERIVE, kind, own + f":{kind.value}", wanting, limit)
        return found

    def _lacking(self, job: Job, kind: Kind | None, subject: Any, where: list[Any], limit: int) -> list[Lacking]:
        # The subject is that of `core.domain.work.subject_of`.
        query = (
            select(ArtifactRow.id)
            .outerjoin(JobRunRow, (JobRunRow.job == job.value) & (JobRunRow.subject == subject))
            .where(*where)
            .order_by(func.coalesce(JobRunRow.attempts, 0), JobRunRow.wanted_at.nulls_first(), ArtifactRow.id)
            .limit(limit)
        )
        return [Lacking(artifact_id=found_id, kind=kind) for found_id in self._session.execute(query).scalars()]

    def count(self) -> int:
        """How many rows there are, husks and all."""
        return self._session.execute(select(func.count()).select_from(ArtifactRow)).scalar_one()

    def holdings(self, *, after: int, limit: int) -> list[Holding]:
        """What rows say is stored, in the order of ids, for the audit."""
        found = self._session.execute(
            select(ArtifactRow, ConsentRow.manifest, ConsentRow.narrowed_at)
            .join(ConsentRow, ConsentRow.id == ArtifactRow.consent_id)
            .where(ArtifactRow.id > after)
            .order_by(ArtifactRow.id)
            .limit(limit)
        ).all()
        made: dict[int, list[Derivative]] = {}
        derived = select(DerivativeRow).where(DerivativeRow.artifact_id.in_([row.id for row, _, _ in found]))
        for derivative in self._session.execute(derived).scalars():
            made.setdefault(derivative.artifact_id, []).append(derivative_of(derivative))
        return [
            Holding(
                artifact_id=row.id,
                public_id=row.public_id,
                state=State(row.state),
                manifest=holding_now(manifest, narrowed_at),
                raw_key=row.raw_key,
                sha256=row.sha256,
                derivatives=tuple(made.get(row.id, ())),
                outline=row.outline is not None,
                raw_until=row.raw_until,
                playable_until=row.playable_until,
            )
            for row, manifest, narrowed_at in found
        ]

    def clear_remains(self, artifact_id: int, now: datetime) -> None:
        """Take from a husk what it should not have kept; gone it is once its last key is verified absent."""
        self._session.execute(
            update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id)
            .values(
                ended_at=func.coalesce(ArtifactRow.ended_at, now, type_=ArtifactRow.ended_at.type),
                gone_at=None,
                playable_until=None,
                **_HUSK,
            )
        )
        forget_words(self._session, artifact_id)
        self.stamp_gone(artifact_id, now)

    def names_key(self, key: str) -> bool:
        """Whether any row names this key."""
        raw = exists().where(ArtifactRow.raw_key == key)
        derived = exists().where(DerivativeRow.key == key)
        return self._session.execute(select(or_(raw, derived))).scalar_one()

    def demo_ids(self) -> list[int]:
        """Ids of the demonstration artifacts that are still held."""
        return list(
            self._session.execute(
                select(ArtifactRow.id).where(ArtifactRow.demo.is_(True), ArtifactRow.state == ACTIVE)
            ).scalars()
        )

    def recently_heard(self, since: datetime, now: datetime, *, limit: int) -> list[Artifact]:
        """Voices still held that were heard since, newest first; the strata of the wall."""
        return self._all(
            artifacts()
            .where(
                ArtifactRow.state == ACTIVE,
                ArtifactRow.playable_until > now,
                ArtifactRow.review == NOTHING,
                ArtifactRow.heard_at > since,
            )
            .order_by(ArtifactRow.heard_at.desc())
            .limit(limit)
        )

    def playable_of(self, ids: Collection[int], now: datetime) -> set[int]:
        """Which of these may be shown and sound now."""
        rows = self._session.execute(
            select(ArtifactRow.id).where(
                ArtifactRow.id.in_(ids),
                ArtifactRow.state == ACTIVE,
                ArtifactRow.playable_until > now,
                ArtifactRow.review == NOTHING,
            )
        )
        return set(rows.scalars())

    def count_playable(self, now: datetime, *, most: int | None = None) -> int:
        """How many artifacts the room may choose from; at least `most` + 1 where there are more than `most`.

        The few that are held are counted by themselves: both counts come out of an index then, and no row is read.
        """
        held, found = self._session.execute(_counts(most), {"now": now}).one()
        return max(0, found - held)

    def prune_husks(self, before: datetime, *, limit: int) -> int:
        """Delete husks, and the promises they stood under, whose absence was verified before `before`."""
        rows = self._session.execute(
            select(ArtifactRow.id, ArtifactRow.consent_id)
            .where(ArtifactRow.ended_at < before, ArtifactRow.gone_at.is_not(None))
            .limit(limit)
        ).all()
        ids = [row.id for row in rows]
        if not ids:
            return 0
        self._session.execute(delete(DerivativeRow).where(DerivativeRow.artifact_id.in_(ids)))
        self._session.execute(delete(ArtifactRow).where(ArtifactRow.id.in_(ids)))
        self._session.execute(
            delete(ConsentRow).where(
                ConsentRow.id.in_([row.consent_id for row in rows]),
                ~exists().where(ArtifactRow.consent_id == ConsentRow.id),
            )
        )
        return len(ids)

    def _one(self, query: Select[Any], **given: Any) -> Artifact | None:
        row = self._session.execute(query, given).one_or_none()
        return artifact_of(row) if row is not None else None

    def _all(self, query: Select[Any]) -> list[Artifact]:
        return [artifact_of(row) for row in self._session.execute(query)]


_HUSK: dict[str, Any] = {
    "raw_key": None,
    "sha256": None,
    "outline": None,
    "topic": "",
    "once_hash": None,
    "loudness_lufs": None,
    "peak_dbtp": None,
    "measured_at": None,
    "station": "",
    "review": "",
    "flagged_at": None,
    "passed_at": None,
}


@cache
def _counts(most: int | None) -> Select[int, int]:
    """How many are held, and how many there are with these; see `count_playable`.

    One question for both, and made once: it is asked with every voice.
    """
    active, until, review = ArtifactRow.state == ACTIVE, ArtifactRow.playable_until, ArtifactRow.review
    now = bindparam("now", type_=until.type)
    # Only the index of what is held is offered, and said twice: once as its condition, once to be searched by.
    held_now = [active, review != NOTHING, review > NOTHING, func.coalesce(until, until, type_=until.type) > now]
    held = select(func.count()).select_from(ArtifactRow).where(*held_now).scalar_subquery()
    there = select(ArtifactRow.id).where(active, until > now)
    if most is not None:
        there = there.limit(held + (most + 1))
    return select(held, select(func.count()).select_from(there.subquery()).scalar_subquery())


@cache
def _by_id() -> Select[Any]:
    return artifacts().where(ArtifactRow.id == bindparam("id", type_=ArtifactRow.id.type))


@cache
def _with_what_sounds() -> Select[Any]:
    sounds = (DerivativeRow.artifact_id == ArtifactRow.id) & (DerivativeRow.duration_ms > 0)
    wanted = artifacts(DerivativeRow).outerjoin(DerivativeRow, sounds).order_by(DerivativeRow.id).limit(1)
    return wanted.where(ArtifactRow.id == bindparam("id", type_=ArtifactRow.id.type))


def artifacts(*extra: Any) -> Select[Any]:
    return (
        select(ArtifactRow, ConsentRow.mode, *extra)
        .join(ConsentRow, ConsentRow.id == ArtifactRow.consent_id)
        .execution_options(populate_existing=True)
    )


def artifact_of(row: Sequence[Any]) -> Artifact:
    found: ArtifactRow = row[0]
    return Artifact(
        id=found.id,
        public_id=found.public_id,
        consent_id=found.consent_id,
        mode=Mode(row[1]),
        state=State(found.state),
        raw_key=found.raw_key,
        sha256=found.sha256,
        duration_ms=found.duration_ms,
        wear=found.wear,
        plays=found.plays,
        created_at=found.created_at,
        heard_at=found.heard_at,
        raw_until=found.raw_until,
        derivative_until=found.derivative_until,
        playable_until=found.playable_until,
        ended_at=found.ended_at,
        gone_at=found.gone_at,
        deployment=found.deployment,
        topic=found.topic,
        status=found.status,
        effect=found.effect,
        outline=_outline(found.outline),
        version=found.version,
        demo=found.demo,
        measured=found.measured_at is not None,
        lufs=found.loudness_lufs,
        peak_dbtp=found.peak_dbtp,
        station=found.station,
        review=Review(found.review),
        flagged_at=found.flagged_at,
        passed_at=found.passed_at,
    )


def _grants(kind: Kind) -> Any:
    """Whether a promise names a derivative: what was given before there was such a kind does not want it."""
    named = cast_to(ConsentRow.manifest, String).contains(f'"{kind.value}"', autoescape=True)
    return exists().where(ConsentRow.id == ArtifactRow.consent_id, named)


def _outline(stored: Sequence[Sequence[float]] | None) -> Outline | None:
    return tuple((float(level), float(centroid)) for level, centroid in stored) if stored else None


def _least_one(value: Any) -> Any:
    # CASE rather than LEAST/MIN, which the two engines name differently.
    return case((value > 1.0, 1.0), else_=value)


def _rowcount(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
