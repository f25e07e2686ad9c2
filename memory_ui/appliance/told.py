"""What the registry of warnings tells, sorted by the doctor's checks: it is asked, never second-guessed."""

from collections.abc import Iterable, Mapping

from core.domain.warnings import Level as Gravity
from core.domain.warnings import Name, NodeWarning
from core.services.watch import InWords
from memory_ui.appliance.findings import Finding, Level

WHOSE: Mapping[str, frozenset[Name]] = {
    "database": frozenset({Name.DATABASE_DOWN}),
    "store": frozenset({Name.STORE_DOWN, Name.DELETIONS_OVERDUE, Name.DELETIONS_REFUSED}),
    "queue": frozenset({Name.QUEUE_DOWN, Name.QUEUE_FILLING, Name.JOBS_FAILED}),
    "worker": frozenset({Name.WORKER_STALE, Name.WORKER_CLOCK}),
    "scheduler": frozenset({Name.SCHEDULER_STALE}),
    "disk": frozenset({Name.DISK_RESERVE, Name.DISK_LOW}),
    "clock": frozenset({Name.CLOCK_DOUBT, Name.CLOCK_MOVED}),
    "certificate": frozenset({Name.CERTIFICATE_LOST, Name.CERTIFICATE_LATE, Name.CERTIFICATE_ROOT}),
    "ledger": frozenset({Name.NODE_CLOSED, Name.LEDGER_BEHIND}),
    "audit": frozenset({Name.AUDIT_FAILED, Name.AUDIT_OLD}),
    "backup": frozenset({Name.BACKUP_FAILED, Name.BACKUP_OLD}),
    "screens": frozenset(name for name in Name if name.value.startswith("device_")),
}
"""Which check tells of which warning; what stands in none of them is told of the room."""

ROOM = "room"
_LEVELS = {Gravity.WARNING: Level.WARN, Gravity.CRITICAL: Level.FAIL}


def told(what: str, standing: Iterable[NodeWarning], in_words: InWords) -> list[Finding]:
    """The warnings that belong to a check, in the words stewards read them in."""
    found = []
    for warning in standing:
        if check_of(warning.name) == what:
            words = in_words(warning)
            found.append(Finding(level=_LEVELS[warning.level], what=what, detail=words.title, remedy=words.detail))
    return found


def check_of(name: Name) -> str:
    """The check that tells of a warning."""
    return next((what for what, names in WHOSE.items() if name in names), ROOM)
