"""What outlives a database: rights that ended early, why a node is closed, and what was looked at and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

LEDGER_PREFIX = "ledger/"
"""Where the store keeps the ledger: keys below it are no sounds, and no sweep or audit takes them for orphans."""

PROBE_KEY, PROBE_MOST_BYTES = "probe", 100
"""Where a store is tried. What lies there and is no larger is no sound either; anything larger is an orphan."""


def may_sound(key: str) -> bool:
    """Whether a key of the store could be one of a take's: neither the ledger's nor the one a store is tried with."""
    return key != PROBE_KEY and not key.startswith(LEDGER_PREFIX)


class Early(StrEnum):
    """Why a right ended before its hour. NARROW ends what a fossil leaves, and nothing else."""

    REVOKE = "revoke"
    NARROW = "narrow"
    REMOVE = "remove"
    ONCE = "once"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the revocation ledger; `subject` is a keyed hash of the artifact's public id, and names nobody."""

    kind: Early
    subject: str
    at: datetime


class Closed(StrEnum):
    """Why a node is closed until a steward decides; empty while it is open."""

    OPEN = ""
    LEDGER_SHORT = "ledger_short"
    LEDGER_UNKNOWN = "ledger_unknown"
    EXHIBITION = "exhibition"


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeRecord:
    """The one row about the node itself. `clock_mark` is the last time it believed; `ledger_length` how many entries
    the ledger has had at least."""

    public_id: str
    created_at: datetime
    clock_mark: datetime | None
    ledger_id: str
    ledger_length: int
    closed: Closed


class Care(StrEnum):
    """Long work done for the sake of the promise, each with a report."""

    AUDIT = "audit"
    BACKUP = "backup"
    VERIFY = "verify"
    EXPORT = "export"
    RESTORE = "restore"
    CLOSING = "closing"


class CareState(StrEnum):
    """How it stands."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One piece of such work. `done` of `total` steps while it runs; `seen_at` its last sign of life; `summary` is
    plain JSON without a word that was said or a code."""

    id: int
    kind: Care
    state: CareState
    actor: str
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    done: int
    total: int
    summary: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class CareStanding:
    """How such work stands: what is under way, the last of each kind that is over, the last audit that came to its end,
    and the newest backup that was read back and found whole."""

    running: tuple[Report, ...]
    last: Mapping[Care, Report]
    audited: Report | None
    verified: Report | None


def last_audited(newest_first: Iterable[Report]) -> Report | None:
    """The last audit that came to its end: one that was broken off says nothing about the node."""
    return next((report for report in newest_first if "error" not in report.summary), None)


def last_verified(backups: Iterable[Report], verifications: Iterable[Report]) -> Report | None:
    """The newest backup that was read back, when it was made or since; both are given the newest first."""
    whole = {report.summary.get("path") for report in verifications if report.state is CareState.OK}
    return next(
        (
            report
            for report in backups
            if report.state is CareState.OK and (report.summary.get("verified") or report.summary.get("path") in whole)
        ),
        None,
    )
