"""Server processes of the tests: started on a free loopback port, killed, restarted, and gone with the tests."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar, Self

LOOPBACK = "127.0.0.1"
# Below the range outgoing connections take theirs from: a server that is restarted finds its port still free.
FIRST_PORT, LAST_PORT = 20_000, 32_000
START_S = 15.0
STOP_S = 5.0
LOOK_S = 0.02
# Ends a server whose test process was killed: the pipe on its standard input closes with that process.
GUARD = 'read -r _; kill -9 "$0" 2>/dev/null; rm -rf "$1"'


def free_port() -> int:
    """A port nothing listens on now."""
    while True:
        port = random.SystemRandom().randrange(FIRST_PORT, LAST_PORT)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port


class Opened:
    """Many things that are opened together in `_start` and closed together, also where one of them does not start."""

    def __init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.close()

    def _start(self) -> None:
        raise NotImplementedError


class PrivateServer:
    """One server process with its data in a folder of its own."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"memory-{self.name}-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process that was launched last."""
        return self._process.pid if self._process is not None else 0

    def launch(self) -> None:
        """Start without waiting for anything."""
        self._launch()

    def start(self) -> Self:
        """Start and wait until it answers; what a kill left locked is waited for."""
        end = time.monotonic() + START_S
        while True:
            self._launch()
            while self.running and time.monotonic() < end:
                if self._answers():
                    return self
                time.sleep(LOOK_S)
            self.kill()
            if time.monotonic() >= end:
                raise RuntimeError(f"{self.name} did not start:\n{self._log().read_text()[-2000:]}")

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it without a warning."""
        self._end(signal.SIGKILL)

    def restart(self, *, empty: bool = False) -> None:
        """The same port, and the same data unless `empty`."""
        self.stop()
        if empty:
            self._forget()
        self.start()

    def remove(self) -> None:
        """End it and delete its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _forget(self) -> None:
        raise NotImplementedError

    def _owner(self) -> dict[str, Any]:
        return {}

    def _environment(self) -> dict[str, str]:
        return {}

    def _log(self) -> Path:
        return self.folder / "log"

    def _launch(self) -> None:
        with self._log().open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", **self._environment()},
                start_new_session=True,
                **self._owner(),
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, str(self._process.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _end(self, by: signal.Signals) -> None:
        guard, process = self._guard, self._process
        self._guard = self._process = None
        if guard is not None and guard.stdin is not None:
            guard.kill()
            guard.wait()
            guard.stdin.close()
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(by)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
