"""Every alarm, produced for real and ended by its remedy: `python -m tests.alarms.campaign --report`.

On the embedded engine and on a stack of its own. Prints what was seen; `--report` writes it to `docs/evidence`. Exit
status 1 where an alarm was not seen, not told, did not end, or stood beside one that it contradicts.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.alarms import cases, cases_custody, cases_https, cases_kept, cases_room
from tests.alarms.case import BROWSER, Case
from tests.alarms.node import FIGURES, Node
from tests.alarms.report import line, markdown
from tests.alarms.run import Ran, run
from tests.engines import Engine

EVERY: dict[str, Case] = {
    name: case
    for found in (
        cases.FIRST,
        cases.CASES,
        cases_kept.CASES,
        cases_custody.CASES,
        cases_https.CASES,
        cases_room.CASES,
        cases_room.LAST,
    )
    for name, case in found.by_name.items()
}
"""By name, in the order in which one node can bear them."""


def campaign(engines: Sequence[Engine], only: Sequence[str]) -> list[Ran]:
    """Cases on a node of each engine, told as they end."""
    every = []
    for engine in engines:
        with Node(engine) as node:
            for case in EVERY.values():
                if engine in case.engines and (not only or case.name in only):
                    every.append(run(node, case))
                    print("\n".join(line(alarm) for alarm in every[-1].alarms))
                    print("".join(f"  WRONG {one}\n" for one in every[-1].wrong), end="", flush=True)
    return every


def facts(every: Sequence[Ran], seconds: float) -> dict[str, Any]:
    """What came of it as JSON, with what it ran on."""
    return {
        "seconds": round(seconds),
        "alarms": [asdict(alarm) for ran in every for alarm in ran.alarms],
        "browser": sorted(name.value for name in BROWSER),
        "wrong": [one for ran in every for one in ran.wrong],
        "figures": {name: FIGURES[name] for name in sorted(FIGURES) if isinstance(FIGURES[name], int | float)},
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def main() -> None:
    """Read the arguments, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.alarms.campaign", description=__doc__)
    parser.add_argument("--engine", choices=list(Engine), help="this one only")
    parser.add_argument("--only", nargs="*", default=[], choices=list(EVERY), help="these cases only, after `pool`")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/alarms.md and alarms.json")
    given = parser.parse_args()
    began = time.monotonic()
    every = campaign([Engine(given.engine)] if given.engine else list(Engine), given.only and ["pool", *given.only])
    found = facts(every, time.monotonic() - began)
    print("\n".join(f"WRONG {one}" for one in found["wrong"]) or "nothing is wrong")
    if given.report:
        folder = Path(__file__).parents[2] / "docs" / "evidence"
        (folder / "alarms.json").write_text(json.dumps(found, indent=1) + "\n")
        (folder / "alarms.md").write_text(markdown(found))
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
