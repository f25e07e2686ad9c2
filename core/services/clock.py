"""The clock guard: a system clock that has jumped is not believed until somebody vouches for it.

The node keeps the last time it believed. What has passed since is counted on the steady clock, which nobody can set;
where the system's clock lies further off than an honest one is ever set, it is in doubt. Then a right ends by whichever
clock is later, and bytes are destroyed by whichever is earlier: neither a bad boot nor a false hand ends everything at
once, or keeps anything for ever.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.clocks import Belief, Doubt, Reading, apart, read
from core.domain.work import Signal
from core.errors import Conflict
from core.ports.custody import TimeSource
from core.ports.outside import Clock, ClockDrift
from core.ports.work import StewardAction, Transaction, UnitOfWork
from core.services.stewardship import MEANWHILE, NODE

log = logging.getLogger(__name__)

NO_DOUBT = "The clock of this node is not in doubt."
BACK_S = 60.0
"""A clock that goes back by less leaves no reservation waiting for long."""

BEHIND_S = 3600.0
"""Clocks of several machines that are all believed differ by less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockFigures:
    """The smallest jump that is doubted; how long a reservation and a steward's session last by any clock."""

    doubt_days: float
    reservation_s: float
    session_h: float


class ClockGuard:
    """The clock of a whole process, see `core.ports.outside.NodeClock`. `now` and its like never ask the database."""

    def __init__(
        self,
        system_clock: Clock,
        drift: ClockDrift,
        source: TimeSource,
        work: UnitOfWork,
        *,
        figures: ClockFigures,
    ) -> None:
        self._system = system_clock
        self._drift = drift
        self._source = source
        self._work = work
        self._most = timedelta(days=figures.doubt_days)
        self._figures = figures
        self._lock = threading.Lock()
        self._belief = Belief(at=system_clock.now(), up_s=drift.up_s())
        self._since: datetime | None = None
        self._told = False
        self._seen: datetime | None = None

    def now(self) -> datetime:
        """The system's time; in doubt the later of both."""
        return self._read().later

    def earlier(self) -> datetime:
        """The system's time; in doubt the earlier of both."""
        return self._read().earlier

    def doubt(self) -> Doubt | None:
        """What each clock says, where they disagree."""
        reading = self._read()
        if not reading.doubted:
            return None
        since = self._since or reading.believed
        return Doubt(system_now=reading.system, believed_now=reading.believed, since=since)

    def look(self) -> None:
        """Compare with what the node's processes have noted, and note what this one believes.

        Called before anything else at a start, and every minute. A mark that contradicts what this process believes is
        the word of others, and counts for more.
        """
        with self._work.write() as tx:
            node = tx.nodes.read()
            if node is None:
                # Its first start: the row that is made next names what is believed here.
                self._seen = self._belief.at
                return
            mark, up_s, reading = node.clock_mark, self._drift.up_s(), self._read()
            believed = reading.believed if mark is None or self._agrees(mark, reading.believed) else mark
            trusted = not apart(reading.system, believed, self._most) or self._source.synchronised()
            if trusted:
                self._note_trust(tx, reading.system, mark)
            else:
                tx.nodes.mark_clock(believed, unless_not=mark)
            if self._told is trusted:
                tx.signal(Signal.STEWARD)
        if not trusted and not self._told:
            log.critical("clock.doubted", extra={"system": str(reading.system), "believed": str(believed)})
        self._believe(reading.system if trusted else believed, up_s, trusted=trusted)

    def confirm(self, *, actor: str) -> None:
        """Take a steward's word that the system's clock is right. Raises `Conflict` where nothing is in doubt."""
        doubt = self.doubt()
        if doubt is None:
            raise Conflict(NO_DOUBT)
        with self._work.write() as tx:
            node = tx.nodes.read()
            mark = node.clock_mark if node is not None else None
            if not tx.nodes.mark_clock(doubt.system_now, unless_not=mark):
                raise Conflict(MEANWHILE)
            self._settle(tx, doubt.system_now, doubt.believed_now, actor)
        self._believe(doubt.system_now, self._drift.up_s(), trusted=True)

    def _note_trust(self, tx: Transaction, system: datetime, mark: datetime | None) -> None:
        if not tx.nodes.mark_clock(system, unless_not=mark) or mark is None:
            return
        doubted = self._since is not None
        if doubted and apart(system, mark, self._most):
            self._settle(tx, system, mark, NODE)
        elif doubted or mark - system > timedelta(seconds=BACK_S):
            self._bound(tx, system)

    def _agrees(self, mark: datetime, believed: datetime) -> bool:
        """Whether others may have noted this mark between the last that was seen here and what is believed here."""
        if self._seen is None:
            return False
        return self._seen - timedelta(seconds=BEHIND_S) <= mark and not apart(believed, max(mark, believed), self._most)

    def _settle(self, tx: Transaction, system: datetime, believed: datetime, actor: str) -> None:
        """The system's clock is believed again."""
        self._bound(tx, system)
        tx.steward.record(
            StewardAction(
                at=system,
                actor=actor,
                action="confirm_clock",
                before={"clock": believed.isoformat()},
                after={"clock": system.isoformat()},
            )
        )
        tx.signal(Signal.STEWARD)

    def _bound(self, tx: Transaction, system: datetime) -> None:
        """What was begun by a clock that was ahead lasts no longer than is usual."""
        tx.tombstones.bound_reservations(system + timedelta(seconds=self._figures.reservation_s))
        tx.sessions.bound(system + timedelta(hours=self._figures.session_h))

    def _believe(self, at: datetime, up_s: float, *, trusted: bool) -> None:
        with self._lock:
            self._belief, self._seen, self._told = Belief(at=at, up_s=up_s), at, not trusted
            self._since = None if trusted else self._since or at

    def _read(self) -> Reading:
        with self._lock:
            system, up_s = self._system.now(), self._drift.up_s()
            reading = read(system, self._belief, up_s, self._most, self._source.synchronised)
            if not reading.doubted and apart(system, reading.believed, self._most):
                self._belief = Belief(at=system, up_s=up_s)
            if reading.doubted and self._since is None:
                self._since = reading.believed
        return reading
