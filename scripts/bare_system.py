"""A bare Debian in a folder, for rehearsals: made by debootstrap, furnished like a machine, entered by chroot."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARCHIVE = "http://deb.debian.org/debian"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PROCESSES = (["-t", "proc"], "proc")
MEMORY = (["-t", "tmpfs", "-o", "mode=1777,size=64m"], "dev/shm")
TERMINALS = (["-t", "devpts", "-o", "newinstance,gid=5,mode=620,ptmxmode=666"], "dev/pts")
Mount = tuple[list[str], str]
"""The options of `mount`, and where in the system."""


def run(command: list[str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Carry out a command; SystemExit with the end of what it said where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)[:200]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
    return done


def bare_system(root: Path, release: str, packages: Sequence[str]) -> Path:
    """A minimal Debian with a few packages, at `root`; one that is there already is used."""
    made = root.with_name(f"{root.name}.made")
    wanted = f"{release} {' '.join(packages)}\n"
    if not made.is_file() or made.read_text() != wanted:
        shutil.rmtree(root, ignore_errors=True)
        run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", release, str(root), ARCHIVE])
        made.write_text(wanted)
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    return root


def copied(bare: Path, root: Path) -> Path:
    """A copy of a system to work in, in place of any other there."""
    shutil.rmtree(root, ignore_errors=True)
    run(["cp", "-a", str(bare), str(root)])
    return root


@contextmanager
def mounted(root: Path, wanted: Sequence[Mount] = (PROCESSES, MEMORY)) -> Iterator[None]:
    """What a kernel gives to a running system; as an engine gives it to every container."""
    with ExitStack() as held:
        for kind, place in wanted:
            run(["mount", *kind, "none", str(root / place)])
            held.callback(run, ["umount", str(root / place)])
        yield


def package_index() -> dict[str, str]:
    """Where the package index is, of the machine that rehearses: as build arguments of an engine would say it."""
    return {name: value for name, value in os.environ.items() if name in ("PIP_INDEX_URL", "HTTPS_PROXY")}


def size_mib(path: Path) -> float:
    """What a folder takes on the disk."""
    return int(run(["du", "-skx", str(path)]).stdout.split()[0]) / 1024
