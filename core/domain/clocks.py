"""What one machine's clock says of what others have noted by theirs."""

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
