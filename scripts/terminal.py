"""A terminal with one command in it, as a person has it: what is printed and when, and Ctrl-C."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import click

ROWS_COLUMNS = (40, 120)
_UNSEEN = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]|[\x00-\x07\x0e-\x1a\x7f]")
"""Titles of windows, sets of characters, and signs that print nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line, and how long after the command it was begun."""

    text: str
    at_s: float


def shown(heard: Sequence[tuple[float, bytes]]) -> list[Line]:
    """What stands on the screen in the end: without colours, and of a line that was written over, what came last."""
    lines: list[Line] = []
    begun_s, line = 0.0, b""
    for at_s, piece in heard:
        for part in re.split(rb"(\n)", piece):
            if part == b"\n":
                lines.append(Line(text=_line(line), at_s=begun_s))
                line = b""
            elif part:
                begun_s, line = (begun_s, line + part) if line else (at_s, part)
    if line:
        lines.append(Line(text=_line(line), at_s=begun_s))
    return lines


def _line(raw: bytes) -> str:
    text = click.unstyle(_UNSEEN.sub("", raw.decode("utf-8", "replace")))
    return next((part for part in reversed(text.split("\r")) if part.strip()), "").rstrip()


@dataclass(kw_only=True)
class Terminal:
    """A command that runs on a terminal of its own, and is its foreground."""

    process: int
    device: int
    began: float
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    status: int | None = None

    @classmethod
    def opened(cls, command: Sequence[str], environment: Mapping[str, str]) -> "Terminal":
        """Start a command, with this environment and no other."""
        process, device = pty.fork()
        if process == 0:
            try:
                # As a login gives it: what was started in the background is deaf to Ctrl-C, and so are its children.
                for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                    signal.signal(number, signal.SIG_DFL)
                os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 -- no shell is wanted
            finally:
                os._exit(127)
        fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", *ROWS_COLUMNS, 0, 0))
        made = cls(process=process, device=device, began=time.monotonic())
        threading.Thread(target=made._listen, daemon=True).start()
        return made

    @property
    def lines(self) -> list[Line]:
        """What has been printed until now."""
        return shown(list(self.heard))

    @property
    def elapsed_s(self) -> float:
        """Since the command was typed."""
        return time.monotonic() - self.began

    def ended(self, patience_s: float) -> int | None:
        """The status it ended with, negative for a signal; None where it still runs when the patience is over."""
        until = time.monotonic() + patience_s
        while self.status is None:
            found, raw = os.waitpid(self.process, os.WNOHANG)
            if found:
                self.status = os.waitstatus_to_exitcode(raw)
            elif time.monotonic() > until:
                break
            else:
                time.sleep(0.02)
        return self.status

    def press_ctrl_c(self) -> None:
        """As a person does: the terminal tells everything in its foreground."""
        os.write(self.device, b"\x03")

    def close(self) -> None:
        """Hang up; what has not ended by itself is killed."""
        if self.ended(0) is None:
            os.killpg(self.process, signal.SIGKILL)
            self.ended(10)
        time.sleep(0.1)
        os.close(self.device)

    def _listen(self) -> None:
        while True:
            try:
                piece = os.read(self.device, 65536)
            except OSError:
                return
            if not piece:
                return
            self.heard.append((self.elapsed_s, piece))
