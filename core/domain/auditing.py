"""What an audit may find, and what of it may be mended without asking anybody."""

from dataclasses import dataclass
from enum import StrEnum


class Wrong(StrEnum):
    """Everything that contradicts a promise."""

    ORPHAN = "orphan"
    MISSING = "missing"
    WRONG_HASH = "wrong hash"
    OVERDUE = "overdue"
    PAST = "past its promise"
    NO_RIGHT = "derivative without right"
    REMAINS = "husk with remains"
    STILL_HELD = "revoked and still held"
    STILL_WHOLE = "narrowed and still whole"
    LEDGER_SHORT = "ledger too short"
    LEDGER_BEHIND = "ledger behind"


LEFT_TO_A_STEWARD = frozenset({Wrong.MISSING, Wrong.WRONG_HASH, Wrong.LEDGER_SHORT})
"""Never mended by itself: what is lost may lie in a backup, and mending would only hide that it is lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that contradicts a promise: of an artifact, of a key of the store, or of the node."""

    kind: Wrong
    subject: str
    detail: str
    artifact_id: int | None = None
    key: str | None = None
