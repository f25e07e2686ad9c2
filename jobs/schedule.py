"""Periodic jobs: whoever claims a slot in the database first kicks its job, so that no slot runs twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from core.bootstrap import System
from core.domain.work import DAILY, Job
from core.errors import MemoryEngineError
from jobs.signs import Signs
from jobs.threads import in_thread

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0


def slot(now: datetime, every_s: int) -> datetime:
    """The start of the slot `now` lies in; slots are aligned to the epoch, so that all schedulers agree."""
    return datetime.fromtimestamp(int(now.timestamp()) // every_s * every_s, UTC)


async def run_schedule(system: System, kick: Callable[[Job], Awaitable[None]], signs: Signs) -> None:
    """Kick every job once a slot until cancelled; a slot missed while nobody ran is made up by the next.

    `signs` are those of this scheduler: it lives while it goes through its jobs.
    """
    # Slots this scheduler has seen claimed need no transaction to be seen claimed again.
    seen: dict[Job, datetime] = {}
    own = asyncio.current_task()
    # Asked rather than only awaited: on Python 3.11 a command under way may swallow the cancellation.
    while own is None or not own.cancelling():
        await in_thread(signs.show)
        for job, every_s in system.intervals_s.items():
            slot_at = slot(system.clock.now(), every_s)
            if seen.get(job) == slot_at or (own is not None and own.cancelling()):
                continue
            try:
                claimed = await in_thread(_claim, system, job, slot_at, every_s)
                seen[job] = slot_at
                if claimed:
                    await kick(job)
            except MemoryEngineError:
                log.warning("schedule.unavailable", extra={"job": job.value})
            except Exception:
                # One job's trouble must not end the schedule of all.
                log.exception("schedule.failed", extra={"job": job.value})
        await asyncio.sleep(LOOK_EVERY_S)


def _claim(system: System, job: Job, slot_at: datetime, every_s: int) -> bool:
    # Clocks of several schedulers may differ by what no warning is given of.
    ahead_at = slot_at + timedelta(seconds=max(every_s, system.settings.CLOCK_SKEW_SECONDS))
    with system.work.write() as tx:
        return tx.schedule.claim(job.value, slot_at, ahead_at=ahead_at, first_counts=job not in DAILY)
