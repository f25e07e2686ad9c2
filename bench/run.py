"""Everything there is to measure: `python -m bench.run [--sizes N,N] [--rounds N] [--minutes N] [--only PART]...
[--report]`.

Each part is a program of its own (see there), run in a process of its own, one after the other. `--report` writes
docs/evidence/bench.md, bench.json and the growth curves.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import curves, told
from bench.ground import machine
from bench.growth import SIZES

EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence"
PUSHED_TO = (1, 50, 200)


def parts(sizes: list[int], rounds: int, minutes: float) -> dict[str, list[str]]:
    """What is run for each part, but for where it writes to."""
    times = ["--rounds", str(rounds)]
    return {
        "growth": ["bench.growth", "--sizes", ",".join(str(size) for size in sizes), *times],
        "exact": ["bench.exact", "--size", str(max(sizes, default=0))],
        "loads": ["bench.loads", *times],
        "pages": ["bench.pages", *times],
        "small": ["bench.pages", "--small", *times],
        "derivatives": ["bench.derivatives", *times],
        **{f"push {pages}": ["bench.open_pages", "--pages", str(pages)] for pages in PUSHED_TO},
        "evening": ["bench.evening", "--minutes", f"{minutes:g}"],
    }


def measure(wanted: dict[str, list[str]]) -> Iterator[tuple[str, Any]]:
    """Each part, and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        for name, command in wanted.items():
            print(f"== {name}: python -m {' '.join(command)}", flush=True)
            file = Path(folder) / "found.json"
            # A bound that a derivative has passed is said by its status; the report says it again.
            subprocess.run([sys.executable, "-m", *command, "--json", str(file)], check=name != "derivatives")
            yield name, json.loads(file.read_text())
            file.unlink()


def write(found: dict[str, Any]) -> None:
    """The report, its figures and its curves."""
    if "growth" in found:
        rows = found["growth"]["rows"]
        kinds = {kind for engine in rows.values() for row in engine for kind in row["times"]}
        curves.draw(
            {EVIDENCE / f"bench-{told.slug(kind)}.svg": curves.curve(kind, rows) for kind in kinds & set(told.CURVES)}
        )
    (EVIDENCE / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    (EVIDENCE / "bench.md").write_text(told.report(found), encoding="utf-8")


def main() -> None:
    """Measure, print, and write where it is asked for."""
    parser = argparse.ArgumentParser(description="Everything there is to measure.")
    parser.add_argument("--sizes", type=lambda given: [int(one) for one in given.split(",")], default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=told.EVENING_MINUTES, help="how long the evening is")
    parser.add_argument("--only", action="append", metavar="PART", help="; ".join(parts([], 1, 1)))
    parser.add_argument("--report", action="store_true", help="write docs/evidence/bench.md, bench.json and the curves")
    given = parser.parse_args()
    every = parts(given.sizes, given.rounds, given.minutes)
    unknown = sorted(set(given.only or ()) - set(every))
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(every)}")
    wanted = {name: command for name, command in every.items() if not given.only or name in given.only}
    before = json.loads((EVIDENCE / "bench.json").read_text()) if given.only and given.report else {}
    found = {**before, "machine": machine()}
    for name, one in measure(wanted):
        found[name] = one
        if given.report:
            write(found)  # after each, for what ends before its time, too
    print(told.report(found))


if __name__ == "__main__":
    main()
