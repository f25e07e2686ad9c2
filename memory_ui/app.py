"""The web application: API and plain pages first, live pages below them."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from nicegui import app as pages
from nicegui import ui
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.types import Scope

from core.bootstrap import System
from core.errors import MemoryEngineError, NotFound, OverBudget
from memory_ui import kiosk_clips, kiosk_words, metrics, theme
from memory_ui.api import (
    archive,
    care,
    contract,
    controls,
    decisions,
    devices,
    doors,
    health,
    intake,
    media,
    node,
    pool,
    receipt,
    sensor,
    session,
    surface,
    take_keys,
)
from memory_ui.board import Board
from memory_ui.copy import load_copy
from memory_ui.devices import Pages
from memory_ui.live import Live
from memory_ui.middleware import TOO_MUCH, SelectiveGZip, Surroundings, allowed_hosts
from memory_ui.pages import kiosk, ops, room
from memory_ui.plain import cards, certificate, docs, door, revoke, signin
from memory_ui.plain.render import problem_page
from memory_ui.sockets import bind_sockets

log = logging.getLogger(__name__)

Background = Callable[[System], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def no_background(_system: System) -> AsyncIterator[None]:
    """For a process whose jobs run elsewhere."""
    yield


def plain_app(system: System, background: Background = no_background) -> FastAPI:
    """API and plain pages of one process. `background` runs while the application does."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        effects = asyncio.create_task(system.effects.run())
        try:
            async with background(system):
                yield
        finally:
            effects.cancel()
            await asyncio.gather(effects, return_exceptions=True)
            system.close()

    app = FastAPI(title="Memory Engine", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.system = system
    app.state.signing_in = asyncio.Lock()
    for routes in ROUTES:
        # As they are: to include a router builds every one of its routes a second time, with the first request.
        app.router.routes.extend(routes.router.routes)
    app.add_api_route("/api/{path:path}", _unknown, methods=_ANY, include_in_schema=False)
    _surround(app, system)
    app.add_middleware(SelectiveGZip)
    return app


def certificate_app(system: System) -> FastAPI:
    """What answers over plain http beside HTTPS: the page of the certificate; everything else is led to https."""
    app = FastAPI(title="Memory Engine", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.system = system
    for routes in (certificate, theme):
        app.router.routes.extend(routes.router.routes)
    # Whoever writes the address without its last slash must not be sent to where the browser warns.
    app.add_api_route("/certificate", certificate.with_slash, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/{path:path}", certificate.lead_on, methods=["GET", "HEAD"], include_in_schema=False)
    # A station is named where its kiosk is, over https.
    _surround(app, system, names_stations=False)
    return app


def _surround(app: FastAPI, system: System, *, names_stations: bool = True) -> None:
    app.add_exception_handler(MemoryEngineError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    hosts = allowed_hosts(system.settings.ALLOWED_HOSTS, system.settings.HOST)
    app.add_middleware(Surroundings, allowed_hosts=hosts, say=_say_in, names_stations=names_stations)


def create_app(system: System, background: Background = no_background) -> FastAPI:
    """The whole application; once a process, because the live pages' framework is one a process."""
    live = Live(system)
    open_pages = Pages(system, live)

    @asynccontextmanager
    async def with_pages(system: System) -> AsyncIterator[None]:
        async with background(system), live.watching(), open_pages.running():
            yield

    app = plain_app(system, with_pages)
    kiosk.register(system, live, open_pages)
    room.register(system, live, open_pages)
    ops.register(system, live, Board(system, live))
    # Routes of ours come before the framework's: behind its session they would run several times slower, and an
    # unknown path below it would build a page.
    app.add_api_route("/{path:unframed}", _unknown, methods=_ANY, include_in_schema=False)
    ui.run_with(
        app,
        title=system.settings.NODE_NAME,
        language="en-US",
        binding_refresh_interval=None,
        gzip_middleware_factory=None,
        tailwind=False,
        show_welcome_message=False,
    )
    bind_sockets()
    # Pages are built by an application of their own; what they render plainly looks for the system there.
    pages.state.system = system
    pages.on_page_exception(_page_failed)
    return app


def _page_failed() -> None:
    """What stands on a live page that could not be built: a sentence of ours, and nothing of the inside."""
    copy = load_copy("en")
    theme.dress("plain", body_class="plain")
    with ui.element("div").classes("sheet"):
        ui.label(copy.t("problem.failed")).classes("question").props("role=heading aria-level=1")
        ui.label(copy.t("problem.failed_note")).classes("note")


ROUTES = (
    archive,
    care,
    contract,
    controls,
    decisions,
    devices,
    doors,
    health,
    intake,
    kiosk_clips,
    kiosk_words,
    media,
    node,
    pool,
    receipt,
    sensor,
    session,
    surface,
    take_keys,
    cards,
    certificate,
    docs,
    door,
    revoke,
    signin,
    theme,
    metrics,
)
"""Everything that answers over plain HTTP, in the order it is asked."""

_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class _Unframed(Convertor[str]):
    """Every path that is not one of the live pages or their framework's."""

    regex = r"(?!(?:kiosk|room|ops)(?:/|$)|_nicegui).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("unframed", _Unframed())


async def _unknown(request: Request) -> Response:
    raise NotFound("There is nothing at this address.")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, MemoryEngineError)
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, OverBudget):
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status >= 500:
        log.warning("request.unavailable", extra={"reason": type(error).__name__})
    return _say(request, error.status, error.message, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in _PLACES)
    name = (
        "The body" if not place or first["type"] == "json_invalid" else place if _NAME.fullmatch(place) else "A field"
    )
    return _say(request, 400, f"{name} is not what this address takes: {first['msg'].lower()}.")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: TOO_MUCH,
    }
    return _say(
        request, error.status_code, sentences.get(error.status_code, "This request cannot be answered."), error.headers
    )


def _say_in(scope: Scope, status: int, sentence: str) -> Response:
    """The same outside every route."""
    return _say(Request({**scope, "app": scope.get("app")}), status, sentence)


def _say(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.url.path.startswith(_MACHINES):
        return JSONResponse({"error": sentence}, status_code=status, headers=headers)
    return problem_page(request, status)


_PLACES = ("body", "query", "path", "header", "cookie")
_NAME = re.compile(r"[\w.-]{1,80}", re.ASCII)
"""What is repeated of a name: a name of ours, or one that is as harmless."""

_MACHINES = ("/api/", "/livez", "/healthz", "/readyz", "/metrics", "/assets/", "/kiosk-clips/")
