"""What the promise rests on outside its artifacts: the ledger, the node's own row, reports, synchronised time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from core.domain.custody import Care, CareState, Closed, Early, Entry, NodeRecord, Report


class Ledger(Protocol):
    """Rights that ended early, kept outside the database. It only grows; what it names never comes back."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep durably, now: called before the transaction that ends the right commits. Raises `Unavailable`."""

    def publish(self) -> int:
        """Put one object in the store for each entry it lacks; how many it still lacks. Never raises."""

    def entries(self) -> list[Entry]:
        """The union of what is kept here and in the store. Raises `Unavailable` where the store does not answer."""

    def keep_here(self) -> None:
        """Write here what only the store has. Raises `OSError`."""

    @property
    def length(self) -> int:
        """How many entries are known to this process."""

    @property
    def owed(self) -> int:
        """How many of them the store does not have yet, as far as this process knows."""

    @property
    def owed_since(self) -> datetime | None:
        """When the oldest of those was written; None where none is owed."""

    @property
    def lacking(self) -> int:
        """How many only the store has."""


class TimeSource(Protocol):
    """Whether this machine's clock is kept right from outside."""

    def synchronised(self) -> bool:
        """Whether the system says so."""


class Nodes(Protocol):
    """The node's own row."""

    def read(self) -> NodeRecord | None: ...
    def create(self, record: NodeRecord) -> None: ...
    def mark_clock(self, at: datetime, *, unless_not: datetime | None) -> bool: ...
    def remember_ledger(self, length: int) -> None: ...
    def set_ledger_length(self, length: int) -> None: ...
    def close(self, reason: Closed) -> None: ...


class Reports(Protocol):
    """Long work, running and done."""

    def begin(self, kind: Care, actor: str, now: datetime, *, unless_since: datetime) -> int | None: ...
    def progress(self, report_id: int, done: int, total: int, now: datetime) -> None: ...
    def end(self, report_id: int, state: CareState, now: datetime, summary: dict[str, Any]) -> None: ...
    def last(self, kind: Care, *, state: CareState | None = None) -> Report | None: ...
    def recent(self, kind: Care, *, limit: int) -> list[Report]: ...
    def running(self, since: datetime, until: datetime) -> list[Report]: ...
    def prune(self, before: datetime) -> int: ...


class Endings(Protocol):
    """What a transaction says to the ledger; it is written down before the commit."""

    def __call__(self, kind: Early, public_id: str, at: datetime) -> None: ...
