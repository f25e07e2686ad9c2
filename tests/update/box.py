"""A machine with releases on it: folders as on a real one, the node as processes, and who starts and stops them."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from memory_ui.appliance.releases import COMPLETE, Link, Releases
from tests.chaos.stack import SHORT
from tests.engines import Engine
from tests.processes import LOOPBACK
from tests.update import disk
from tests.update.grounds import standing
from tests.update.services import Service

READY_S = 60.0
LOOK_S = 0.05
WAIT_S = 60
"""What an updater is told to wait for a started node: machines under tests are slow."""
FIGURES: dict[str, Any] = {
    **SHORT,
    # As in the product: the sign of life of a process that has ended counts for minutes.
    "HEARTBEAT_INTERVAL_SECONDS": 60,
    "HEARTBEAT_STALE_SECONDS": 180,
    # Of jobs that come every two seconds, forty are no reason yet to refuse an update.
    "QUEUE_CRITICAL": 400,
}
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
    """One run of a command: what it said and when, how it ended, and whether the blow found it still there.

    `leaked` where it said a password or a key of the node; none is among the lines.
    """

    command: str
    lines: list[tuple[float, str]] = field(default_factory=list)
    status: int = 0
    struck: bool = False
    leaked: bool = False

    @property
    def said(self) -> str:
        """All of it."""
        return "\n".join(line for _, line in self.lines)


class Box:
    """The machine. `power` and `keep` are what its services are asked for; `disk_mb` of its own disk for releases."""

    def __init__(self, disk_mb: int, engine: Engine = Engine.EMBEDDED) -> None:
        self.engine = engine
        web = Service("memory-engine")
        # Its folder is the machine's: whatever ends this process, it goes with the service.
        self.folder = web.folder
        self.root, self.data = self.folder / "srv", self.folder / "data"
        self.root.mkdir()
        self.data.mkdir(mode=0o700)
        self.own_disk = disk.mount(self.root, disk_mb)
        self.url = f"http://{LOOPBACK}:{web.port}"
        self.releases = Releases(self.root)
        self._ground = standing(engine, self.data)
        self.services = [web, *(Service(unit) for unit in self._ground.units if unit != web.name)]
        own = {"HOST": LOOPBACK, "PORT": web.port, "MEMORY_DATA_DIR": self.data}
        self._settings: dict[str, Any] = {**FIGURES, **self._ground.settings, **own}
        for service in self.services:
            service.program, service.given = self.program, self._environment()
        self._write_settings()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.folder / "keeper"))
        self._socket.listen(8)
        threading.Thread(target=self._keep, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether every service lives."""
        return all(service.running for service in self.services)

    @property
    def pids(self) -> list[int]:
        """Of the processes that were launched last."""
        return [service.pid for service in self.services]

    @property
    def servers(self) -> dict[str, str]:
        """What the node needs and does not start itself: versions, by name."""
        return self._ground.versions()

    @property
    def program(self) -> Path:
        """What the services start, whichever version it is."""
        return self.root / Link.CURRENT / "bin" / "memory-engine"

    @property
    def schema(self) -> tuple[str, list[str]]:
        """The revision of the database, and the names of its tables."""
        return str(self.query("SELECT version_num FROM alembic_version")[0][0]), sorted(self._ground.tables())

    def query(self, sql: str) -> list[Any]:
        """What the database answers, whether the node runs or not."""
        return self._ground.query(sql)

    def change_database(self, *statements: str) -> None:
        """Done to the database of a node that is stopped."""
        self._ground.change(*statements)

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
        """What a machine does that is switched on: start everything. The version that is ready then."""
        self._ground.power()
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
        for service in self.services:
            if word == "stop":
                service.stop()
            elif word == "start" and not service.running:
                service.kill()  # clears away what belonged to a dead one
                service.launch()

    def cut(self) -> None:
        """The power goes: every process ends without a warning."""
        for service in self.services:
            service.kill()
        self._ground.cut()

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
                ran.leaked |= any(secret in line for secret in self._ground.secret)
                ran.lines.append((round(time.monotonic() - began, 1), self.scrubbed(line.rstrip())))
                if blow is not None and not ran.struck and line.startswith(blow.at):
                    time.sleep(blow.after_s)
                    ran.struck = process.poll() is None
                    blow.act(self, process)
        ran.status = process.returncode
        return ran

    def scrubbed(self, text: str) -> str:
        """Names of folders as they are on a machine, not as they happen to be here, and no secrets."""
        text = text.replace(sys.executable, "python3")
        for secret in self._ground.secret:
            text = text.replace(secret, "(secret)")
        places = {self.root: "/srv/memory-engine", self.data: "/var/lib/memory-engine", self.folder: "~"}
        for place, name in places.items():
            text = text.replace(str(place), name)
        return ARCHIVE.sub(r"\1", text)

    def log(self) -> str:
        """The last lines of every service, for a person who has to find out why."""
        return "\n".join(f"== {service.name}\n{service.log()}" for service in self.services)

    def forget(self, version: str) -> None:
        """As though a version had never been installed."""
        (self.releases.folder(version) / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(self.releases.folder(version), ignore_errors=True)

    def remove(self) -> None:
        """End everything and delete it."""
        self.keep("stop")
        self._socket.close()
        self._ground.remove()
        if self.own_disk:
            disk.unmount(self.root)
        for service in self.services:
            service.remove()

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
    """It, everything that it has started, the node, and on the stack its servers."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    box.cut()


def _shown(command: Sequence[str]) -> list[str]:
    """Without the options that are of the rehearsal."""
    return list(command)[: list(command).index("--root")] if "--root" in command else list(command)
