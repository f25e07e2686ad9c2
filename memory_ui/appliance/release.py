"""A release archive: what it says of itself, whether it is whole, and unpacking it without trusting it.

Only the standard library is used here and in `releases`: the first installation runs before anything is installed.
"""

import hashlib
import json
import re
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from core.errors import Refused

MANIFEST = "manifest.json"
WHEELS = "wheels"
LARGEST_MANIFEST_BYTES = 1_000_000
CHUNK_BYTES = 1 << 20

_VERSION = re.compile(r"\d{1,6}(?:\.\d{1,6}){1,3}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_MANIFEST = "The archive's manifest is not one of a release of Memory Engine."


class BadRelease(Refused):
    """An archive that is damaged, not for this machine, or not what it says it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseFile:
    """A file of a release, by its path inside the archive."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a release says of itself.

    `schema` is the newest migration it brings, `python` and `platform` what its wheels were made for, `updates_from`
    the oldest version that may be updated to it, `installed_bytes` what its wheels take once they are unpacked.
    """

    version: str
    schema: str
    python: str
    platform: str
    updates_from: str
    installed_bytes: int
    files: tuple[ReleaseFile, ...]

    @property
    def name(self) -> str:
        """The folder in the archive, and the archive's own name before its ending."""
        return f"memory-engine-{self.version}-{self.python}-{self.platform}"

    @property
    def unpacked_bytes(self) -> int:
        """What the archive takes once it is unpacked."""
        return sum(file.size for file in self.files)

    def to_text(self) -> str:
        """As it is written into the archive."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def parse_manifest(text: str) -> Manifest:
    """The manifest a release holds. Raises `BadRelease`."""
    try:
        said: dict[str, Any] = json.loads(text)
        files = tuple(
            ReleaseFile(name=str(one["name"]), sha256=str(one["sha256"]), size=int(one["size"]))
            for one in said.pop("files")
        )
        made = Manifest(**{**said, "files": files})
        sound = order(made.version) and order(made.updates_from) and made.installed_bytes >= 0
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRelease(_NO_MANIFEST) from error
    tame = all(_SHA256.fullmatch(file.sha256) and file.size >= 0 and _is_tame(file.name) for file in files)
    if not (sound and tame) or len({file.name for file in files}) != len(files):
        raise BadRelease(_NO_MANIFEST)
    return made


def order(version: str) -> tuple[int, ...]:
    """What versions are compared by. Raises `ValueError`."""
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version of numbers and dots")
    return tuple(int(part) for part in version.split("."))


def this_python() -> str:
    """The tag of the Python that runs: wheels with compiled parts are for one of them."""
    return f"cp{sys.version_info.major}{sys.version_info.minor}"


def this_platform() -> str:
    """System and processor, as they stand in an archive's name."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def require_fitting(manifest: Manifest) -> None:
    """Raise `BadRelease` where this machine's Python or processor is not the one the release was made for."""
    if (manifest.python, manifest.platform) != (this_python(), this_platform()):
        here = f"{this_python()} on {this_platform()}"
        raise BadRelease(f"This release is for {manifest.python} on {manifest.platform}; here is {here}.")


def said_sum(archive: Path) -> str:
    """The checksum in the file beside an archive. Raises `BadRelease` where there is none."""
    beside = archive.with_name(f"{archive.name}.sha256")
    try:
        said = beside.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRelease(
            f"{beside.name} is missing beside the archive: fetch it, too, or give the sum with --sha256."
        ) from error
    if not said or not _SHA256.fullmatch(said[0].lower()):
        raise BadRelease(f"{beside.name} holds no SHA-256.")
    return said[0]


def require_sum(archive: Path, expected: str) -> None:
    """Raise `BadRelease` where the archive's bytes are not the ones the sum was made of."""
    try:
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadRelease(f"{archive} cannot be read: {error.strerror}.") from error
    if found != expected.strip().lower():
        raise BadRelease(
            f"{archive.name} is not whole: its SHA-256 is {found}, and should be {expected.strip().lower()}."
        )


def read_manifest(archive: Path) -> Manifest:
    """The manifest, which is the first file of an archive. Raises `BadRelease`."""
    with _opened(archive) as tar:
        return _manifest_in(tar)


def unpack(archive: Path, into: Path) -> Manifest:
    """Unpack what the manifest names, each file compared with it, and nothing else. Raises `BadRelease`.

    Files come to lie in `into` without the archive's own folder. Links, devices, folders that lead out and files nobody
    named are refused: an archive is believed no further than its manifest goes.
    """
    with _opened(archive) as tar:
        manifest = _manifest_in(tar)
        wanted = {f"{manifest.name}/{file.name}": file for file in manifest.files}
        into.mkdir(parents=True)
        for number, member in enumerate(tar):
            # Going through an archive begins with what was read of it already: the manifest.
            if number == 0 or (member.isdir() and _is_tame(member.name)):
                continue
            file = wanted.pop(member.name, None)
            if file is None or not member.isreg() or member.size != file.size:
                raise BadRelease(f"The archive holds what its manifest does not name: {member.name[:100]!r}.")
            source = tar.extractfile(member)
            assert source is not None  # a regular file
            _write(source, into / file.name, file)
    if wanted:
        raise BadRelease(f"The archive lacks what its manifest names: {sorted(wanted)[0]}.")
    (into / MANIFEST).write_text(manifest.to_text(), "utf-8")
    return manifest


def require_files(folder: Path, manifest: Manifest) -> None:
    """Compare an unpacked folder with its manifest. Raises `BadRelease`."""
    for file in manifest.files:
        path = folder / file.name
        try:
            with path.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise BadRelease(f"{file.name} is missing or cannot be read.") from error
        if found != file.sha256:
            raise BadRelease(f"{file.name} is not what the manifest says it is.")


def _is_tame(name: str) -> bool:
    """Whether a name stays where it is unpacked."""
    path = PurePosixPath(name)
    return (
        bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    )


def _write(source: IO[bytes], path: Path, file: ReleaseFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != file.sha256:
        raise BadRelease(f"{file.name} is not what the manifest says it is.")


def _manifest_in(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or not first.isreg() or PurePosixPath(first.name).name != MANIFEST:
        raise BadRelease("This archive does not begin with a manifest: it is no release of Memory Engine.")
    if first.size > LARGEST_MANIFEST_BYTES:
        raise BadRelease("The archive's manifest is larger than one ever is.")
    opened = tar.extractfile(first)
    assert opened is not None  # a regular file
    try:
        manifest = parse_manifest(opened.read().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRelease(_NO_MANIFEST) from error
    if first.name != f"{manifest.name}/{MANIFEST}":
        raise BadRelease("The archive's folder is not named as its manifest says.")
    return manifest


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise BadRelease(f"{archive.name} is not whole.") from error
    except OSError as error:
        raise BadRelease(f"{archive.name} cannot be unpacked: {error.strerror or error}.") from error
