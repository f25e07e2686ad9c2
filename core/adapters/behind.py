"""Threads for what is heavy: they come behind whatever somebody waits for."""

import os
import sys
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress

NICENESS = 10
"""As a worker's unit has it."""


def one_behind(name: str) -> Executor:
    """One thread, started when it is first given something to do."""
    return ThreadPoolExecutor(1, thread_name_prefix=name, initializer=_come_behind)


def _come_behind() -> None:
    # On Linux a thread has a niceness of its own, which nobody but root may take back (sched(7)); elsewhere it is the
    # whole process's, and stays.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # Where it may not: a take is kept all the same.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
