"""The kiosk: one recorder, told of every change of the posture."""

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import Request
from nicegui import Client, ui

from core.adapters.catalogs import plain
from core.bootstrap import System
from core.domain.device import Surface
from core.domain.notices import plain_figure
from core.domain.steward import StewardState
from core.domain.work import Signal
from memory_ui import theme
from memory_ui.api import shapes
from memory_ui.devices import Pages
from memory_ui.elements.recorder import Recorder
from memory_ui.kiosk_words import offered, words_of
from memory_ui.languages import surface_language
from memory_ui.live import Live
from memory_ui.web import Asker, asker_of, in_thread

RECONNECT_S = 120
LOOK_S = 5.0


def register(system: System, live: Live, pages: Pages) -> None:
    """Put the page on its path."""

    @ui.page("/kiosk/", reconnect_timeout=RECONNECT_S)
    async def kiosk(request: Request, client: Client) -> None:
        theme.dress("kiosk", "slip")
        asker = asker_of(request)
        state = await live.posture()
        recorder = Recorder(
            words=words_of(system, surface_language(request, state)),
            languages=offered(system),
            figures=_figures(system),
            colours=[asdict(colour) for colour in system.colours.colours],
            surface=_surface(system, request, state, await in_thread(_asked, system, asker)),
            node={"name": system.settings.NODE_NAME, "location": system.settings.NODE_LOCATION},
            page_version=system.devices.page_version,
        )
        pages.attach(client, recorder, Surface.KIOSK, asker.named)

        async def read_again(detail: dict[str, Any]) -> None:
            # A posture with a version is all that has changed, and it is read once for every page there is.
            state = await live.posture()
            if "version" in detail:
                recorder.surface = {**recorder.surface, **_posture(system, request, state)}
            else:
                recorder.surface = _surface(system, request, state, await in_thread(_asked, system, asker))

        async def look_again() -> None:
            # Clock and disk change without a signal.
            posture = _posture(system, request, await live.posture())
            if off and any(recorder.surface[name] != value for name, value in posture.items()):
                recorder.surface = {**recorder.surface, **posture}

        off: list[Any] = []
        ui.timer(LOOK_S, look_again, immediate=False)
        client.on_connect(lambda: off.append(live.on(Signal.STEWARD, read_again)))
        client.on_connect(lambda: read_again({}))
        client.on_disconnect(lambda: [off.pop()() for _ in list(off)])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What one kiosk has left of its budget, and what it may ask in each language."""

    budget: dict[str, Any]
    prompts: dict[str, list[str]]


def _asked(system: System, asker: Asker) -> _Asked:
    budgets = system.budgets.snapshot("ingest", client=asker.station, address=asker.address)
    return _Asked(budget=shapes.ingest_budget(*budgets), prompts=system.prompts.asked())


def _posture(system: System, request: Request, state: StewardState) -> dict[str, Any]:
    return {
        **shapes.operator_state(state),
        "intake_door": system.intake.door(state).value,
        "language": surface_language(request, state),
    }


def _surface(system: System, request: Request, state: StewardState, asked: _Asked) -> dict[str, Any]:
    return {**_posture(system, request, state), "ingest_budget": asked.budget, "prompts": asked.prompts}


def _figures(system: System) -> dict[str, Any]:
    audio, settings = plain("audio"), system.settings
    return {
        **{name: audio[name] for name in ("context", "take", "monitor", "level", "wear")},
        "kiosk": plain("kiosk"),
        "trace": plain("trace"),
        "device": plain("device"),
        "promise": {
            "room_hours": plain_figure(settings.RAW_TTL_HOURS_ROOM),
            "fossil_hours": plain_figure(settings.RAW_TTL_HOURS_FOSSIL),
            "fossil_days": plain_figure(settings.DERIVATIVE_TTL_DAYS_FOSSIL),
            "backup_days": plain_figure(settings.BACKUP_DAYS),
        },
    }
