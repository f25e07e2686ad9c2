"""What stands around every request: host, size, headers, a log line, and the nonce of the content policy."""

import ipaddress
import logging
import secrets
import socket
import time
from collections.abc import Callable
from http.cookies import SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory_ui.metrics import count_request
from memory_ui.web import STATION_COOKIE

log = logging.getLogger("memory_ui.requests")

SMALL_BODY_BYTES = 64 * 1024
TOO_MUCH = "That is more than this address takes."
FAULT = "Something went wrong here. Nothing that was left is lost."
UPLOADS = ("/api/v1/artifacts/audio", "/api/v1/ephemeral/audio")
LIVE_PAGES = ("/kiosk", "/room", "/ops", "/_nicegui")
COMPRESSED = ("/kiosk", "/room", "/ops", "/_nicegui/", "/assets/", "/docs/")

_COMMON = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'"
)
PLAIN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_ADDRESSES = """
_nicegui _nicegui_ws actions api archive artifact-summary artifacts assets audio bench cards certificate charts
clear-session consume controls csv derivatives devices docs drill end ephemeral favicon.ico flag forget fossils
fossils-url healthz heard hold identify jobs kiosk livez logout media metadata metrics name next node openapi.json
operator ops overrule participant pass play pool prompts raw readyz receipt reload remove retry revoke room root.crt
sensor session sessions spectrogram spectrograms state status surface tone v1
"""
_WORDS = frozenset(_ADDRESSES.split())
"""Everything an address of ours is made of. Nothing else of a path is logged: it may be a code someone typed there."""


class Surroundings:
    """Pure ASGI, because a response that streams for minutes must not be buffered or run in a task of its own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: frozenset[str],
        say: Callable[[Scope, int, str], Response],
        names_stations: bool = True,
    ) -> None:
        self._app = app
        self._allowed_hosts = allowed_hosts
        self._say = say
        self._names_stations = names_stations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one HTTP request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "http":
            await self._http(scope, receive, send, headers)
            return
        handshake = _Handshake(scope, send)
        if self._named(headers) and origin_allowed(headers):
            await self._app(scope, receive, handshake.send)
        else:
            await handshake.send({"type": "websocket.close", "code": 1008})

    def _named(self, headers: Headers) -> bool:
        return host_allowed(headers.get("host", ""), self._allowed_hosts)

    async def _http(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        started = time.perf_counter()
        request_id = secrets.token_hex(6)
        path: str = scope["path"]
        nonce = secrets.token_urlsafe(16)
        station = _new_station(path, headers) if self._names_stations else ""
        scope.setdefault("state", {})["new_station"] = station
        answer = _Answer(send, path, nonce, request_id, station)
        try:
            if not self._named(headers):
                foreign = JSONResponse({"error": "This node does not answer under that name."}, status_code=400)
                await foreign(scope, receive, answer.send)
            elif path in UPLOADS:
                await self._app(scope, receive, answer.send)
            elif _declared(headers) > SMALL_BODY_BYTES:
                await self._say(scope, 413, TOO_MUCH)(scope, receive, answer.send)
            else:
                await self._app(scope, _bounded(receive), answer.send)
        except ClientDisconnect:
            log.info("request.left", extra={"request_id": request_id})
        except Exception:
            log.exception("request.failed", extra={"request_id": request_id})
            if answer.status == 0:
                await self._say(scope, 500, FAULT)(scope, receive, answer.send)
        finally:
            seconds, address = time.perf_counter() - started, public_path(path)
            count_request(scope["method"], address, answer.status, seconds)
            said = {"request_id": request_id, "method": scope["method"], "path": address, "status": answer.status}
            log.info("request", extra={**said, "ms": round(seconds * 1000, 1)})


class SelectiveGZip:
    """Compresses pages and scripts only: sound does not shrink, and pages with codes must not leak by length."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, minimum_size=800, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by path."""
        compressed = scope["type"] == "http" and scope["path"].startswith(COMPRESSED)
        await (self._gzip if compressed else self._plain)(scope, receive, send)


def host_allowed(host: str, allowed: frozenset[str]) -> bool:
    """Whether a Host header names this node. Addresses cannot be rebound by a foreign name, so they pass."""
    if "*" in allowed:
        return True
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in allowed
    return True


def allowed_hosts(configured: str, bound: str) -> frozenset[str]:
    """The names this node answers to: its own, what it is bound to, and what is configured."""
    own = socket.gethostname().lower()
    names = {"localhost", own, f"{own}.local", own.split(".")[0], f"{own.split('.')[0]}.local", bound.lower()}
    return frozenset(names | {name.strip().lower() for name in configured.split(",") if name.strip()})


def origin_allowed(headers: Headers) -> bool:
    """Whether a request that changes something comes from this node's own pages, or from no browser at all."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.split("://", 1)[-1].lower() == headers.get("host", "").lower()


def public_path(path: str) -> str:
    """A path with only the words of our own addresses in it."""
    words = path.split("/")
    if words[1:2] and words[1] in ("assets", "docs", "_nicegui", "_nicegui_ws"):
        return f"/{words[1]}/-"
    return "/".join(word if not word or word in _WORDS else "-" for word in words)


class _TooMuch(HTTPException):
    """A body without a length grew beyond its bound; the framework's own reading of bodies lets it pass."""

    def __init__(self) -> None:
        super().__init__(status_code=413, detail=TOO_MUCH)


class _Answer:
    """Adds headers to a response, and the nonce to the scripts of a live page."""

    def __init__(self, send: Send, path: str, nonce: str, request_id: str, station: str) -> None:
        self._send = send
        self._live = path.startswith(LIVE_PAGES)
        self._framework = path.startswith("/_nicegui")
        self._nonce = nonce
        self._request_id = request_id
        self._station = station
        self._start: Message | None = None
        self._html: list[bytes] = []
        self.status = 0

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            html = headers.get("content-type", "").startswith("text/html")
            self._dress(headers, live_html=self._live and html)
            if self._live and html:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._html.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_html()
            return
        await self._send(message)

    def _dress(self, headers: MutableHeaders, *, live_html: bool) -> None:
        policy = f"{_COMMON}; script-src 'self' 'nonce-{self._nonce}' 'unsafe-eval'" if live_html else PLAIN_POLICY
        _guard(headers, policy)
        if not self._framework:
            headers.setdefault("Cache-Control", "no-store")
        headers["X-Request-Id"] = self._request_id
        if self._station:
            headers.append(
                "Set-Cookie", f"{STATION_COOKIE}={self._station}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict"
            )

    async def _send_html(self) -> None:
        start, self._start = self._start, None
        if start is None:
            return
        body = b"".join(self._html).replace(b"<script", f'<script nonce="{self._nonce}"'.encode())
        MutableHeaders(scope=start)["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


class _Handshake:
    """Says no to a socket with an answer that carries the headers of every other; servers' own would carry none."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._may_answer = "websocket.http.response" in scope.get("extensions", {})

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on."""
        if message["type"] == "websocket.accept":
            self._may_answer = False
        if message["type"] != "websocket.close" or not self._may_answer:
            await self._send(message)
            return
        answer = JSONResponse({"error": "This socket is not for you."}, status_code=403)
        _guard(answer.headers, PLAIN_POLICY)
        answer.headers["Cache-Control"] = "no-store"
        start = {"status": answer.status_code, "headers": answer.raw_headers}
        await self._send({"type": "websocket.http.response.start", **start})
        await self._send({"type": "websocket.http.response.body", "body": answer.body})


def _guard(headers: MutableHeaders, policy: str) -> None:
    headers.setdefault("Content-Security-Policy", policy)
    headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": over plain http it would make a form's Origin "null", and a foreign one look like ours.
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=(), interest-cohort=()"


def _new_station(path: str, headers: Headers) -> str:
    """A station id for a kiosk that has none yet."""
    if not path.startswith("/kiosk") or STATION_COOKIE in SimpleCookie(headers.get("cookie", "")):
        return ""
    return secrets.token_urlsafe(12)


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    # More digits than any file has bytes: not worth turning into a number, and Python would refuse some of them.
    return int(length[:18]) if length.isascii() and length.isdigit() else 0


def _bounded(receive: Receive) -> Receive:
    left = SMALL_BODY_BYTES

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if left < 0:
            raise _TooMuch
        return message

    return bounded
