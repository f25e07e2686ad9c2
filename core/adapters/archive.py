"""Copies of a node as folders: a readable manifest, checksums, instructions, and the rest encrypted.

Every sound is a file of its own, so that one voice can be left out of a copy, or taken out of it, without touching the
others.
"""

import gzip
import hashlib
import io
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO

from core.adapters import sealing
from core.adapters.copy import load_copy
from core.adapters.ledger import line, parse
from core.adapters.sealing import Identity, Sealing
from core.adapters.sql.dump import sounds_in
from core.adapters.vault import vault_of
from core.domain.archiving import ArchiveKind, Manifest, Shelved, Sound, ended_since
from core.domain.custody import Early, Entry
from core.errors import BadArchive
from core.ports.archiving import Row
from core.ports.outside import Disk

log = logging.getLogger(__name__)

MANIFEST, SUMS, README = "manifest.json", "SHA256SUMS", "README.txt"
KEY, ROWS, LEDGER, SECRETS = "key.age", "rows.jsonl.gz.age", "ledger.jsonl.age", "secrets.json.age"
SOUNDS = "sounds"
PARTIAL, SCRATCH = ".partial-", ".scratch-"
READ_BYTES = 1 << 20
_KINDS = tuple(f"{kind.value}-" for kind in ArchiveKind)


class FolderShelf:
    """See `core.ports.archiving.Shelf`."""

    def __init__(self, folder: Path, seal: Callable[[], Sealing], disk: Disk, reserve: Callable[[], int]) -> None:
        self._folder = folder
        self._seal = seal
        self._disk = disk
        self._reserve = reserve
        self._keys: dict[Path, Identity] = {}

    @property
    def place(self) -> Path:
        """The folder, made where it is missing."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder

    def free_bytes(self) -> int:
        """What is left of its disk."""
        return self._disk.free_bytes()

    def reserve_bytes(self) -> int:
        """What must be left of it."""
        return self._reserve()

    def draft(self, name: str) -> "FolderDraft":
        """A copy to be made here. Raises `Misconfigured` where there is nothing to encrypt it with."""
        taken = {path.name for path in self.place.iterdir()}
        free = next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in taken)
        return FolderDraft(self.place, free, self._seal(), self._keys)

    def archives(self) -> list[Shelved]:
        """Finished copies, the oldest first; what cannot be read is none."""
        found = []
        for path in sorted(self.place.iterdir()):
            if path.is_dir() and path.name.startswith(_KINDS):
                try:
                    manifest = read_manifest(path)
                except BadArchive:
                    log.warning("archive.unreadable", extra={"archive": path.name})
                    continue
                found.append(Shelved(path=path, manifest=manifest, size_bytes=_size(path)))
        return sorted(found, key=lambda one: one.manifest.as_of)

    def remove(self, path: Path) -> None:
        """Delete a copy: from then on nobody takes what is left of it for one."""
        leaving = path.with_name(f"{PARTIAL}{path.name}")
        path.replace(leaving)
        _sync(path.parent)
        shutil.rmtree(leaving)

    def clean(self) -> int:
        """Delete what a death left half made, half removed or laid out; how many."""
        left = [path for path in self.place.iterdir() if path.name.startswith((PARTIAL, SCRATCH))]
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        return len(left)

    def take_out(self, named: Mapping[str, set[Early]]) -> int:
        """Delete from every finished copy what has ended early since; how many sounds.

        The sums lose their lines first: a death in between leaves a file nobody looks for, and the next call finds it.
        """
        gone = 0
        for shelved in self.archives():
            ended = [
                path for path in (shelved.path / SOUNDS).iterdir() if ended_since(path.name.removesuffix(".age"), named)
            ]
            if ended:
                _drop_lines(shelved.path, {f"{SOUNDS}/{path.name}" for path in ended})
                for path in ended:
                    path.unlink()
                _sync(shelved.path / SOUNDS)
            gone += len(ended)
        return gone

    def just_made(self, path: Path) -> "FolderArchive | None":
        """A copy this process has made: it still knows its key."""
        identity = self._keys.get(path)
        return FolderArchive(path, identity, self.place) if identity is not None else None


class FolderDraft:
    """See `core.ports.archiving.Draft`."""

    def __init__(self, folder: Path, name: str, seal: Sealing, keys: dict[Path, Identity]) -> None:
        self._final = folder / name
        self._path = folder / f"{PARTIAL}{name}"
        self._seal = seal
        self._keys = keys
        self._identity = sealing.new_identity()
        self._put: dict[str, str] = {}
        self._path.mkdir(mode=0o700)
        (self._path / SOUNDS).mkdir()

    @property
    def sealed(self) -> str:
        """How its key is kept."""
        return self._seal.kind

    def has(self, sound: Sound) -> bool:
        """Whether it is in it."""
        return sound.name in self._put

    def put(self, sound: Sound, stream: BinaryIO) -> None:
        """Encrypt one sound into it."""
        self._put[sound.name] = self._write(f"{SOUNDS}/{sound.name}.age", stream)

    def keep_only(self, sounds: Iterable[Sound]) -> int:
        """Delete every sound that is not among these; how many."""
        names = {sound.name for sound in sounds}
        ended = [name for name in self._put if name not in names]
        for name in ended:
            (self._path / SOUNDS / f"{name}.age").unlink()
            del self._put[name]
        return len(ended)

    def write_rows(self, rows: BinaryIO) -> None:
        """The rows, in the place of those that were written before."""
        self._put_file(ROWS, rows)

    def finish(self, manifest: Manifest, ledger: Iterable[Entry], secrets: dict[str, Any]) -> Path:
        """Make it whole, durably, and give it its name."""
        self._put_bytes(LEDGER, "".join(line(entry) for entry in ledger).encode())
        self._put_bytes(SECRETS, json.dumps(secrets).encode())
        self._plain(KEY, self._seal.wrap(self._identity))
        self._plain(MANIFEST, (json.dumps(manifest.to_json(), indent=2) + "\n").encode())
        self._plain(README, readme(manifest).encode())
        files = sorted(path for path in self._path.rglob("*") if path.is_file())
        sums = [f"{_digest(path)}  {path.relative_to(self._path).as_posix()}\n" for path in files]
        self._plain(SUMS, "".join(sums).encode())
        for folder in (self._path / SOUNDS, self._path):
            _sync(folder)
        self._path.replace(self._final)
        _sync(self._final.parent)
        self._keys[self._final] = self._identity
        return self._final

    def discard(self) -> None:
        """Leave nothing of it."""
        shutil.rmtree(self._path, ignore_errors=True)

    def _write(self, name: str, source: BinaryIO) -> str:
        path = self._path / name
        with path.open("wb") as file:
            sealing.encrypt(source, file, self._identity)
            file.flush()
            os.fsync(file.fileno())
        return name

    def _put_file(self, name: str, source: BinaryIO) -> None:
        (self._path / name).unlink(missing_ok=True)
        self._write(name, source)

    def _put_bytes(self, name: str, data: bytes) -> None:
        self._put_file(name, io.BytesIO(data))

    def _plain(self, name: str, data: bytes) -> None:
        with (self._path / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


class FolderArchive:
    """See `core.ports.archiving.Opened`. Nothing is read before its checksum was compared."""

    def __init__(self, path: Path, identity: Identity, spool: Path) -> None:
        self._path = path
        self._identity = identity
        self._spool = spool
        self.manifest = read_manifest(path)
        self._sums = _read_sums(path)

    def secrets(self) -> dict[str, Any]:
        """The keys of the node it was made of."""
        found = json.loads(self._small(SECRETS))
        return found if isinstance(found, dict) else {}

    def name_of(self, public_id: str) -> str:
        """What the sounds of an artifact are called in it: by the keyed hash its ledger knows it by."""
        return vault_of(self.secrets()).subject_hashes(public_id)[0]

    def sounds(self) -> list[Sound]:
        """Every sound its rows name."""
        vault = vault_of(self.secrets())
        return sounds_in(self.rows(), lambda public_id: vault.subject_hashes(public_id)[0])

    def ledger(self) -> list[Entry]:
        """What had ended early by the time it was finished."""
        return parse(self._small(LEDGER).decode())

    def rows(self) -> Iterator[Row]:
        """Every row, in an order in which they may be inserted."""
        with self._plain(ROWS) as file, gzip.open(file, "rt", encoding="utf-8") as lines:
            try:
                for one in lines:
                    table, row = json.loads(one)
                    yield table, row
            except (OSError, EOFError, ValueError) as error:
                raise BadArchive("The rows of this copy cannot be read.") from error

    @contextmanager
    def sound(self, sound: Sound) -> Iterator[BinaryIO]:
        """One sound, whole and compared with its row, in a file without a name."""
        with self._plain(f"{SOUNDS}/{sound.name}.age") as file:
            if sound.sha256 is not None and _digest_of(file) != sound.sha256:
                raise BadArchive("A sound of this copy is not what was given.")
            file.seek(0)
            yield file

    def size_bytes(self) -> int:
        """How much room it takes."""
        return _size(self._path)

    def holds(self, sound: Sound) -> bool:
        """Whether a sound is in it; one that was taken out since is not."""
        return (self._path / SOUNDS / f"{sound.name}.age").exists()

    def _small(self, name: str) -> bytes:
        with self._plain(name) as file:
            return file.read()

    @contextmanager
    def _plain(self, name: str) -> Iterator[BinaryIO]:
        path = self._path / name
        if name not in self._sums or not path.is_file():
            raise BadArchive(f"This copy lacks {name}.")
        if _digest(path) != self._sums[name]:
            raise BadArchive(f"{name} of this copy is not what it was.")
        with tempfile.TemporaryFile(dir=self._spool) as plain:
            with path.open("rb") as file:
                sealing.decrypt(file, plain, self._identity)
            plain.seek(0)
            yield plain


def open_archive(path: Path, spool: Path, *, phrase: str = "", identity: str = "") -> FolderArchive:
    """A copy, with the passphrase or the recipient's identity it was made for. Raises `BadArchive`."""
    manifest = read_manifest(path)
    if manifest.sealed == "recipient" and not identity:
        raise BadArchive("This copy was made for a recipient's key: give the file with the identity.")
    try:
        wrapped = (path / KEY).read_bytes()
    except OSError as error:
        raise BadArchive(f"This copy lacks {KEY}.") from error
    return FolderArchive(path, sealing.unwrap(wrapped, phrase=phrase, identity=identity), spool)


def read_manifest(path: Path) -> Manifest:
    """What a copy says of itself. Raises `BadArchive`."""
    try:
        return Manifest.from_json(json.loads((path / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArchive(f"{path.name} is no copy of a node that this version can read.") from error


def readme(manifest: Manifest) -> str:
    """Instructions for a stranger who finds it."""
    copy = load_copy("en")
    said = copy.t(
        f"copies.readme_{manifest.kind.value}",
        node=manifest.node_name,
        as_of=f"{manifest.as_of:%Y-%m-%d %H:%M} UTC",
        gone_by=f"{manifest.gone_by:%Y-%m-%d %H:%M} UTC",
        version=manifest.version,
        artifacts=manifest.artifacts,
        objects=manifest.objects,
        how=copy.t(f"copies.sealed_{manifest.sealed}"),
    )
    return f"{said}\n"


def _drop_lines(path: Path, names: set[str]) -> None:
    kept = [f"{digest}  {name}\n" for name, digest in _read_sums(path).items() if name not in names]
    partial = path / f"{PARTIAL}{SUMS}"
    with partial.open("w") as file:
        file.write("".join(kept))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path / SUMS)


def _read_sums(path: Path) -> dict[str, str]:
    try:
        lines = (path / SUMS).read_text("utf-8").splitlines()
    except OSError as error:
        raise BadArchive(f"This copy lacks {SUMS}.") from error
    return {name: digest for digest, _, name in (one.partition("  ") for one in lines)}


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return _digest_of(file)


def _digest_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(READ_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
