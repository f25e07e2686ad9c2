"""Looking at the node where no worker does: that none does is what stewards most need to be told."""

import asyncio
import logging
from datetime import timedelta

from core.bootstrap import System
from core.domain.work import Job
from core.errors import MemoryEngineError
from jobs.threads import in_thread

log = logging.getLogger(__name__)

MISSED_LOOKS = 3
ALWAYS = 2**31 - 1


async def stand_in(system: System) -> None:
    """See, once an interval and until cancelled, whether somebody looks; else look."""
    own = asyncio.current_task()
    while own is None or not own.cancelling():
        await asyncio.sleep(system.intervals_s[Job.WATCH])
        try:
            await in_thread(look_for_others, system)
        except MemoryEngineError:
            log.warning("watch.unavailable")
        except Exception:
            log.exception("watch.failed")


def look_for_others(system: System) -> bool:
    """Look where nobody has for `MISSED_LOOKS` intervals; of several that notice, one does. Whether it did."""
    now = system.clock.now()
    missed = timedelta(seconds=MISSED_LOOKS * system.intervals_s[Job.WATCH])
    with system.work.write() as tx:
        # Claimed as missing work is: whoever notes that it is wanted may do it.
        if not tx.job_runs.want(Job.WATCH.value, "", now, unless_since=now - missed, attempts_most=ALWAYS):
            return False
    system.jobs.run(Job.WATCH, (), lambda: system.watch.look(system.effects.depth_in_thread()))
    return True
