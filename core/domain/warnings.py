"""The one registry of warnings: what a node's state means for whoever looks after it.

A rule looks at facts and says what stands; it remembers nothing. So a warning is gone in the moment its cause is, and
whatever is warned of anywhere, on a page, in a message or over HTTP, is warned of here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.domain.certificates import Held, Lost
from core.domain.clocks import Clock, Doubt
from core.domain.custody import Closed
from core.domain.device import Device, DeviceFigures, Trouble, troubles
from core.domain.pool.facts import Lane, Mood
from core.domain.steward import SWITCHES, StewardState

SHAPE_LEAST = 12
"""A smaller pool has no shape worth a warning."""


class Level(StrEnum):
    """Critical: a promise, or what the room is for, is broken until somebody acts."""

    WARNING = "warning"
    CRITICAL = "critical"


class Name(StrEnum):
    """Every warning there is, the gravest first among those of one level."""

    DATABASE_DOWN = "database_down"
    STORE_DOWN = "store_down"
    DELETIONS_OVERDUE = "deletions_overdue"
    DELETIONS_REFUSED = "deletions_refused"
    AUDIT_FAILED = "audit_failed"
    NODE_CLOSED = "node_closed"
    CLOCK_DOUBT = "clock_doubt"
    CLOCK_MOVED = "clock_moved"
    CERTIFICATE_LOST = "certificate_lost"
    CERTIFICATE_LATE = "certificate_late"
    CERTIFICATE_ROOT = "certificate_root"
    DISK_RESERVE = "disk_reserve"
    DISK_LOW = "disk_low"
    QUEUE_DOWN = "queue_down"
    WORKER_STALE = "worker_stale"
    SCHEDULER_STALE = "scheduler_stale"
    QUEUE_FILLING = "queue_filling"
    JOBS_FAILED = "jobs_failed"
    WORKER_CLOCK = "worker_clock"
    LEDGER_BEHIND = "ledger_behind"
    BACKUP_FAILED = "backup_failed"
    BACKUP_OLD = "backup_old"
    AUDIT_OLD = "audit_old"
    DEVICE_OFFLINE = "device_offline"
    DEVICE_SILENT = "device_silent"
    DEVICE_BLOCKED = "device_blocked"
    DEVICE_NO_MICROPHONE = "device_no_microphone"
    DEVICE_MICROPHONE_SILENT = "device_microphone_silent"
    DEVICE_SKEWED = "device_skewed"
    DEVICE_OLD_PAGE = "device_old_page"
    TAKES_WAITING = "takes_waiting"
    MAINTENANCE_MODE = "maintenance_mode"
    INTAKE_PAUSED = "intake_paused"
    PLAYBACK_PAUSED = "playback_paused"
    QUIETER_MODE = "quieter_mode"
    POOL_EMPTY = "pool_empty"
    POOL_LOW = "pool_low"
    LANE_DOMINATES = "lane_dominates"
    LANE_MISSING = "lane_missing"
    MOOD_DOMINATES = "mood_dominates"
    MOOD_MISSING = "mood_missing"


SHOWN_ONLY = frozenset({Name.LANE_DOMINATES, Name.LANE_MISSING, Name.MOOD_DOMINATES, Name.MOOD_MISSING})
"""Shown to whoever looks, and sent to nobody: a pool takes these shapes by itself and leaves them again."""

PATIENT = frozenset(Name(name) for name in SWITCHES)
"""What a steward has turned on is sent only once it may have been forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeWarning:
    """One thing that stands. `subject` tells several of one name apart; `params` fill the text."""

    name: Name
    level: Level
    subject: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[bool, int, str]:
        """Sorts the gravest first; no two that stand have the same."""
        return self.level is not Level.CRITICAL, _ORDER[self.name], self.subject


_ORDER = {name: place for place, name in enumerate(Name)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process that gave a sign of life."""

    name: str
    role: str
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeFacts:
    """Everything rules look at. What is left out is well: without its database a node knows little else of itself.

    `waiting_jobs` is None where the queue does not answer, `processes` where nobody could be asked. `lanes` and `moods`
    count the `playable`; `clock_moved_s` is this machine's clock against its own steady one, `up_s` how long whoever
    looks has been running. `began_at` is the node's first start; `audited_at` and `audit_findings` are those of the
    last audit that came to its end, `verified_at` that of the newest backup that was read back; `owed` counts the
    entries of the ledger that the store lacks, the oldest of them written at `owed_since`. `certificates` is None where
    the node does not serve HTTPS itself.
    """

    now: datetime
    database: bool = True
    store: bool = True
    waiting_jobs: int | None = 0
    processes: tuple[Process, ...] | None = None
    failed_jobs: int = 0
    free_bytes: int | None = None
    total_bytes: int = 0
    reserve_bytes: int = 0
    playable: int | None = None
    lanes: Mapping[Lane, int] = field(default_factory=dict)
    moods: Mapping[Mood, int] = field(default_factory=dict)
    deletions_failing: int = 0
    oldest_deletion_at: datetime | None = None
    doubt: Doubt | None = None
    clock_moved_s: float = 0.0
    up_s: float = float("inf")
    devices: tuple[Device, ...] = ()
    steward: StewardState | None = None
    takes_waiting: int = 0
    began_at: datetime | None = None
    audited_at: datetime | None = None
    audit_findings: int = 0
    backup_failed: bool = False
    verified_at: datetime | None = None
    owed: int = 0
    owed_since: datetime | None = None
    certificates: Held | None = None

    @property
    def certain(self) -> datetime:
        """What has passed for certain: `now`, unless the clock is in doubt."""
        return self.now if self.doubt is None else min(self.doubt.system_now, self.doubt.believed_now)


@dataclass(frozen=True, kw_only=True, slots=True)
class WarningFigures:
    """The thresholds; `page_version` is the one an open page should have. `backup_old_s` is 0 without a schedule."""

    stale_s: float
    queue_warning: int
    queue_critical: int
    disk_warning_bytes: float
    disk_warning_share: float
    disk_critical_bytes: float
    disk_critical_share: float
    pool_low: int
    dominant_share: float
    overdue_s: float
    skew_s: float
    audit_old_s: float
    backup_old_s: float
    ledger_behind_s: float
    devices: DeviceFigures
    page_version: str


Found = Iterator[NodeWarning]
Rule = Callable[[NodeFacts, WarningFigures], Found]


def standing(facts: NodeFacts, figures: WarningFigures) -> list[NodeWarning]:
    """What stands, the gravest first."""
    return sorted((found for rule in RULES for found in rule(facts, figures)), key=lambda found: found.order)


def _answers(facts: NodeFacts, _figures: WarningFigures) -> Found:
    if not facts.database:
        yield NodeWarning(name=Name.DATABASE_DOWN, level=Level.CRITICAL)
    if not facts.store:
        yield NodeWarning(name=Name.STORE_DOWN, level=Level.CRITICAL)
    if facts.waiting_jobs is None:
        yield NodeWarning(name=Name.QUEUE_DOWN, level=Level.CRITICAL)


_STALE = {"worker": Name.WORKER_STALE, "scheduler": Name.SCHEDULER_STALE}


def clock_of(facts: NodeFacts, figures: WarningFigures) -> Clock:
    """The clock of this machine."""
    return Clock(now=facts.now, moved_s=facts.clock_moved_s, skew_s=figures.skew_s)


def roles_alive(facts: NodeFacts, figures: WarningFigures) -> set[str]:
    """Roles of which at least one process was heard of lately."""
    clock = clock_of(facts, figures)
    return {process.role for process in facts.processes or () if clock.heard(process.seen_at, figures.stale_s)}


def _stale(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.processes is None:
        return
    alive = roles_alive(facts, figures)
    for role, name in _STALE.items():
        if role not in alive:
            yield NodeWarning(name=name, level=Level.CRITICAL)


def _queue(facts: NodeFacts, figures: WarningFigures) -> Found:
    waiting = facts.waiting_jobs or 0
    if waiting >= figures.queue_warning:
        level = Level.CRITICAL if waiting >= figures.queue_critical else Level.WARNING
        yield NodeWarning(name=Name.QUEUE_FILLING, level=level, params={"count": waiting})


def _jobs(facts: NodeFacts, _figures: WarningFigures) -> Found:
    if facts.failed_jobs:
        yield NodeWarning(name=Name.JOBS_FAILED, level=Level.WARNING, params={"count": facts.failed_jobs})


def disk_level(facts: NodeFacts, figures: WarningFigures) -> Level | None:
    """How little is left of the disk; None where enough is."""
    if facts.free_bytes is None:
        return None
    share = facts.free_bytes / max(1, facts.total_bytes)
    if facts.free_bytes < figures.disk_critical_bytes or share < figures.disk_critical_share:
        return Level.CRITICAL
    if facts.free_bytes < figures.disk_warning_bytes or share < figures.disk_warning_share:
        return Level.WARNING
    return None


def reserve_reached(facts: NodeFacts) -> bool:
    """Whether intake has stopped for the sake of playing and taking back."""
    return facts.free_bytes is not None and facts.free_bytes <= facts.reserve_bytes


def _disk(facts: NodeFacts, figures: WarningFigures) -> Found:
    level = disk_level(facts, figures)
    params = {"free_bytes": facts.free_bytes}
    if reserve_reached(facts):
        yield NodeWarning(name=Name.DISK_RESERVE, level=Level.CRITICAL, params=params)
    elif level is not None:
        yield NodeWarning(name=Name.DISK_LOW, level=level, params=params)


def _deletions(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.deletions_failing:
        params = {"count": facts.deletions_failing}
        yield NodeWarning(name=Name.DELETIONS_REFUSED, level=Level.WARNING, params=params)
    oldest = facts.oldest_deletion_at
    if oldest is not None and facts.certain - oldest > timedelta(seconds=figures.overdue_s):
        yield NodeWarning(name=Name.DELETIONS_OVERDUE, level=Level.CRITICAL, params={"since": oldest})


def _audits(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.audit_findings:
        params = {"count": facts.audit_findings}
        yield NodeWarning(name=Name.AUDIT_FAILED, level=Level.CRITICAL, params=params)
    if _older(facts.audited_at or facts.began_at, facts.certain, figures.audit_old_s):
        yield NodeWarning(name=Name.AUDIT_OLD, level=Level.WARNING)


def _backups(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.backup_failed:
        yield NodeWarning(name=Name.BACKUP_FAILED, level=Level.WARNING)
    if figures.backup_old_s and _older(facts.verified_at or facts.began_at, facts.certain, figures.backup_old_s):
        yield NodeWarning(name=Name.BACKUP_OLD, level=Level.WARNING)


def _ledger(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.owed and _older(facts.owed_since, facts.certain, figures.ledger_behind_s):
        yield NodeWarning(name=Name.LEDGER_BEHIND, level=Level.WARNING, params={"count": facts.owed})


def _older(at: datetime | None, now: datetime, than_s: float) -> bool:
    return at is not None and (now - at).total_seconds() > than_s


def _clocks(facts: NodeFacts, figures: WarningFigures) -> Found:
    clock = clock_of(facts, figures)
    if facts.doubt is not None:
        # Says the same of the same clock, and more.
        both = {"system_now": facts.doubt.system_now, "believed_now": facts.doubt.believed_now}
        yield NodeWarning(name=Name.CLOCK_DOUBT, level=Level.CRITICAL, params=both)
    elif clock.moved:
        params = {"seconds": facts.clock_moved_s}
        yield NodeWarning(name=Name.CLOCK_MOVED, level=Level.CRITICAL, params=params)
    # Only a clock that runs ahead can be told from a process that has been silent.
    for process in facts.processes or ():
        ahead_s = clock.ahead_s(process.seen_at)
        if ahead_s > figures.skew_s:
            yield NodeWarning(
                name=Name.WORKER_CLOCK,
                level=Level.WARNING,
                subject=process.name,
                params={"name": process.name, "seconds": ahead_s},
            )


def _certificates(facts: NodeFacts, _figures: WarningFigures) -> Found:
    held, now = facts.certificates, facts.certain
    if held is None:
        return
    if held.lost is not None:
        # Without a root nothing can be renewed, and the next start is refused.
        level = Level.CRITICAL if held.lost is Lost.ROOT else Level.WARNING
        yield NodeWarning(name=Name.CERTIFICATE_LOST, level=level, params={"reason": held.lost.value})
    if held.leaf is not None and held.late(now):
        yield _ends(Name.CERTIFICATE_LATE, held.leaf.ends, now)
    if held.root is not None and held.root_ending(now):
        yield _ends(Name.CERTIFICATE_ROOT, held.root.ends, now)


def _ends(name: Name, at: datetime, now: datetime) -> NodeWarning:
    """Once it has ended no browser takes it."""
    level = Level.CRITICAL if at <= now else Level.WARNING
    return NodeWarning(name=name, level=level, params={"ends_day": at})


_CRITICAL_TROUBLES = {Trouble.SILENT, Trouble.BLOCKED, Trouble.NO_MICROPHONE}


def _devices(facts: NodeFacts, figures: WarningFigures) -> Found:
    # After a night without power every page is gone until it has had the time to come back.
    missed, clock = facts.up_s > figures.devices.offline_s, clock_of(facts, figures)
    for device in facts.devices:
        params = {"name": device.name or device.id}
        if missed and device.closed_at is None and not clock.heard(device.contact_at, figures.devices.offline_s):
            yield NodeWarning(name=Name.DEVICE_OFFLINE, level=Level.WARNING, subject=device.id, params=params)
        for trouble in troubles(device, facts.now, figures.devices, page_version=figures.page_version):
            level = Level.CRITICAL if trouble in _CRITICAL_TROUBLES else Level.WARNING
            yield NodeWarning(name=Name(f"device_{trouble.value}"), level=level, subject=device.id, params=params)


def _closed(facts: NodeFacts, _figures: WarningFigures) -> Found:
    closed = facts.steward.closed if facts.steward is not None else Closed.OPEN
    if closed is not Closed.OPEN:
        # An exhibition that was closed is as it should be; a node that does not know what was taken back is not.
        level = Level.WARNING if closed is Closed.EXHIBITION else Level.CRITICAL
        yield NodeWarning(name=Name.NODE_CLOSED, level=level, params={"reason": closed.value})


def _switches(facts: NodeFacts, _figures: WarningFigures) -> Found:
    if facts.steward is None:
        return
    state = facts.steward.at(facts.now)
    for name in SWITCHES:
        if getattr(state, name):
            params = {"until": getattr(state, f"{name}_until")}
            yield NodeWarning(name=Name(name), level=Level.WARNING, params=params)


def _waiting(facts: NodeFacts, _figures: WarningFigures) -> Found:
    if facts.takes_waiting:
        yield NodeWarning(name=Name.TAKES_WAITING, level=Level.WARNING, params={"count": facts.takes_waiting})


def _pool(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.playable is None or facts.playable > figures.pool_low:
        return
    name = Name.POOL_LOW if facts.playable else Name.POOL_EMPTY
    yield NodeWarning(name=name, level=Level.WARNING, params={"count": facts.playable})


def _shape(facts: NodeFacts, figures: WarningFigures) -> Found:
    if facts.playable is None or facts.playable < SHAPE_LEAST:
        return
    lanes = {lane.value: facts.lanes.get(lane, 0) for lane in Lane}
    moods = {mood.value: facts.moods.get(mood, 0) for mood in Mood}
    kinds = ((lanes, Name.LANE_MISSING, Name.LANE_DOMINATES), (moods, Name.MOOD_MISSING, Name.MOOD_DOMINATES))
    for counts, missing, dominates in kinds:
        gone = [name for name, count in counts.items() if count == 0]
        if gone:
            yield NodeWarning(name=missing, level=Level.WARNING, params={"names": ", ".join(gone)})
        most = max(counts, key=lambda name: counts[name])
        share = counts[most] / facts.playable
        if share >= figures.dominant_share:
            params = {"names": most, "percent": round(share * 100)}
            yield NodeWarning(name=dominates, level=Level.WARNING, params=params)


RULES: tuple[Rule, ...] = (
    _answers,
    _stale,
    _queue,
    _jobs,
    _disk,
    _deletions,
    _closed,
    _audits,
    _backups,
    _ledger,
    _clocks,
    _certificates,
    _devices,
    _switches,
    _waiting,
    _pool,
    _shape,
)
"""Every rule; each yields a name and subject at most once."""
