"""A process of the node on a machine of its own: it can be frozen, its clock moved, its disk filled."""

import os
import secrets
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from tests.chaos.stack import Member

STEP_BYTES = 40_000_000
MEMORY_DISK = Path("/dev/shm")
KEEPS_TIME = "libfaketimeMT.so.1"


class Machine(Member):
    """One process of the node. Its clock can be moved once it was launched with `clock_moves`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.clock_moves = False
        self._launched: tuple[dict[str, Any], bool] | None = None
        self.disk = Path(tempfile.mkdtemp(prefix="memory-disk-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
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

    def freeze(self) -> None:
        """It stands still in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on as though nothing had been."""
        os.kill(self.pid, signal.SIGCONT)

    def set_clock(self, ahead_s: float) -> None:
        """Move the clock of the machine; its steady one goes on."""
        fresh = self.folder / "clock.next"
        fresh.write_text(f"{ahead_s:+g}\n")
        fresh.replace(self._clock)

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
        return {
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            # Looked at once a second, and only for the clock a person can set.
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def faketime() -> Path:
    """The library that stands between a process and its clock."""
    found = sorted(Path("/usr/lib").glob(f"**/faketime/{KEEPS_TIME}"))
    if not found:
        raise RuntimeError("libfaketime is missing; Debian's package is faketime")
    return found[0]
