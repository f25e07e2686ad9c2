"""Release archives for tests: small, and wrong in every way we know."""

import hashlib
import zipfile
from pathlib import Path

from memory_ui.appliance.release import Manifest, this_platform, this_python
from memory_ui.appliance.releases import COMPLETE
from scripts.build_release import write_release

OLD = "0.6.0"


def archive_of(folder: Path, version: str, *, updates_from: str = "0.1.0") -> Path:
    """An archive with one wheel that holds a migration and nothing else."""
    wheels = folder / f"wheels-{version}"
    wheels.mkdir(parents=True)
    with zipfile.ZipFile(wheels / f"memory_engine-{version}-py3-none-any.whl", "w") as wheel:
        # Of a fixed date: what is packed must not depend on when.
        wheel.writestr(zipfile.ZipInfo("migrations/versions/0007_more.py"), 'revision = "0007"\n')
    return write_release(version, wheels, folder, when=1_700_000_000, updates_from=updates_from)


def sum_of(archive: Path) -> str:
    """The checksum as it is now."""
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def put_release(folder: Path, version: str) -> None:
    """A release that lies there whole, with nothing in it but its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        version=version,
        schema="0006",
        python=this_python(),
        platform=this_platform(),
        updates_from=version,
        installed_bytes=0,
        files=(),
    )
    (folder / COMPLETE).write_text(manifest.to_text())
