"""What an update works with outside itself: services, the commands of a release, a look at the node."""

import os
import pwd
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from core.errors import Misconfigured, Unavailable
from memory_ui.appliance.releases import Releases
from memory_ui.appliance.smoke import NEVER, Smoke, SmokeFailed

SERVICE = "memory-engine"
SERVICES = (SERVICE, "memory-engine-worker", "memory-engine-scheduler")
SERVICE_S = 180
COMMAND_S = 3600
"""A large node's backup takes its time."""
_TOLD = re.compile(r"[\w.-]+: \S")
LOOK_S = 0.5


class Supervisor(Protocol):
    """Whoever starts and stops the node's services. Both raise `Unavailable`, and both are harmless when repeated."""

    def start(self) -> None:
        """Start all of them; they need not answer yet."""

    def stop(self) -> None:
        """Stop all of them; none runs afterwards."""


class Commands(Protocol):
    """The commands of an installed version. Each says in one line what it did, and raises `Unavailable`."""

    def look(self, version: str) -> str:
        """Whether it takes the settings and finds its database; changes nothing."""

    def backup(self, version: str) -> str:
        """Make a proven copy of the node."""

    def migrate(self, version: str) -> str:
        """Bring the database to its schema."""


class Look(Protocol):
    """A look at the node that should be running."""

    def trouble(self) -> str | None:
        """What is wrong with it now: empty where nothing is, None where it does not answer at all."""

    def begin(self) -> None:
        """The services are about to be started: what they showed before says nothing any more."""

    def wait(self, version: str) -> None:
        """Wait until this version answers and is ready. Raises `Unavailable`."""

    def smoke(self) -> None:
        """Record, play, take back. Raises `Unavailable`."""


class Systemd:
    """Services of the system."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def start(self) -> None:
        """See `Supervisor`. A service that failed often before is given a fresh chance."""
        subprocess.run(["systemctl", "reset-failed", *self._names], capture_output=True, check=False)  # noqa: S603, S607
        _carried_out(["systemctl", "start", *self._names])

    def stop(self) -> None:
        """See `Supervisor`."""
        _carried_out(["systemctl", "stop", *self._names])


def enabled_services() -> list[str]:
    """Of the node's services those that this machine starts by itself; the node alone where none is known to be."""
    try:
        found = [name for name in SERVICES if _is_enabled(name)]
    except OSError:
        found = []
    return found or [SERVICE]


def _is_enabled(name: str) -> bool:
    command = ["systemctl", "is-enabled", "--quiet", name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


class ByCommands:
    """Services that two commands of the operator's start and stop."""

    def __init__(self, start: str, stop: str) -> None:
        self._start = shlex.split(start)
        self._stop = shlex.split(stop)

    def start(self) -> None:
        """See `Supervisor`."""
        _carried_out(self._start)

    def stop(self) -> None:
        """See `Supervisor`."""
        _carried_out(self._stop)


class ReleaseCommands:
    """See `Commands`: `bin/memory-engine` of a version, as the node's own user and in its folder.

    Whoever updates is often root; what a command writes into the data folder must belong to the node all the same.
    """

    def __init__(self, releases: Releases, environment: Mapping[str, str], data_dir: Path) -> None:
        self._releases = releases
        self._environment = {
            name: value
            for name, value in environment.items()
            if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        }
        self._data_dir = data_dir

    def look(self, version: str) -> str:
        """See `Commands`."""
        return self._run(version, "migrate", "--dry-run")

    def backup(self, version: str) -> str:
        """See `Commands`."""
        return self._run(version, "backup")

    def migrate(self, version: str) -> str:
        """See `Commands`."""
        return self._run(version, "migrate")

    def _run(self, version: str, *arguments: str) -> str:
        program = self._releases.folder(version) / "bin" / "memory-engine"
        given = {**self._environment, "MEMORY_DATA_DIR": str(self._data_dir)}
        folder = self._data_dir if self._data_dir.is_dir() else None
        command = [str(program), *arguments]
        said = _carried_out(
            command,
            seconds=COMMAND_S,
            env=given,
            cwd=folder,
            umask=0o077,
            pass_fds=self._releases.held,
            **_owner(folder),
        )
        return said.splitlines()[-1] if said else "done"


class HttpLook:
    """See `Look`: over HTTP, as everybody asks. `now` is the time by which the node dates its signs of life."""

    def __init__(self, url: str, *, wait_s: float, now: Callable[[], datetime], say: Callable[[str], None]) -> None:
        self._smoke = Smoke(url, say)
        self._wait_s = wait_s
        self._now = now
        self._begun_at = NEVER

    def trouble(self) -> str | None:
        """See `Look`."""
        wrong = self._smoke.ready()
        return None if wrong and not self._smoke.version() else wrong

    def begin(self) -> None:
        """See `Look`."""
        self._begun_at = self._now()

    def wait(self, version: str) -> None:
        """See `Look`."""
        until = time.monotonic() + self._wait_s
        while True:
            wrong = self._smoke.ready(since=self._begun_at)
            found = "" if wrong else self._smoke.version()
            if found == version:
                return
            if time.monotonic() >= until:
                raise SmokeFailed(f"{version} is not ready after {self._wait_s:g} s: {wrong or f'{found} answers'}.")
            time.sleep(LOOK_S)

    def smoke(self) -> None:
        """See `Look`."""
        self._smoke.run(since=self._begun_at)


def read_environment(path: Path) -> dict[str, str]:
    """The settings in a service's environment file: NAME=value lines, as systemd reads them. Raises `Misconfigured`."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured([f"{path}: the services' settings cannot be read"]) from error
    pairs = (line.strip().split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {name.strip(): _unquoted(value.strip()) for name, value in pairs}


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _owner(folder: Path | None) -> dict[str, Any]:
    """Whose the data folder is, where root asks."""
    if os.getuid() != 0 or folder is None or folder.stat().st_uid == 0:
        return {}
    found = folder.stat()
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return {"user": found.st_uid, "group": found.st_gid, "extra_groups": ()}
    return {"user": found.st_uid, "group": found.st_gid, "extra_groups": os.getgrouplist(name, found.st_gid)}


def last_words(said: str) -> str:
    """Of all that a program said, the line that tells why it ended: the last that begins with a name and a colon."""
    lines = [line for line in said.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if _TOLD.match(line)), lines[-1] if lines else "")


def _carried_out(command: list[str], *, seconds: float = SERVICE_S, **given: Any) -> str:
    """What a command said. Raises `Unavailable` with its last words where it failed."""
    # Into a file, not a pipe: what a command leaves running may hold on to a pipe for ever.
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 -- commands of a release or of the operator
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
                **given,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{Path(command[0]).name} could not be carried out: {error}.") from error
        output.seek(0)
        said = output.read().decode("utf-8", "replace").strip()
    if done.returncode:
        last = last_words(said) or "it said nothing"
        named = " ".join([Path(command[0]).name, *command[1:]])
        raise Unavailable(f"{named} ended with {done.returncode}: {last}")
    return said
