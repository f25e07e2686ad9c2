"""Long work for the sake of the promise, in threads of its own beside the worker.

It may take longer than any other job, and deletions must not wait for it: a worker only begins it, and goes on. That
is also why the queue forgets it at once. Whether it is under way, and how it ended, stands in its report; where its
process dies, it is begun again by the schedule or by a steward.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from core.bootstrap import System
from core.domain.work import Job
from core.errors import Conflict

log = logging.getLogger(__name__)

LONG = frozenset({Job.AUDIT, Job.BACKUP, Job.EXPORT})
STOP_S = 5.0


class Beside:
    """Long work of one process."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._threads: list[threading.Thread] = []
        system.care.go_on()

    def begin(self, job: Job, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Begin a job and return. Of several at once that do the same, one does it."""
        # A process that ends does not wait for it: it may be broken off anywhere, as by a power cut.
        thread = threading.Thread(target=self._run, args=(job, function, args), name=job.value, daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def stop(self) -> None:
        """Break off what is under way, and wait for a moment until it is."""
        self._system.care.stop()
        until_s = time.monotonic() + STOP_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _run(self, job: Job, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        # Counted under its name alone: who asked for it does not matter to how it fares.
        self._system.jobs.run(job, (), partial(_once, job, function, args))


def _once(job: Job, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Conflict:
        log.info("care.under_way", extra={"job": job.value})
