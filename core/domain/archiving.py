"""What a copy of a node says of itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.domain.custody import Early

FORMAT = 1
RAW = "raw"
"""What the take itself is called among the sounds of an artifact."""

MARGIN = timedelta(hours=2)
"""A copy goes so much before the last hour it was promised to: pruning comes round hourly."""


class ArchiveKind(StrEnum):
    """BACKUP is for this node; HANDOVER for another of the same steward."""

    BACKUP = "backup"
    HANDOVER = "handover"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """One stored object in a copy: its key in the store, its name in the copy, and its hash where a row tells it."""

    artifact_id: int
    key: str
    name: str
    sha256: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """The readable part of a copy: figures only, nothing that names or opens a take.

    `as_of` is the moment it is true of, `gone_by` the hour at which it must be gone, `ledger_length` how many rights
    had ended early by then. `sealed` says how its key is kept: by a passphrase or for a recipient.
    """

    kind: ArchiveKind
    node_id: str
    node_name: str
    version: str
    as_of: datetime
    gone_by: datetime
    artifacts: int
    objects: int
    rows: dict[str, int]
    ledger_length: int
    sealed: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        said = asdict(self)
        return {
            "format": FORMAT,
            **said,
            "kind": self.kind.value,
            "as_of": self.as_of.isoformat(),
            "gone_by": self.gone_by.isoformat(),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Manifest":
        """The inverse; ValueError for another format."""
        if plain.get("format") != FORMAT:
            raise ValueError(f"format {plain.get('format')} is not known here")
        said = {name: plain[name] for name in cls.__dataclass_fields__}
        times = {name: datetime.fromisoformat(said[name]) for name in ("as_of", "gone_by")}
        return cls(**{**said, **times, "kind": ArchiveKind(said["kind"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelved:
    """A finished copy and where it lies."""

    path: Path
    manifest: Manifest
    size_bytes: int


def ended_since(name: str, named: Mapping[str, set[Early]]) -> bool:
    """Whether the ledger says that a sound of this name may not come back; a narrowed take keeps its raw."""
    subject, _, kind = name.partition("-")
    why = named.get(subject, set())
    return bool(why) and (why != {Early.NARROW} or kind != RAW)


def gone_by(as_of: datetime, *, days: float, shortest_days: float | None) -> datetime:
    """When a copy must be gone: by today's setting, or by the shortest promise in it."""
    return as_of + timedelta(days=min(days, shortest_days) if shortest_days is not None else days)


def due(shelved: Shelved, now: datetime) -> bool:
    """Whether it goes now."""
    manifest = shelved.manifest
    margin = min(MARGIN, (manifest.gone_by - manifest.as_of) / 8)
    return now >= manifest.gone_by - margin
