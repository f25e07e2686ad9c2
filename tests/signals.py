"""What the pages of a running node are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.domain.work import Signal
from tests.fakes import Node, visits_to, wait_for


class Told:
    """Every signal since it was last asked for."""

    def __init__(self, node: Node) -> None:
        self._effects = node.system.effects
        self._signals: list[tuple[Signal, dict[str, Any]]] = []
        self._asked = 0
        self._effects.subscribe(lambda signal, detail: self._signals.append((signal, detail)))

    def take(self, wanted: Signal) -> list[dict[str, Any]]:
        """The details of one signal so far; forgets all."""
        self._asked += 1
        last = (Signal.SESSIONS, {"asked": self._asked})
        self._effects.signal(*last)
        wait_for(lambda: last in self._signals)
        found = [detail for signal, detail in self._signals if signal is wanted]
        self._signals.clear()
        return found

    def listening(self, *, others: bool) -> bool:
        """Whether signals arrive; with `others` also those of a stack, after which pages are told to read again."""
        self._effects.signal(Signal.SESSIONS, {"probe": True})
        again = {signal for signal, detail in self._signals if not detail}
        return bool(self._signals) and (again == set(Signal) or not others)


@contextmanager
def pages_of(node: Node) -> Iterator[Told]:
    """What is told while the node's application runs."""
    told = Told(node)
    with visits_to(node):
        wait_for(lambda: told.listening(others=bool(node.system.settings.REDIS_URL)))
        told.take(Signal.SESSIONS)
        yield told
