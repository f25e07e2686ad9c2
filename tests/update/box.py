"""A machine with releases on it: folders as on a real one, the node as a real process, and who starts and stops it."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from core.adapters.sql.engine import DATABASE_FILE
from memory_ui.appliance.releases import COMPLETE, Link, Releases
from tests.chaos.stack import SHORT
from tests.processes import LOOPBACK, PrivateServer
from tests.update import disk

READY_S = 60.0
LOOK_S = 0.05
WAIT_S = 60
"""What an updater is told to wait for a started node: machines under tests are slow."""
ARCHIVE = re.compile(r"\S*/(memory-engine-[\w.-]+\.tar\.gz)")
ASK = Path(__file__).with_name("ask.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """What happens to an updater `after_s` from when it announced something that begins with `at`."""

    at: str
    act: Callable[["Box", "subprocess.Popen[str]"], None]
    after_s: float = 0.0


@dataclass(kw_only=True, slots=True)
class Ran:
    """One run of a command: what it said and when, how it ended, and whether the blow found it still there."""

    command: str
    lines: list[tuple[float, str]] = field(default_factory=list)
    status: int = 0
    struck: bool = False

    @property
    def said(self) -> str:
        """All of it."""
        return "\n".join(line for _, line in self.lines)


class Box(PrivateServer):
    """The machine. `start` and `stop` are what its services are asked for; `disk_mb` of its own disk for releases."""

    name = "box"

    def __init__(self, disk_mb: int) -> None:
        super().__init__()
        self.root, self.data = self.folder / "srv", self.folder / "data"
        self.root.mkdir()
        self.data.mkdir(mode=0o700)
        self.own_disk = disk.mount(self.root, disk_mb)
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.releases = Releases(self.root)
        self._settings: dict[str, Any] = {**SHORT, "HOST": LOOPBACK, "PORT": self.port, "MEMORY_DATA_DIR": self.data}
        self._write_settings()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.folder / "keeper"))
        self._socket.listen(8)
        threading.Thread(target=self._keep, daemon=True).start()

    @property
    def program(self) -> Path:
        """What the services start, whichever version it is."""
        return self.root / Link.CURRENT / "bin" / "memory-engine"

    @property
    def schema(self) -> tuple[str, list[str]]:
        """The revision of the database, and the names of its tables."""
        tables = self.query("SELECT name FROM sqlite_master WHERE type = 'table'")
        return str(self.query("SELECT version_num FROM alembic_version")[0][0]), sorted(name for (name,) in tables)

    def query(self, sql: str) -> list[Any]:
        """What the database answers, whether the node runs or not."""
        with closing(sqlite3.connect(f"file:{self.data / DATABASE_FILE}?mode=ro", uri=True)) as opened:
            return opened.execute(sql).fetchall()

    def change_database(self, *statements: str) -> None:
        """Done to the database of a node that is stopped."""
        with closing(sqlite3.connect(self.data / DATABASE_FILE)) as opened, opened:
            for statement in statements:
                opened.execute(statement)

    def install(self, archive: Path) -> Ran:
        """The first installation, as it is typed: unpack, and the archive's own script."""
        (self.folder / "unpacked").mkdir()
        subprocess.run(["tar", "-xf", str(archive), "-C", str(self.folder / "unpacked")], check=True)
        (unpacked,) = (self.folder / "unpacked").iterdir()
        ran = self.run([sys.executable, str(unpacked / "install.py"), "--root", str(self.root)])
        shutil.rmtree(self.folder / "unpacked")
        return ran

    def update(self, *arguments: str, blow: Blow | None = None, **settings: Any) -> Ran:
        """`memory-engine update`, of the version that is current; `settings` stand in the services' file meanwhile."""
        self._write_settings(**settings)
        try:
            return self.run([str(self.program), "update", *arguments, *self._options()], blow=blow)
        finally:
            self._write_settings()

    def rollback(self, *, blow: Blow | None = None) -> Ran:
        """`memory-engine rollback`."""
        return self.run([str(self.program), "rollback", *self._options()], blow=blow)

    def audit(self) -> dict[str, Any]:
        """`memory-engine audit` of the current version, beside the node."""
        done = subprocess.run(
            [self.program, "audit", "--json"],
            cwd=self.data,
            env=self._given(),
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout.startswith("{"):
            raise RuntimeError(f"the audit ended with {done.returncode}: {done.stderr[-500:]}")
        return dict(json.loads(done.stdout))

    def answers(self) -> str:
        """The version that answers and is ready; empty where none is."""
        try:
            if httpx.get(f"{self.url}/readyz", timeout=10).status_code != 200:
                return ""
            return str(httpx.get(f"{self.url}/api/v1/openapi.json", timeout=10).json()["info"]["version"])
        except httpx.HTTPError:
            return ""

    def power(self) -> str:
        """What a machine does that is switched on: start the services. The version that is ready then."""
        self.keep("start")
        return self.ready()

    def ready(self) -> str:
        """The version that answers once it is ready: many takes at once are more work than a ready node has."""
        until = time.monotonic() + READY_S
        while not (found := self.answers()) and self.running and time.monotonic() < until:
            time.sleep(LOOK_S)
        return found

    def keep(self, word: str) -> None:
        """As the keeper does on being asked; harmless when repeated."""
        if word == "start" and not self.running:
            self.launch()
        elif word == "stop":
            self.stop()

    def run(self, command: Sequence[str], *, blow: Blow | None = None) -> Ran:
        """A command to its end, each line with its second; the blow falls where it was told to."""
        ran, began = Ran(command=self.scrubbed(shlex.join(_shown(command)))), time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=self.data,
            env=self._given(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        with process:
            for line in process.stdout:
                ran.lines.append((round(time.monotonic() - began, 1), self.scrubbed(line.rstrip())))
                if blow is not None and not ran.struck and line.startswith(blow.at):
                    time.sleep(blow.after_s)
                    ran.struck = process.poll() is None
                    blow.act(self, process)
        ran.status = process.returncode
        return ran

    def scrubbed(self, text: str) -> str:
        """Names of folders as they are on a machine, not as they happen to be here."""
        text = text.replace(sys.executable, "python3")
        places = {self.root: "/srv/memory-engine", self.data: "/var/lib/memory-engine", self.folder: "~"}
        for place, name in places.items():
            text = text.replace(str(place), name)
        return ARCHIVE.sub(r"\1", text)

    def log(self) -> str:
        """The last lines of the node's, for a person who has to find out why."""
        return "\n".join(self._log().read_text().splitlines()[-20:])

    def forget(self, version: str) -> None:
        """As though a version had never been installed."""
        (self.releases.folder(version) / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(self.releases.folder(version), ignore_errors=True)

    def remove(self) -> None:
        """End everything and delete it."""
        self.stop()
        self._socket.close()
        if self.own_disk:
            disk.unmount(self.root)
        super().remove()

    def _options(self) -> list[str]:
        asks = [
            shlex.join([sys.executable, "-S", "-E", str(ASK), str(self.folder / "keeper"), word])
            for word in ("start", "stop")
        ]
        given = {
            "--root": self.root,
            "--environment": self.folder / "environment",
            "--data-dir": self.data,
            "--url": self.url,
        }
        given |= {"--start": asks[0], "--stop": asks[1], "--wait": WAIT_S}
        return [part for name, value in given.items() for part in (name, str(value))]

    def _write_settings(self, **other: Any) -> None:
        lines = [f"{name}={value}\n" for name, value in {**self._settings, **other}.items()]
        (self.folder / "environment").write_text("".join(lines))

    def _given(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", **self._environment()}

    def _environment(self) -> dict[str, str]:
        return {name: str(value) for name, value in self._settings.items()}

    def _command(self) -> list[str]:
        return [str(self.program), "serve"]

    def _answers(self) -> bool:
        return bool(self.answers())

    def _keep(self) -> None:
        """One word at a time, so that nobody finds the services half started."""
        with suppress(OSError):
            while True:
                asking, _ = self._socket.accept()
                with asking, suppress(BrokenPipeError, ConnectionResetError):
                    self.keep(asking.makefile().readline().strip())
                    asking.sendall(b"done\n")


def kill_updater(_box: Box, process: "subprocess.Popen[str]") -> None:
    """It alone; what it has started goes on."""
    process.send_signal(signal.SIGKILL)


def cut_power(box: Box, process: "subprocess.Popen[str]") -> None:
    """It, everything that it has started, and the node."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    box.kill()


def _shown(command: Sequence[str]) -> list[str]:
    """Without the options that are of the rehearsal."""
    return list(command)[: list(command).index("--root")] if "--root" in command else list(command)
