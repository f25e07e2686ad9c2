"""What participants and stewards were told, apart from any node: the memory the judge holds a node against.

Everything that happens is an event, a flat JSON object; a process that may die says each one before it goes on. An
ending that was begun and never answered may have happened or not; one that was answered is final.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

Event = Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class Given:
    """One take as the one who left it knows it; times as ISO 8601, endings by their names in the ledger."""

    public_id: str
    artifact_id: int
    mode: str
    secret: str
    sha256: str
    raw_until: str
    derivative_until: str | None
    tried: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)
    heard_tried: int = 0
    heard: int = 0
    sounded: int = 0
    away: bool = False

    def untouched(self, now: datetime) -> bool:
        """Whether it is owed: nobody has begun to end it, no restore has left it out, and its own time lasts."""
        return not self.away and not self._tried_to_end and now < datetime.fromisoformat(self.raw_until)

    def leaves(self, now: datetime) -> bool:
        """Whether what was made of it must be there: nobody has begun to end or narrow it, and its time lasts."""
        lasts = self.derivative_until is not None and now < datetime.fromisoformat(self.derivative_until)
        # Without an essence nothing sounds once the raw is over, and the picture goes with it.
        return lasts and not self.tried and not self.away and (self.untouched(now) or "essence_wav" in self.derived)

    @property
    def over(self) -> bool:
        """Whether it was told to have ended, whole."""
        return any(kind != "narrow" for kind in self.ended)

    @property
    def narrowed(self) -> bool:
        """Whether it was told to leave nothing behind."""
        return "narrow" in self.ended

    @property
    def _tried_to_end(self) -> bool:
        return any(kind != "narrow" for kind in self.tried)


@dataclass(kw_only=True, slots=True)
class Promises:
    """Everything told about one node.

    `asked` counts intakes begun; `pruned` says whether husks may have been forgotten. `copies` holds for each copy
    begun what stood in it: a restore makes that the truth again, but for endings. While one is `restoring` either may
    be.
    """

    takes: dict[str, Given] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    pruned: bool = False
    copies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    restoring: str = ""
    ahead_s: float = 0.0

    def apply(self, event: Event) -> None:
        """Take one event in; what it does not concern is left alone."""
        handler = getattr(self, f"_{event['e']}", None)
        if handler is not None:
            handler(event)

    def open(self, mode: str = "", *, now: datetime) -> list[Given]:
        """Takes nobody has begun to end, the oldest first."""
        return [take for take in self.takes.values() if take.untouched(now) and mode in ("", take.mode)]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**plain, "takes": {key: Given(**take) for key, take in plain["takes"].items()}})

    def _offering(self, event: Event) -> None:
        self.asked += 1
        self.unanswered[event["key"]] = event["mode"]

    def _kept(self, event: Event) -> None:
        self.unanswered.pop(event["key"], None)
        take = Given(**event["take"])
        self.takes.setdefault(take.public_id, take)

    def _ending(self, event: Event) -> None:
        self.takes[event["take"]].tried.append(event["kind"])

    def _ended(self, event: Event) -> None:
        self.takes[event["take"]].ended.append(event["kind"])

    def _unended(self, event: Event) -> None:
        """Refused in so many words: nothing of it can have happened."""
        self.takes[event["take"]].tried.remove(event["kind"])

    def _sounded(self, event: Event) -> None:
        self.takes[event["take"]].sounded += 1

    def _hearing(self, event: Event) -> None:
        self.takes[event["take"]].heard_tried += 1

    def _heard(self, event: Event) -> None:
        self.takes[event["take"]].heard += 1

    def _derived(self, event: Event) -> None:
        self.takes[event["take"]].derived.append(event["kind"])

    def _pruning(self, _event: Event) -> None:
        self.pruned = True

    def _copying(self, event: Event) -> None:
        said = {"heard": 0, "heard_tried": 0, "derived": []}
        self.copies[event["mark"]] = {
            take.public_id: {name: deepcopy(getattr(take, name)) for name in said}
            for take in self.takes.values()
            # What is heard once is in no copy.
            if take.mode != "NOSAVE" and not take.away
        }

    def _restoring(self, event: Event) -> None:
        self.restoring = event["mark"]

    def _restored(self, event: Event) -> None:
        copy = self.copies[event["mark"]]
        self.restoring = ""
        for take in self.takes.values():
            take.away = take.public_id not in copy
            for name, value in copy.get(take.public_id, {}).items():
                setattr(take, name, deepcopy(value))

    def _unrestored(self, _event: Event) -> None:
        self.restoring = ""

    def _time(self, event: Event) -> None:
        self.ahead_s = round(self.ahead_s + event["s"], 3)

    @property
    def ahead(self) -> timedelta:
        """How far the node's clock is ahead of the machine's."""
        return timedelta(seconds=self.ahead_s)
