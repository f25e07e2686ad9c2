"""How a node stands in one word, and the one thing a steward should do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.device import Standing, Surface
from core.domain.steward import SWITCHES, StewardState


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
    """`broken` by anything critical, `degraded` by any warning that is not a steward's own doing, else `ready`."""
    if any(warning.level == "critical" for warning in warnings):
        return "broken"
    return "degraded" if any(warning.name not in SWITCHES for warning in warnings) else "ready"


def next_step(state: StewardState, warnings: Sequence[Spoken], pages: Sequence[Seen], waiting: int) -> Step:
    """What is broken first; then what keeps the room shut, then who is missing, then what is merely not as it should be."""
    grave = next((warning for warning in warnings if warning.level == "critical"), None)
    if grave is not None:
        return Step(warning=grave)
    if state.maintenance_mode:
        return Step(key="next_maintenance")
    if state.intake_paused and state.playback_paused:
        return Step(key="next_open")
    here = {page.surface for page in pages if page.standing is not Standing.OFFLINE}
    if Surface.ROOM not in here and not state.playback_paused:
        return Step(key="next_room_page")
    if Surface.KIOSK not in here and not state.intake_paused:
        return Step(key="next_kiosk_page")
    light = next((warning for warning in warnings if warning.name not in SWITCHES), None)
    if light is not None:
        return Step(warning=light)
    if waiting:
        return Step(key="next_waiting_one" if waiting == 1 else "next_waiting", params={"count": waiting})
    return Step(key="next_fine")
