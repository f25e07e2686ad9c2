"""The releases of a machine, side by side: folders, the two links, and the note of an update that is under way.

    ROOT/releases/0.7.0/   a virtual environment of its own, complete once `release.json` lies in it
    ROOT/current           what the services start; replaced as one step
    ROOT/previous          what was current before
    ROOT/update.json       how far an update has come; there only while one is under way or was interrupted

Only the standard library is used here: the first installation runs before anything is installed.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import Conflict, Refused, Unavailable
from memory_ui.appliance.release import WHEELS, BadRelease, Manifest, order, parse_manifest

COMPLETE = "release.json"
JOURNAL = "update.json"
KEPT = 3
BUILD_S = 900
READABLE = 0o022
"""The mask for what is installed: readable by the node's own user, writable by whoever installs."""


class Link(StrEnum):
    """The two names by which a release is reached."""

    CURRENT = "current"
    PREVIOUS = "previous"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change of version under way: from which to which, how far it has come, and whether it is being taken back.

    `previous` is what the link of that name said before, `touched` whether the services may have been stopped.
    """

    came_from: str
    to: str
    previous: str
    step: str
    migrates: bool
    touched: bool = False
    back: bool = False
    reason: str = ""


class Releases:
    """The releases under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.held: tuple[int, ...] = ()
        """The lock of `alone`, for the programs it is lent to: it lasts until they have ended, too."""

    def folder(self, version: str) -> Path:
        """Where a version is installed, or would be."""
        return self.root / "releases" / version

    @property
    def incoming(self) -> Path:
        """Where an archive is unpacked; nothing that lies here is of any use later."""
        return self.root / "incoming"

    def named(self, link: Link) -> str:
        """The version a link names, empty where there is none."""
        try:
            return (self.root / link).readlink().name
        except OSError:
            return ""

    def installed(self, version: str) -> Manifest | None:
        """The manifest of a version that is completely installed."""
        try:
            return parse_manifest((self.folder(version) / COMPLETE).read_text("utf-8"))
        except (OSError, BadRelease):
            return None

    def point(self, link: Link, version: str) -> None:
        """Let a link name a version, in one step: at every moment it names the one or the other."""
        made = self.root / f".{link}"
        made.unlink(missing_ok=True)
        made.symlink_to(Path("releases") / version)
        made.replace(self.root / link)
        _sync(self.root)

    def unpoint(self, link: Link) -> None:
        """Take a link away."""
        (self.root / link).unlink(missing_ok=True)
        _sync(self.root)

    def install(self, unpacked: Path, manifest: Manifest) -> None:
        """Make a version's environment of the wheels that were unpacked, without network. Raises `Unavailable`.

        What an interrupted attempt has left is made anew; a complete one of the same manifest stays.
        """
        if self.installed(manifest.version) == manifest:
            return
        if manifest.version == self.named(Link.CURRENT):
            raise Refused(f"{manifest.version} is the version that runs: what runs is not replaced in its place.")
        folder = self.folder(manifest.version)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        wheels = sorted(str(path) for path in (unpacked / WHEELS).glob("*.whl"))
        self._run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--isolated", "--disable-pip-version-check"]
        self._run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir", *wheels])
        self._run([*pip, "check"])
        if (unpacked / "deploy").is_dir():
            shutil.copytree(unpacked / "deploy", folder / "deploy")
        # Everything is on the disk before the one file that says so.
        os.sync()
        _write(folder / COMPLETE, manifest.to_text())

    def prune(self) -> list[str]:
        """Delete all but the newest few; never what a link names. The versions that went."""
        kept = {self.named(link) for link in Link}
        found = [path for path in self.folder("").iterdir() if path.is_dir()] if self.folder("").is_dir() else []
        others = sorted((path for path in found if path.name not in kept), key=_age)
        gone = others[: max(0, len(found) - KEPT)]
        for path in gone:
            # First the word that it is complete: a deletion that is interrupted leaves nothing that looks whole.
            (path / COMPLETE).unlink(missing_ok=True)
            shutil.rmtree(path)
        return [path.name for path in gone]

    def clear_incoming(self) -> None:
        """Delete what was unpacked."""
        shutil.rmtree(self.incoming, ignore_errors=True)

    def discard(self, version: str) -> None:
        """Delete what was unpacked, and of a version what is not completely installed."""
        self.clear_incoming()
        if self.installed(version) is None and version not in {self.named(link) for link in Link}:
            shutil.rmtree(self.folder(version), ignore_errors=True)

    def change(self) -> Change | None:
        """The change under way, or interrupted. Raises `Conflict` where its note cannot be read."""
        try:
            return Change(**json.loads((self.root / JOURNAL).read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Conflict(f"{self.root / JOURNAL} cannot be read; look at it, and delete it.") from error

    def note(self, change: Change | None) -> None:
        """Remember how far a change has come; None once it has ended."""
        path = self.root / JOURNAL
        if change is None:
            path.unlink(missing_ok=True)
            _sync(self.root)
        else:
            _write(path, json.dumps(asdict(change)) + "\n")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For one update at a time, and whatever it has started: ends with the last process of them, however it ends.

        Raises `Conflict`, `Refused`.
        """
        try:
            descriptor = os.open(self.root / "update.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused(f"{self.root} cannot be written: {error.strerror}.") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(
                    "Another update is under way here, or what one that was ended has started: wait until it is over."
                ) from error
            self.held = (descriptor,)
            yield
        finally:
            self.held = ()
            os.close(descriptor)

    def _run(self, command: list[str]) -> None:
        """A program of Python's own; nothing of the caller's environment changes what it installs."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))
        }
        try:
            done = subprocess.run(  # noqa: S603 -- the interpreter that runs, and the one it has just made
                command,
                env={**kept, "PIP_NO_INDEX": "1"},
                umask=READABLE,
                pass_fds=self.held,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=BUILD_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"The release could not be installed: {error}.") from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())[-600:]
            raise Unavailable(f"The release could not be installed: {said}")


def _age(folder: Path) -> tuple[bool, tuple[int, ...]]:
    """The incomplete first, then by version."""
    try:
        return (folder / COMPLETE).exists(), order(folder.name)
    except ValueError:
        return False, ()


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.chmod(0o644)
    partial.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
