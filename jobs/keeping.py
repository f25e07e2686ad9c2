"""What every process of a node does beside its work: look at its clock, bring its part of the ledger to the store."""

import asyncio
import logging

from core.bootstrap import System
from core.errors import MemoryEngineError
from jobs.threads import in_thread

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
AGAIN_EVERY = 60
"""Looks between two tries of a store that refuses."""

CLOCK_EVERY = 60


async def keep(system: System) -> None:
    """Until cancelled."""
    own = asyncio.current_task()
    keeper = Keeper(system)
    while own is None or not own.cancelling():
        try:
            await in_thread(keeper.look)
        except MemoryEngineError:
            log.debug("keeping.unavailable")
        except Exception:
            # A process goes on with this whatever one look has met.
            log.exception("keeping.failed")
        await asyncio.sleep(LOOK_EVERY_S)


class Keeper:
    """The looks of one process."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._remembered = -1
        self._rests = 0
        self._looks = 0

    def look(self) -> None:
        """Compare clocks once a minute, publish what the store lacks, and note how long the ledger has become."""
        self._looks = (self._looks + 1) % CLOCK_EVERY
        if not self._looks:
            self._system.guard.look()
        ledger = self._system.outside.ledger
        if self._rests:
            self._rests -= 1
        elif ledger.owed and ledger.publish():
            self._rests = AGAIN_EVERY
        length = ledger.length
        # What the store lacks, another machine would miss and close the node for: it is remembered once it is there.
        if length != self._remembered and not ledger.owed:
            self._system.ledger.remember()
            self._remembered = length
