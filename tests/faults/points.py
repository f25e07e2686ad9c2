"""Numbered points: every effect a process has on database, disk or network, and the one at which it dies."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.adapters.ledger import FileLedger, line
from core.adapters.stores.s3 import S3Store
from core.bootstrap import Outside
from core.domain.custody import Entry
from core.ports.outside import ByteStore

DISK_CALLS = ("fsync", "replace", "unlink", "mkdir", "rmdir")


class Points:
    """Counts points from 0 once armed, writes each to a trace, and kills its own process at one of them: at a number,
    or at the first of a name.

    The trace goes straight to the kernel: it survives the kill, and its last line is where the process died.
    Fine points lie where no effect separates them from a neighbour, or inside a transaction that a death undoes as
    a whole; without them every step is still died at once.
    """

    def __init__(self, trace: Path, kill_at: int | None, *, fine: bool, kill_on: str = "") -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._kill_at = kill_at
        self._kill_on = kill_on
        self._fine = fine
        self._next = 0
        self._armed = False
        self._lock = threading.Lock()

    def arm(self) -> None:
        """Count from here on."""
        self._armed = True

    def pass_by(self, label: str, *, fine: bool = False) -> None:
        """One point; the chosen one does not return."""
        if not self._armed or (fine and not self._fine):
            return
        with self._lock:
            os.write(self._trace, f"{label}\n".encode())
            if self._next == self._kill_at or label == self._kill_on:
                os.kill(os.getpid(), signal.SIGKILL)
            self._next += 1


class PointedStore:
    """A store whose puts and deletes are points."""

    def __init__(self, inner: ByteStore, points: Points) -> None:
        self._inner = inner
        self._points = points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        self._points.pass_by("before store.put", fine=True)
        self._inner.put(key, stream, size_bytes)
        self._points.pass_by("after store.put")

    def delete(self, key: str) -> None:
        self._points.pass_by("before store.delete", fine=True)
        self._inner.delete(key)
        self._points.pass_by("after store.delete")


class PointedApp:
    """An application whose every message to the client is a point; counting starts with its first request."""

    def __init__(self, app: ASGIApp, points: Points) -> None:
        self._app = app
        self._points = points
        self.answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def pointed(message: Message) -> None:
            kind = message["type"].removeprefix("http.response.")
            self._points.pass_by(f"before sending {kind}", fine=kind == "body")
            await send(message)
            self._points.pass_by(f"after sending {kind}")

        if scope["type"] != "http" or scope["path"] == "/_fault/calm":
            await self._app(scope, receive, send)
            return
        self._points.arm()
        if scope["path"].startswith("/_fault/"):
            await self._app(scope, receive, send)
            return
        self.answering += 1
        try:
            await self._app(scope, receive, pointed)
        finally:
            self.answering -= 1


def around(outside: Outside, points: Points) -> Outside:
    """The adapters of a system with points around and inside them."""
    _around_database(outside.engine, points)
    return replace(outside, store=PointedStore(outside.store, points))


def around_requests(store: S3Store, points: Points) -> None:
    """Points before and after every request to an S3 server."""
    transport = store._transport
    plain = transport.urlopen

    def asked(method: str, url: str, *args: Any, **kw: Any) -> Any:
        points.pass_by(f"before S3 {method}", fine=True)
        answer = plain(method, url, *args, **kw)
        points.pass_by(f"after S3 {method}", fine=True)
        return answer

    transport.urlopen = asked  # type: ignore[method-assign]


def around_ledger(ledger: FileLedger, store: ByteStore, points: Points) -> None:
    """Points around what is written down, and one in the middle of a line; its objects go through `store`."""
    plain_append, plain_write = ledger.append, ledger._write

    def append(entries: Sequence[Entry]) -> None:
        points.pass_by("before ledger.append", fine=True)
        plain_append(entries)
        points.pass_by("after ledger.append")

    def write_by_halves(entries: Sequence[Entry]) -> None:
        whole = "".join(line(entry) for entry in entries).encode()
        with ledger._path.open("ab") as file:
            size_bytes = file.tell()
            file.write(whole[: len(whole) // 2])
            file.flush()
            points.pass_by("ledger half written")
            file.truncate(size_bytes)
        plain_write(entries)

    ledger.append = append  # type: ignore[method-assign]
    ledger._write = write_by_halves  # type: ignore[method-assign]
    ledger._store = store


def around_disk(points: Points) -> None:
    """Points before and after every call of this process that changes a folder or makes a file durable."""
    for name in DISK_CALLS:
        setattr(os, name, _pointed(getattr(os, name), f"os.{name}", points))
    plain_copy = shutil.copyfileobj

    def copy_by_halves(source: BinaryIO, target: BinaryIO, length: int = 0) -> None:
        whole = source.read()
        target.write(whole[: len(whole) // 2])
        target.flush()
        points.pass_by("file half written")
        target.write(whole[len(whole) // 2 :])
        plain_copy(source, target)

    shutil.copyfileobj = copy_by_halves  # type: ignore[assignment]


def around_every_commit(points: Points) -> None:
    """Points around each commit of any session, before and after its effects can be handed on."""
    event.listen(Session, "before_commit", lambda _session: points.pass_by("before commit"))
    event.listen(Session, "after_commit", lambda _session: points.pass_by("after commit"))


def around_every_engine(points: Points) -> None:
    """The same for work that uses connections directly, as migrations do."""
    event.listen(Engine, "commit", lambda _connection: points.pass_by("before engine commit"))
    event.listen(Engine, "after_cursor_execute", _statement(points))


def _around_database(engine: Engine, points: Points) -> None:
    def began(connection: Connection) -> None:
        if _writes(connection):
            points.pass_by("after begin", fine=True)

    event.listen(engine, "begin", began)
    event.listen(engine, "after_cursor_execute", _statement(points))


def _statement(points: Points) -> Callable[..., None]:
    def executed(connection: Connection, _cursor: Any, sql: str, *_rest: Any) -> None:
        words = sql.split()
        if _writes(connection) and words[0] in ("INSERT", "UPDATE", "DELETE", "CREATE"):
            target = words[1] if words[0] == "UPDATE" else words[2]
            points.pass_by(f"after {words[0]} {target}", fine=words[0] != "CREATE")

    return executed


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("memory_writer", False))


def _pointed(function: Callable[..., Any], label: str, points: Points) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        points.pass_by(f"before {label}")
        result = function(*args, **kwargs)
        points.pass_by(f"after {label}", fine=True)
        return result

    return call
