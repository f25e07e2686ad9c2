"""A bare machine with an ordinary user at its terminal, for rehearsals of what somebody types who has nothing yet."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.bare_system import (
    AUTHORITIES,
    MEMORY,
    PROCESSES,
    TERMINALS,
    bare_system,
    copied,
    mounted,
    package_index,
    run,
)
from scripts.ritual import asked, ritual
from scripts.terminal import Line, Terminal

RELEASE = "bookworm"
USER = "visitor"
HOME = Path("/home") / USER
CLONE = HOME / "memory-engine"
ORIGIN = "/srv/memory-engine.git"
PAGES = ("/", "/kiosk/", "/room/", "/ops/")
STOPPED_BY_CTRL_C = (0, 130, -signal.SIGINT)
LONGEST_S = {"test": 5400.0}
"""How long a command may take that has more to do than others."""
OTHERS_S = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """One command: what it came to, and what stood on the terminal."""

    name: str
    command: str
    status: int
    seconds: float
    lines: list[Line]
    pages_s: dict[str, float] = field(default_factory=dict)
    stopped_s: float = 0.0


@dataclass(kw_only=True, slots=True)
class Machine:
    """A bare system, its user, and what has been typed there."""

    root: Path
    settings: dict[str, str]
    typed: list[Typed] = field(default_factory=list)

    def at(self, place: Path | str) -> Path:
        """Where a place of the machine is, seen from outside."""
        return self.root / str(place).lstrip("/")

    def terminal(self, command: str, place: Path) -> Terminal:
        """A command, typed by the user."""
        print(f"stranger: $ {command}", flush=True)
        given = {
            "HOME": str(HOME),
            "USER": USER,
            "LOGNAME": USER,
            "SHELL": "/bin/bash",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **self.settings,
        }
        words = ["chroot", f"--userspec={USER}", str(self.root), "/bin/bash", "-c", f"cd {place} && {command}"]
        return Terminal.opened(words, given)

    def type(self, name: str, command: str, place: Path = CLONE) -> Typed:
        """A command that ends by itself, and well."""
        terminal = self.terminal(command, place)
        try:
            status = terminal.ended(LONGEST_S.get(name, OTHERS_S))
            seconds = terminal.elapsed_s
        finally:
            terminal.close()
        if status != 0:
            raise SystemExit(self._unexpected(name, command, status, terminal))
        done = Typed(name=name, command=command, status=status, seconds=seconds, lines=terminal.lines)
        self.typed.append(done)
        return done

    def measure(self, command: str) -> Typed:
        """A command that no stranger types: it is no part of the transcript."""
        done = self.type("measure", command)
        self.typed.remove(done)
        return done

    def run(self, name: str, command: str, address: str, *, speak: bool) -> tuple[Typed, list[str]]:
        """A command that opens a room: its pages are waited for, a voice goes its way, and Ctrl-C ends it."""
        terminal = self.terminal(command, CLONE)
        try:
            pages_s = _until_they_answer(terminal, address)
            if len(pages_s) < len(PAGES):
                raise SystemExit(self._unexpected(name, command, terminal.status, terminal))
            passed = ritual(address) if speak else []
            pressed_s = terminal.elapsed_s
            terminal.press_ctrl_c()
            status = terminal.ended(30)
            stopped_s = terminal.elapsed_s - pressed_s
        finally:
            terminal.close()
        if status not in STOPPED_BY_CTRL_C:
            raise SystemExit(self._unexpected(name, command, status, terminal))
        done = Typed(
            name=name, command=command, seconds=max(pages_s.values()), lines=terminal.lines,
            status=status, pages_s=pages_s, stopped_s=stopped_s,
        )  # fmt: skip
        self.typed.append(done)
        if left := self.processes():
            raise SystemExit(f"stranger: after Ctrl-C there still run {', '.join(left.values())}")
        return done, passed

    def processes(self) -> dict[int, str]:
        """What runs in this system."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if (place / "root").readlink() == self.root:
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
        return found

    def _unexpected(self, name: str, command: str, status: int | None, terminal: Terminal) -> str:
        lines = [line.text for line in terminal.lines]
        # The tests say much, and what failed is not always last.
        whole = Path(tempfile.gettempdir()) / f"stranger-{name}.log"
        whole.write_text("\n".join(lines) + "\n", "utf-8")
        came_to = "nothing" if status is None else f"{status}"
        return "\n".join([f"stranger: {command} came to {came_to} ({whole}):", *lines[-60:]])


def _until_they_answer(terminal: Terminal, address: str) -> dict[str, float]:
    found: dict[str, float] = {}
    while len(found) < len(PAGES):
        if terminal.ended(0) is not None or terminal.elapsed_s > OTHERS_S:
            break
        for page in PAGES:
            try:
                if page not in found and asked(address, "GET", page).status == 200:
                    found[page] = terminal.elapsed_s
            except OSError:
                break
        time.sleep(0.05)
    return found


@contextmanager
def machine(folder: Path, settings: dict[str, str]) -> Iterator[Machine]:
    """A bare machine with a user who may use sudo, and the repository somewhere outside that user's home."""
    root = copied(bare_system(folder / "bare-machine", RELEASE, ["sudo"]), folder / "machine").resolve()
    run(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", USER])
    allowed = root / "etc" / "sudoers.d" / USER
    allowed.write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    allowed.chmod(0o440)
    (root / "etc" / "hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n")
    origin = root / ORIGIN.lstrip("/")
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)])
    run(["git", "push", "--quiet", str(origin), "HEAD:refs/heads/main"])
    run(["chroot", str(root), "chown", "--recursive", f"{USER}:", ORIGIN])
    if AUTHORITIES.is_file():
        # A house with an authority of its own before the package index.
        trusted = root / "etc" / "house-authorities.crt"
        trusted.write_bytes(AUTHORITIES.read_bytes())
        settings = {"PIP_CERT": "/etc/house-authorities.crt", **settings}
    made = Machine(root=root, settings=package_index() | settings)
    with mounted(root, (PROCESSES, MEMORY, TERMINALS)):
        try:
            yield made
        finally:
            for process in made.processes():
                os.kill(process, signal.SIGKILL)
            time.sleep(0.2)
