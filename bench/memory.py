"""What a process holds in memory, as Linux tells it."""

from pathlib import Path


def memory_mb(pid: int | None = None, *, line: str = "VmRSS") -> float:
    """What a process holds now (resident set), in MB, this one without a `pid`; `VmHWM` is the most it ever held.

    What `getrusage` tells as the most began, for a program that was started by another, with that other one's memory.
    """
    status = Path(f"/proc/{pid or 'self'}/status").read_text()
    return int(next(found.split()[1] for found in status.splitlines() if found.startswith(line))) / 1000
