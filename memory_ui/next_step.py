"""How a node stands in one word, and the one thing a steward should do next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.device import Standing, Surface
from core.domain.sensor import Subject
from core.domain.steward import SWITCHES, StewardState
from core.domain.warnings import SHOWN_ONLY

SHAPES = frozenset(name.value for name in SHOWN_ONLY)
"""How the pool lies: worth knowing, and nothing that is wrong with the node."""

INTENDED = SHAPES | set(SWITCHES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """A warning in words, as pages and machines are told it."""

    name: str
    subject: str
    level: str
    title: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """An open or lost page, as far as the next step is concerned."""

    surface: Surface
    standing: Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A key of the copy's section `ops` with its parameters, or a warning whose remedy it is."""

    key: str = ""
    params: dict[str, Any] | None = None
    warning: Spoken | None = None


def state_of(warnings: Sequence[Spoken]) -> str:
    """`broken` by anything critical; `degraded` by any other but what a steward has done and how the pool lies."""
    if any(warning.level == "critical" for warning in warnings):
        return "broken"
    return "degraded" if any(warning.name not in INTENDED for warning in warnings) else "ready"


def next_step(state: StewardState, warnings: Sequence[Spoken], pages: Sequence[Seen], waiting: int) -> Step:
    """The first that holds: what is broken, what keeps the room shut, who is missing, what is not as it should be."""
    return next(_steps(state, warnings, pages, waiting))


def _steps(state: StewardState, warnings: Sequence[Spoken], pages: Sequence[Seen], waiting: int) -> Iterator[Step]:
    here = {page.surface for page in pages if page.standing is not Standing.OFFLINE}
    yield from (Step(warning=warning) for warning in warnings if warning.level == "critical")
    if state.maintenance_mode:
        yield Step(key="next_maintenance")
    pause = state.sensed.word(Subject.PLAYBACK_PAUSED)
    if pause is not None and state.sensed.asks(Subject.PLAYBACK_PAUSED):
        # By the clock of the node's place, as everything stewards are told.
        yield Step(key="next_sensor", params={"time": f"{pause.until.astimezone():%H:%M}"})
    if state.intake_paused and state.playback_paused:
        yield Step(key="next_open")
    if Surface.ROOM not in here and not state.playback_paused:
        yield Step(key="next_room_page")
    if Surface.KIOSK not in here and not state.intake_paused:
        yield Step(key="next_kiosk_page")
    yield from (Step(warning=warning) for warning in warnings if warning.name not in INTENDED)
    if waiting:
        yield Step(key="next_waiting_one" if waiting == 1 else "next_waiting", params={"count": waiting})
    yield from (Step(warning=warning) for warning in warnings if warning.name in SHAPES)
    yield Step(key="next_fine")
