"""HTTPS by the node itself: the certificate a running server shows, kept good, and plain http beside it.

A certificate that is made while the server runs is shown to whoever connects from then on; connections that are open go
on with the one they began with.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from core.bootstrap import System
from core.errors import Misconfigured
from memory_ui.addresses import certified
from memory_ui.web import in_thread

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""Between looks at whether somebody has put another certificate there."""

KEEP_S = 60.0
"""Between looks at whether it is still good: a clock that has been set right, or a new cable, is noticed so soon."""

Background = Callable[[System], AbstractAsyncContextManager[None]]
Stamp = tuple[int, int, int]


class Secured:
    """The certificate of one running node; `context` is what its server encrypts with."""

    def __init__(self, system: System, plain_app: FastAPI, plain: socket | None) -> None:
        self._system = system
        self._plain_app = plain_app
        self._plain = plain
        self._stamp: Stamp | None = None
        self.context = _context()
        try:
            system.certificates.keep(certified(system.settings))
            self._take_up()
        except OSError as error:
            raise Misconfigured([f"TLS: the certificate cannot be written or read: {error}"]) from error

    def beside(self, background: Background) -> Background:
        """The background of a node, and beside it what keeps its certificate and answers over plain http."""

        @asynccontextmanager
        async def both(system: System) -> AsyncIterator[None]:
            async with background(system), _answering(self._plain_app, self._plain):
                keeping = asyncio.create_task(self._keep())
                try:
                    yield
                finally:
                    keeping.cancel()
                    await asyncio.gather(keeping, return_exceptions=True)

        return both

    async def _keep(self) -> None:
        kept_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            due = time.monotonic() - kept_at >= KEEP_S
            kept_at = time.monotonic() if due else kept_at
            await in_thread(self.look, keep=due)

    def look(self, *, keep: bool) -> None:
        """Make a new certificate where one is due, and show what lies there now. What fails leaves what is shown."""
        try:
            if keep:
                self._system.certificates.keep(certified(self._system.settings))
            self._take_up()
        except Exception:
            # A server goes on with what it shows, whatever one look has met.
            log.exception("tls.not_kept")

    def _take_up(self) -> None:
        chain = self._system.certificates.chain
        stamp = _stamp_of(chain)
        if stamp == self._stamp:
            return
        # Tried apart: a file that cannot be read must not take from the server what it has.
        _context().load_cert_chain(chain)
        self.context.load_cert_chain(chain)
        self._stamp = stamp


class _Beside(uvicorn.Server):
    """A second server in one process; signals are the first one's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _answering(app: FastAPI, listener: socket | None) -> AsyncIterator[None]:
    """Answer on a port of its own while this is open; nothing where there is none."""
    if listener is None:
        yield
        return
    quiet: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False}
    server = _Beside(uvicorn.Config(app, **quiet, lifespan="off", ws="none", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stamp_of(path: Path) -> Stamp:
    """Tells one file under a name from the next."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
