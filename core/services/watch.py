"""Watching over a node: which warnings stand and since when, and telling stewards who are not looking.

Rules are asked anew at every look. The table keeps what they cannot know: since when, and what was told. Any number of
processes may look at once; each thing is told by whoever claims it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.warnings import PATIENT, SHOWN_ONLY, NodeWarning, WarningFigures, standing
from core.domain.work import Signal
from core.errors import MemoryEngineError
from core.ports.messages import Message, Messenger, Told, Wording
from core.ports.stewarding import Standing
from core.ports.work import QueueDepth, UnitOfWork
from core.services.snapshot import Kept, Snapshot, Snapshots

log = logging.getLogger(__name__)

Key = tuple[str, str]
InWords = Callable[[NodeWarning], Wording]


@dataclass(frozen=True, kw_only=True, slots=True)
class Raised:
    """A warning that stands, and since when."""

    warning: NodeWarning
    since: datetime


def raised(snapshot: Snapshot, figures: WarningFigures) -> list[Raised]:
    """What stands, the gravest first; what nobody has noted yet stands since now."""
    now = snapshot.facts.now
    since = {(row.name, row.subject): row.since for row in snapshot.kept.standing} if snapshot.kept is not None else {}
    return [Raised(warning=found, since=since.get(_key(found), now)) for found in standing(snapshot.facts, figures)]


class Watch:
    """Looks, keeps, tells."""

    def __init__(
        self,
        work: UnitOfWork,
        snapshots: Snapshots,
        messengers: Sequence[Messenger],
        in_words: InWords,
        *,
        node: str,
        quiet_minutes: float,
    ) -> None:
        self._work = work
        self._snapshots = snapshots
        self._messengers = messengers
        self._in_words = in_words
        self._node = node
        self._quiet = timedelta(minutes=quiet_minutes)
        # What one messenger could not deliver while another could: this process tries again with its next look.
        self._owed: dict[str, set[Key]] = {}

    def standing(self, queue: QueueDepth | None) -> list[Raised]:
        """What stands now, the gravest first; `queue` is None where it does not answer. Changes nothing."""
        return raised(self._snapshots.take(queue), self._snapshots.figures.warnings)

    def look(self, queue: QueueDepth | None) -> None:
        """Note what stands and what does no more, tell pages where that has changed, and stewards what is due.

        Without the database nothing can be noted, and nobody is told by a node that cannot remember having told.
        """
        snapshot = self._snapshots.take(queue)
        if snapshot.kept is None:
            log.warning("watch.blind")
            return
        found = {_key(one.warning): one for one in raised(snapshot, self._snapshots.figures.warnings)}
        self._note(snapshot.kept, found, snapshot.facts.now)
        if self._messengers:
            self._tell(found, snapshot.facts.now)

    def _note(self, kept: Kept, found: Mapping[Key, Raised], now: datetime) -> None:
        gone = [row for row in kept.standing if (row.name, row.subject) not in found]
        with self._work.write() as tx:
            changes = [tx.warnings.raise_(_row(one)) for one in found.values()]
            changes += [tx.warnings.clear(row.name, row.subject, now) for row in gone]
            tx.warnings.prune(now - self._quiet)
            if any(changes):
                tx.signal(Signal.WARNINGS)

    def _tell(self, found: Mapping[Key, Raised], now: datetime) -> None:
        quiet_since = now - self._quiet
        with self._work.write() as tx:
            claimed = [
                row
                for row in tx.warnings.all()
                if self._may_be_told(row, quiet_since) and tx.warnings.tell(row, now, unless_since=quiet_since)
            ]
            over = tx.warnings.tell_over(now)
        if self._send(found, {(row.name, row.subject) for row in claimed}, over=over):
            return
        with self._work.write() as tx:
            for row in claimed:
                tx.warnings.untell(row, now)
            if over:
                tx.warnings.untell_over(now)

    def _may_be_told(self, row: Standing, quiet_since: datetime) -> bool:
        return row.name not in SHOWN_ONLY and (row.name not in PATIENT or row.since <= quiet_since)

    def _send(self, found: Mapping[Key, Raised], claimed: set[Key], *, over: bool) -> bool:
        """One message to each messenger; whether anybody was reached, or there was nothing to say."""
        reached = not claimed and not over
        for messenger in self._messengers:
            # In the order of gravity, and in words of now.
            wanted = [key for key in found if key in claimed | self._owed.get(messenger.name, set())]
            if not wanted and not over:
                continue
            told = tuple(self._told(found[key]) for key in wanted)
            try:
                messenger.send(Message(node=self._node, warnings=told, cleared=over))
            except MemoryEngineError as error:
                log.warning("warnings.untold", extra={"messenger": messenger.name, "reason": error.message})
                self._owed[messenger.name] = set(wanted)
            else:
                self._owed.pop(messenger.name, None)
                reached = True
        if not reached:
            self._owed.clear()
        return reached

    def _told(self, one: Raised) -> Told:
        return Told(name=one.warning.name.value, wording=self._in_words(one.warning), since=one.since)


def _key(warning: NodeWarning) -> Key:
    return warning.name.value, warning.subject


def _row(one: Raised) -> Standing:
    warning = one.warning
    return Standing(name=warning.name.value, subject=warning.subject, level=warning.level.value, since=one.since)
