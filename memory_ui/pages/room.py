"""The listening page: one composer for each open page, one program ahead of what sounds."""

import time
import zlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from fastapi import Request
from nicegui import Client, ui
from nicegui.events import GenericEventArguments
from pydantic import BaseModel, Field, ValidationError

from core.adapters.catalogs import plain
from core.bootstrap import System
from core.domain.artifact import Artifact
from core.domain.custody import Closed
from core.domain.device import Surface
from core.domain.room.state import RoomState, resumed
from core.domain.room.voices import Part
from core.domain.steward import StewardState
from core.domain.work import Signal
from core.services.pool import Playback
from core.services.room import Program
from memory_ui import theme
from memory_ui.api import shapes
from memory_ui.api.surface import AMBIENCE_PATH
from memory_ui.captions import caption
from memory_ui.copy import Copy, load_copy
from memory_ui.devices import Pages
from memory_ui.elements.player import Player
from memory_ui.languages import surface_language
from memory_ui.live import Live
from memory_ui.web import in_thread

T = TypeVar("T", bound=BaseModel)

RECENT_MOST = 50
PUSHED_AGAIN_S = 3.0
RECHECK_S = 5.0
SHOWN_MOST = 100
FEED_RENEWED_AT = 0.25
"""Share of its life after which the address of the fossils' pictures is renewed."""


class Hello(BaseModel):
    """What a browser says it played lately."""

    recent: list[int] = Field(max_length=RECENT_MOST)


class Need(BaseModel):
    """The program after `seq` is wanted."""

    seq: int = Field(ge=0)


def register(system: System, live: Live, pages: Pages) -> None:
    """Put the page on its path."""

    @ui.page("/room/", dark=True)
    async def room(request: Request, client: Client) -> None:
        theme.dress("room", body_class="room")
        state = await live.posture()
        player = Player(
            words=words(surface_language(request, state)),
            figures=figures(),
            colours=[asdict(colour) for colour in system.colours.colours],
            node={"name": system.settings.NODE_NAME},
            posture=_posture(system, state),
            autostart=request.query_params.get("autostart") != "0",
            recent_most=RECENT_MOST,
            page_version=system.devices.page_version,
        )
        device_id = pages.attach(client, player, Surface.ROOM)
        Listening(system, live, player, device_id, partial(surface_language, request)).attach(client)


class Listening:
    """What the server remembers of one open listening page."""

    def __init__(
        self,
        system: System,
        live: Live,
        player: Player,
        device_id: Callable[[], str],
        language: Callable[[StewardState], str],
    ) -> None:
        self._system = system
        self._device_id = device_id
        self._posture: dict[str, Any] = {}
        self._language_of = language
        self._copy = load_copy(player.words["language"])
        self._live = live
        self._player = player
        self._state = RoomState()
        self._rng = system.vault.rng()
        self._pushed_at = 0.0
        self._off: list[Any] = []
        self._shown: dict[int, None] = {}

    def attach(self, client: Client) -> None:
        """Composers start on connect and stop on disconnect, never in a page builder."""
        ui.timer(RECHECK_S, self._recheck)
        ui.timer(self._system.settings.ROOM_FOSSIL_FEED_SECONDS * FEED_RENEWED_AT, self._fossils, immediate=False)
        self._player.on("hello", self._hello)
        self._player.on("need", self._need)
        client.on_connect(self._connect)
        client.on_disconnect(self._disconnect)

    async def _connect(self) -> None:
        self._disconnect()
        self._off = [self._live.on(Signal.STEWARD, self._steward), self._live.on(Signal.POOL, self._pool)]
        self._posture = {}
        self._fossils()
        await self._steward({})
        await self._lay()

    def _disconnect(self) -> None:
        for off in self._off:
            off()
        self._off = []

    def _fossils(self) -> None:
        self._player.show_fossils(shapes.fossils_url(self._system.fossils.feed_token()))

    async def _lay(self) -> None:
        held = await in_thread(self._system.room.strata)
        now = self._system.clock.now()
        self._show([artifact.id for artifact in reversed(held)])
        self._player.lay([_layer(artifact, self._system, now) for artifact in held])

    def _hello(self, event: GenericEventArguments) -> None:
        hello = _valid(Hello, event)
        if hello is not None:
            self._state = resumed(self._state, hello.recent, RECENT_MOST)

    async def _need(self, event: GenericEventArguments) -> None:
        need = _valid(Need, event)
        if need is None:
            return
        on_its_way = self._state.seq > need.seq and time.monotonic() - self._pushed_at < PUSHED_AGAIN_S
        if on_its_way:
            return
        compose = partial(self._system.room.compose, device_id=self._device_id())
        program, self._state = await in_thread(compose, self._state, self._rng)
        self._pushed_at = time.monotonic()
        self._show([playback.artifact.id for playback in program.playbacks])
        self._player.offer(_program(program, self._system, self._copy))

    async def _steward(self, _detail: dict[str, Any]) -> None:
        state = await self._live.posture()
        language = self._language_of(state)
        if language != self._copy.language:
            self._copy = load_copy(language)
            self._player.speak(words(language))
        posture = _posture(self._system, state)
        if posture != self._posture:
            self._posture = posture
            self._player.obey(posture)

    async def _pool(self, detail: dict[str, Any]) -> None:
        self._drop(detail.get("dropped", []))

    async def _recheck(self) -> None:
        """Signals may be lost, and another process may have ended a voice: nothing stays that has no right to.

        The hour passes without a signal, too: quiet hours begin and end here.
        """
        if self._off:
            await self._steward({})
        if self._off and self._shown:
            self._drop(await in_thread(self._system.room.over, list(self._shown)))

    def _show(self, ids: list[int]) -> None:
        """Remember the newest voices this page may still hold, sounding or drawn."""
        for number in ids:
            self._shown.pop(number, None)
            self._shown[number] = None
        while len(self._shown) > SHOWN_MOST:
            self._shown.pop(next(iter(self._shown)))

    def _drop(self, ids: list[int]) -> None:
        if ids:
            for number in ids:
                self._shown.pop(number, None)
            self._player.drop(ids)


def _valid(kind: type[T], event: GenericEventArguments) -> T | None:
    """An event's payload, or None: a browser may send anything."""
    try:
        return kind.model_validate(event.args)
    except ValidationError:
        return None


def words(language: str) -> dict[str, Any]:
    """What a player speaks with."""
    copy = load_copy(language)
    texts = {**copy.section("room"), "between_sentences": copy.t("language.between_sentences")}
    return {"language": language, "direction": copy.direction, "copy": texts}


def figures() -> dict[str, Any]:
    """Every figure a player needs."""
    audio = plain("audio")
    heard = {name: audio[name] for name in ("context", "program", "level", "wear", "tone", "monitor", "wake")}
    return {**heard, "trace": plain("trace"), "device": plain("device")}


def _posture(system: System, state: StewardState) -> dict[str, Any]:
    levels = system.room.levels(state)
    return {
        "plays": state.plays,
        "gain": levels.output,
        "tone": {
            "voice": system.settings.ROOM_TONE_PROFILE,
            "scale": levels.tone,
            "file_url": AMBIENCE_PATH if system.settings.ROOM_TONE_FILE else "",
        },
        "tone_seed": zlib.crc32(system.settings.NODE_NAME.encode()),
        "reduced_motion": state.kiosk_force_reduced_motion,
        "quieter": levels.quiet,
        "maintained": state.maintenance_mode or bool(state.closed),
        "closed": state.closed is Closed.EXHIBITION,
    }


def _program(program: Program, system: System, copy: Copy) -> dict[str, Any]:
    now = system.clock.now()
    parts = program.cue.parts if program.cue is not None else ()
    return {
        "seq": program.seq,
        "rest_ms": program.rest_ms,
        "gap_ms": program.cue.gap.ms if program.cue is not None else 0,
        "good_for_ms": _ms(program.good_until, now),
        "tone": {"scale": program.tone, "resting": "sparse" if program.sparse else "idle"},
        "items": [_item(one, part, system, now, copy) for one, part in zip(program.playbacks, parts, strict=True)],
    }


def _item(playback: Playback, part: Part, system: System, now: datetime, copy: Copy) -> dict[str, Any]:
    return {
        **_layer(playback.artifact, system, now),
        "url": shapes.sound_url(playback.media_token),
        "ack_url": shapes.heard_url(playback.heard_token),
        "flag_url": shapes.flag_url(playback.heard_token),
        "start_ms": playback.slice.start_ms,
        "duration_ms": playback.sounds_ms,
        "level": playback.level,
        "gain": part.gain,
        "delay_ms": part.delay_ms,
        "fade_in_ms": part.fade_in_ms,
        "fade_out_ms": part.fade_out_ms,
        "caption": caption(playback.artifact, now, copy, heard_ms=playback.sounds_ms),
    }


def _layer(artifact: Artifact, system: System, now: datetime) -> dict[str, Any]:
    return {
        "artifact_id": artifact.id,
        "outline": artifact.outline,
        "wear": artifact.wear,
        "colour": artifact.effect,
        "held_for_ms": _held_for_ms(artifact, system, now),
    }


def _held_for_ms(artifact: Artifact, system: System, now: datetime) -> int:
    """Until its right or the site's day ends, whichever is first: a trace is a shadow of the voice."""
    return _ms(min(artifact.playable_until or now, system.room.day()[1]), now)


def _ms(until: datetime, now: datetime) -> int:
    return max(0, int((until - now).total_seconds() * 1000))
