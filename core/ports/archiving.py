"""Copies of a node outside of itself: what is written into them, and what is read back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from core.domain.archiving import Manifest, Shelved, Sound
from core.domain.custody import Early, Entry
from core.ports.work import Transaction

Row = tuple[str, dict[str, Any]]
"""A table's name and one row of it, in plain JSON values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dumped:
    """What one look at the database found: sounds, rows by table, the shortest life a copy was promised to have."""

    sounds: list[Sound]
    counts: dict[str, int]
    shortest_days: float | None


class Rows(Protocol):
    """The whole database as plain rows."""

    def dump(self, write: Callable[[Row], None]) -> Dumped:
        """Every row a copy needs, as of one moment; one-time takes are in no copy."""

    def held(self) -> int:
        """How many artifacts are held now."""

    def replace(self, rows: Iterable[Row], finish: Callable[[Transaction], None], now: datetime) -> None:
        """Put `rows` in the place of what is there, in one transaction in which `finish` has the last word.

        Keys that were held and are not named any more come due; what was reserved for named ones is adopted.
        """


class Draft(Protocol):
    """A copy being made; nobody takes it for one before it is finished."""

    @property
    def sealed(self) -> str: ...
    def has(self, sound: Sound) -> bool: ...
    def put(self, sound: Sound, stream: BinaryIO) -> None: ...
    def keep_only(self, sounds: Iterable[Sound]) -> int: ...
    def write_rows(self, rows: BinaryIO) -> None: ...
    def finish(self, manifest: Manifest, ledger: Iterable[Entry], secrets: dict[str, Any]) -> Path: ...
    def discard(self) -> None: ...


class Opened(Protocol):
    """A finished copy whose key is known. Raises `BadArchive` for whatever is damaged."""

    @property
    def manifest(self) -> Manifest: ...
    def secrets(self) -> dict[str, Any]: ...
    def name_of(self, public_id: str) -> str: ...
    def size_bytes(self) -> int: ...
    def holds(self, sound: Sound) -> bool: ...
    def sounds(self) -> list[Sound]: ...
    def ledger(self) -> list[Entry]: ...
    def rows(self) -> Iterator[Row]: ...
    def sound(self, sound: Sound) -> AbstractContextManager[BinaryIO]: ...


class Shelf(Protocol):
    """Where copies lie."""

    @property
    def place(self) -> Path: ...
    def free_bytes(self) -> int: ...
    def reserve_bytes(self) -> int: ...
    def draft(self, name: str) -> Draft: ...
    def archives(self) -> list[Shelved]: ...
    def remove(self, path: Path) -> None: ...
    def clean(self) -> int: ...
    def take_out(self, named: Mapping[str, set[Early]]) -> int: ...
    def just_made(self, path: Path) -> Opened | None: ...


class Scratch(Protocol):
    """A node made of a copy, to see whether it would be one; gone when it is left."""

    def findings(self) -> list[str]: ...


Unpacking = Callable[[Opened], AbstractContextManager[Scratch]]
