"""The disk's reserve: kept free for playing and taking back, whoever else would like to write."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import DiskReserve, Unavailable
from core.ports.outside import Disk

FULL = "This node has no room for another take right now."


class Reserve:
    """What may still be written. What is on its way in this process counts as written."""

    def __init__(self, disk: Disk, *, least_bytes: int, share: float, copies: int) -> None:
        """`copies`: how often an upload lies on this disk for a moment, where it is spooled and where it is stored."""
        self._disk = disk
        self._least_bytes = least_bytes
        self._share = share
        self._copies = copies
        self._lock = threading.Lock()
        self._coming_bytes = 0

    def bytes(self) -> int:
        """How much is kept free."""
        return max(self._least_bytes, int(self._disk.total_bytes() * self._share))

    def reached(self, more_bytes: int = 0) -> bool:
        """Whether nothing may be written any more, or not so much more."""
        return self._disk.free_bytes() - more_bytes <= self.bytes()

    @contextmanager
    def coming(self, upload_bytes: int) -> Iterator[None]:
        """An upload on its way. Raises `DiskReserve` where it, and all that are under way, would eat into the reserve.

        As it arrives it is counted twice, on the disk and here: that errs towards the reserve.
        """
        wanted = upload_bytes * self._copies
        with self._lock:
            if self.reached(self._coming_bytes + wanted):
                raise DiskReserve(FULL)
            self._coming_bytes += wanted
        try:
            yield
        finally:
            with self._lock:
                self._coming_bytes -= wanted

    def spare(self, more_bytes: int) -> None:
        """Raise `Unavailable` where a temporary file of this size would eat into the reserve."""
        if self.reached(more_bytes):
            raise Unavailable("The disk of this node is too full for this right now.")
