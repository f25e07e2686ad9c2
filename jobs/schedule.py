"""Periodic jobs: whoever claims a slot in the database first kicks its job, so that no slot runs twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import anyio.to_thread

from core.bootstrap import System
from core.domain.work import Job
from core.errors import MemoryEngineError

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0


def slot(now: datetime, every_s: int) -> datetime:
    """The start of the slot `now` lies in; slots are aligned to the epoch, so that all schedulers agree."""
    return datetime.fromtimestamp(int(now.timestamp()) // every_s * every_s, UTC)


async def run_schedule(system: System, kick: Callable[[Job], Awaitable[None]], *, name: str) -> None:
    """Kick every job once a slot until cancelled; a slot missed while nobody ran is made up by the next.

    `name` is this scheduler's among the node's processes; it gives a sign of life with every heartbeat slot.
    """
    # Slots this scheduler has seen claimed need no transaction to be seen claimed again.
    seen: dict[Job, datetime] = {}
    own = asyncio.current_task()
    # Asked rather than only awaited: on Python 3.11 a command under way may swallow the cancellation.
    while own is None or not own.cancelling():
        for job, every_s in system.intervals_s.items():
            slot_at = slot(system.clock.now(), every_s)
            if seen.get(job) == slot_at or (own is not None and own.cancelling()):
                continue
            try:
                claimed = await anyio.to_thread.run_sync(_claim, system, job, slot_at)
                seen[job] = slot_at
                if job is Job.HEARTBEAT:
                    await anyio.to_thread.run_sync(system.jobs.beat, f"scheduler-{name}", "scheduler")
                if claimed:
                    await kick(job)
            except MemoryEngineError:
                log.warning("schedule.unavailable", extra={"job": job.value})
            except Exception:
                # One job's trouble must not end the schedule of all.
                log.exception("schedule.failed", extra={"job": job.value})
        await asyncio.sleep(LOOK_EVERY_S)


def _claim(system: System, job: Job, slot_at: datetime) -> bool:
    with system.work.write() as tx:
        return tx.schedule.claim(job.value, slot_at)
