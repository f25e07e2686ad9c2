"""Watching over a node: which warnings stand and since when, and telling stewards who are not looking.

Rules are asked anew at every look. The table keeps what they cannot know: since when, and what was told. Any number of
processes may look at once; each thing is told by whoever claims it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.warnings import (
    PATIENT,
    SHOWN_ONLY,
    Name,
    NodeFacts,
    NodeWarning,
    Process,
    WarningFigures,
    clock_of,
    standing,
)
from core.domain.work import Signal
from core.errors import MemoryEngineError
from core.ports.messages import Message, Messenger, Told, Wording
from core.ports.stewarding import Standing
from core.ports.work import QueueDepth, UnitOfWork
from core.services.snapshot import Snapshot, Snapshots

log = logging.getLogger(__name__)

MISSED = frozenset({Name.WORKER_STALE, Name.SCHEDULER_STALE})

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
    noted = snapshot.kept.standing if snapshot.kept is not None else []
    # What a clock noted that ran ahead has not begun in the future.
    since = {(row.name, row.subject): min(row.since, now) for row in noted}
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
        self._signs = _Signs()

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
        figures, facts = self._snapshots.figures.warnings, self._followed(snapshot.facts)
        noted = snapshot.kept.standing
        found = _known(raised(replace(snapshot, facts=facts), figures), noted, facts, figures)
        self._note(found, _over(found, noted, facts, figures), facts.now)
        if self._messengers:
            self._tell(found, facts.now)

    def _followed(self, facts: NodeFacts) -> NodeFacts:
        """The same with processes judged by what they do as well as by their clocks; the dead among them forgotten."""
        figures = self._snapshots.figures.warnings
        processes, dead = self._signs.follow(facts, figures)
        if dead:
            with self._work.write() as tx:
                for process in dead:
                    tx.presences.forget(process.name, process.seen_at)
        return replace(facts, processes=processes)

    def _note(self, found: Mapping[Key, Raised], gone: Sequence[Standing], now: datetime) -> None:
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
                if (row.name, row.subject) in found
                and self._may_be_told(row, quiet_since)
                and tx.warnings.tell(row, now, unless_since=quiet_since)
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


class _Signs:
    """Signs of life as this process has seen them come: by its steady clock, whatever anybody's time is."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[datetime, float, bool]] = {}

    def follow(self, facts: NodeFacts, figures: WarningFigures) -> tuple[tuple[Process, ...], list[Process]]:
        """Processes still to be judged, those that were seen to live as heard of now; and those to be forgotten.

        A sign from the future outlives its process by as much: nothing else would end what is warned of it.
        """
        clock, judged, dead = clock_of(facts, figures), [], []
        last, self._last = self._last, {}
        for process in facts.processes or ():
            seen_at, since_s, came = last.get(process.name, (process.seen_at, facts.up_s, False))
            if seen_at != process.seen_at:
                since_s, came = facts.up_s, True
            silent = facts.up_s - since_s > figures.stale_s
            ahead = clock.ahead_s(process.seen_at) > figures.skew_s
            if ahead and silent:
                dead.append(process)
                continue
            self._last[process.name] = process.seen_at, since_s, came
            judged.append(process if ahead or silent or not came else replace(process, seen_at=facts.now))
        return tuple(judged), dead


def _known(
    found: Sequence[Raised], noted: Sequence[Standing], facts: NodeFacts, figures: WarningFigures
) -> dict[Key, Raised]:
    """What stands for sure: whoever has only begun to look has missed nobody yet, unless another has."""
    before = {(row.name, row.subject) for row in noted}
    sure = facts.up_s > figures.stale_s
    return {key: one for one in found if (key := _key(one.warning)) in before or sure or one.warning.name not in MISSED}


def _over(
    found: Mapping[Key, Raised], noted: Sequence[Standing], facts: NodeFacts, figures: WarningFigures
) -> list[Standing]:
    """What stands no more for sure: a page that was gone is not back because nobody has missed it yet."""
    unsure = {Name.DEVICE_OFFLINE} if facts.up_s <= figures.devices.offline_s else set()
    return [row for row in noted if (row.name, row.subject) not in found and row.name not in unsure]


def _key(warning: NodeWarning) -> Key:
    return warning.name.value, warning.subject


def _row(one: Raised) -> Standing:
    warning = one.warning
    return Standing(name=warning.name.value, subject=warning.subject, level=warning.level.value, since=one.since)
