"""Copies of a node while it runs: made, proven, and gone in time.

The rows are looked at once more after the bytes were copied, until nothing is missing; what ended meanwhile is deleted
from the copy, and the last look is the one it holds. A right that ends after that is in the ledger, which no restored
node opens without.
"""

import gzip
import hashlib
import json
import logging
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.archiving import ArchiveKind, Manifest, Shelved, Sound, due, gone_by
from core.domain.custody import Care, CareState
from core.errors import BadArchive, Conflict, DiskReserve, StoreMissing, Unavailable
from core.ports.archiving import Draft, Dumped, Opened, Row, Rows, Shelf, Unpacking
from core.ports.custody import Ledger
from core.ports.outside import ByteStore, NodeClock
from core.ports.work import StewardAction, UnitOfWork
from core.services.care import CareService, Progress
from core.services.ledger import NODE, by_subject

log = logging.getLogger(__name__)

LOOKS_MOST = 20
"""A node that takes in more than is copied between so many looks has no quiet moment to be copied in."""

NO_ROOM = "There is not enough room for a copy above the disk reserve. Nothing was kept of it."


_ON_SHELF = (Care.BACKUP, Care.VERIFY, Care.EXPORT, Care.RESTORE)


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupFigures:
    """How long copies live, in days, and what they say of the node."""

    days: float
    node_name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A finished copy; `lacking` sounds were named by a row and not in the store; `sum` tells it from every other."""

    path: Path
    manifest: Manifest
    size_bytes: int
    lacking: int
    sum: str


class BackupService:
    """Makes, proves and removes copies."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        ledger: Ledger,
        clock: NodeClock,
        care: CareService,
        *,
        shelf: Shelf,
        rows: Rows,
        secrets: Callable[[], dict[str, Any]],
        unpack: Unpacking,
        figures: BackupFigures,
    ) -> None:
        self._work = work
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._care = care
        self.shelf = shelf
        self._rows = rows
        self._secrets = secrets
        self._unpack = unpack
        self._figures = figures

    def run(self, actor: str = NODE) -> None:
        """What the schedule and the page do: make a copy, prove it, remove what has had its time."""
        self.prune()
        made = self.make(actor=actor)
        opened = self.shelf.just_made(made.path)
        if opened is not None:
            self.verify(opened, made.path, actor=actor)

    def make(
        self, *, actor: str, kind: ArchiveKind = ArchiveKind.BACKUP, shelf: Shelf | None = None, mark: str = ""
    ) -> Made:
        """One copy. Raises `DiskReserve` (nothing is kept of it then), `Unavailable`, `Conflict`, `Misconfigured`."""
        shelf = shelf or self.shelf
        care = Care.BACKUP if kind is ArchiveKind.BACKUP else Care.EXPORT
        with self._care.reporting(care, actor=actor) as progress:
            self._clean(shelf, care)
            draft = shelf.draft(_name(kind, self._clock.now(), mark))
            try:
                made = self._fill(draft, kind, shelf, progress)
            except BaseException:
                draft.discard()
                raise
            progress.ok = made.lacking == 0
            progress.summary.update(_said(made))
        return made

    def verify(self, opened: Opened, path: Path, *, actor: str) -> list[str]:
        """Make a node of a copy, out of the way, and audit it; what was found, nothing where it is whole."""
        with self._care.reporting(Care.VERIFY, actor=actor) as progress:
            manifest = opened.manifest
            progress.summary.update({"path": str(path), "as_of": manifest.as_of.isoformat()})
            progress.summary.update({"artifacts": manifest.artifacts, "objects": manifest.objects})
            try:
                with self._unpack(opened) as scratch:
                    findings = scratch.findings()
            except BadArchive as error:
                findings = [error.message]
            progress.summary.update({"findings": len(findings), "first": findings[:20]})
            progress.ok = not findings
        return findings

    def prune(self) -> int:
        """Take what has ended early out of every copy, and remove copies whose time is over; how many of those."""
        self._clean(self.shelf)
        taken_out = self.shelf.take_out(by_subject(self._ledger.entries()))
        if taken_out:
            log.info("backup.taken_out", extra={"sounds": taken_out})
        return sum(self._remove(one) for one in self.shelf.archives() if due(one, self._clock.earlier()))

    def remove_all(self) -> int:
        """Remove every copy, whatever its time; how many."""
        return sum(self._remove(one) for one in self.shelf.archives())

    def _clean(self, shelf: Shelf, own: Care | None = None) -> None:
        """Delete what a death has left here, unless something is just being made or laid out."""
        if all(report.kind not in _ON_SHELF or report.kind is own for report in self._care.running()):
            shelf.clean()

    def _fill(self, draft: Draft, kind: ArchiveKind, shelf: Shelf, progress: Progress) -> Made:
        lacking: set[str] = set()
        for _ in range(LOOKS_MOST):
            # By no clock that may be ahead: a copy dated by it would outlive its time.
            as_of = self._clock.earlier()
            dumped = self._look(draft, shelf)
            wanted = [one for one in dumped.sounds if not draft.has(one) and one.name not in lacking]
            if not wanted:
                break
            for number, sound in enumerate(wanted, 1):
                if not self._copy(draft, sound, shelf):
                    lacking.add(sound.name)
                progress.step(number, len(wanted))
        else:
            raise Unavailable("So much is taken in just now that no copy could be finished. Please try again later.")
        draft.keep_only(dumped.sounds)
        manifest = self._manifest(draft, kind, dumped, as_of)
        path = draft.finish(manifest, self._ledger.entries(), self._secrets())
        named = {one.name for one in dumped.sounds}
        size_bytes = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return Made(path=path, manifest=manifest, size_bytes=size_bytes, lacking=len(lacking & named), sum=_sum(path))

    def _look(self, draft: Draft, shelf: Shelf) -> Dumped:
        """The rows as of now, written into the copy in the place of those of the look before."""
        with tempfile.TemporaryFile(dir=shelf.place) as plain:
            with closing(_Lines(plain)) as lines:
                dumped = self._rows.dump(lines.write)
            self._room(shelf, plain.tell())
            plain.seek(0)
            draft.write_rows(plain)
        return dumped

    def _copy(self, draft: Draft, sound: Sound, shelf: Shelf) -> bool:
        """One sound; False where it is not there: it has ended since, or it is lost, and the next look tells."""
        size_bytes = self._store.size(sound.key)
        if size_bytes is None:
            return False
        self._room(shelf, size_bytes)
        try:
            stream = self._store.open(sound.key)
        except StoreMissing:
            return False
        with closing(stream):
            draft.put(sound, stream)
        return True

    def _room(self, shelf: Shelf, size_bytes: int) -> None:
        """Raise `DiskReserve` where writing so much would eat into the reserve; older copies make room first."""
        while shelf.free_bytes() - size_bytes <= shelf.reserve_bytes():
            spare = self._spare(shelf)
            if spare is None:
                raise DiskReserve(NO_ROOM)
            self._remove(spare)

    def _spare(self, shelf: Shelf) -> Shelved | None:
        """The oldest copy that is not the last one known to be good."""
        good = self._care.last(Care.VERIFY, state=CareState.OK)
        kept = good.summary.get("path") if good is not None else None
        found = [one for one in shelf.archives() if str(one.path) != kept]
        return found[0] if len(found) > (0 if kept is not None else 1) else None

    def _remove(self, one: Shelved) -> bool:
        now, manifest = self._clock.now(), one.manifest
        self.shelf.remove(one.path)
        times = {"as_of": manifest.as_of.isoformat(), "gone_by": manifest.gone_by.isoformat()}
        with self._work.write() as tx:
            tx.steward.record(
                StewardAction(
                    at=now,
                    actor=NODE,
                    action="remove_copy",
                    subject=one.path.name[:64],
                    before=times,
                    after={"removed": True},
                )
            )
        return True

    def _manifest(self, draft: Draft, kind: ArchiveKind, dumped: Dumped, as_of: datetime) -> Manifest:
        with self._work.read() as tx:
            node = tx.nodes.read()
        if node is None:
            raise Conflict("This node has not been started yet.")
        return Manifest(
            kind=kind,
            node_id=node.public_id,
            node_name=self._figures.node_name,
            version=self._figures.version,
            as_of=as_of,
            gone_by=gone_by(as_of, days=self._figures.days, shortest_days=dumped.shortest_days),
            artifacts=len({one.artifact_id for one in dumped.sounds}),
            objects=len(dumped.sounds),
            rows=dumped.counts,
            ledger_length=self._ledger.length,
            sealed=draft.sealed,
        )


class _Lines:
    """Rows as lines of JSON, compressed."""

    def __init__(self, target: Any) -> None:
        self._file = gzip.GzipFile(fileobj=target, mode="wb", mtime=0)

    def write(self, row: Row) -> None:
        """One row."""
        self._file.write((json.dumps(row) + "\n").encode())

    def close(self) -> None:
        """The end of them."""
        self._file.close()


def _name(kind: ArchiveKind, now: datetime, mark: str) -> str:
    return "-".join(part for part in (kind.value, f"{now:%Y%m%dT%H%M%SZ}", mark) if part)


def _sum(path: Path) -> str:
    return hashlib.sha256((path / "SHA256SUMS").read_bytes()).hexdigest()


def _said(made: Made) -> dict[str, Any]:
    manifest = made.manifest
    return {
        "path": str(made.path),
        "bytes": made.size_bytes,
        "artifacts": manifest.artifacts,
        "objects": manifest.objects,
        "as_of": manifest.as_of.isoformat(),
        "kept_until": manifest.gone_by.isoformat(),
        "encrypted": manifest.sealed,
        "lacking": made.lacking,
    }
