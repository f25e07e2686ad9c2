"""Who is using a data folder: a lock that ends with its process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Conflict

LOCK_FILE = "in-use.lock"


@contextmanager
def using(data_dir: Path, *, alone: bool) -> Iterator[None]:
    """Hold the folder, shared or alone. Raises `Conflict` where someone holds it the other way."""
    descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                "A node is running on this data folder; stop it first."
                if alone
                else "This data folder is being moved; wait until that has ended."
            ) from error
        yield
    finally:
        os.close(descriptor)
