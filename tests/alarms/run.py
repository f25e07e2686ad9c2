"""Carrying cases out: produce, see, be told, apply the remedy, see it gone, and see nothing that contradicts it."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.domain.warnings import SHOWN_ONLY, Level, Name
from tests.alarms.case import Case
from tests.alarms.node import LOOK_S, NO_ANSWER, Node
from tests.engines import Engine

SEEN_S, GONE_S, TOLD_S, CALM_S = 40.0, 60.0, 20.0, 20.0
"""How long each is waited for; what it took is evidence, not law."""

UNTOLD = SHOWN_ONLY | {Name.DATABASE_DOWN}
"""Sent to nobody: the shape of the pool, and what a node without its database cannot tell."""


@dataclass(kw_only=True, slots=True)
class Alarm:
    """One warning of one case: seconds until it was seen, until webhook and mail had told it, until it was gone."""

    name: Name
    level: Level
    engine: Engine
    case: str
    cause: str
    remedy: str
    title: str = ""
    seen_s: float | None = None
    told_s: float | None = None
    gone_s: float | None = None


@dataclass(kw_only=True, slots=True)
class Ran:
    """What came of a case: its alarms, and every sentence about something that should not be."""

    alarms: list[Alarm]
    wrong: list[str] = field(default_factory=list)


def run(node: Node, case: Case) -> Ran:
    """Carry one case out on a node that is calm; leaves it calm, or says that it is not."""
    return _Run(node, case).run()


class _Run:
    def __init__(self, node: Node, case: Case) -> None:
        self._node = node
        self._case = case
        self._stood: set[str] = set()
        self._ran = Ran(
            alarms=[
                Alarm(name=name, level=level, engine=node.engine, case=case.name, cause=case.cause, remedy=case.remedy)
                for name, level in case.sights
            ]
        )

    def run(self) -> Ran:
        case, node = self._case, self._node
        with settings_of(node, case):
            node.ready()
            before = self._calm(case.sights[0][0])
            self._stood.clear()
            node.webhook.posted.clear()
            node.mail.mails.clear()
            act = case.act(node)
            try:
                for alarm in self._ran.alarms:
                    next(act)
                    self._see(alarm)
                    self._tell(alarm)
                for _ in act:
                    raise AssertionError(f"{case.name} yields more often than it has sights")
                self._end()
            finally:
                act.close()
            self._calm(*before)
            self._contradictions()
        return self._ran

    def _see(self, alarm: Alarm) -> None:
        def seen() -> bool:
            found = self._look().get(alarm.name.value, {})
            alarm.title = found.get("title", "") or alarm.title
            return found.get("level") == alarm.level.value

        alarm.seen_s = self._wait(seen, SEEN_S, f"{alarm.name.value} was not seen as {alarm.level.value}")

    def _tell(self, alarm: Alarm) -> None:
        if not self._case.told or alarm.name in UNTOLD:
            return
        complaint = f"{alarm.name.value} was not told"
        alarm.told_s = self._wait(lambda: self._posted(alarm) and self._mailed(alarm), TOLD_S, complaint)

    def _end(self) -> None:
        names = {name.value for name, _ in self._case.sights}
        still = names | {NO_ANSWER}
        gone_s = self._wait(lambda: not still & self._look().keys(), GONE_S, f"{', '.join(sorted(names))} stays")
        for alarm in self._ran.alarms:
            alarm.gone_s = gone_s

    def _calm(self, *but: str) -> set[str]:
        """Wait until nothing stands but what may; what stood."""
        self._wait(lambda: self._look().keys() <= set(but), CALM_S, "the node does not come to rest")
        return set(self._look())

    def _contradictions(self) -> None:
        expected = {name.value for name, _ in self._case.sights} | {name.value for name in self._case.beside}
        told = {one["name"] for body in list(self._node.webhook.posted) for one in body["warnings"]}
        self._ran.wrong += [f"{self._said}: {name} stood as well" for name in sorted(self._stood - expected)]
        self._ran.wrong += [f"{self._said}: {name} was told as well" for name in sorted(told - expected - self._stood)]

    def _look(self) -> dict[str, dict[str, str]]:
        found = self._node.standing()
        self._stood |= found.keys()
        return found

    def _posted(self, alarm: Alarm) -> bool:
        self._look()
        told = [one for body in list(self._node.webhook.posted) for one in body["warnings"]]
        return any((one["name"], one["level"]) == (alarm.name.value, alarm.level.value) for one in told)

    def _mailed(self, alarm: Alarm) -> bool:
        self._look()
        # Numbers may have gone on since.
        words = re.sub(r"\d+", "0", alarm.title)
        return any(words in re.sub(r"\d+", "0", mail.get_content()) for mail in list(self._node.mail.mails))

    def _wait(self, condition: Callable[[], Any], most_s: float, complaint: str) -> float | None:
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > most_s:
                standing = ", ".join(sorted(self._look())) or "nothing"
                self._ran.wrong.append(f"{self._said}: {complaint} within {most_s:g} s; {standing} stands")
                return None
            time.sleep(LOOK_S)
        return time.monotonic() - began

    @property
    def _said(self) -> str:
        return f"{self._case.name} ({self._node.engine.value})"


@contextmanager
def settings_of(node: Node, case: Case) -> Iterator[None]:
    """The settings and clocks a case needs; those of before count again with the next case that needs others."""
    for name, machine in node.machines.items():
        machine.clock_moves = name in case.moves_clock
    node.configure(**case.settings(node))
    yield
