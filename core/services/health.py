"""Whether this process can do its work."""

from dataclasses import dataclass
from datetime import datetime

from core.errors import MemoryEngineError
from core.ports.outside import ByteStore, Clock
from core.ports.work import UnitOfWork

PROBE_KEY = "health/probe"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """State of each component: "ok" or "down"."""

    ok: bool
    components: dict[str, str]
    now: datetime


class Health:
    """The narrow check: database, queue transport, object store."""

    def __init__(self, work: UnitOfWork, store: ByteStore, clock: Clock) -> None:
        self._work = work
        self._store = store
        self._clock = clock

    def check(self) -> Report:
        """Touch each component once."""
        # Jobs run in this process: a process that answers has its queue.
        components = {"database": self._database(), "queue": "ok", "store": self._bytes()}
        return Report(
            ok=all(state == "ok" for state in components.values()), components=components, now=self._clock.now()
        )

    def _database(self) -> str:
        try:
            with self._work.read() as tx:
                tx.steward.state()
        except MemoryEngineError:
            return "down"
        return "ok"

    def _bytes(self) -> str:
        try:
            self._store.size(PROBE_KEY)
        except MemoryEngineError:
            return "down"
        return "ok"
