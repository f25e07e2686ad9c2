"""A disk of the rehearsal's own, to be filled: a file system in memory, where this user may mount one."""

import os
import shutil
import subprocess
from pathlib import Path

FILLER = "something-else"
LEFT_BYTES = 4096
TIMES = 2
"""So many times its size has to be free in memory: what lies on such a disk lies there."""


def mount(folder: Path, size_mb: int) -> bool:
    """Give a folder a disk of its own; False where that is not allowed here, or would take too much of the memory."""
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < TIMES * size_mb * 1_000_000:
        return False
    options = ["-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "memory-engine-rehearsal", str(folder)]
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Take it away with all it holds."""
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def fill(folder: Path, *, but_bytes: int = 0) -> None:
    """Something else takes the room on that disk, all of it or all but so much."""
    with (folder / FILLER).open("ab") as file:
        while (more := shutil.disk_usage(folder).free - but_bytes) >= LEFT_BYTES:
            os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), more // LEFT_BYTES * LEFT_BYTES)


def clear(folder: Path) -> None:
    """It is gone again."""
    (folder / FILLER).unlink(missing_ok=True)
