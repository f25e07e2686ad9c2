"""What a sensor of the room has said: who is there, and what it asks for. A word counts until its time is over.

The words stand apart from the switches of stewards. What is in force is the steward's switch or a word that stands and
that nobody has overruled; so no word turns a switch off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Subject(StrEnum):
    """What a word is about; there is one word about each, the last that was said."""

    OCCUPANCY = "occupancy"
    PLAYBACK_PAUSED = "playback_paused"
    QUIETER_MODE = "quieter_mode"


ASKS = (Subject.PLAYBACK_PAUSED, Subject.QUIETER_MODE)
"""What may be asked for; each is named as the switch of stewards that does the same."""

LONGEST = timedelta(hours=24)
"""No word counts longer, whatever the clock does."""

SOURCE_SIGNS = 64
MOST_PEOPLE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word: the `value` is a number of people, or 1 where something is asked for.

    `since` is when it began to be so: people to be there, nobody to be there, the request to stand. `at` is when it was
    last said, `overruled` whether a steward has decided otherwise for as long as it stands.
    """

    subject: Subject
    value: int
    source: str = ""
    since: datetime
    at: datetime
    until: datetime
    overruled: bool = False

    def stands(self, now: datetime) -> bool:
        """Whether it counts at `now`. One from a clock that has gone back since never counts for longer than a day."""
        return now < self.until <= now + LONGEST


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One report: a value by subject, None takes a word back; what is left out stays as it is."""

    values: Mapping[Subject, int | None]
    lasts: timedelta
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensed:
    """Every word, at most one about each subject."""

    words: tuple[Word, ...] = ()

    def at(self, now: datetime) -> "Sensed":
        """Those that stand at `now`; the others are as if they had never been said."""
        standing = tuple(word for word in self.words if word.stands(now))
        return self if len(standing) == len(self.words) else replace(self, words=standing)

    def word(self, subject: Subject) -> Word | None:
        """The word about something."""
        return next((word for word in self.words if word.subject is subject), None)

    def asks(self, subject: Subject) -> bool:
        """Whether something is asked for, and nobody has overruled it."""
        word = self.word(subject)
        return word is not None and bool(word.value) and not word.overruled

    @property
    def ends(self) -> tuple[datetime, ...]:
        """When what is in force by these words ends by itself."""
        return tuple(word.until for word in self.words if word.subject in ASKS and not word.overruled)


NOTHING_SENSED = Sensed()


def said(known: Word | None, subject: Subject, value: int, told: Told, now: datetime) -> Word:
    """The word after one more report. What goes on as it was keeps its beginning, and stays overruled."""
    same = known if known is not None and known.stands(now) and bool(known.value) == bool(value) else None
    return Word(
        subject=subject,
        value=value,
        source=told.source,
        since=same.since if same is not None else now,
        at=now,
        until=now + min(told.lasts, LONGEST),
        overruled=same is not None and same.overruled,
    )
