"""One look at a node: everything that status, samples and warnings are made of, read in one transaction."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.domain.certificates import Held
from core.domain.custody import Care, CareStanding, CareState
from core.domain.pool.facts import Lane, Mood
from core.domain.pool.lanes import LaneFigures, lane, mood
from core.domain.steward import StewardState
from core.domain.warnings import NodeFacts, Process, WarningFigures
from core.errors import MemoryEngineError
from core.ports.custody import Ledger
from core.ports.outside import ByteStore, ClockDrift, Disk, NodeClock
from core.ports.stewarding import RetentionCounts, Sample, Standing
from core.ports.work import QueueDepth, Transaction, UnitOfWork
from core.services.care import read_standing
from core.services.stewardship import plain

EXACT_TO = 5_000
"""So many playable takes are counted whenever somebody looks; more are counted now and then, as a sample."""

HEARD_WITHIN = timedelta(days=1)
"""Processes last heard of so long ago are looked at: one whose clock is late, or ours ahead, may be alive."""

DRY = "dry"
"""How takes without a memory colour are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotFigures:
    """What is counted as what, and how far back something still counts."""

    lanes: LaneFigures
    colours: tuple[str, ...]
    failure_recent_s: float
    soon_h: float
    warnings: WarningFigures


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Artifacts as counted at one moment; of the playable also by lane, mood and memory colour."""

    at: datetime
    active: int
    expired: int
    revoked: int
    waiting: int
    playable: int
    lanes: dict[str, int]
    moods: dict[str, int]
    colours: dict[str, int]
    retention: RetentionCounts

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, without the moment."""
        said = asdict(self)
        del said["at"]
        said["retention"] = {name: plain(value) for name, value in said["retention"].items()}
        return said

    @classmethod
    def from_sample(cls, sample: Sample) -> "Counted":
        """The counts a sample holds among others."""
        said = {name: sample.counts[name] for name in cls.__dataclass_fields__ if name != "at"}
        kept = said.pop("retention")
        times = {name: _time(kept[name]) for name in ("next_raw_expiry_at", "next_fossil_expiry_at")}
        return cls(at=sample.at, retention=RetentionCounts(**{**kept, **times}), **said)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What the database knew."""

    counted: Counted
    state: StewardState
    standing: list[Standing]
    care: CareStanding


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Facts for the rules, and what was read; `kept` is None where the database does not answer."""

    facts: NodeFacts
    kept: Kept | None


class Snapshots:
    """Takes them. Cheap enough for every open page: one transaction, and no count beyond `EXACT_TO` takes."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        clock: NodeClock,
        disk: Disk,
        drift: ClockDrift,
        ledger: Ledger,
        *,
        reserve_bytes: Callable[[], int],
        certificates: Callable[[], Held | None],
        figures: SnapshotFigures,
    ) -> None:
        self._work = work
        self._store = store
        self._clock = clock
        self._disk = disk
        self._drift = drift
        self._ledger = ledger
        self._reserve_bytes = reserve_bytes
        self._certificates = certificates
        self.figures = figures

    def take(self, queue: QueueDepth | None) -> Snapshot:
        """The node now; `queue` is None where it does not answer. Never raises: what is away is a fact."""
        facts = NodeFacts(
            # Read together: between the two the clock may be moved.
            now=self._clock.now(),
            doubt=self._clock.doubt(),
            clock_moved_s=self._drift.moved_s(),
            store=self._store_answers(),
            waiting_jobs=queue.waiting if queue is not None else None,
            free_bytes=self._disk.free_bytes(),
            total_bytes=self._disk.total_bytes(),
            reserve_bytes=self._reserve_bytes(),
            up_s=self._drift.up_s(),
            owed=self._ledger.owed,
            owed_since=self._ledger.owed_since,
            certificates=self._certificates(),
        )
        try:
            with self._work.read() as tx:
                return self._read(tx, facts)
        except MemoryEngineError:
            return Snapshot(facts=replace(facts, database=False), kept=None)

    def count(self, tx: Transaction, now: datetime) -> Counted:
        """Count everything, however much that is."""
        totals, figures = tx.archive.totals(now), self.figures
        lanes: Counter[str] = Counter()
        moods: Counter[str] = Counter()
        colours = Counter(dict.fromkeys((*figures.colours, DRY), 0))
        for alike in tx.archive.alike(now, figures.lanes):
            lanes[lane(alike.facts, now, figures.lanes)] += alike.count
            moods[mood(alike.facts, now, figures.lanes)] += alike.count
            colours[alike.effect or DRY] += alike.count
        return Counted(
            at=now,
            active=totals.active,
            expired=totals.expired,
            revoked=totals.revoked,
            waiting=totals.waiting,
            playable=lanes.total(),
            lanes=_by(Lane, lanes),
            moods=_by(Mood, moods),
            colours=dict(colours),
            retention=tx.archive.retention(now, soon=now + timedelta(hours=figures.soon_h)),
        )

    def _count_or_recall(self, tx: Transaction, now: datetime) -> Counted:
        if tx.artifacts.count_playable(now, most=EXACT_TO) <= EXACT_TO:
            return self.count(tx, now)
        sample = tx.samples.last()
        return Counted.from_sample(sample) if sample is not None else self.count(tx, now)

    def _read(self, tx: Transaction, facts: NodeFacts) -> Snapshot:
        now = facts.now
        counted = self._count_or_recall(tx, now)
        state = tx.steward.state().at(now)
        deletions = tx.tombstones.counts(facts.certain)
        heard = tx.presences.since(now - HEARD_WITHIN)
        failures = tx.job_runs.failures(now - timedelta(seconds=self.figures.failure_recent_s))
        care, node = read_standing(tx, now), tx.nodes.read()
        read = replace(
            facts,
            processes=tuple(Process(name=one.name, role=one.role, seen_at=one.seen_at) for one in heard),
            failed_jobs=len(failures),
            playable=counted.playable,
            lanes={Lane(name): count for name, count in counted.lanes.items()},
            moods={Mood(name): count for name, count in counted.moods.items()},
            deletions_failing=deletions.failing,
            oldest_deletion_at=deletions.oldest_due_at,
            devices=tuple(tx.devices.all()),
            steward=state,
            takes_waiting=counted.waiting,
            began_at=node.created_at if node is not None else None,
            audited_at=care.audited.ended_at if care.audited is not None else None,
            audit_findings=int(care.audited.summary.get("findings", 0)) if care.audited is not None else 0,
            backup_failed=any(
                care.last[kind].state is CareState.FAILED for kind in (Care.BACKUP, Care.VERIFY) if kind in care.last
            ),
            verified_at=care.verified.ended_at if care.verified is not None else None,
        )
        return Snapshot(facts=read, kept=Kept(counted=counted, state=state, standing=tx.warnings.all(), care=care))

    def _store_answers(self) -> bool:
        try:
            self._store.check()
        except MemoryEngineError:
            return False
        return True


def _by(kinds: type[Lane] | type[Mood], counts: Counter[Any]) -> dict[str, int]:
    return {kind.value: counts[kind] for kind in kinds}


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value is not None else None
