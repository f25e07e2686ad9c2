"""What a kiosk goes by beside what a steward has set: each rule works out one value of its surface, at every look.

A rule may add a value or, under the name of a control, put its own in the place of the steward's. Its page is told of
every change of the posture at once, and of what changes without one, such as the hour, within seconds.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import HTTPConnection

from core.bootstrap import System
from core.domain.steward import StewardState, topics_of
from memory_ui.api import shapes
from memory_ui.languages import surface_language

Rule = Callable[[System, HTTPConnection, StewardState], Any]


def posture(system: System, request: HTTPConnection, state: StewardState) -> dict[str, Any]:
    """The posture in force, with what every rule says of it."""
    ruled = {name: rule(system, request, state) for name, rule in RULES.items()}
    return {**shapes.operator_state(state), **ruled}


def _intake_door(system: System, _request: HTTPConnection, state: StewardState) -> str:
    return system.intake.door(state).value


def _language(_system: System, request: HTTPConnection, state: StewardState) -> str:
    return surface_language(request, state)


def _topics(_system: System, _request: HTTPConnection, state: StewardState) -> list[str]:
    return list(topics_of(state.kiosk_topics))


RULES: Mapping[str, Rule] = {
    "intake_door": _intake_door,
    "language": _language,
    "topics": _topics,
}
"""Every rule, by the name of the value it works out."""
