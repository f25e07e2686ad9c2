"""Changing the live posture of the room, with a trail."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain.steward import SWITCHES, StewardState
from core.domain.work import Signal
from core.errors import BadField, Conflict
from core.ports.outside import Clock
from core.ports.work import StewardAction, TombstoneCounts, UnitOfWork

RECENT_ACTIONS = 12
_MEANWHILE = "Someone else changed the room meanwhile. Please look again."


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """What the ops page shows."""

    state: StewardState
    playable: int
    tombstones: TombstoneCounts
    actions: list[StewardAction]


class StewardService:
    """Reads and changes the posture."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def state(self) -> StewardState:
        """The posture now."""
        with self._work.read() as tx:
            return tx.steward.state()

    def posture(self) -> Posture:
        """Posture, counts and the newest entries of the trail."""
        now = self._clock.now()
        with self._work.read() as tx:
            return Posture(
                state=tx.steward.state(),
                playable=tx.artifacts.count_playable(now),
                tombstones=tx.tombstones.counts(now),
                actions=tx.steward.recent(limit=RECENT_ACTIONS),
            )

    def switch(self, name: str, on: bool, *, actor: str, version: int) -> StewardState:
        """Turn one switch, seen at `version`. Raises `BadField` for an unknown one, `Conflict` for a stale version."""
        if name not in SWITCHES:
            raise BadField(f"{name} is not a switch of this room.")
        changes: dict[str, Any] = {name: on}
        with self._work.write() as tx:
            before = tx.steward.state()
            if before.version != version:
                raise Conflict(_MEANWHILE)
            if getattr(before, name) == on:
                return before
            now = self._clock.now()
            after = replace(before, updated_at=now, version=before.version + 1, **changes)
            if not tx.steward.save(after, expected_version=before.version):
                raise Conflict(_MEANWHILE)
            old = {name: asdict(before)[name]}
            tx.steward.record(StewardAction(at=now, actor=actor, action=name, before=old, after=changes))
            tx.signal(Signal.STEWARD, version=after.version)
        return after
