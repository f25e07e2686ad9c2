"""The unit of work on SQLAlchemy: one transaction, its repositories, effects after the commit."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.adapters.sql.archive import SqlArchive
from core.adapters.sql.artifacts import SqlArtifacts
from core.adapters.sql.custody import SqlNodes, SqlReports
from core.adapters.sql.decisions import SqlDecisions
from core.adapters.sql.engine import WRITER, answering
from core.adapters.sql.records import (
    SqlAccessEvents,
    SqlConsents,
    SqlDerivatives,
    SqlIdempotency,
    SqlSchedule,
    SqlStewardship,
    SqlTakeKeys,
)
from core.adapters.sql.running import SqlJobRuns, SqlPresences
from core.adapters.sql.sensor import SqlSensor
from core.adapters.sql.stewarding import SqlDevices, SqlPrompts, SqlSamples, SqlSessions, SqlStewards
from core.adapters.sql.tombstones import SqlTombstones
from core.adapters.sql.warnings import SqlWarnings
from core.domain.artifact import Artifact
from core.domain.custody import Early
from core.domain.sensor import Subject
from core.domain.steward import StewardState
from core.domain.work import Job, Signal
from core.ports.work import Dispatcher


class SqlTransaction:
    """One open transaction; see `core.ports.work.Transaction`."""

    def __init__(self, session: Session, first_steward_state: StewardState, heard: Collection[Subject] = ()) -> None:
        self.session = session
        self._first_steward_state = first_steward_state
        self._heard = heard
        self.jobs: list[tuple[Job, tuple[Any, ...]]] = []
        self.signals: list[tuple[Signal, dict[str, Any]]] = []
        self.early: list[tuple[Early, str, datetime]] = []

    def ended_early(self, kind: Early, artifact: Artifact, at: datetime) -> None:
        """For the ledger, before the commit."""
        self.early.append((kind, artifact.public_id, at))

    def want(self, job: Job, *args: Any) -> None:
        """Ask for a job after the commit."""
        self.jobs.append((job, args))

    def signal(self, signal: Signal, **detail: Any) -> None:
        """Tell pages after the commit."""
        self.signals.append((signal, detail))

    @cached_property
    def consents(self) -> SqlConsents:
        return SqlConsents(self.session)

    @cached_property
    def artifacts(self) -> SqlArtifacts:
        return SqlArtifacts(self.session)

    @cached_property
    def derivatives(self) -> SqlDerivatives:
        return SqlDerivatives(self.session)

    @cached_property
    def tombstones(self) -> SqlTombstones:
        return SqlTombstones(self.session)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        return SqlIdempotency(self.session)

    @cached_property
    def take_keys(self) -> SqlTakeKeys:
        return SqlTakeKeys(self.session)

    @cached_property
    def events(self) -> SqlAccessEvents:
        return SqlAccessEvents(self.session)

    @cached_property
    def steward(self) -> SqlStewardship:
        return SqlStewardship(self.session, self._first_steward_state, self.sensor)

    @cached_property
    def schedule(self) -> SqlSchedule:
        return SqlSchedule(self.session)

    @cached_property
    def job_runs(self) -> SqlJobRuns:
        return SqlJobRuns(self.session)

    @cached_property
    def presences(self) -> SqlPresences:
        return SqlPresences(self.session)

    @cached_property
    def archive(self) -> SqlArchive:
        return SqlArchive(self.session)

    @cached_property
    def stewards(self) -> SqlStewards:
        return SqlStewards(self.session)

    @cached_property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self.session)

    @cached_property
    def prompts(self) -> SqlPrompts:
        return SqlPrompts(self.session)

    @cached_property
    def devices(self) -> SqlDevices:
        return SqlDevices(self.session)

    @cached_property
    def samples(self) -> SqlSamples:
        return SqlSamples(self.session)

    @cached_property
    def warnings(self) -> SqlWarnings:
        return SqlWarnings(self.session)

    @cached_property
    def decisions(self) -> SqlDecisions:
        return SqlDecisions(self.session)

    @cached_property
    def nodes(self) -> SqlNodes:
        return SqlNodes(self.session)

    @cached_property
    def reports(self) -> SqlReports:
        return SqlReports(self.session)

    @cached_property
    def sensor(self) -> SqlSensor:
        return SqlSensor(self.session, self._heard)


WriteDown = Callable[[Sequence[tuple[Early, str, datetime]]], None]
"""Keeps (why, the artifact's public id, when) durably outside the database. Raises `Unavailable`."""


class SqlUnitOfWork:
    """Opens transactions and hands effects on once they have committed; `heard` is what a sensor may speak of."""

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        *,
        first_steward_state: StewardState,
        heard: Collection[Subject] = (),
        write_down: WriteDown = lambda _early: None,
    ) -> None:
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._on_server = engine.dialect.name == "postgresql"
        self._readers = engine.execution_options(**snapshot) if self._on_server else engine
        self._writers = engine.execution_options(**WRITER)
        self._dispatcher = dispatcher
        self._write_down = write_down
        self._first_steward_state = first_steward_state
        self._heard = heard

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """A transaction that commits on leaving and rolls back on any exception."""
        with self._session(self._writers) as session:
            transaction = SqlTransaction(session, self._first_steward_state, self._heard)
            yield transaction
            if transaction.early:
                # Before the commit: what is written down and then not committed errs towards the participant.
                session.flush()
                self._write_down(transaction.early)
            session.commit()
        for job, args in transaction.jobs:
            self._dispatcher.job(job, args)
        for signal, detail in transaction.signals:
            self._dispatcher.signal(signal, detail)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """A transaction that changes nothing."""
        with self._session(self._readers) as session:
            yield SqlTransaction(session, self._first_steward_state, self._heard)
            # At a rollback the driver forgets what it has prepared, and every question would be planned anew; the
            # server lets a transaction that only reads change nothing anyway.
            (session.commit if self._on_server else session.rollback)()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with answering(), Session(engine, expire_on_commit=False) as session:
            yield session
