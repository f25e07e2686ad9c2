"""A process of the node on a machine of its own: it can be frozen, its clock moved, its disk filled."""

import atexit
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.stack import Member
from tests.processes import LOOPBACK

STEP_BYTES = 100_000_000
MEMORY_DISK = Path("/dev/shm")  # a disk hardly anybody else fills at the same time
ROOMY_BYTES = 20 * STEP_BYTES


class Machine(Member):
    """One process of the node. Its clock can be moved once it was launched with `clock_moves`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.clock_moves = False
        self._launched: tuple[dict[str, Any], bool] | None = None
        self.disk = Path(tempfile.mkdtemp(prefix="memory-disk-", dir=_quiet_disk()))
        super().__init__(name, settings)
        self.set_clock(0)

    @property
    def as_configured(self) -> bool:
        """Whether it runs, and with the settings and the clock it should have."""
        return self.running and self._launched == (self.settings, self.clock_moves)

    def configure(self, settings: dict[str, Any]) -> None:
        """As a member's, with its data on a disk of its own."""
        self.settings = dict(settings)
        super().configure({**settings, "MEMORY_DATA_DIR": self.disk / "data"})

    @property
    def secured(self) -> bool:
        """Whether it serves HTTPS itself."""
        return self.settings.get("TLS") == "internal"

    def answers(self) -> bool:
        """As a member's, whatever certificate it shows."""
        if not self.secured:
            return super().answers()
        try:
            return httpx.get(f"https://{LOOPBACK}:{self.port}/livez", verify=unproven()).status_code == 200
        except httpx.HTTPError:
            return False

    def freeze(self) -> None:
        """It stands still in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on as though nothing had been."""
        os.kill(self.pid, signal.SIGCONT)

    def set_clock(self, ahead_s: int) -> None:
        """Move the clock of the machine; its steady one goes on."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write((ahead_s * 10**9).to_bytes(8, sys.byteorder, signed=True))

    def fill_disk(self, count: int = 1) -> None:
        """Take `count` steps of room away."""
        for _ in range(count):
            with (self.disk / f"other-{secrets.token_hex(4)}").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, STEP_BYTES)

    def clear_disk(self) -> None:
        """Give it back."""
        for path in self.disk.glob("other-*"):
            path.unlink()

    def free_bytes(self) -> int:
        """What is left of its disk."""
        return shutil.disk_usage(self.disk).free

    def remove(self) -> None:
        """End it and delete its data."""
        super().remove()
        shutil.rmtree(self.disk, ignore_errors=True)

    @property
    def _clock(self) -> Path:
        return self.folder / "clock"

    def _launch(self) -> None:
        self._launched = (self.settings, self.clock_moves)
        super()._launch()

    def _environment(self) -> dict[str, str]:
        if not self.clock_moves:
            return {}
        return {"LD_PRELOAD": str(movable_clock()), "CLOCK_FILE": str(self._clock)}


def _quiet_disk() -> Path | None:
    roomy = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > ROOMY_BYTES
    return MEMORY_DISK if roomy else None


@cache
def unproven() -> ssl.SSLContext:
    """Believes everybody: whoever waits for an alarm has to see it, also where it is about the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@cache
def movable_clock() -> Path:
    """The library that answers for a machine's clock, made once for this process."""
    folder = Path(tempfile.mkdtemp(prefix="memory-clock-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made, source = folder / "clock.so", Path(__file__).with_name("clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-nostdlib", "-o", made, source], check=True)
    return made
