"""Where a room's choices are kept for a while, with their reasons."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.room.program import Noted


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One program: the take chosen first, why, and what it was composed from.

    `why` is plain JSON; `id` is 0 before it is kept. Neither `why` nor `noted` holds a word anybody left with a take:
    topics stand there by number.
    """

    id: int = 0
    at: datetime
    device_id: str
    artifact_id: int
    why: dict[str, Any]
    noted: Noted


class Decisions(Protocol):
    """The newest programs."""

    def add(self, decision: Decision, *, keep: int) -> int:
        """Keep one, and forget all but the newest `keep`; its number."""

    def newest(self, *, limit: int) -> list[Decision]:
        """Newest first."""

    def get(self, decision_id: int) -> Decision | None:
        """One of them."""
