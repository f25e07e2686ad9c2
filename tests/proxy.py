"""A proxy in front of a real server that misbehaves when it is told to, switched while it runs."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Self

from tests.processes import LOOPBACK, free_port

EVERY = "*"
LOOK_S = 0.05
STEP_BYTES = 1 << 16
SLOW_BYTES_S = 8 << 20


class Fault(StrEnum):
    """What goes wrong. `REFUSE` and `HANG` also work for a protocol that is not HTTP."""

    REFUSE = "refuse"
    """Nothing listens; open connections are cut. Not for single methods."""
    HANG = "hang"
    """The request is read and never answered."""
    ERROR = "error"
    """503; the server is not asked."""
    DEAF = "deaf"
    """Not even the request's body is read."""
    LOST = "lost"
    """The server does it, the answer is lost and the connection cut."""
    LATE = "late"
    """The whole request is held back, and reaches the server when the fault is cleared, whoever still waits."""
    STALL = "stall"
    """Half of the answer, then silence."""
    CUT = "cut"
    """Half of the answer, then the connection is cut."""
    SLOW = "slow"
    """The request's body passes at 8 MiB/s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    method: str
    path: str
    raw: bytes


class FaultyProxy:
    """Passes everything on until `set`; `methods` narrows a fault to some HTTP methods."""

    def __init__(self, upstream_port: int, *, speaks_http: bool = True) -> None:
        self.port = free_port()
        self.endpoint = f"{LOOPBACK}:{self.port}"
        self.asked: list[str] = []
        """Method and path of every request, in their order."""
        self._upstream = (LOOPBACK, upstream_port)
        self._handle = self._http if speaks_http else self._bytes
        self._faults: dict[str, Fault] = {}
        self._changed = threading.Condition()
        self._sockets: set[socket.socket] = set()
        self._closed = False
        self._listening: threading.Thread | None = None
        self._listen()

    @property
    def methods(self) -> list[str]:
        """Of every request, in their order."""
        return [one.split(" ", 1)[0] for one in self.asked]

    def set(self, fault: Fault, *methods: str) -> None:
        """From now on, for these methods or for all."""
        with self._changed:
            self._faults.update(dict.fromkeys(methods or (EVERY,), fault))
            self._changed.notify_all()
        if fault is Fault.REFUSE:
            self._stop_listening()

    def clear(self) -> None:
        """Behave again."""
        with self._changed:
            self._faults.clear()
            self._changed.notify_all()
        self._listen()

    @contextmanager
    def fault(self, fault: Fault, *methods: str) -> Iterator[None]:
        """Misbehave for the length of a block."""
        self.set(fault, *methods)
        try:
            yield
        finally:
            self.clear()

    def close(self) -> None:
        """Cut everything."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._stop_listening()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _fault_of(self, method: str) -> Fault | None:
        return self._faults.get(method, self._faults.get(EVERY))

    def _wait_while(self, method: str, fault: Fault) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fault_of(method) is not fault)

    def _listen(self) -> None:
        if self._listening is None and not self._closed:
            listener = socket.create_server((LOOPBACK, self.port), backlog=64)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STEP_BYTES)
            listener.settimeout(LOOK_S)
            self._listening = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            self._listening.start()

    def _refuses(self) -> bool:
        return self._closed or self._faults.get(EVERY) is Fault.REFUSE

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.join()
            self._listening = None
        for live in list(self._sockets):
            with suppress(OSError):
                live.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while not self._refuses():
                with suppress(TimeoutError):
                    client, _ = listener.accept()
                    threading.Thread(target=self._connected, args=(client,), daemon=True).start()

    def _connected(self, client: socket.socket) -> None:
        with client, suppress(OSError, http.client.HTTPException):
            client.settimeout(None)
            self._sockets.add(client)
            try:
                with socket.create_connection(self._upstream) as server:
                    self._sockets.add(server)
                    try:
                        self._handle(client, server)
                    finally:
                        self._sockets.discard(server)
            finally:
                self._sockets.discard(client)

    def _bytes(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(STEP_BYTES):
                self._wait_while(EVERY, Fault.HANG)
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def _http(self, client: socket.socket, server: socket.socket) -> None:
        with client.makefile("rb") as reader:
            while (request := self._read(reader)) is not None:
                fault = self._fault_of(request.method)
                self.asked.append(f"{request.method} {request.path}")
                if fault is Fault.HANG:
                    self._wait_while(request.method, fault)
                    return
                if fault is Fault.ERROR:
                    client.sendall(_answer(503, "Service Unavailable", [], b""))
                    continue
                if fault is Fault.LATE:
                    self._wait_while(request.method, fault)
                server.sendall(request.raw)
                answer = _read_answer(server, request.method)
                if fault is Fault.LOST:
                    return
                if fault in (Fault.STALL, Fault.CUT):
                    client.sendall(answer[: len(answer) // 2])
                    if fault is Fault.STALL:
                        self._wait_while(request.method, fault)
                    return
                client.sendall(answer)

    def _read(self, reader: BinaryIO) -> _Request | None:
        head = b""
        length = 0
        while (line := reader.readline()) not in (b"\r\n", b""):
            head += line
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not line:
            return None
        method, path, _ = head.decode("latin-1").split(" ", 2)
        self._wait_while(method, Fault.DEAF)
        return _Request(method=method, path=path, raw=head + line + self._read_body(reader, length, method))

    def _read_body(self, reader: BinaryIO, length: int, method: str) -> bytes:
        body = bytearray()
        while len(body) < length and (part := reader.read(min(STEP_BYTES, length - len(body)))):
            body += part
            if self._fault_of(method) is Fault.SLOW:
                time.sleep(STEP_BYTES / SLOW_BYTES_S)
        return bytes(body)


def _read_answer(server: socket.socket, method: str) -> bytes:
    with http.client.HTTPResponse(server, method=method) as response:
        response.begin()
        body = response.read()
        return _answer(response.status, response.reason, response.getheaders(), body, is_head=method == "HEAD")


def _answer(status: int, reason: str, headers: list[tuple[str, str]], body: bytes, *, is_head: bool = False) -> bytes:
    own = ("transfer-encoding", "connection") if is_head else ("transfer-encoding", "connection", "content-length")
    lines = [f"{name}: {value}" for name, value in headers if name.lower() not in own]
    if not is_head and status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([f"HTTP/1.1 {status} {reason}", *lines, "", ""]).encode("latin-1") + body
