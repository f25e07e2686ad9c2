"""What a node runs on: versions, filesystems, the journal. Each part is told as far as it can be found out."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

TOLD_S = 20.0
OPTIONS = frozenset({"ro", "rw", "nosuid", "nodev", "noexec", "relatime", "noatime", "sync", "async"})
"""Of the options of a mount; others may name who is signed in to a share."""


def versions(program: str, chromium: str) -> dict[str, Any]:
    """Of this program, Python, every package, the system and the browser."""
    found = {each.metadata["Name"]: each.version for each in distributions() if each.metadata["Name"]}
    return {
        "memory-engine": program,
        "python": platform.python_version(),
        "system": _system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "chromium": "".join(told([chromium, "--version"])[:1]) if chromium else "none",
        "packages": dict(sorted(found.items())),
    }


def disks(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """The filesystems that folders lie on: size, files, kind. Not where they come from: that may be another machine."""
    said = []
    for folder in folders:
        if not folder.is_dir():
            said.append({"folder": str(folder), "missing": True})
            continue
        usage, files = shutil.disk_usage(folder), os.statvfs(folder)
        sizes = {"total_bytes": usage.total, "free_bytes": usage.free}
        said.append(
            {"folder": str(folder), **sizes, "files": files.f_files, "free_files": files.f_favail, **_mount(folder)}
        )
    return said


def journal(lines: int) -> list[str]:
    """The newest lines of the node's units, the oldest first; none where there is no journal."""
    program = shutil.which("journalctl")
    if program is None:
        return []
    return told([program, "--unit=memory-engine*", f"--lines={lines}", "--output=cat", "--no-pager", "--quiet"])


def told(command: Sequence[str]) -> list[str]:
    """What a program prints; nothing where it cannot be asked."""
    try:
        asked = subprocess.run(  # noqa: S603 -- programs named here
            command, capture_output=True, timeout=TOLD_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return asked.stdout.decode("utf-8", "replace").splitlines()


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _mount(folder: Path) -> dict[str, Any]:
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return {}
    around = [each for each in mounts if len(each) > 3 and folder.is_relative_to(each[1])]
    if not around:
        return {}
    *_, kind, options = max(around, key=lambda each: len(each[1]))[:4]
    return {"kind": kind, "options": sorted(OPTIONS & set(options.split(",")))}
