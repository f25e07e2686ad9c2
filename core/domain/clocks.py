"""What one machine's clock says of what others have noted by theirs, and when it is itself not believed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """A clock that shows `now`, and was moved by `moved_s` since this process began; less than `skew_s` is nothing."""

    now: datetime
    moved_s: float
    skew_s: float

    @property
    def moved(self) -> bool:
        """Whether it was moved by more than nothing."""
        return abs(self.moved_s) > self.skew_s

    @property
    def before(self) -> datetime:
        """What it would show had nobody moved it."""
        return self.now - timedelta(seconds=self.moved_s) if self.moved else self.now

    def heard(self, at: datetime, within_s: float) -> bool:
        """Whether what gave a sign of life at `at` was heard of lately.

        Where the clock was moved, others may be right by what it would show: that it is wrong says nothing of them.
        """
        lately = (self.now - at).total_seconds() <= within_s
        return lately or (self.moved and -self.skew_s <= (self.before - at).total_seconds() <= within_s)

    def ahead_s(self, at: datetime) -> float:
        """By how much what was noted at `at` lies in the future; by what the clock would show, where that is less."""
        return (at - max(self.now, self.before)).total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A clock that shows `system_now` where the node, by all it knows, believes `believed_now`; `since` is believed."""

    system_now: datetime
    believed_now: datetime
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Belief:
    """A time that was believed, and what the steady clock showed then, in seconds."""

    at: datetime
    up_s: float

    def at_s(self, up_s: float) -> datetime:
        """The same later, whatever has been done to the system's clock meanwhile."""
        return self.at + timedelta(seconds=max(0.0, up_s - self.up_s))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Both clocks at one moment. In doubt a right ends by the later of them, and only the earlier destroys."""

    system: datetime
    believed: datetime
    doubted: bool

    @property
    def later(self) -> datetime:
        """What rights are measured by."""
        return max(self.system, self.believed) if self.doubted else self.system

    @property
    def earlier(self) -> datetime:
        """What has passed for certain."""
        return min(self.system, self.believed) if self.doubted else self.system


def apart(one: datetime, other: datetime, most: timedelta) -> bool:
    """Whether two clocks differ by more than any honest one is set."""
    return abs(one - other) > most


def read(system: datetime, belief: Belief, up_s: float, most: timedelta, synchronised: Callable[[], bool]) -> Reading:
    """The system's clock against what is believed; who keeps it right is asked only where they differ."""
    believed = belief.at_s(up_s)
    doubted = apart(system, believed, most) and not synchronised()
    return Reading(system=system, believed=believed, doubted=doubted)
