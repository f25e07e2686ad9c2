"""The steward's pages: pushed to whoever has a live session, and to nobody a moment longer."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.cookies import CookieError, SimpleCookie
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from nicegui import Client, ui

from core.adapters.catalogs import plain
from core.bootstrap import System
from core.domain.deployment import DeploymentName
from core.domain.pool.facts import Mood
from core.domain.steward import ACCESSIBILITY_MODES
from core.domain.work import Signal
from core.errors import MemoryEngineError
from core.ports.stewarding import Session
from core.services.access import Visitor
from memory_ui import theme
from memory_ui.addresses import base_of, square
from memory_ui.board import Board
from memory_ui.copy import languages, load_copy
from memory_ui.elements.ops import Bench, Ops
from memory_ui.live import Live
from memory_ui.plain.render import problem_page
from memory_ui.plain.signin import ask
from memory_ui.session import COOKIE, session_of, visitor_of
from memory_ui.sockets import admit
from memory_ui.web import in_thread

RECHECK_S = 5.0
ANSWER_TIMEOUT_MS = 15_000
CHARTS_EVERY_MS = 60_000
SURFACES = (("kiosk", "/kiosk/"), ("room", "/room/"), ("revoke", "/revoke/"), ("ops", "/ops/"))


def register(system: System, live: Live, board: Board) -> None:
    """Put both pages on their paths."""

    async def open_page(
        request: Request, client: Client, build: Callable[[dict[str, Any]], Ops | Bench]
    ) -> Response | None:
        try:
            session = await in_thread(session_of, system, request.cookies, visitor_of(request))
            if session is None:
                return ask(request)
            view = {**await board.view(), "me": _me(session)}
        except MemoryEngineError as error:
            return problem_page(request, error.status)
        theme.dress("ops")
        Watched(system, live, board, session, build(view)).attach(client)
        return None

    @ui.page("/ops/", title=_title(system, "ops.title"))
    async def ops(request: Request, client: Client) -> Response | None:
        def build(view: dict[str, Any]) -> Ops:
            return Ops(
                **_shared(system), surfaces=_surfaces(system, request), copy=load_copy("en").section("ops"), view=view
            )

        return await open_page(request, client, build)

    @ui.page("/ops/bench/", title=_title(system, "bench.title"))
    async def bench(request: Request, client: Client) -> Response | None:
        def build(view: dict[str, Any]) -> Bench:
            copy = load_copy("en")
            shared = _shared(system)
            shared["figures"] |= {"trace": plain("trace"), "charts_every_ms": CHARTS_EVERY_MS}
            plotly_url = theme.asset("vendor/plotly-basic.min.js")
            return Bench(
                **shared, copy=copy.section("bench"), ops=copy.section("ops"), plotly_url=plotly_url, view=view
            )

        return await open_page(request, client, build)


class Watched:
    """One open page of one session."""

    def __init__(self, system: System, live: Live, board: Board, session: Session, element: Ops | Bench) -> None:
        self._system = system
        self._live = live
        self._board = board
        self._session = session
        self._element = element
        self._visitor: Visitor | None = None
        self._off: list[Callable[[], None]] = []

    def attach(self, client: Client) -> None:
        """Pushing starts with a connection and stops with it."""
        admit(client, self._admits)
        ui.timer(RECHECK_S, self._recheck)
        client.on_connect(self._connect)
        client.on_disconnect(self._disconnect)

    def _admits(self, environ: dict[str, Any]) -> bool:
        """A socket is let in with the same session's cookie, from the same visitor as far as the session is bound."""
        scope: Mapping[str, Any] = environ.get("asgi.scope", {})
        address = (scope.get("client") or ("",))[0]
        visitor = Visitor(user_agent=environ.get("HTTP_USER_AGENT", ""), address=address)
        try:
            cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
            session = session_of(self._system, {COOKIE: cookie.value if cookie is not None else ""}, visitor)
        except (CookieError, MemoryEngineError):
            return False
        if session is None or session.id != self._session.id:
            return False
        self._visitor = visitor
        return True

    async def _connect(self) -> None:
        self._disconnect()
        self._off = [
            self._live.on(Signal.SESSIONS, lambda _detail: self._recheck()),
            self._board.attach(self._push),
        ]
        await self._recheck()

    def _disconnect(self) -> None:
        for off in self._off:
            off()
        self._off = []

    def _push(self, view: dict[str, Any]) -> None:
        if self._session.until > self._system.clock.now():
            self._element.show({**view, "me": _me(self._session)})

    async def _recheck(self) -> None:
        """A session may end anywhere, by anybody, or by its time; a page that is not watched has nothing to end."""
        if not self._off:
            return
        try:
            session = await in_thread(self._system.access.still, self._session, self._visitor)
        except MemoryEngineError:
            return
        if session is None:
            self._disconnect()
            self._element.show(None)
        else:
            self._session = session


def _title(system: System, key: str) -> str:
    return f"{load_copy('en').t(key)} · {system.settings.NODE_NAME}"


def _me(session: Session) -> dict[str, Any]:
    return {
        "name": session.name,
        "role": session.role.value,
        "changes": session.role.changes,
        "until_ms": int(session.until.timestamp() * 1000),
    }


def _shared(system: System) -> dict[str, Any]:
    audio, copy = plain("audio"), load_copy("en")
    settings = system.settings
    return {
        "times": copy.section("times"),
        "node": {"name": settings.NODE_NAME, "location": settings.NODE_LOCATION},
        "choices": {
            **asdict(system.stewardship.limits),
            "languages": {tag: load_copy(tag).name for tag in languages()},
            "statuses": list(system.deployment.row.statuses),
            "moods": [mood.value for mood in Mood],
            "accessibility_modes": list(ACCESSIBILITY_MODES),
            "deployments": [name.value for name in DeploymentName],
        },
        "figures": {
            "context": audio["context"],
            "tone": audio["monitor"],
            "answer_timeout_ms": ANSWER_TIMEOUT_MS,
        },
    }


def _surfaces(system: System, request: Request) -> list[dict[str, str]]:
    """Where participants and stewards go, with codes for phones: by the configured address, or the one used here."""
    base = base_of(system, request)
    return [
        {"name": name, "path": path, "url": f"{base}{path}", "qr": square(f"{base}{path}")} for name, path in SURFACES
    ]
