"""What a case is: a cause that is real, what a steward must see of it, and the remedy the warning names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.domain.warnings import Level, Name
from tests.alarms.node import Node
from tests.engines import Engine

WARNING, CRITICAL = Level.WARNING, Level.CRITICAL
BOTH = (Engine.EMBEDDED, Engine.STACK)
STACK = (Engine.STACK,)
EMBEDDED = (Engine.EMBEDDED,)

BROWSER = frozenset(name for name in Name if name.value.startswith("device_"))
"""Warnings of open pages: what causes them lies in a browser, and they are produced in one, by `tests/browser`."""

Sight = tuple[Name, Level]
Act = Callable[[Node], Iterator[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`act` is a generator: at each `yield` the next of `sights` must be seen, after the last it applies the remedy.

    With its end everything it has caused must be gone. `beside` names what rightly stands as well meanwhile; `settings`
    are those it needs, and `moves_clock` names machines whose clock it moves. What is over too soon is not `told`.
    """

    name: str
    cause: str
    remedy: str
    sights: tuple[Sight, ...]
    act: Act
    engines: tuple[Engine, ...] = BOTH
    beside: frozenset[Name] = frozenset()
    settings: Callable[[Node], dict[str, object]] = lambda _node: {}
    moves_clock: tuple[str, ...] = ()
    told: bool = True


class Cases:
    """Cases by the name of their function, in the order they are written."""

    def __init__(self) -> None:
        self.by_name: dict[str, Case] = {}

    def add(self, *sights: Sight, cause: str, remedy: str, **more: object) -> Callable[[Act], Act]:
        """Decorates an `act`."""

        def added(act: Act) -> Act:
            name = act.__name__  # type: ignore[attr-defined]
            case = Case(name=name, cause=cause, remedy=remedy, sights=sights, act=act, **more)  # type: ignore[arg-type]
            self.by_name[name] = case
            return act

        return added
