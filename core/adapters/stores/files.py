"""Objects as files below one folder: fsync, atomic rename, fsync of the folder."""

import errno
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import DiskReserve, StoreMissing, Unavailable

CHUNK_BYTES = 1 << 20
PARTIAL = ".partial"


class FileStore:
    """See `core.ports.outside.ByteStore`. Keys are made by this project and contain no user input."""

    def __init__(self, root: Path, *, make: bool = True) -> None:
        """Without `make` the folder stays as it is found, or missing: for whoever only looks."""
        self._root = root
        if make:
            root.mkdir(parents=True, exist_ok=True)
            _sync(root.parent)

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        """Write beside, sync, rename, sync the folders up to the root."""
        path = self._path(key)
        partial = path.with_name(path.name + PARTIAL)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                shutil.copyfileobj(stream, file, CHUNK_BYTES)
                file.flush()
                os.fsync(file.fileno())
                written = file.tell()
            if written != size_bytes:
                raise Unavailable("The take did not arrive whole in the store. Please try again.")
            partial.replace(path)
            self._sync_folders(path.parent)
        except OSError as error:
            _remove_quietly(partial)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskReserve("This node has no room for another take right now.") from error
            raise Unavailable("The store of this room does not answer right now. Please try again.") from error

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """A file, or a window on it."""
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError as error:
            raise StoreMissing("There is nothing here any more.") from error
        except OSError as error:
            raise Unavailable("The store of this room does not answer right now.") from error
        if start == 0 and length is None:
            return file
        file.seek(start)
        return cast("BinaryIO", _Window(file, length))

    def size(self, key: str) -> int | None:
        """Size in bytes, None where there is neither a file nor a half-written one."""
        path = self._path(key)
        try:
            return path.stat().st_size
        except FileNotFoundError:
            partial = path.with_name(path.name + PARTIAL)
            return partial.stat().st_size if partial.exists() else None
        except OSError as error:
            raise Unavailable("The store of this room does not answer right now.") from error

    def delete(self, key: str) -> None:
        """Remove the file, what a killed `put` may have left beside it, and the folder it leaves empty."""
        path = self._path(key)
        try:
            path.unlink(missing_ok=True)
            path.with_name(path.name + PARTIAL).unlink(missing_ok=True)
            if path.parent.exists():
                _sync(path.parent)
                _prune(path.parent, self._root)
        except OSError as error:
            raise Unavailable("The store refused to delete.") from error

    def check(self) -> None:
        """The folder is there and can be read."""
        try:
            with os.scandir(self._root) as found:
                next(found, None)
        except OSError as error:
            raise Unavailable("The store of this room does not answer right now.") from error

    def keys(self, prefix: str = "", *, whole: bool = False) -> Iterator[str]:
        """Every stored key, half-written ones under the key they were meant for, or left out."""
        folder = self._root / prefix.rpartition("/")[0]
        for path in sorted(folder.rglob("*")):
            if whole and path.name.endswith(PARTIAL):
                continue
            key = path.relative_to(self._root).as_posix().removesuffix(PARTIAL)
            if path.is_file() and key.startswith(prefix):
                yield key

    def _path(self, key: str) -> Path:
        path = self._root / key
        if not key or key.startswith("/") or ".." in Path(key).parts:
            raise ValueError(f"not a key of this store: {key!r}")
        return path

    def _sync_folders(self, folder: Path) -> None:
        while True:
            _sync(folder)
            if folder == self._root:
                return
            folder = folder.parent


class _Window(io.RawIOBase):
    """At most `length` bytes of an open file from where it stands."""

    def __init__(self, file: BinaryIO, length: int | None) -> None:
        self._file = file
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._left is None:
            return self._file.read(size)
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(folder: Path, root: Path) -> None:
    # Only the folder of one take: `raw/` itself may be filled by a put at this very moment.
    if root not in (folder, folder.parent):
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise


def _remove_quietly(path: Path) -> None:
    # The reservation of this key comes due and removes what could not be removed here.
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
