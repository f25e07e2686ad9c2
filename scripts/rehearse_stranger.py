"""A stranger's path: what the README says, typed on a terminal of a bare Debian with a fresh clone; see `rehearse.sh`.

The machine is a minimal Debian with an ordinary user who may use sudo, and nothing else. Whatever the README does not
tell to install is missing there, and whatever it tells to type is read from it: a README that is wrong fails here.
"""

import argparse
import socket
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.bare_machine import CLONE, HOME, ORIGIN, RELEASE, Machine, Typed, machine
from scripts.bare_system import ROOT, run, size_mib
from scripts.readme_commands import Commands, commands_of
from scripts.stranger_report import OURS, trouble, write
from scripts.terminal import Line

EVIDENCE = ROOT / "docs" / "evidence"
FETCHED = "/var/tmp/fetched"  # noqa: S108 -- in the bare system
BEGINNINGS = ("setup: installing", "docs: building", "  This room is open.")
"""How the lines begin that part the time of a first start."""
SOME_TESTS = (
    "make setup-dev setup-tools && "
    ".venv/bin/python -m pytest -q tests/unit tests/browser/test_doors.py tests/services/test_once.py tests/howto"
)
"""Whether what `make test` installs can be installed, and what it runs can be run."""


def follow(made: Machine, said: Commands, address: str, tests: str) -> dict[str, Any]:
    """Go the whole way; what came of it."""
    bare_mib = size_mib(made.root)
    for command in said.needs:
        made.type("needs", command, HOME)
    python = run(["chroot", str(made.root), "python3", "--version"]).stdout.strip()
    made.type("clone", f"git clone {ORIGIN}", HOME)
    clone_mib = size_mib(made.at(CLONE))
    first, passed = made.run("first", said.run, address, speak=True)
    made.run("second", said.run, address, speak=False)
    fetching = f".venv/bin/python -m pip download -q --no-cache-dir -r requirements.txt -d {FETCHED}"
    fetched = made.measure(fetching)
    # Before the tests: what they need comes into the same environment.
    venv_mib = size_mib(made.at(CLONE / ".venv"))
    if tests != "none":
        made.type("test", said.test if tests == "run" else SOME_TESTS)
    return {
        "at": datetime.now(UTC).date().isoformat(),
        "release": RELEASE,
        "python": python,
        "home": str(HOME),
        "tests": tests,
        "bare_mib": round(bare_mib),
        "clone_mib": round(clone_mib),
        "fetched_mib": round(size_mib(made.at(FETCHED))),
        "venv_mib": round(venv_mib),
        "parts_s": parts(first, fetched.seconds),
        "pages_s": {page: round(seconds, 1) for page, seconds in first.pages_s.items()},
        "secret_mode": said_where(first.lines, address, made),
        "ritual": passed,
        "typed": [told(one) for one in made.typed],
    }


def told(one: Typed) -> dict[str, Any]:
    """A command as figures."""
    return {
        "name": one.name,
        "command": one.command,
        "status": one.status,
        "seconds": round(one.seconds, 1),
        "stopped_s": round(one.stopped_s, 1),
        "lines": [[round(line.at_s, 1), line.text] for line in one.lines],
    }


def parts(first: Typed, fetching_s: float) -> dict[str, float]:
    """What the time of a first start went into: by what was printed when, and how long fetching takes by itself."""
    packages_s, site_s, open_s = (_at(first, begins) for begins in BEGINNINGS)
    return {
        "environment": round(packages_s, 1),
        "fetching": round(fetching_s, 1),
        "installing": round(max(0.0, site_s - packages_s - fetching_s), 1),
        "site": round(open_s - site_s, 1),
        "answering": round(first.seconds - open_s, 1),
    }


def _at(one: Typed, begins: str) -> float:
    for line in one.lines:
        if line.text.startswith(begins):
            return line.at_s
    raise SystemExit(f"stranger: {one.command} did not say {begins!r}")


def said_where(lines: list[Line], address: str, made: Machine) -> str:
    """The mode of the steward's secret; SystemExit where it, or a page, is not where the program says it is."""
    named = dict(line.text.split() for line in lines if line.text.startswith("  ") and len(line.text.split()) == 2)
    for name in ("kiosk", "room", "ops"):
        if named.get(name) != f"{address}/{name}/":
            raise SystemExit(f"stranger: {name} is said to be at {named.get(name)}")
    secret = made.at(named.get("secret", "nowhere"))
    if not secret.is_file():
        raise SystemExit(f"stranger: the steward's secret is said to be in {named.get('secret')}, where it is not")
    return f"{secret.stat().st_mode & 0o777:o}"


def taken(port: int) -> bool:
    """Whether something listens there: the bare machine has the network of this one."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Follow the README; write the evidence where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", choices=("run", "some", "none"), default="some", help="how much of the tests")
    parser.add_argument("--port", type=int, help="another port than the README's, where that is taken")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/stranger.md and stranger.json")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it there; a bare system in it is used")
    asked_for = parser.parse_args()
    # What a clone gets, not what lies here unfinished.
    said = commands_of(run(["git", "show", "HEAD:README.md"]).stdout)
    port = asked_for.port or said.port
    if taken(port):
        raise SystemExit(f"stranger: port {port} is taken; --port names another")
    settings = {} if port == said.port else {"PORT": str(port)}
    with tempfile.TemporaryDirectory(prefix="stranger-") as temporary:
        folder = asked_for.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with machine(folder, settings) as made:
            facts = follow(made, said, f"http://127.0.0.1:{port}", asked_for.tests)
    if asked_for.report:
        write(facts, EVIDENCE)
    if found := trouble(facts):
        print("stranger: a stranger would stumble on:", *found, sep="\n  ", file=sys.stderr)
        return 1
    starts = " and ".join(f"{one['seconds']} s" for one in facts["typed"] if one["name"] in OURS)
    print(f"stranger: every page answered after {starts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
