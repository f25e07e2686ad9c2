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

    def reached(self) -> bool:
        """Whether the application hands signals on by now; what is said before it does is lost, and is said again."""
        self._effects.signal(Signal.SESSIONS, {"asked": self._asked})
        return bool(self._signals)

    def heard_all(self) -> bool:
        """Whether pages were told to read again, as they are once the others of a stack are heard."""
        return {signal for signal, detail in self._signals if not detail} == set(Signal)


@contextmanager
def pages_of(node: Node) -> Iterator[Told]:
    """What is told while the node's application runs."""
    told = Told(node)
    with visits_to(node):
        if node.system.settings.REDIS_URL:
            wait_for(told.heard_all)
        wait_for(told.reached)
        told.take(Signal.SESSIONS)
        yield told
