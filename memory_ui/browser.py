"""Chromium as an appliance's screen: started with what a surface needs, and again whenever it has died.

A kiosk is a machine nobody stands at. Its browser asks nothing, offers nothing, and has the microphone for one address
alone: that is written into the browser's own preferences, because the flag that grants it grants it to every page.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import BadField, Unavailable

GRANTED = 1
"""As Chromium writes a permission that was given for good."""

QUIET = (
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--hide-crash-restore-bubble",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--password-store=basic",
)
"""No questions, no bubbles, no gesture that leaves the page, and nothing asked of any other host."""

SOUNDS = "--autoplay-policy=no-user-gesture-required"

SOUND_NICE = -10
"""What Chromium gives its threads that carry sound, as far as the machine lets it; see nice(2)."""


class Role(StrEnum):
    """What a screen is for."""

    KIOSK = "kiosk"
    ROOM = "room"
    OPS = "ops"


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long it is waited between two starts, in seconds."""

    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 30.0
    lived_s: float = 60.0
    """A browser that has lived for so long did not fail to start."""

    def after(self, before_s: float, lived_s: float) -> float:
        """The next pause, after a browser that has lived for so long."""
        return self.first_s if lived_s >= self.lived_s else min(self.longest_s, before_s * self.factor)


def origin_of(address: str) -> str:
    """Scheme, host and port of a node's address, as browsers write them. Raises `BadField`."""
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.path not in ("", "/"):
        raise BadField("The address must be that of a node, such as https://memory.example or http://127.0.0.1:8080.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" if port in (None, usual) else f"{parts.scheme}://{host}:{port}"


def arguments(role: Role, origin: str, profile: Path, *, query: str = "", prints: bool = False) -> list[str]:
    """What Chromium is started with: the surface of the role, over the whole screen; ops in a window of its own."""
    page = f"{origin}/{role}/" + (f"?{query}" if query else "")
    whole = ["--kiosk", page] if role is not Role.OPS else [f"--app={page}"]
    sounds = [SOUNDS] if role is not Role.OPS else []
    paper = ["--kiosk-printing"] if prints else []
    return [f"--user-data-dir={profile}", *QUIET, *sounds, *paper, *whole]


def prepare_profile(profile: Path, role: Role, origin: str) -> None:
    """Write into a profile that no browser has open: the last end was a good one, and a kiosk may use its microphone.

    What else the profile holds stays. Raises `Unavailable` where it cannot be written.
    """
    path = profile / "Default" / "Preferences"
    try:
        before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError):
        before = {}  # a browser that was killed while it wrote begins anew as well
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(preferences(before, role, origin)), "utf-8")
        partial.replace(path)
    except OSError as error:
        raise Unavailable(f"The browser's profile {profile} cannot be written: {error.strerror}.") from error


def preferences(before: dict[str, Any], role: Role, origin: str) -> dict[str, Any]:
    """Preferences as they were, with an end that needs no restoring and the microphone for this one origin."""
    profile = dict(before.get("profile", {}))
    settings = dict(profile.get("content_settings", {}))
    exceptions = dict(settings.get("exceptions", {}))
    if role is Role.KIOSK:
        exceptions["media_stream_mic"] = {f"{_with_port(origin)},*": {"setting": GRANTED}}
    profile |= {"exit_type": "Normal", "exited_cleanly": True}
    profile["content_settings"] = {**settings, "exceptions": exceptions}
    return {**before, "profile": profile}


def _with_port(origin: str) -> str:
    parts = urlsplit(origin)
    return origin if parts.port is not None else f"{origin}:{443 if parts.scheme == 'https' else 80}"


def sound_may_come_first() -> bool:
    """Whether a browser started from here may let the threads that carry sound go before all other work.

    Where it may not, a machine with more to do than it can tears holes into takes. Asked of the kernel by a thread that
    tries and ends. True where each system has its own way, and nothing is to be set.
    """
    if sys.platform != "linux":
        return True
    allowed = []

    def come_first() -> None:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), SOUND_NICE)
            allowed.append(True)

    trying = threading.Thread(target=come_first)
    trying.start()
    trying.join()
    return bool(allowed)


def keep_open(
    command: Sequence[str],
    *,
    ready: Callable[[], bool],
    prepare: Callable[[], None],
    stopping: Callable[[], bool],
    tell: Callable[[str], None],
    patience: Patience | None = None,
) -> None:
    """Start a browser once the node answers, and again whenever it has ended, until `stopping`.

    `prepare` is called before each start. What it or the start raises of the machine is told, and tried again.
    """
    patience = patience or Patience()
    pause_s = patience.first_s
    while not stopping():
        if not ready():
            tell("waiting for the node")
            _wait(patience.first_s, stopping)
            continue
        began = time.monotonic()
        try:
            prepare()
            ended = _run(command, stopping)
        except (OSError, Unavailable) as error:
            ended = f"could not be started: {error}"
        if stopping():
            return
        pause_s = patience.after(pause_s, time.monotonic() - began)
        tell(f"the browser {ended}; again in {pause_s:g} s")
        _wait(pause_s, stopping)


def _run(command: Sequence[str], stopping: Callable[[], bool]) -> str:
    browser = subprocess.Popen(command)  # noqa: S603 -- a program the operator names
    try:
        while browser.poll() is None and not stopping():
            with suppress(subprocess.TimeoutExpired):
                browser.wait(0.2)
    finally:
        if browser.poll() is None:
            browser.terminate()
            try:
                browser.wait(5)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
    return f"ended with {browser.returncode}"


def _wait(seconds: float, stopping: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopping():
        time.sleep(0.1)
