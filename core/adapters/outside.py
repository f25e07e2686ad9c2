"""Small adapters: the system clock and the disk."""

import shutil
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """See `core.ports.outside.Clock`."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


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
