"""A release archive is believed no further than its manifest goes."""

import io
import tarfile
from pathlib import Path

import pytest

from memory_ui.appliance.release import BadRelease, read_manifest, require_files, require_sum, said_sum, unpack
from tests.appliance.archives import archive_of, sum_of


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A good one."""
    return archive_of(tmp_path / "dist", "0.7.0")


def altered(archive: Path, *more: tarfile.TarInfo, without: str = "", content: bytes = b"x") -> Path:
    """The same archive with further entries behind its own, or without one of them."""
    made = archive.with_name("altered.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(made, "w:gz") as new:
        for member in old:
            if not without or not member.name.endswith(without):
                new.addfile(member, old.extractfile(member))
        for entry in more:
            entry.size = len(content) if entry.isreg() else 0
            new.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return made


def test_what_is_unpacked_is_what_was_packed(archive: Path, tmp_path: Path) -> None:
    require_sum(archive, said_sum(archive))
    manifest = unpack(archive, tmp_path / "in")
    require_files(tmp_path / "in", manifest)
    assert (manifest.version, manifest.schema) == ("0.7.0", "0007")
    assert {file.name.split("/")[0] for file in manifest.files} == {"install.py", "wheels", "deploy"}
    assert manifest == read_manifest(archive)


def test_the_same_tree_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert sum_of(archive_of(tmp_path / "again", "0.7.0")) == said_sum(archive)


@pytest.mark.parametrize("name", ["../out", "/out", "memory/../../out", "extra.txt"])
def test_a_file_nobody_named_is_not_written(archive: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRelease, match="does not name"):
        unpack(altered(archive, tarfile.TarInfo(name)), tmp_path / "in")
    assert not list(tmp_path.rglob("out"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused_even_under_a_name_that_is_wanted(
    archive: Path, tmp_path: Path, kind: bytes
) -> None:
    entry = tarfile.TarInfo(f"{read_manifest(archive).name}/install.py")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(BadRelease, match="does not name"):
        unpack(altered(archive, entry, without="install.py"), tmp_path / "in")


def test_a_file_that_was_changed_is_told(archive: Path, tmp_path: Path) -> None:
    entry = tarfile.TarInfo(f"{read_manifest(archive).name}/install.py")
    size = next(file.size for file in read_manifest(archive).files if file.name == "install.py")
    changed = altered(archive, entry, without="install.py", content=b"x" * size)
    with pytest.raises(BadRelease, match=r"install\.py is not what"):
        unpack(changed, tmp_path / "in")


def test_a_file_that_is_missing_is_told(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="lacks"):
        unpack(altered(archive, without="install.py"), tmp_path / "in")


@pytest.mark.parametrize("cut", [10, 300, 900])
def test_half_an_archive_is_not_whole(archive: Path, tmp_path: Path, cut: int) -> None:
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(BadRelease):
        unpack(archive, tmp_path / "in")


def test_without_a_checksum_beside_it_an_archive_says_which_file_is_missing(archive: Path) -> None:
    archive.with_name(f"{archive.name}.sha256").unlink()
    with pytest.raises(BadRelease, match="sha256 is missing"):
        said_sum(archive)
