"""Checks of the machine under a node: its data folder, its disk, its clock. Looks, and changes nothing."""

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.adapters.ledger import LEDGER_FILE
from core.adapters.sql.engine import DATABASE_FILE
from core.adapters.vault import KEYS_FILE
from core.domain.clocks import Doubt
from memory_ui.appliance.findings import Finding, failed, passed, warned

DATA, DISK, CLOCK = "data folder", "disk", "clock"
OURS = (DATABASE_FILE, KEYS_FILE, LEDGER_FILE, "sounds", "incoming", "backups")
FIRST_PERSON = 1000
INODES_LEAST = 0.05
GB = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A data folder as it lies there. `foreign` names what in it belongs to somebody else than the folder itself."""

    path: Path
    mode: int
    owner: int
    writable: bool
    foreign: tuple[str, ...]
    has_database: bool
    keys_mode: int | None


def folder_at(path: Path) -> Folder | None:
    """What lies there; None where there is no folder."""
    if not path.is_dir():
        return None
    own = path.stat()
    present = [path / name for name in OURS if (path / name).exists()]
    keys = path / KEYS_FILE
    read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    return Folder(
        path=path,
        mode=stat.S_IMODE(own.st_mode),
        owner=own.st_uid,
        writable=not read_only and os.access(path, os.W_OK | os.X_OK),
        foreign=tuple(each.name for each in present if each.stat().st_uid != own.st_uid),
        has_database=(path / DATABASE_FILE).exists(),
        keys_mode=stat.S_IMODE(keys.stat().st_mode) if keys.exists() else None,
    )


def data_folder(folder: Folder | None, path: Path, *, stack: bool) -> Iterator[Finding]:
    """Whether a node can live in it, and nobody else reads it."""
    if folder is None:
        yield failed(
            DATA,
            f"there is none at {path}",
            "Give the right one with --data-dir or MEMORY_DATA_DIR; the node's first start makes a new one.",
        )
        return
    found = [*_rights(folder), *(() if stack else _keys(folder))]
    yield from found or [passed(DATA, f"{path}, mode {folder.mode:o}, of {_name(folder.owner)}")]


def _rights(folder: Folder) -> Iterator[Finding]:
    path, owner = folder.path, _name(folder.owner)
    if not folder.writable:
        yield failed(
            DATA,
            f"{path} cannot be written",
            f"Look whether its disk is mounted read-only; it belongs to {owner}: run node and doctor as {owner}.",
        )
    if folder.foreign:
        yield failed(
            DATA,
            f"not all of it belongs to {owner}: {', '.join(folder.foreign)}",
            f"Some command was run as another user. As root: chown -R {owner}: {path}",
        )
    if folder.mode & (stat.S_IROTH | stat.S_IXOTH):
        yield warned(
            DATA, f"{path} can be entered by everybody on this machine (mode {folder.mode:o})", f"chmod 750 {path}"
        )


def _keys(folder: Folder) -> Iterator[Finding]:
    if folder.has_database and folder.keys_mode is None:
        yield failed(
            DATA,
            f"{KEYS_FILE} is missing: no receipt code opens anything, and the node does not start",
            f"Put {KEYS_FILE} back from a backup (docs/how-to/back-up-and-restore.md); never make a new one.",
        )
    if folder.keys_mode is not None and folder.keys_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield failed(
            DATA,
            f"{KEYS_FILE} can be read by others (mode {folder.keys_mode:o})",
            f"chmod 600 {folder.path / KEYS_FILE}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What is left of a disk. A filesystem without a fixed number of files has `files` 0."""

    free_bytes: int
    total_bytes: int
    reserve_bytes: int
    free_files: int
    files: int


def inodes_of(path: Path) -> tuple[int, int]:
    """How many files a filesystem still takes, and how many it takes in all."""
    found = os.statvfs(path)
    return found.f_favail, found.f_files


def disk(room: Room, told: list[Finding]) -> Iterator[Finding]:
    """What the registry of warnings tells of it, and whether it still takes files."""
    yield from told
    if room.files and room.free_files < room.files * INODES_LEAST:
        yield failed(
            DISK,
            f"hardly any file more fits on it: {room.free_files} of {room.files} inodes are free",
            "Remove what leaves many small files there (`du --inodes -x -d 2 /`), or move the data folder.",
        )
    elif not told:
        yield passed(
            DISK,
            f"{room.free_bytes / GB:.1f} of {room.total_bytes / GB:.1f} GB free, "
            f"{room.reserve_bytes / GB:.1f} GB of them kept as a reserve",
        )


def clock(doubt: Doubt | None, *, synchronised: bool, told: list[Finding]) -> Iterator[Finding]:
    """Whether it is believed, and whether somebody keeps it right."""
    yield from told
    if doubt is None and not synchronised:
        yield warned(
            CLOCK,
            "nobody keeps it right",
            "`sudo timedatectl set-ntp true`; without a network see docs/how-to/clock.md.",
        )
    elif not told:
        yield passed(CLOCK, "kept right by a time service, and believed")


def owner_of(path: Path) -> str:
    """The name of a person's account that a folder belongs to; empty for a service's, or where there is no folder."""
    try:
        uid = path.stat().st_uid
    except OSError:
        return ""
    return _name(uid) if uid >= FIRST_PERSON else ""


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
