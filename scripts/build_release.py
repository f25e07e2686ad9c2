"""Build a release archive from this tree: dist/memory-engine-<version>-<python>-<platform>.tar.gz and its checksum.

The same tree gives the same bytes: names are sorted, times are the commit's, and nobody owns anything.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from memory_ui.appliance.release import (  # noqa: E402 -- found only from here on
    MANIFEST,
    WHEELS,
    Manifest,
    ReleaseFile,
    this_platform,
    this_python,
)

UPDATES_FROM = "0.6.0"
"""The oldest version that may be updated at once; older ones take a step between."""
REVISION = re.compile(r'^revision = "(\d{4})"$', re.MULTILINE)


def main() -> None:
    """Build everything outside the repository, and put only the archive and its checksum into it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="folder of the archive (default: dist)")
    parser.add_argument("--wheels", type=Path, help="take the pinned wheels from this folder; the network is not asked")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["SOURCE_DATE_EPOCH"] = str(when := commit_time())
        copy_tree(folder / "tree")
        build_site(folder / "tree")
        build_own(folder / WHEELS, folder / "tree")
        fetch_pinned(folder / WHEELS, given.wheels)
        version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        archive = write_release(version, folder / WHEELS, given.to, when=when)
    print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB")


def commit_time() -> int:
    """Of the commit that is built, in seconds."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    said = told or subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT, text=True)  # noqa: S607
    return int(said)


def copy_tree(tree: Path) -> None:
    """A copy of what git tracks: building leaves its traces there."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)  # noqa: S607
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def build_site(tree: Path) -> None:
    """The documentation of a tree, where its wheel takes it from."""
    subprocess.run([sys.executable, "scripts/build_docs.py"], cwd=tree, check=True)


def build_own(wheels: Path, tree: Path) -> None:
    """The project's own wheel of a tree."""
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels), str(tree))


def fetch_pinned(wheels: Path, source: Path | None) -> None:
    """A wheel of everything that is pinned, each with one of its pinned hashes."""
    given = ["--no-index", "--find-links", str(source)] if source else []
    pinned = str(ROOT / "requirements.txt")
    _pip("download", "--only-binary", ":all:", "--require-hashes", "--dest", str(wheels), *given, "-r", pinned)


def write_release(version: str, wheels: Path, to: Path, *, when: int, updates_from: str = UPDATES_FROM) -> Path:
    """The archive of a folder of wheels, with the unit files and what installs it, and its checksum beside it."""
    contents = {f"{WHEELS}/{path.name}": path for path in sorted(wheels.glob("*.whl"))}
    contents["install.py"] = ROOT / "deploy" / "release" / "install.py"
    units = (path for path in (ROOT / "deploy" / "systemd").iterdir() if path.is_file())
    contents |= {f"deploy/systemd/{path.name}": path for path in units}
    own = next(wheels.glob("memory_engine-*.whl"))
    manifest = Manifest(
        version=version,
        schema=_newest_migration(own),
        python=this_python(),
        platform=this_platform(),
        updates_from=updates_from,
        installed_bytes=sum(_installed_bytes(path) for path in wheels.glob("*.whl")),
        files=tuple(_file(name, contents[name]) for name in sorted(contents)),
    )
    to.mkdir(parents=True, exist_ok=True)
    archive = to / f"{manifest.name}.tar.gz"
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=when) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        # First, so that the rest can be compared with it while it is unpacked.
        _add(tar, f"{manifest.name}/{MANIFEST}", manifest.to_text().encode(), when)
        for name in sorted(contents):
            _add(tar, f"{manifest.name}/{name}", contents[name].read_bytes(), when)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(f"{digest}  {archive.name}\n", "utf-8")
    return archive


def _add(tar: tarfile.TarFile, name: str, content: bytes, when: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), when, 0o644
    tar.addfile(entry, BytesIO(content))


def _file(name: str, path: Path) -> ReleaseFile:
    content = path.read_bytes()
    return ReleaseFile(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def _installed_bytes(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as opened:
        return sum(entry.file_size for entry in opened.infolist())


def _newest_migration(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as opened:
        sources = [opened.read(name).decode() for name in opened.namelist() if name.startswith("migrations/versions/0")]
    return max(revision for source in sources for revision in REVISION.findall(source))


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    subprocess.run(command, cwd=tempfile.gettempdir(), check=True)  # noqa: S603 -- the interpreter that runs


if __name__ == "__main__":
    main()
