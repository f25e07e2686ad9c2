"""Small adapters: the system clock, how far it has been moved, who keeps it right, and the disk."""

import ctypes
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """See `core.ports.outside.Clock`."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


class ClockWatch:
    """See `core.ports.outside.ClockDrift`."""

    def __init__(self) -> None:
        self._began_s = _steady_s()
        self._offset_s = time.time() - self._began_s

    def moved_s(self) -> float:
        """What the clock has gained on the steady one since this was made."""
        return time.time() - _steady_s() - self._offset_s

    def up_s(self) -> float:
        """What has passed on the steady one since then."""
        return _steady_s() - self._began_s


def _steady_s() -> float:
    # Of the steady clocks the one that goes on while a machine sleeps, or every nap would look like a moved clock.
    asleep_too = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if asleep_too is None else time.clock_gettime(asleep_too)


class KernelTimeSource:
    """See `core.ports.custody.TimeSource`: the kernel's own word, which setting the clock by hand takes away."""

    def synchronised(self) -> bool:
        """Whether a time service keeps this clock right; False where the kernel cannot be asked."""
        ask = getattr(_LIBC, "adjtimex", None)
        if ask is None:
            return False
        timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # all zero: modes 0 asks, and changes nothing
        standing = ask(timex)
        status = int.from_bytes(timex.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder)
        return 0 <= standing < _TIME_ERROR and not status & _STA_UNSYNC


_LIBC = ctypes.CDLL(None)
_TIMEX_BYTES = 512
"""More than any `struct timex`."""
_STATUS_AT = 5 * ctypes.sizeof(ctypes.c_long)
"""Behind modes and four longs: offset, freq, maxerror, esterror."""
_TIME_ERROR = 5
_STA_UNSYNC = 0x40


class DataDisk:
    """See `core.ports.outside.Disk`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def free_bytes(self) -> int:
        """What an unprivileged writer may still use."""
        return shutil.disk_usage(self._data_dir).free

    def total_bytes(self) -> int:
        """The size of the filesystem."""
        return shutil.disk_usage(self._data_dir).total
