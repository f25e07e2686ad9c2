"""Whether a process can do its work, and whether the node's background work goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.warnings import NodeFacts, WarningFigures, roles_alive
from core.errors import MemoryEngineError
from core.ports.outside import ByteStore, Clock
from core.ports.work import JobFailure, QueueDepth, UnitOfWork

ROLES = ("worker", "scheduler")


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthFigures:
    """Thresholds of readiness, in jobs and seconds."""

    stale_s: float
    failure_recent_s: float
    queue_critical: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """State of each component: "ok" or what is wrong in a word or two."""

    ok: bool
    components: dict[str, str]
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """The wider report: components, last heartbeats by role, the queue (None where it does not answer), failures."""

    ok: bool
    components: dict[str, str]
    heartbeats: dict[str, datetime]
    queue: QueueDepth | None
    failures: list[JobFailure]
    now: datetime


def components(facts: NodeFacts, figures: WarningFigures) -> dict[str, str]:
    """The same components as `Health.readiness` tells, from facts that were read already."""
    alive = roles_alive(facts, figures)
    waiting = facts.waiting_jobs
    full = waiting is not None and waiting >= figures.queue_critical
    return {
        "database": "ok" if facts.database else "down",
        "queue": "down" if waiting is None else "full" if full else "ok",
        "store": "ok" if facts.store else "down",
        **{role: "ok" if role in alive else "stale" for role in ROLES},
        "jobs": "failing" if facts.failed_jobs else "ok",
    }


class Health:
    """The narrow check of this process, and the wide one of the node."""

    def __init__(self, work: UnitOfWork, store: ByteStore, clock: Clock, *, figures: HealthFigures) -> None:
        self._work = work
        self._store = store
        self._clock = clock
        self._figures = figures

    def check(self, queue: QueueDepth | None) -> Report:
        """Touch database, queue transport and object store once. `queue` is None where it does not answer."""
        components = {
            "database": self._database(),
            "queue": "ok" if queue is not None else "down",
            "store": self._bytes(),
        }
        ok = all(state == "ok" for state in components.values())
        return Report(ok=ok, components=components, now=self._clock.now())

    def readiness(self, queue: QueueDepth | None) -> Readiness:
        """The narrow check, heartbeats, queue depth and recent failures."""
        narrow = self.check(queue)
        now = narrow.now
        heartbeats: dict[str, datetime] = {}
        failures: list[JobFailure] = []
        if narrow.components["database"] == "ok":
            with self._work.read() as tx:
                for presence in tx.presences.since(now - timedelta(seconds=self._figures.stale_s)):
                    heartbeats.setdefault(presence.role, presence.seen_at)
                failures = tx.job_runs.failures(now - timedelta(seconds=self._figures.failure_recent_s))
        components = dict(narrow.components)
        for role in ROLES:
            components[role] = "ok" if role in heartbeats else "stale"
        if queue is not None and queue.waiting >= self._figures.queue_critical:
            components["queue"] = "full"
        components["jobs"] = "ok" if not failures else "failing"
        return Readiness(
            ok=all(state == "ok" for state in components.values()),
            components=components,
            heartbeats=heartbeats,
            queue=queue,
            failures=failures,
            now=now,
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
            self._store.check()
        except MemoryEngineError:
            return "down"
        return "ok"
