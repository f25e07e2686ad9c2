"""Where a room's choices are kept for a while, with their reasons."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.room.program import Noted


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One program: the take chosen first, and why.

    `why` is plain JSON; `id` is 0 before it is kept. It holds no word anybody left with a take.
    """

    id: int = 0
    at: datetime
    device_id: str
    artifact_id: int
    why: dict[str, Any]


class Decisions(Protocol):
    """The newest programs. What each was composed from is kept beside it, and read only to compose it again."""

    def add(self, decision: Decision, noted: Noted, *, keep: int) -> int:
        """Keep one, and forget all but the newest `keep`; its number."""

    def newest(self, *, limit: int, device_id: str = "") -> list[Decision]:
        """Newest first; of one page where it is named."""

    def get(self, decision_id: int) -> tuple[Decision, Noted] | None:
        """One of them, and what it was composed from: topics stand there by number."""
