"""What a sensor of the room reports and asks for, and what a steward makes of it.

A report is one transaction over one row a subject. The trail hears of a request when it begins, when it ends and when
it is overruled; to say the same again only moves its end.
"""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.sensor import ASKS, LONGEST, SOURCE_SIGNS, Sensed, Subject, Told, Word, said
from core.domain.steward import plain_text
from core.domain.work import Signal
from core.errors import Forbidden
from core.ports.outside import Budgets, Clock
from core.ports.work import StewardAction, Transaction, UnitOfWork

SENSOR = "sensor"
"""How the trail names whoever holds the token."""

CHANGES, TOKENS = "sensor", "sensor_token"
"""The budgets of changes and of wrong tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SensorFigures:
    """How long a report counts that does not say so, and what it may speak of."""

    hold: timedelta
    heard: Collection[Subject]


class SensorService:
    """The seam for sensors. Without a token it is off."""

    def __init__(self, work: UnitOfWork, clock: Clock, budgets: Budgets, *, token: str, figures: SensorFigures) -> None:
        self._work = work
        self._clock = clock
        self._budgets = budgets
        self._token = token.encode()
        self._figures = figures

    @property
    def on(self) -> bool:
        """Whether anybody may report."""
        return bool(self._token)

    def admit(self, token: str, *, client: str, address: str) -> bool:
        """Whether this is the token. Wrong ones count towards a lockout, which then refuses the right one as well.

        Raises `OverBudget` while it lasts.
        """
        self._budgets.check(TOKENS, client=client, address=address)
        if self.on and hmac.compare_digest(token.encode(), self._token):
            return True
        self._budgets.spend(TOKENS, client=client, address=address)
        return False

    def sensed(self) -> Sensed:
        """What stands now."""
        now = self._clock.now()
        with self._work.read() as tx:
            return Sensed(words=tuple(tx.sensor.all())).at(now)

    def report(self, values: Mapping[Subject, int | None], *, source: str, for_s: int | None) -> Sensed:
        """Take one report in; what stands after it.

        Raises `BadField` for a source that is no plain text, `Forbidden` where requests are not taken here,
        `OverBudget` where they change too often.
        """
        lasts = timedelta(seconds=for_s) if for_s is not None else self._figures.hold
        told = Told(values=values, lasts=min(lasts, LONGEST), source=plain_text("source", source, SOURCE_SIGNS))
        if any(value and subject not in self._figures.heard for subject, value in values.items()):
            raise Forbidden("A sensor may report here, and ask for nothing.")
        stands = self.sensed()
        if any(bool(values[about]) != (stands.word(about) is not None) for about in ASKS if about in values):
            self._budgets.spend(CHANGES, client=SENSOR, address=SENSOR)
        now = self._clock.now()
        with self._work.write() as tx:
            forget_ended(tx, now, actor=SENSOR)
            known = Sensed(words=tuple(tx.sensor.lock())).at(now)
            for subject, value in values.items():
                _take_in(tx, known.word(subject), subject, value, told, now)
        return self.sensed()

    def overrule(self, *, actor: str) -> tuple[Subject, ...]:
        """Decide against all that is asked for now; what that was. It holds until a request ends or is made anew."""
        with self._work.write() as tx:
            return overrule(tx, ASKS, actor=actor, now=self._clock.now())


def overrule(tx: Transaction, subjects: Collection[Subject], *, actor: str, now: datetime) -> tuple[Subject, ...]:
    """A steward's decision against requests that stand, in the steward's own transaction; which of them stood."""
    known = Sensed(words=tuple(tx.sensor.lock())).at(now)
    overruled = tuple(subject for subject in subjects if known.asks(subject))
    for subject in overruled:
        word = known.word(subject)
        if word is not None:
            tx.sensor.overrule(subject)
            _note(tx, actor, "overrule_sensor", word, now)
    if overruled:
        tx.signal(Signal.STEWARD)
    return overruled


def forget_ended(tx: Transaction, now: datetime, *, actor: str) -> int:
    """Drop the words whose time is over, and note the end of what they asked for; how many."""
    ended = [word for word in tx.sensor.lock() if word.until <= now]
    for word in ended:
        tx.sensor.drop(word.subject)
        if word.subject in ASKS:
            _note(tx, actor, "sensor_ends", word, now)
    return len(ended)


def _take_in(
    tx: Transaction, known: Word | None, subject: Subject, value: int | None, told: Told, now: datetime
) -> None:
    if value is None:
        tx.sensor.drop(subject)
        if known is not None and subject in ASKS:
            _note(tx, SENSOR, "sensor_ends", known, now)
            tx.signal(Signal.STEWARD)
        return
    word = said(known, subject, value, told, now)
    tx.sensor.put(word)
    if subject in ASKS and known is None:
        _note(tx, SENSOR, "sensor_asks", word, now)
        tx.signal(Signal.STEWARD)


def _note(tx: Transaction, actor: str, action: str, word: Word, now: datetime) -> None:
    asked = {word.subject.value: True, f"{word.subject.value}_until": word.until.isoformat()}
    free = {word.subject.value: False}
    before, after = (free, asked) if action == "sensor_asks" else (asked, free)
    tx.steward.record(
        StewardAction(at=now, actor=actor, action=action, subject=word.source, before=before, after=after)
    )
