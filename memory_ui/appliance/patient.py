"""A node as the doctor sees it, and what every check asks of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from core.adapters.sql.schema import Standing
from core.bootstrap.looking import Onlooker
from core.domain.warnings import NodeWarning
from core.errors import MemoryEngineError
from core.ports.work import QueueDepth
from core.services.snapshot import Kept, Snapshot
from core.services.watch import InWords
from core.settings import Settings
from memory_ui.appliance.asking import Answers
from memory_ui.appliance.findings import Finding, passed, warned
from memory_ui.appliance.machine import DATA
from memory_ui.appliance.told import told
from memory_ui.appliance.web import Fetch, served_at

DATABASE = "database"
NEVER = "never yet"
IDLE = QueueDepth(waiting=0, running=0, oldest_waiting_s=0.0)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What the doctor looks at. `onlooker` is None without a folder to read; `queue` is None where it does not answer.

    `shared_secret` is the one stewards sign in with, empty where there is none.
    """

    settings: Settings
    answers: Answers
    onlooker: Onlooker | None
    queue: QueueDepth | None
    in_words: InWords
    version: str
    warnings: list[str] = field(default_factory=list)
    shared_secret: str = ""
    chromium: str = ""
    inodes: Callable[[], tuple[int, int]] | None = None
    fetch: Fetch = served_at

    @cached_property
    def snapshot(self) -> Snapshot | None:
        """One look for all checks; None without a data folder or with a schema this version cannot read."""
        if self.onlooker is None or self.schema_unread:
            return None
        return self.onlooker.snapshot(IDLE if self.queue_asleep else self.queue)

    @property
    def queue_asleep(self) -> bool:
        """Whether there is no queue because the node it lives in is not running."""
        return self.queue is None and not self.settings.DATABASE_URL and not self.answers.live

    @cached_property
    def schema_unread(self) -> bool:
        """Whether the database has a schema that lacks what this version reads."""
        try:
            return self.onlooker is not None and self.onlooker.schema().standing is Standing.BEHIND
        except MemoryEngineError:
            return False

    @property
    def kept(self) -> Kept | None:
        """What the database knew, None where it could not be asked."""
        return self.snapshot.kept if self.snapshot is not None else None

    @cached_property
    def standing(self) -> list[NodeWarning]:
        """What stands by the registry of warnings."""
        if self.onlooker is None or self.snapshot is None:
            return []
        return self.onlooker.warnings(self.snapshot)

    @property
    def now(self) -> datetime:
        """By the clock it is looked at through."""
        return self.onlooker.around.clock.now() if self.onlooker is not None else datetime.now().astimezone()

    def told(self, what: str) -> list[Finding]:
        """The warnings that belong to a check."""
        return told(what, self.standing, self.in_words)

    def last(self, which: str) -> str:
        """When the last of one kind of care ended, in words; `NEVER` where there is none, or nobody could be asked."""
        report = getattr(self.kept.care, which) if self.kept is not None else None
        at: datetime | None = report.ended_at if report is not None else None
        if at is None:
            return NEVER
        hours = (self.now - at).total_seconds() / 3600
        return f"{at.astimezone():%Y-%m-%d %H:%M} ({hours:.0f} hours ago)"


def by_registry(patient: Patient, what: str, well: str) -> Iterator[Finding]:
    """What the registry of warnings tells; that it is well only where the node could be asked."""
    if patient.kept is None and not patient.told(what):
        yield from unknown(patient, what)
        return
    yield from patient.told(what) or [passed(what, well)]


def unknown(patient: Patient, what: str) -> Iterator[Finding]:
    """That nothing can be said of a check, and which line says why."""
    if patient.onlooker is None:
        yield warned(what, "not known: there is no data folder to look into", f"See the line “{DATA}”.")
    else:
        yield warned(what, "not known: the database could not be asked", f"See the line “{DATABASE}”.")
