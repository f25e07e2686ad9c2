"""Copies of a node: where they lie, what they are encrypted with, and nodes made of them."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from core.adapters.archive import SCRATCH, FolderShelf
from core.adapters.copy import load_copy
from core.adapters.outside import DataDisk
from core.adapters.sealing import Sealing
from core.adapters.sql.dump import SqlRows
from core.adapters.vault import generated_secret, read_secret, write_keys
from core.bootstrap.engines import Outside
from core.errors import DiskReserve, Misconfigured
from core.ports.archiving import Opened, Scratch, Unpacking
from core.services.audit import Audit
from core.services.backup import NO_ROOM, BackupFigures
from core.services.ledger import NODE
from core.services.restore import RestoreService
from core.settings import STACK, Settings

VERSION = version("memory-engine")
PASSPHRASE_FILE = "backup-passphrase.txt"  # noqa: S105 -- the name of the file, not what is in it


def backup_dir(settings: Settings, data_dir: Path) -> Path:
    """Where copies lie."""
    return settings.BACKUP_DIR.expanduser() if settings.BACKUP_DIR is not None else data_dir / "backups"


def export_dir(settings: Settings, data_dir: Path) -> Path:
    """Where exports lie: beside the copies."""
    return data_dir / "exports" if settings.BACKUP_DIR is None else backup_dir(settings, data_dir) / "exports"


def sealing_of(settings: Settings, data_dir: Path) -> Callable[[], Sealing]:
    """How copies are encrypted: for recipients, by the passphrase that is set, or by one that is made."""

    def seal() -> Sealing:
        found = tuple(text.strip() for text in settings.BACKUP_RECIPIENTS.split(",") if text.strip())
        if found:
            return Sealing(recipients=found)
        if settings.BACKUP_PASSPHRASE:
            return Sealing(phrase=settings.BACKUP_PASSPHRASE)
        if settings.DATABASE_URL:
            raise Misconfigured(["BACKUP_PASSPHRASE or BACKUP_RECIPIENTS: the stack makes no backup without one"])
        return Sealing(phrase=generated_secret(data_dir / PASSPHRASE_FILE))

    return seal


def shelf_in(folder: Path, settings: Settings, outside: Outside, reserve: Callable[[], int]) -> FolderShelf:
    """A place for copies; another disk than the node's own has a reserve, too."""
    own = folder == outside.data_dir / "backups"
    if own:
        return FolderShelf(folder, sealing_of(settings, outside.data_dir), outside.disk, reserve)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    disk = DataDisk(folder)

    def kept() -> int:
        return max(int(settings.DISK_RESERVE_GB * 1e9), int(disk.total_bytes() * settings.DISK_RESERVE_SHARE))

    return FolderShelf(folder, sealing_of(settings, outside.data_dir), disk, kept)


def handover_shelf(folder: Path, settings: Settings, outside: Outside, reserve: Callable[[], int]) -> FolderShelf:
    """Where a node that is handed over lies: in a folder somebody names."""
    return shelf_in(folder.expanduser().resolve(), settings, outside, reserve)


def known_phrase(settings: Settings) -> str:
    """The passphrase this node knows of; empty where it knows none."""
    return settings.BACKUP_PASSPHRASE or read_secret(settings.MEMORY_DATA_DIR.expanduser() / PASSPHRASE_FILE)


def rows_of(outside: Outside) -> SqlRows:
    """The database as rows; sounds are named as the ledger names their artifacts."""
    return SqlRows(
        outside.engine,
        first=outside.first_state,
        name_of=lambda public_id: outside.vault.subject_hashes(public_id)[0],
    )


def backup_figures(settings: Settings) -> BackupFigures:
    """Of copies."""
    return BackupFigures(days=settings.BACKUP_DAYS, node_name=settings.NODE_NAME, version=VERSION)


def export_readme(**said: object) -> str:
    """Instructions for a stranger who finds a bundle."""
    return load_copy("en").t("copies.readme_export", **said) + "\n"


class Node(Protocol):
    """What is asked of a node that was made of a copy."""

    @property
    def audit(self) -> Audit: ...
    @property
    def restore(self) -> RestoreService: ...
    def close(self) -> None: ...


Build = Callable[..., Node]


class ScratchNode:
    """See `core.ports.archiving.Scratch`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def findings(self) -> list[str]:
        """What an audit says of it, every hash compared."""
        report = self._node.audit.run()
        return [f"{one.kind}: {one.subject}: {one.detail}" for one in report.findings]


def unpacking(settings: Settings, outside: Outside, shelf: FolderShelf, build: Build) -> Unpacking:
    """Makes an embedded node of a copy in a folder of its own beside the copies; gone when it is left."""

    @contextmanager
    def unpack(opened: Opened) -> Iterator[Scratch]:
        if shelf.free_bytes() - LAID_OUT * opened.size_bytes() <= shelf.reserve_bytes():
            raise DiskReserve(NO_ROOM)
        folder = shelf.place / f"{SCRATCH}{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        try:
            with closing(_embedded(settings, outside, folder, opened, build)) as node:
                # As a restore would: with what has ended since, as far as it is known here.
                node.restore.restore(opened, actor=NODE, more=outside.ledger.entries(), knows_all=True)
                yield ScratchNode(node)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return unpack


LAID_OUT = 2
"""How many times a copy's size a node made of it may need for a moment."""


def _embedded(settings: Settings, outside: Outside, folder: Path, opened: Opened, build: Build) -> Node:
    write_keys(folder, opened.secrets())
    without: dict[str, object] = dict.fromkeys((*STACK, "PREVIOUS_CODE_KEYS"), "")
    given = settings.model_copy(update={**without, "MEMORY_DATA_DIR": folder, "LEDGER_DIR": None, "BACKUP_DIR": None})
    return build(
        given, wrap=lambda made: replace(made, clock=outside.clock, drift=outside.drift, source=outside.source)
    )
