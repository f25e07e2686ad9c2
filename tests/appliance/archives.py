"""Release archives for tests: small, and wrong in every way we know."""

import hashlib
import zipfile
from pathlib import Path

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
