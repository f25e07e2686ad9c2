"""The Dockerfile's steps in a bare Debian, and the ritual over HTTP with what comes of them; see `rehearse.sh`.

What a base image would bring is installed before the first step and nothing after it: a step that needs more fails here
as it would there. `python` of the base image is Debian's own of the same minor version.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.bare_system import AUTHORITIES, bare_system, copied, mounted, package_index, run, size_mib
from scripts.dockerfile_steps import ROOT, Stage, Step, environment, stages
from scripts.image_report import write
from scripts.ritual import free_port, ritual, until_it_answers

EVIDENCE = ROOT / "docs" / "evidence"
BASE_PACKAGES = ("python3-venv", "ca-certificates")
BEFORE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
SAID_ALONE = frozenset({"ENV", "WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD", "LABEL"})
"""Instructions that change nothing on the disk; `RUN` and `COPY` do. Any other is refused."""


@dataclass(kw_only=True, slots=True)
class Built:
    """One stage, carried out in a folder that is the root of its system."""

    stage: Stage
    root: Path
    done: list[tuple[str, float]] = field(default_factory=list)
    place: str = "/"
    given: dict[str, str] = field(default_factory=lambda: dict(BEFORE))


def release_of(image: str) -> str:
    """The Debian release a base image stands on: `python:3.11.15-slim-bookworm` is `bookworm`."""
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-([a-z]+)", image)
    if found is None:
        raise SystemExit(f"image: {image} is not a slim image of Python on a named Debian release")
    return found.group(2)


def steps_carried_out(stage: Stage) -> list[str]:
    """The instructions that the rehearsal carries out, in their order."""
    return [f"{step.instruction} {step.value}" for step in stage.steps if _changes(step)]


def _changes(step: Step) -> bool:
    if step.instruction in ("RUN", "COPY"):
        return True
    if step.instruction not in SAID_ALONE:
        raise SystemExit(f"image: the rehearsal does not know {step.instruction}")
    return False


def build(found: list[Stage], folder: Path, context: Path) -> list[Built]:
    """Every stage, each in a copy of the bare system."""
    release = release_of(found[0].image)
    bare = base_image(folder / "bare", release)
    built: list[Built] = []
    for number, stage in enumerate(found):
        if stage.image != found[0].image:
            raise SystemExit(f"image: {stage.image} is another base than {found[0].image}")
        root = copied(bare, folder / (stage.name or f"stage-{number}"))
        one = Built(stage=stage, root=root)
        with mounted(root):
            for step in stage.steps:
                _carry_out(step, one, built, context)
        built.append(one)
    return built


def base_image(root: Path, release: str) -> Path:
    """A minimal Debian with Python and authorities: what the base image has, and less."""
    bare_system(root, release, BASE_PACKAGES)
    if not (root / "usr/local/bin/python").is_symlink():
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    if AUTHORITIES.is_file():
        # A house with an authority of its own before the package index.
        shutil.copyfile(AUTHORITIES, root / str(AUTHORITIES).lstrip("/"))
    return root


def _carry_out(step: Step, one: Built, before: list[Built], context: Path) -> None:
    if step.instruction == "WORKDIR":
        one.place = str(Path(one.place) / step.value)
        (one.root / one.place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    if step.instruction == "ENV":
        one.given |= environment(step)
    if not _changes(step):
        return
    print(f"image: {step.instruction} {step.value[:100]}", flush=True)
    began = time.monotonic()
    if step.instruction == "RUN":
        run(
            [
                "chroot",
                str(one.root),
                "/usr/bin/env",
                "-i",
                *_given(one),
                "/bin/sh",
                "-c",
                f"cd {one.place} && {step.value}",
            ]
        )
    else:
        _copy(step, one, before, context)
    one.done.append((f"{step.instruction} {step.value}", time.monotonic() - began))


def _given(one: Built) -> list[str]:
    values = dict(one.given)
    if one.stage.name:
        values |= package_index()
        values["PIP_CERT"] = str(AUTHORITIES)
    return [f"{name}={value}" for name, value in values.items()]


def _copy(step: Step, one: Built, before: list[Built], context: Path) -> None:
    words = step.words
    source_root = context
    if words[0].startswith("--from="):
        name = words.pop(0).removeprefix("--from=")
        source_root = next(built.root for built in before if built.stage.name == name)
    *sources, target = words
    place = one.root / str(Path(one.place) / target).lstrip("/")
    for source in sources:
        found = source_root / source.lstrip("/")
        if found.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            run(["cp", "-a", f"{found}/.", str(place)])
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, place / found.name)


def context_of(folder: Path) -> Path:
    """What a builder would be sent: the tracked files."""
    context = folder / "context"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).stdout.split("\0")
    for name in (name for name in listed if name and (ROOT / name).is_file()):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, context / name)
    return context


@contextmanager
def started(last: Built, port: int) -> Iterator[str]:
    """The image's program as its own user, with its own words; only the address is another."""
    user, entry, command = (last.stage.last(name) for name in ("USER", "ENTRYPOINT", "CMD"))
    if user is None or entry is None or command is None:
        raise SystemExit("image: USER, ENTRYPOINT and CMD are needed to start it")
    given = ["/usr/bin/env", "-i", *_given(last), "HOST=127.0.0.1", f"PORT={port}", "NODE_NAME=Rehearsal"]
    words = ["/bin/sh", "-c", f'cd {last.place} && exec "$@"', "sh", *entry.listed, *command.listed]
    log = last.root.parent / "serve.log"
    with mounted(last.root), log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603
            ["chroot", f"--userspec={user.value}", str(last.root), *given, *words],  # noqa: S607
            stdout=said,
            stderr=said,
        )
        try:
            until_it_answers(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def compilers(root: Path) -> list[str]:
    """Programs that build programs, which the last stage must not have."""
    names = ("gcc", "cc", "g++", "make", "ld", "pip", "pip3")
    places = ("usr/bin", "usr/local/bin", "srv/memory-engine/.venv/bin")
    return [f"{place}/{name}" for place in places for name in names if (root / place / name).exists()]


def main() -> int:
    """Build, start, go through the ritual; write the evidence where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="write docs/evidence/image.md and image.json")
    parser.add_argument(
        "--keep", type=Path, help="build in this folder and leave it there; a bare system in it is used"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="image-") as made:
        folder = asked.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        built = build(stages((ROOT / "Dockerfile").read_text("utf-8")), folder, context_of(folder))
        last = built[-1]
        began = time.monotonic()
        with started(last, free_port()) as address:
            start_s = time.monotonic() - began
            passed = ritual(address)
        facts = _facts(built, passed, start_s)
    for line in passed:
        print(f"image: {line}")
    if found := facts["compilers"]:
        print(f"image: the last stage has {found}", file=sys.stderr)
        return 1
    if asked.report:
        write(facts, EVIDENCE)
    print(f"image: it starts in {start_s:.1f} s and goes through the ritual; {facts['last_stage_mib']:.0f} MiB")
    return 0


def _facts(built: list[Built], passed: list[str], start_s: float) -> dict[str, object]:
    last = built[-1]
    python = run(["chroot", str(last.root), "/srv/memory-engine/.venv/bin/python", "--version"]).stdout.strip()
    bare_mib = size_mib(last.root.parent / "bare")
    return {
        "at": datetime.now(UTC).date().isoformat(),
        "image": last.stage.image,
        "release": release_of(last.stage.image),
        "python": python,
        "bare_mib": round(bare_mib, 1),
        "last_stage_mib": round(size_mib(last.root), 1),
        "venv_mib": round(size_mib(last.root / "srv/memory-engine/.venv"), 1),
        "start_s": round(start_s, 1),
        "compilers": compilers(last.root),
        "steps": [[one.stage.name or "last", words, round(seconds, 1)] for one in built for words, seconds in one.done],
        "ritual": passed,
    }


if __name__ == "__main__":
    sys.exit(main())
