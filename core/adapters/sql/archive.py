"""Held takes as stewards look for them, count them and change them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from core.adapters.sql.artifacts import artifact_of, artifacts
from core.adapters.sql.tables import (
    ACTIVE,
    NOTHING,
    ArtifactRow,
    DerivativeRow,
)
from core.domain.artifact import Artifact, Review, State
from core.domain.consent import Kind
from core.domain.pool.facts import PoolFacts
from core.domain.pool.lanes import LaneFigures
from core.ports.stewarding import Alike, ArchiveQuery, FossilPicture, Publishable, RetentionCounts, Totals

CHOICES_MOST = 100


class SqlArchive:
    """See `core.ports.stewarding.Archive`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def search(self, query: ArchiveQuery, now: datetime) -> list[Artifact]:
        """Takes still held by right, newest first."""
        where = _held(now)
        exact = {"station": query.station, "deployment": query.deployment, "status": query.status}
        where += [getattr(ArtifactRow, name) == value for name, value in exact.items() if value]
        if query.since is not None:
            where.append(ArtifactRow.created_at >= query.since)
        if query.until is not None:
            where.append(ArtifactRow.created_at <= query.until)
        if query.topic:
            where.append(ArtifactRow.topic.icontains(query.topic, autoescape=True))
        if query.review is not None:
            where.append(ArtifactRow.review == query.review.value)
        if query.waiting:
            where.append((ArtifactRow.review != NOTHING) | _asked_about())
        if query.before is not None:
            where.append(ArtifactRow.id < query.before)
        found = artifacts().where(*where).order_by(ArtifactRow.id.desc()).limit(query.limit)
        return [artifact_of(row) for row in self._session.execute(found)]

    def rank(self, artifact: Artifact) -> int:
        """The stack position: 1 for the oldest of the deployment's active artifacts; worked out now, never stored."""
        older = select(func.count()).select_from(ArtifactRow)
        where = [ArtifactRow.state == ACTIVE, ArtifactRow.deployment == artifact.deployment]
        return self._session.execute(older.where(*where, ArtifactRow.id <= artifact.id)).scalar_one()

    def statuses(self, deployment: str) -> list[str]:
        """Statuses in use in a deployment."""
        return self._in_use(ArtifactRow.status, [*_active(), ArtifactRow.deployment == deployment])

    def stations(self, now: datetime) -> list[str]:
        """Stations whose takes are still held."""
        return self._in_use(ArtifactRow.station, _held(now))

    def describe(self, artifact_id: int, *, topic: str, status: str) -> None:
        """Change topic and status."""
        self._change(artifact_id, {"topic": topic, "status": status})

    def set_review(
        self, artifact_id: int, review: Review, *, flagged_at: datetime | None, passed_at: datetime | None
    ) -> None:
        """Hold, flag or pass."""
        self._change(artifact_id, {"review": review.value, "flagged_at": flagged_at, "passed_at": passed_at})

    def totals(self, now: datetime) -> Totals:
        """Artifacts by state, and how many wait for a steward."""
        ended = select(ArtifactRow.state, func.count()).where(ArtifactRow.ended_at.is_not(None))
        by_state = {row[0]: row[1] for row in self._session.execute(ended.group_by(ArtifactRow.state))}
        active = self._session.execute(select(func.count()).select_from(ArtifactRow).where(*_active())).scalar_one()
        waiting = self._session.execute(
            select(func.count())
            .select_from(ArtifactRow)
            .where(*_held(now), (ArtifactRow.review != NOTHING) | _asked_about())
        ).scalar_one()
        return Totals(
            active=active,
            expired=by_state.get(State.EXPIRED.value, 0),
            revoked=by_state.get(State.REVOKED.value, 0),
            waiting=waiting,
        )

    def retention(self, now: datetime, *, soon: datetime) -> RetentionCounts:
        """What is held under which right, and what ends next."""
        raw = ArtifactRow.raw_key.is_not(None) & (ArtifactRow.raw_until > now)
        fossil = ArtifactRow.derivative_until > now
        row = self._session.execute(
            select(
                func.count().filter(raw),
                func.count().filter(raw, ArtifactRow.raw_until <= soon),
                func.count().filter(fossil),
                func.count().filter(fossil, ArtifactRow.raw_key.is_(None)),
                func.min(ArtifactRow.raw_until, type_=ArtifactRow.raw_until.type).filter(raw),
                func.min(ArtifactRow.derivative_until, type_=ArtifactRow.derivative_until.type).filter(fossil),
            ).where(*_active())
        ).one()
        return RetentionCounts(
            raw_held=row[0],
            raw_expiring_soon=row[1],
            fossil_retained=row[2],
            fossil_residue_only=row[3],
            next_raw_expiry_at=row[4],
            next_fossil_expiry_at=row[5],
        )

    def playable(self, now: datetime, *, limit: int) -> list[tuple[PoolFacts, str]]:
        """Facts and memory colour of what the room may choose from; at most `limit` of them, taken at random."""
        row = ArtifactRow
        columns = (
            row.id, row.created_at, row.duration_ms, row.wear, row.plays, row.heard_at, row.deployment, row.topic,
            row.status, row.effect,
        )  # fmt: skip
        # In the order of the draw, so that the part that is read is taken at random; no index of hours is offered.
        lasting = func.coalesce(row.playable_until, row.playable_until, type_=row.playable_until.type) > now
        query = select(*columns).where(*_active(), lasting, row.review == NOTHING).order_by(row.draw).limit(limit)
        return [
            (
                PoolFacts(
                    artifact_id=found[0],
                    created_at=found[1],
                    duration_ms=found[2],
                    wear=found[3],
                    plays=found[4],
                    heard_at=found[5],
                    deployment=found[6],
                    topic=found[7],
                    status=found[8],
                ),
                found[9],
            )
            for found in self._session.execute(query)
        ]

    def alike(self, now: datetime, figures: LaneFigures) -> list[Alike]:
        """What the room may choose from, as many groups as there are sides of thresholds to be on.

        The least of each value stands for a group: it lies on the side of every threshold that the whole group does.
        """
        row = ArtifactRow
        hours = (figures.fresh_max_age_hours, figures.suspended_min_age_hours, figures.worn_min_age_hours)
        sides = [
            row.created_at >= now - timedelta(hours=hours[0]),
            row.created_at > now - timedelta(hours=hours[1]),
            row.created_at > now - timedelta(hours=hours[2]),
            row.wear <= figures.fresh_max_wear,
            row.wear >= figures.worn_min_wear,
            row.plays <= figures.fresh_max_plays,
            row.plays >= figures.worn_min_plays,
            row.duration_ms <= figures.light_max_ms,
            row.duration_ms >= figures.dense_min_ms,
        ]
        labelled = [case((side, 1), else_=0).label(f"side{at}") for at, side in enumerate(sides)]
        # Named before it is grouped by: PostgreSQL does not know two expressions with parameters for the same.
        values = (row.created_at, row.wear, row.plays, row.duration_ms, row.effect)
        sided = select(*values, *labelled).where(*_held(now), row.review == NOTHING).subquery()
        query = select(
            func.count(),
            func.min(sided.c.created_at, type_=row.created_at.type),
            func.min(sided.c.wear),
            func.min(sided.c.plays),
            func.min(sided.c.duration_ms),
            sided.c.effect,
        ).group_by(sided.c.effect, *(sided.c[f"side{at}"] for at in range(len(sides))))
        return [
            Alike(
                count=found[0],
                facts=PoolFacts(
                    artifact_id=0,
                    created_at=found[1],
                    wear=found[2],
                    plays=found[3],
                    duration_ms=found[4],
                    heard_at=None,
                    deployment="",
                    topic="",
                    status="",
                ),
                effect=found[5],
            )
            for found in self._session.execute(query)
        ]

    def publishable(self, now: datetime, *, after: int, limit: int) -> list[Publishable]:
        """What fossils left and may be shown to anybody, of takes the room may have, in the order of ids."""
        rows = self._session.execute(
            select(DerivativeRow, ArtifactRow.public_id)
            .join(ArtifactRow, ArtifactRow.id == DerivativeRow.artifact_id)
            .where(
                *_held(now),
                DerivativeRow.publishable.is_(True),
                DerivativeRow.until > now,
                DerivativeRow.id > after,
                ArtifactRow.review == NOTHING,
                ArtifactRow.demo.is_(False),
            )
            .order_by(DerivativeRow.id)
            .limit(limit)
        )
        return [
            Publishable(
                id=row.id,
                public_id=public_id,
                kind=row.kind,
                key=row.key,
                created_at=row.created_at,
                until=row.until,
            )
            for row, public_id in rows
        ]

    def pictures(self, now: datetime, *, limit: int, publishable_only: bool = False) -> list[FossilPicture]:
        """The newest spectrograms whose right lasts; for the public only those of takes the room may have."""
        where = [*_held(now), DerivativeRow.kind == Kind.SPECTROGRAM.value, DerivativeRow.until > now]
        if publishable_only:
            where += [DerivativeRow.publishable.is_(True), ArtifactRow.review == NOTHING]
        rows = self._session.execute(
            select(DerivativeRow)
            .join(ArtifactRow, ArtifactRow.id == DerivativeRow.artifact_id)
            .where(*where)
            .order_by(DerivativeRow.id.desc())
            .limit(limit)
        ).scalars()
        return [
            FossilPicture(
                artifact_id=row.artifact_id,
                key=row.key,
                until=row.until,
                created_at=row.created_at,
                publishable=row.publishable,
            )
            for row in rows
        ]

    def _in_use(self, column: Any, where: list[Any]) -> list[str]:
        query = select(column).where(*where, column != NOTHING).distinct().order_by(column).limit(CHOICES_MOST)
        return list(self._session.execute(query).scalars())

    def _change(self, artifact_id: int, values: dict[str, Any]) -> None:
        self._session.execute(
            update(ArtifactRow)
            .where(ArtifactRow.id == artifact_id, ArtifactRow.state == ACTIVE)
            .values(version=ArtifactRow.version + 1, **values)
        )


def _active() -> list[Any]:
    return [ArtifactRow.state == ACTIVE]


def _held(now: datetime) -> list[Any]:
    return [*_active(), ArtifactRow.playable_until > now]


def _asked_about() -> Any:
    """A listener asked for a check and no steward has passed it since; the room may go on playing it meanwhile."""
    unpassed = ArtifactRow.passed_at.is_(None) | (ArtifactRow.passed_at < ArtifactRow.flagged_at)
    return ArtifactRow.flagged_at.is_not(None) & unpassed
