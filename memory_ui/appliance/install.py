"""The first installation on a machine, from an unpacked archive: `python3 install.py [--root FOLDER]`.

Run by the archive's own `install.py`, straight out of the wheel it brings. Only the standard library is used.
"""

import argparse
import sys
from pathlib import Path

from core.errors import MemoryEngineError, Refused
from memory_ui.appliance.release import MANIFEST, parse_manifest, require_files, require_fitting
from memory_ui.appliance.releases import Link, Releases

ROOT = Path("/srv/memory-engine")


def main(unpacked: Path, arguments: list[str]) -> int:
    """Install what lies in a folder. The exit status: 0 installed, 1 refused, with the reason."""
    parser = argparse.ArgumentParser(prog="install.py", description="Install this release of Memory Engine.")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the releases (default: %(default)s)")
    root = parser.parse_args(arguments).root.absolute()
    try:
        version = install(unpacked, root)
    except MemoryEngineError as error:
        sys.stderr.write(f"install: {error.message}\n")
        return 1
    sys.stdout.write(f"{version} is installed: {root / Link.CURRENT / 'bin' / 'memory-engine'}\n")
    return 0


def install(unpacked: Path, root: Path) -> str:
    """Check every file, make the environment, and let `current` name it. The version. Raises `MemoryEngineError`."""
    try:
        manifest = parse_manifest((unpacked / MANIFEST).read_text("utf-8"))
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{error.filename} cannot be used: {error.strerror}.") from error
    require_fitting(manifest)
    require_files(unpacked, manifest)
    releases = Releases(root)
    with releases.alone():
        present = releases.named(Link.CURRENT)
        if present not in ("", manifest.version):
            raise Refused(f"{present} is installed here already: use `memory-engine update` with the archive.")
        releases.install(unpacked, manifest)
        releases.point(Link.CURRENT, manifest.version)
    return manifest.version
