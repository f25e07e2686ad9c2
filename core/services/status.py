"""How the node is: for the ledger, for machines, and over time for the charts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.custody import CareStanding
from core.domain.steward import StewardState
from core.domain.warnings import NodeFacts, disk_level, reserve_reached
from core.errors import Unavailable
from core.ports.outside import Budgets, Clock, Throttle
from core.ports.stewarding import Sample
from core.ports.work import QueueDepth, UnitOfWork
from core.services.health import components
from core.services.snapshot import Counted, Snapshots
from core.services.watch import Raised, raised

OK = "ok"
RESERVE = "reserve"


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """The disk; `level` is ok, warning, critical, or reserve where nothing is taken in any more."""

    free_bytes: int
    total_bytes: int
    reserve_bytes: int
    level: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """Everything there is to know at a glance. `counted.at` may lie before `now`: large archives are sampled."""

    ok: bool
    deployment: str
    components: dict[str, str]
    state: StewardState
    counted: Counted
    storage: Storage
    throttles: dict[str, Throttle]
    warnings: list[Raised]
    care: CareStanding
    now: datetime


class StatusService:
    """Reads status, keeps samples."""

    def __init__(
        self,
        work: UnitOfWork,
        snapshots: Snapshots,
        budgets: Budgets,
        clock: Clock,
        *,
        deployment: str,
        sample_every_s: float,
    ) -> None:
        self._work = work
        self._snapshots = snapshots
        self._budgets = budgets
        self._clock = clock
        self._deployment = deployment
        self._sample_every_s = sample_every_s

    def status(self, queue: QueueDepth | None) -> Status:
        """The node now; `queue` is None where it does not answer. Raises `Unavailable` without the database."""
        snapshot = self._snapshots.take(queue)
        facts, kept = snapshot.facts, snapshot.kept
        if kept is None:
            raise Unavailable("The memory of this room does not answer right now. Please try again.")
        states = components(facts, self._snapshots.figures.warnings)
        return Status(
            ok=all(state == OK for state in states.values()),
            deployment=self._deployment,
            components=states,
            state=kept.state,
            counted=kept.counted,
            storage=self._storage(facts),
            throttles=self._budgets.throttles(),
            warnings=raised(snapshot, self._snapshots.figures.warnings),
            care=kept.care,
            now=facts.now,
        )

    def sample(self) -> None:
        """Count everything once, and what was heard since the last time; for charts, and for what is too large to
        count whenever somebody looks.
        """
        now = self._clock.now()
        snapshots, every = self._snapshots, timedelta(seconds=self._sample_every_s)
        with self._work.read() as tx:
            counted = snapshots.count(tx, now)
            last = tx.samples.last()
            since = last.at if last is not None and now - 2 * every <= last.at <= now else now - every
            plays = tx.events.count(since, now)
            deletions = tx.tombstones.counts(now)
        counts = {**counted.to_json(), "plays": plays, "deletions_due": deletions.due}
        with self._work.write() as tx:
            tx.samples.add(Sample(at=now, counts=counts))

    def samples(self, since: datetime) -> list[Sample]:
        """Samples since then, oldest first."""
        with self._work.read() as tx:
            return tx.samples.since(since)

    def _storage(self, facts: NodeFacts) -> Storage:
        level = disk_level(facts, self._snapshots.figures.warnings)
        return Storage(
            free_bytes=facts.free_bytes or 0,
            total_bytes=facts.total_bytes,
            reserve_bytes=facts.reserve_bytes,
            level=RESERVE if reserve_reached(facts) else level.value if level is not None else OK,
        )
