"""What may leave the building: figures, and what fossils left where the promise says that it may be published.

A bundle is a folder a stranger can read. Each file says until when it may be kept; the folder itself goes from this
node with the backups.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from itertools import chain, count
from pathlib import Path
from typing import Any

from core.domain.custody import Care
from core.errors import BadArchive, DiskReserve, StoreMissing
from core.ports.archiving import Shelf
from core.ports.outside import ByteStore, NodeClock, Vault
from core.ports.stewarding import Publishable
from core.ports.work import StewardAction, UnitOfWork
from core.services.archive import Archive
from core.services.backup import NO_ROOM, BackupFigures
from core.services.care import CareService, Progress
from core.services.ledger import NODE

FORMAT = 1
NAME_SIGNS = 24
FIGURES, MANIFEST, SUMS, README, FOSSILS = "figures.json", "manifest.json", "SHA256SUMS", "README.txt", "fossils"
READ_BYTES = 1 << 20
PAGE = 200


Readme = Callable[..., str]


class ExportService:
    """Makes bundles, and says of an old one what may still be kept of it."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        vault: Vault,
        clock: NodeClock,
        care: CareService,
        archive: Archive,
        *,
        shelf: Shelf,
        place: Path,
        readme: Readme,
        figures: BackupFigures,
    ) -> None:
        self._work = work
        self._store = store
        self._vault = vault
        self._clock = clock
        self._care = care
        self._archive = archive
        self._shelf = shelf
        self._place = place
        self._readme = readme
        self._figures = figures

    def make(self, actor: str = NODE, *, to: Path | None = None) -> Path:
        """One bundle, in `to` or beside the backups. Raises `DiskReserve`, and nothing is kept of it then."""
        folder = to or self._place
        now = self._clock.now()
        final = _free(folder, f"export-{now:%Y%m%dT%H%M%SZ}")
        draft = folder / f".partial-{final.name}"
        with self._care.reporting(Care.EXPORT, actor=actor) as progress:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(draft, ignore_errors=True)
            (draft / FOSSILS).mkdir(parents=True)
            try:
                said = self._fill(draft, now, progress)
                draft.replace(final)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            progress.summary.update({**said, "path": str(final), "encrypted": ""})
        return final

    def over(self, bundle: Path) -> list[str]:
        """Names of the files of a bundle whose right is over, or that were taken back: delete them, wherever they are.

        Raises `BadArchive`.
        """
        try:
            said = json.loads((bundle / MANIFEST).read_text("utf-8"))
            files = {str(one["file"]): datetime.fromisoformat(one["until"]) for one in said["fossils"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadArchive(f"{bundle.name} is no export of a node that this version can read.") from error
        now = self._clock.earlier()
        standing = {self._file(one) for one in self._all(now)}
        return sorted(name for name, until in files.items() if until <= now or name not in standing)

    def prune(self) -> int:
        """Remove bundles whose time here is over, and files in the others whose right is; how many bundles."""
        now, removed = self._clock.earlier(), 0
        for path in sorted(self._place.glob("export-*")):
            if self._kept_until(path) <= now:
                shutil.rmtree(path)
                self._note(path, now)
                removed += 1
                continue
            _take_out(path, self.over(path))
        return removed

    def remove_all(self) -> int:
        """Remove every bundle; how many."""
        found = list(self._place.glob("export-*"))
        for path in found:
            shutil.rmtree(path)
            self._note(path, self._clock.now())
        return len(found)

    def _fill(self, draft: Path, now: datetime, progress: Progress) -> dict[str, Any]:
        found = self._all(now)
        kept: list[dict[str, Any]] = []
        for number, one in enumerate(found, 1):
            if self._copy(draft / self._file(one), one.key):
                kept.append({"file": self._file(one), "kind": one.kind, **_times(one)})
            progress.step(number, len(found))
        # What has ended while others were copied is not in it.
        standing = {self._file(one) for one in self._all(self._clock.now())}
        for entry in [entry for entry in kept if entry["file"] not in standing]:
            (draft / entry["file"]).unlink()
            kept.remove(entry)
        until = now + timedelta(days=self._figures.days)
        # Topics and statuses are words that were left with takes: they are no figures.
        figures = {name: value for name, value in self._archive.summary().items() if name not in ("topics", "statuses")}
        _write(draft / FIGURES, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
        manifest = {
            "format": FORMAT,
            "node": self._figures.node_name,
            "version": self._figures.version,
            "made_at": now.isoformat(),
            "here_until": until.isoformat(),
            "fossils": kept,
        }
        _write(draft / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        said = {"node": self._figures.node_name, "made_at": f"{now:%Y-%m-%d %H:%M} UTC", "fossils": len(kept)}
        _write(draft / README, self._readme(**said, until=f"{until:%Y-%m-%d %H:%M} UTC", version=self._figures.version))
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        _write(draft / SUMS, "".join(f"{_digest(path)}  {path.relative_to(draft).as_posix()}\n" for path in files))
        size_bytes = sum(path.stat().st_size for path in draft.rglob("*") if path.is_file())
        return {
            "bytes": size_bytes,
            "artifacts": len({entry["file"].partition("-")[0] for entry in kept}),
            "objects": len(kept),
            "kept_until": until.isoformat(),
        }

    def _all(self, now: datetime) -> list[Publishable]:
        found: list[Publishable] = []
        with self._work.read() as tx:
            while page := tx.archive.publishable(now, after=found[-1].id if found else 0, limit=PAGE):
                found += page
        return found

    def _copy(self, path: Path, key: str) -> bool:
        size_bytes = self._store.size(key)
        if size_bytes is None:
            return False
        if self._shelf.free_bytes() - size_bytes <= self._shelf.reserve_bytes():
            raise DiskReserve(NO_ROOM)
        try:
            stream = self._store.open(key)
        except StoreMissing:
            return False
        with closing(stream), path.open("wb") as file:
            shutil.copyfileobj(stream, file, READ_BYTES)
            file.flush()
            os.fsync(file.fileno())
        return True

    def _file(self, one: Publishable) -> str:
        # Tells the node which fossil it was, and nobody else anything.
        name = self._vault.subject_hashes(one.public_id)[0][:NAME_SIGNS]
        return f"{FOSSILS}/{name}-{one.kind}.{one.kind.rpartition('_')[2]}"

    def _kept_until(self, path: Path) -> datetime:
        try:
            return datetime.fromisoformat(json.loads((path / MANIFEST).read_text("utf-8"))["here_until"])
        except (OSError, ValueError, KeyError, TypeError):
            return self._clock.now()

    def _note(self, path: Path, now: datetime) -> None:
        with self._work.write() as tx:
            tx.steward.record(
                StewardAction(at=now, actor=NODE, action="remove_copy", subject=path.name[:64], before={}, after={})
            )


def _free(folder: Path, name: str) -> Path:
    """A path nobody has: several may be made within a second."""
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(path for one in names if not (path := folder / one).exists())


def _times(one: Publishable) -> dict[str, str]:
    return {"made_at": one.created_at.isoformat(), "until": one.until.isoformat()}


def _take_out(path: Path, names: list[str]) -> None:
    there = [name for name in names if (path / name).exists()]
    if not there:
        return
    lines = (path / SUMS).read_text("utf-8").splitlines(keepends=True)
    _write(path / SUMS, "".join(one for one in lines if one.rstrip("\n").partition("  ")[2] not in names))
    for name in there:
        (path / name).unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
