"""The kiosk: one recorder, told of every change of the posture."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import Request
from nicegui import Client, ui
from nicegui.events import GenericEventArguments

from core.adapters.catalogs import plain
from core.bootstrap import System
from core.domain.device import Surface
from core.domain.notices import plain_figure
from core.domain.steward import StewardState
from core.domain.work import Signal
from core.settings import Settings
from memory_ui import theme
from memory_ui.api import shapes
from memory_ui.copy import languages
from memory_ui.devices import Pages
from memory_ui.elements.recorder import Recorder
from memory_ui.kiosk_clips import prompt_clips
from memory_ui.kiosk_rules import posture
from memory_ui.kiosk_words import offered, words_of
from memory_ui.languages import surface_language
from memory_ui.live import Live
from memory_ui.web import Asker, asker_of, in_thread

RECONNECT_S = 120
LOOK_S = 5.0
LAYOUTS = ("standing", "seated")
MICROPHONE_SIGNS = 120


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
            figures=figures(system.settings),
            colours=[asdict(colour) for colour in system.colours.colours],
            surface=_surface(system, request, state, await in_thread(_asked, system, state, asker)),
            node={"name": system.settings.NODE_NAME, "location": system.settings.NODE_LOCATION},
            fittings=_fittings(system.settings, request.query_params),
            page_version=system.devices.page_version,
        )
        pages.attach(client, recorder, Surface.KIOSK, asker.named)

        async def read_again(detail: dict[str, Any]) -> None:
            # A posture with a version is all that has changed, and it is read once for every page there is; only a
            # theme that is another has a clip of its own.
            state = await live.posture()
            if "version" in detail and state.session_theme_prompt == recorder.surface["session_theme_prompt"]:
                recorder.surface = {**recorder.surface, **posture(system, request, state)}
            else:
                recorder.surface = _surface(system, request, state, await in_thread(_asked, system, state, asker))

        async def look_again() -> None:
            # Clock, disk and a budget that was used up change without a signal.
            found = posture(system, request, await live.posture())
            if recorder.surface["ingest_budget"]["exhausted"]:
                found["ingest_budget"] = await in_thread(_budget, system, asker)
            if off and any(recorder.surface[name] != value for name, value in found.items()):
                recorder.surface = {**recorder.surface, **found}

        async def moved(event: GenericEventArguments) -> None:
            # Whoever comes next is told before they speak that there is nothing left of the budget.
            if off and event.args.get("stage") == "idle":
                budget = await in_thread(_budget, system, asker)
                if budget["exhausted"]:
                    recorder.surface = {**recorder.surface, "ingest_budget": budget}

        off: list[Any] = []
        recorder.on("stage", moved)
        ui.timer(LOOK_S, look_again, immediate=False)
        client.on_connect(lambda: off.append(live.on(Signal.STEWARD, read_again)))
        client.on_connect(lambda: read_again({}))
        client.on_disconnect(lambda: [off.pop()() for _ in list(off)])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What one kiosk has left of its budget, what it may ask in each language, and the clips that ask it."""

    budget: dict[str, Any]
    prompts: dict[str, list[str]]
    clips: dict[str, str]


def _asked(system: System, state: StewardState, asker: Asker) -> _Asked:
    prompts = system.prompts.asked()
    theme = [state.session_theme_prompt] if state.session_theme_prompt else []
    # A session's theme is one text for every language; whichever clip says it is right.
    spoken = {language: [*prompts.get(language, []), *theme] for language in languages()}
    return _Asked(budget=_budget(system, asker), prompts=prompts, clips=prompt_clips(system, spoken))


def _budget(system: System, asker: Asker) -> dict[str, Any]:
    return shapes.ingest_budget(*system.budgets.snapshot("ingest", client=asker.station, address=asker.address))


def _fittings(settings: Settings, asked: Mapping[str, str]) -> dict[str, Any]:
    """How this kiosk is fitted: as its address says, so that two kiosks of a node may differ, else by the settings."""
    layout = asked.get("layout", "")
    return {
        "microphone": asked.get("microphone", settings.KIOSK_MICROPHONE)[:MICROPHONE_SIGNS],
        "layout": layout if layout in LAYOUTS else settings.KIOSK_LAYOUT,
        "prints": asked.get("prints", "1" if settings.KIOSK_PRINTS else "0") == "1",
    }


def _surface(system: System, request: Request, state: StewardState, asked: _Asked) -> dict[str, Any]:
    return {
        **posture(system, request, state),
        "ingest_budget": asked.budget,
        "prompts": asked.prompts,
        "prompt_clips": asked.clips,
    }


def figures(settings: Settings) -> dict[str, Any]:
    """Every figure a recorder needs."""
    audio = plain("audio")
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
