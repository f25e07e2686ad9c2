"""Long work for the sake of the promise: one of a kind at a time, with a report that says how it went."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from core.domain.custody import Care, CareStanding, CareState, Report, last_audited, last_verified
from core.domain.work import Job, Signal
from core.errors import BadField, Conflict, MemoryEngineError, Unavailable
from core.ports.outside import Clock
from core.ports.work import StewardAction, Transaction, UnitOfWork

log = logging.getLogger(__name__)

SILENT_AFTER = timedelta(minutes=5)
"""Work that has given no sign of life for so long has ended with its process, and keeps nobody from beginning anew."""

STEPS_S = 1.0
LOOKED_BACK = 50
"""So many reports of a kind are looked through for one that went well."""

WANTED = {Care.AUDIT: Job.AUDIT, Care.BACKUP: Job.BACKUP, Care.EXPORT: Job.EXPORT}
"""What a steward may ask for, and the schedule does by itself."""


class Progress:
    """How far one piece of work is. `summary` is what its report will say: plain JSON, figures only."""

    def __init__(self, work: UnitOfWork, clock: Clock, report_id: int, stopping: threading.Event) -> None:
        self._work = work
        self._clock = clock
        self._report_id = report_id
        self._stopping = stopping
        self._told_at = clock.now()
        self.summary: dict[str, Any] = {}
        self.ok = True

    def step(self, done: int, total: int) -> None:
        """Say how far it is; written down at most once a second. Raises `Unavailable` where this process is to end."""
        if self._stopping.is_set():
            raise Unavailable("This was broken off, because its process was stopped. Begin it again.")
        now = self._clock.now()
        if done < total and timedelta(0) <= now - self._told_at < timedelta(seconds=STEPS_S):
            return
        self._told_at = now
        with self._work.write() as tx:
            tx.reports.progress(self._report_id, done, total, now)
            tx.signal(Signal.CARE)


class CareService:
    """Begins, follows and ends such work."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Break off, at its next step, whatever this process has under way."""
        self._stopping.set()

    def go_on(self) -> None:
        """From now on nothing is broken off."""
        self._stopping.clear()

    def want(self, kind: Care, *, actor: str) -> None:
        """Ask for it in the background. Raises `BadField`, and `Conflict` where it is under way."""
        if kind not in WANTED:
            raise BadField(NOT_HERE)
        now = self._clock.now()
        with self._work.write() as tx:
            if any(report.kind is kind for report in tx.reports.running(now - SILENT_AFTER, now + SILENT_AFTER)):
                raise Conflict(_UNDER_WAY)
            tx.steward.record(
                StewardAction(at=now, actor=actor, action="want_care", subject=kind.value, before={}, after={})
            )
            tx.want(WANTED[kind], actor)

    @contextmanager
    def reporting(self, kind: Care, *, actor: str) -> Iterator[Progress]:
        """One piece of work under way. Whatever is raised in it is noted as its failure and raised again.

        Raises `Conflict` where one of its kind is under way already.
        """
        now = self._clock.now()
        with self._work.write() as tx:
            report_id = tx.reports.begin(kind, actor, now, unless_since=now - SILENT_AFTER)
            tx.signal(Signal.CARE)
        if report_id is None:
            raise Conflict(_UNDER_WAY)
        progress = Progress(self._work, self._clock, report_id, self._stopping)
        try:
            yield progress
        except BaseException as error:
            said = error.message if isinstance(error, MemoryEngineError) else type(error).__name__
            self._end(report_id, CareState.FAILED, {**progress.summary, "error": said})
            raise
        self._end(report_id, CareState.OK if progress.ok else CareState.FAILED, progress.summary)

    def standing(self) -> CareStanding:
        """How all of it stands."""
        with self._work.read() as tx:
            return read_standing(tx, self._clock.now())

    def running(self) -> list[Report]:
        """What is under way."""
        now = self._clock.now()
        with self._work.read() as tx:
            return tx.reports.running(now - SILENT_AFTER, now + SILENT_AFTER)

    def last(self, kind: Care, *, state: CareState | None = None) -> Report | None:
        """The newest of a kind that is over, or in one state."""
        with self._work.read() as tx:
            return tx.reports.last(kind, state=state)

    def _end(self, report_id: int, state: CareState, summary: dict[str, Any]) -> None:
        try:
            with self._work.write() as tx:
                tx.reports.end(report_id, state, self._clock.now(), summary)
                tx.signal(Signal.CARE)
        except MemoryEngineError:
            log.warning("care.end_unnoted", extra={"report": report_id})


def read_standing(tx: Transaction, now: datetime) -> CareStanding:
    """How all of it stands, read in a transaction that is open already."""
    over = {kind: tx.reports.recent(kind, limit=LOOKED_BACK) for kind in Care}
    return CareStanding(
        running=tuple(tx.reports.running(now - SILENT_AFTER, now + SILENT_AFTER)),
        last={kind: reports[0] for kind, reports in over.items() if reports},
        audited=last_audited(over[Care.AUDIT]),
        verified=last_verified(over[Care.BACKUP], over[Care.VERIFY]),
    )


NOT_HERE = "Only an audit, a backup or an export can be asked for here."
_UNDER_WAY = (
    f"This is under way already. What was broken off without a word counts as ended after "
    f"{SILENT_AFTER // timedelta(minutes=1)} minutes."
)
