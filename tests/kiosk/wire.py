"""The network between a kiosk and its node, which stops where it is told to and hands nothing on meanwhile."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.processes import LOOPBACK

STEP_BYTES = 1 << 14
LOOK_S = 0.05
ANSWER_S = 0.25
"""Within this, a node that has a whole take answers; a moment past the request lies somewhere in it."""
TAKES = (b"POST /api/v1/artifacts/audio ", b"POST /api/v1/ephemeral/audio ")


@dataclass(eq=False, slots=True)
class _Line:
    """One connection, from end to end."""

    client: socket.socket
    server: socket.socket
    cut: bool = False
    left: int = 0
    """Bytes until the moment of the request that is passing; 0 for none."""
    mute: bool = False
    """Whether no answer passes: from before the last of its request does."""

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass(eq=False, slots=True)
class Wire:
    """Listens on a port of its own, from `with` to its end."""

    upstream_port: int
    port: int = 0
    met: threading.Event = field(default_factory=threading.Event)
    """Whether the moment of `stop_at` has come."""
    _stopped: bool = False
    _listener: socket.socket | None = None
    _moment: float | None = None
    _lines: set[_Line] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=64)
        self._listener.settimeout(LOOK_S)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._closed = True
        self.go_on(cut=True)

    def stop(self) -> None:
        """From now on nothing passes, and nobody is told."""
        with self._changed:
            self._stopped = True

    def stop_at(self, moment: float) -> None:
        """Stop in the middle of the next take that is sent: within its bytes up to 0.5, then before its answer."""
        self.met.clear()
        self._moment = moment

    def go_on(self, *, cut: bool) -> None:
        """Everything passes again. With `cut`, what was swallowed is lost with its connections, else it comes late."""
        with self._changed:
            self._moment = None
            for line in list(self._lines):
                line.mute = False
                if cut:
                    line.cut = True
                    line.close()
            self._stopped = False
            self._changed.notify_all()

    def _accept(self) -> None:
        assert self._listener is not None
        with self._listener:
            while not self._closed:
                with suppress(TimeoutError):
                    client, _ = self._listener.accept()
                    client.settimeout(None)
                    threading.Thread(target=self._connected, args=(client,), daemon=True).start()

    def _connected(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection((LOOPBACK, self.upstream_port)) as server:
            line = _Line(client, server)
            self._lines.add(line)
            back = threading.Thread(target=self._pump, args=(line, server, client), daemon=True)
            back.start()
            self._pump(line, client, server)
            back.join()
            self._lines.discard(line)

    def _pump(self, line: _Line, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(STEP_BYTES):
                for part in self._parts(line, data) if source is line.client else (data,):
                    self._wait(line, source)
                    if line.cut:
                        return
                    sink.sendall(part)
        self._wait(line, source)
        line.close()

    def _wait(self, line: _Line, source: socket.socket) -> None:
        """That a connection has ended is not known either, as long as nothing passes."""

        def passes() -> bool:
            return line.cut or not (self._stopped or (line.mute and source is line.server))

        with self._changed:
            self._changed.wait_for(passes)

    def _parts(self, line: _Line, data: bytes) -> Iterator[bytes]:
        """What passes, up to the moment and from there on."""
        if self._moment is not None and data.startswith(TAKES):
            line.left = max(1, round(_length(data) * min(1.0, self._moment * 2)))
        if not 0 < line.left <= len(data):
            line.left = max(0, line.left - len(data))
            yield data
            return
        passing, waiting = data[: line.left], data[line.left :]
        line.left = 0
        line.mute = not waiting
        yield passing
        self._meet()
        yield waiting

    def _meet(self) -> None:
        """Past the request, the node works on while its answer is swallowed."""
        moment, self._moment = self._moment, None
        self.stop()
        threading.Timer(max(0.0, (moment or 0.0) - 0.5) * 2 * ANSWER_S, self.met.set).start()


def _length(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    sizes = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(head) + 4 + int(sizes[0])
