"""How background work fares: attempts, failures, heartbeats, and what health makes of them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.work import Job, args_of, subject_of
from core.errors import MemoryEngineError, NotFound, Unavailable
from core.ports.outside import Clock
from core.ports.work import JobFailure, Presence, StewardAction, UnitOfWork

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFigures:
    """After `attempts_most` failures in a row a job is left to a steward."""

    attempts_most: int


class JobService:
    """Runs jobs with their attempts counted, and keeps heartbeats."""

    def __init__(self, work: UnitOfWork, clock: Clock, *, figures: JobFigures) -> None:
        self._work = work
        self._clock = clock
        self._figures = figures

    def run(self, job: Job, args: tuple[Any, ...], function: Callable[..., Any]) -> None:
        """Carry a job out. Its attempt is committed before it begins, because it may take this process with it.

        A job that has failed too often in a row is left alone. Failures are noted, never raised: the queue has done
        its part, and missing work is asked for again from the database.
        """
        subject = subject_of(args)
        try:
            with self._work.write() as tx:
                attempts = tx.job_runs.begin(job.value, subject, self._clock.now())
            if subject and attempts > self._figures.attempts_most:
                log.error("job.given_up", extra={"job": job.value, "subject": subject, "attempts": attempts})
                self._end(job, subject, "tried too often; left to a steward")
                return
            function(*args)
        except Exception as error:
            known = isinstance(error, MemoryEngineError)
            log.warning(
                "job.failed",
                extra={"job": job.value, "subject": subject, "reason": type(error).__name__},
                exc_info=not known,
            )
            # A store or database that is away says nothing about the job: however long that lasts, it is tried again.
            counts = not isinstance(error, Unavailable)
            self._end(job, subject, str(error) if known else type(error).__name__, counts=counts)
        else:
            self._end(job, subject, None)

    def given_up(self, job: Job, args: tuple[Any, ...]) -> None:
        """Note a job that cost its worker too often."""
        self._end(job, subject_of(args), "it ended its worker too often")

    def retry(self, job: Job, subject: str, *, actor: str) -> None:
        """Let a job that has failed try anew, its attempts forgotten. Raises `NotFound` where it has not failed."""
        with self._work.write() as tx:
            if not tx.job_runs.forgive(job.value, subject, self._clock.now()):
                raise NotFound("This job has not failed, or has succeeded since.")
            tx.want(job, *args_of(subject))
            tx.steward.record(
                StewardAction(
                    at=self._clock.now(),
                    actor=actor,
                    action="retry_job",
                    subject=f"{job.value} {subject}".strip()[:64],
                    before={},
                    after={},
                )
            )

    def failures(self, since: datetime) -> list[JobFailure]:
        """Failures since then that no success has superseded, newest first."""
        with self._work.read() as tx:
            return tx.job_runs.failures(since)

    def alive(self, since: datetime) -> list[Presence]:
        """Processes heard of since then, newest first."""
        with self._work.read() as tx:
            return tx.presences.since(since)

    def beat(self, name: str, role: str) -> None:
        """A sign of life."""
        with self._work.write() as tx:
            tx.presences.beat(name, role, self._clock.now())

    def _end(self, job: Job, subject: str, error: str | None, *, counts: bool = True) -> None:
        try:
            with self._work.write() as tx:
                tx.job_runs.end(job.value, subject, self._clock.now(), error=error, counts=counts)
        except MemoryEngineError:
            log.warning("job.end_unnoted", extra={"job": job.value, "subject": subject})
