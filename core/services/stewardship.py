"""Changing the live posture of the room, with a trail."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from core.domain.sensor import ASKS
from core.domain.steward import SESSION, ControlLimits, StewardState, changed, lapsed
from core.domain.work import Signal
from core.errors import Conflict
from core.ports.outside import NodeClock
from core.ports.work import StewardAction, TrailQuery, Transaction, UnitOfWork
from core.services.sensor import forget_ended, overrule

MEANWHILE = "Someone else changed this meanwhile. Please look again."
NODE = "the node"
"""Who ends a switch whose time is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """The posture after a change, and what changed: old and new value by field."""

    state: StewardState
    changes: dict[str, tuple[Any, Any]]


class StewardService:
    """Reads and changes the posture; the posture in force is always the one at this moment."""

    def __init__(self, work: UnitOfWork, clock: NodeClock, *, limits: ControlLimits) -> None:
        self._work = work
        self._clock = clock
        self.limits = limits

    def state(self) -> StewardState:
        """The posture now."""
        now = self._clock.now()
        with self._work.read() as tx:
            return tx.steward.state().at(now)

    def change(self, wanted: Mapping[str, Any], *, actor: str, version: int | None = None) -> Changed:
        """Set controls, seen at `version` if given.

        Raises `BadField` for an unknown control or a value out of range, `Conflict` for a stale version. What is set to
        what it was is no change and leaves no trace.
        """
        with self._work.write() as tx:
            return self._change(tx, wanted, actor, version)

    def clear_session(self, *, actor: str, version: int | None = None) -> Changed:
        """Take the framing of a session away: theme, mood, focus."""
        first = StewardState(kiosk_max_recording_seconds=0, updated_at=self._clock.now())
        return self.change({name: getattr(first, name) for name in SESSION}, actor=actor, version=version)

    def clear_timed(self) -> int:
        """Note in the trail which switches, and what of a sensor's, their time has ended for certain; how many."""
        now = self._clock.earlier()
        with self._work.read() as tx:
            state = tx.steward.state()
            if not lapsed(state, now) and all(word.until > now for word in state.sensed.words):
                return 0
        try:
            with self._work.write() as tx:
                stored = tx.steward.state()
                over = lapsed(stored, now)
                if over:
                    self._save(tx, stored, stored.at(now), NODE, now)
                forgotten = forget_ended(tx, now, actor=NODE)
        except Conflict:
            return 0  # somebody has just changed it: another instance that clears, or a steward; what is left is next
        return len(over) + forgotten

    def trail(self, query: TrailQuery) -> list[StewardAction]:
        """Entries of the trail, newest first."""
        with self._work.read() as tx:
            return tx.steward.search(query)

    def _change(self, tx: Transaction, wanted: Mapping[str, Any], actor: str, version: int | None) -> Changed:
        now = self._clock.now()
        stored = tx.steward.state()
        if version is not None and stored.version != version:
            raise Conflict(MEANWHILE)
        after = changed(stored, wanted, now, self.limits)
        # Whoever turns a switch off wants it off: that decides against a sensor, too, whatever the switch was before.
        overrule(tx, [name for name in ASKS if wanted.get(name) is False], actor=actor, now=now)
        done = self._save(tx, stored, after, actor, now)
        return replace(done, state=replace(done.state, sensed=tx.steward.state().at(now).sensed))

    def _save(self, tx: Transaction, stored: StewardState, after: StewardState, actor: str, now: datetime) -> Changed:
        changes = differences(_own(stored), _own(after))
        if not changes:
            return Changed(state=stored.at(now), changes={})
        after = replace(after, updated_at=now, version=stored.version + 1)
        if not tx.steward.save(after, expected_version=stored.version):
            raise Conflict(MEANWHILE)
        tx.steward.record(
            StewardAction(
                at=now,
                actor=actor,
                action="controls",
                before={name: plain(old) for name, (old, _) in changes.items()},
                after={name: plain(new) for name, (_, new) in changes.items()},
            )
        )
        tx.signal(Signal.STEWARD, version=after.version)
        return Changed(state=after, changes=changes)


def _own(state: StewardState) -> dict[str, Any]:
    """What is a steward's of a posture."""
    return {name: value for name, value in asdict(state).items() if name != "sensed"}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Old and new value of every key whose value differs."""
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def plain(value: Any) -> Any:
    """A value as the trail keeps it."""
    return value.isoformat() if isinstance(value, datetime) else value
