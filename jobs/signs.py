"""Signs of life of the background's processes, each given by the process itself.

They do not come by way of the queue: a queue that is away, or long, says nothing about a worker, nor does a scheduler
that has died.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from core.bootstrap import System
from core.errors import MemoryEngineError
from jobs.threads import in_thread

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0


class Signs:
    """Those of one process; `role` is `worker` or `scheduler`."""

    def __init__(self, system: System, *, name: str, role: str) -> None:
        self._system = system
        self._name = name
        self._role = role
        self._shown: tuple[float, float] | None = None
        self._began_s: float | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """One job is being carried out; a process that never comes to its end is as good as dead."""
        self._began_s = self._system.outside.drift.up_s()
        try:
            yield
        finally:
            self._began_s = None

    def show(self) -> None:
        """Give one where it is due: once an interval, and when the clock was moved, which makes the last one odd.

        Blocks for a moment. Where the database does not answer the next call tries again.
        """
        settings, drift = self._system.settings, self._system.outside.drift
        up_s, moved_s = drift.up_s(), drift.moved_s()
        began_s = self._began_s
        if began_s is not None and up_s - began_s > settings.JOB_IDLE_SECONDS:
            return
        if self._shown is not None:
            shown_s, as_moved_s = self._shown
            late = up_s - shown_s >= settings.HEARTBEAT_INTERVAL_SECONDS
            if not late and abs(moved_s - as_moved_s) <= settings.CLOCK_SKEW_SECONDS:
                return
        try:
            self._system.jobs.beat(self._name, self._role)
        except MemoryEngineError:
            log.debug("signs.unavailable")
        except Exception:
            # Whoever cannot say that it lives goes on with its work.
            log.exception("signs.failed")
        else:
            self._shown = (up_s, moved_s)


async def show_signs(signs: Signs) -> None:
    """Give them until cancelled."""
    own = asyncio.current_task()
    while own is None or not own.cancelling():
        await in_thread(signs.show)
        await asyncio.sleep(LOOK_EVERY_S)
