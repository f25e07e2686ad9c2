"""Queries over jobs and processes."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.adapters.sql.records import insert_once
from core.adapters.sql.tables import JobRunRow, PresenceRow
from core.ports.work import JobCount, JobFailure, Presence

ERROR_SIGNS = 500


class SqlJobRuns:
    """See `core.ports.work.JobRuns`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def want(self, job: str, subject: str, now: datetime, *, unless_since: datetime, attempts_most: int) -> bool:
        """Note that a job is being asked for again; False where it was asked for lately, or tried too often.

        What lies as far in the future as `unless_since` in the past was noted by a clock that ran ahead.
        """
        if insert_once(self._session, JobRunRow, {"job": job, "subject": subject, "wanted_at": now}):
            return True
        ahead = now + (now - unless_since)
        lately = (
            or_(noted.is_(None), noted <= unless_since, noted > ahead)
            for noted in (JobRunRow.wanted_at, JobRunRow.began_at)
        )
        result = self._session.execute(
            update(JobRunRow)
            .where(*_is(job, subject), JobRunRow.attempts < attempts_most, *lately)
            .values(wanted_at=now)
        )
        return cast("CursorResult[Any]", result).rowcount == 1

    def begin(self, job: str, subject: str, now: datetime) -> int:
        """Count an attempt before it begins; how many there have been since the last success."""
        insert_once(self._session, JobRunRow, {"job": job, "subject": subject})
        return self._session.execute(
            update(JobRunRow)
            .where(*_is(job, subject))
            .values(attempts=JobRunRow.attempts + 1, began_at=now)
            .returning(JobRunRow.attempts)
        ).scalar_one()

    def end(self, job: str, subject: str, now: datetime, *, error: str | None, counts: bool = True) -> None:
        """Note how an attempt ended; a success forgives the failures before it, one that does not count itself."""
        outcome: dict[str, Any] = (
            {"attempts": 0, "failed_at": None, "error": "", "done": JobRunRow.done + 1}
            if error is None
            else {"failed_at": now, "error": error[:ERROR_SIGNS], "failures": JobRunRow.failures + 1}
        )
        if error is not None and not counts:
            outcome["attempts"] = JobRunRow.attempts - 1
        self._session.execute(update(JobRunRow).where(*_is(job, subject)).values(ended_at=now, **outcome))

    def failures(self, since: datetime) -> list[JobFailure]:
        """Failures since then that no success has superseded, newest first."""
        rows = self._session.execute(
            select(JobRunRow).where(JobRunRow.failed_at >= since).order_by(JobRunRow.failed_at.desc())
        ).scalars()
        return [
            JobFailure(
                job=row.job, subject=row.subject, failed_at=row.failed_at, attempts=row.attempts, error=row.error
            )
            for row in rows
            if row.failed_at is not None
        ]

    def forgive(self, job: str, subject: str, now: datetime) -> bool:
        """Forget the attempts of a job that has failed, and note that it is asked for; False where it has not."""
        result = self._session.execute(
            update(JobRunRow)
            .where(*_is(job, subject), JobRunRow.failed_at.is_not(None))
            .values(attempts=0, wanted_at=now)
        )
        return cast("CursorResult[Any]", result).rowcount == 1

    def counts(self) -> list[JobCount]:
        """Ends of every job, well and badly."""
        rows = self._session.execute(
            select(JobRunRow.job, func.sum(JobRunRow.done), func.sum(JobRunRow.failures)).group_by(JobRunRow.job)
        )
        return [JobCount(job=job, done=int(done), failures=int(failures)) for job, done, failures in rows]

    def prune(self, before: datetime) -> int:
        """Forget what ended before then and left nothing to tell."""
        result = self._session.execute(delete(JobRunRow).where(JobRunRow.ended_at < before, JobRunRow.subject != ""))
        return cast("CursorResult[Any]", result).rowcount


class SqlPresences:
    """See `core.ports.work.Presences`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def beat(self, name: str, role: str, now: datetime) -> None:
        """This process lives."""
        values = {"name": name, "role": role, "seen_at": now}
        if not insert_once(self._session, PresenceRow, values):
            self._session.execute(update(PresenceRow).where(PresenceRow.name == name).values(role=role, seen_at=now))

    def since(self, since: datetime) -> list[Presence]:
        """Processes heard of since then, newest first."""
        rows = self._session.execute(
            select(PresenceRow).where(PresenceRow.seen_at >= since).order_by(PresenceRow.seen_at.desc())
        ).scalars()
        return [Presence(name=row.name, role=row.role, seen_at=row.seen_at) for row in rows]

    def forget(self, name: str, seen_at: datetime) -> bool:
        """Forget a process; False where it has been heard of since."""
        gone = delete(PresenceRow).where(PresenceRow.name == name, PresenceRow.seen_at == seen_at)
        return cast("CursorResult[Any]", self._session.execute(gone)).rowcount == 1

    def prune(self, before: datetime) -> int:
        """Forget processes nobody has heard of since."""
        result = self._session.execute(delete(PresenceRow).where(PresenceRow.seen_at < before))
        return cast("CursorResult[Any]", result).rowcount


def _is(job: str, subject: str) -> list[Any]:
    return [JobRunRow.job == job, JobRunRow.subject == subject]
