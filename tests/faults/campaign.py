"""Many deaths, chosen by a seed: `python -m tests.faults.campaign --kills 1000 --seed 1 --report`.

A tenth of them and some more are those of whole servers, the others those of the services, half of them on each
engine. `--every` has whole servers die once at every single point instead. Prints where they died and how often;
`--report` writes it to `docs/evidence`. Exit status 1 where a law was broken. The same seed does the same deeds and
dies at the same points; how far a process has come at a moment differs from run to run.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from core.bootstrap import build
from core.settings import Settings
from tests.engines import Engine, Grounds
from tests.faults import whole
from tests.faults.harness import REPOSITORY
from tests.faults.lives import MOMENT
from tests.faults.report import markdown, said
from tests.faults.services import Found, ServiceCampaign

WHOLE_SHARE = 0.12


def run(kills: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The campaign: what it found, as plain JSON."""
    began = time.monotonic()
    servers = max(10, round(kills * WHOLE_SHARE))
    services = -(-(kills - servers) // 2)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        (folder / "template").mkdir()
        build(Settings(_env_file=None, MEMORY_DATA_DIR=folder / "template")).close()  # type: ignore[call-arg]
        grounds = Grounds(folder / "template")
        campaigns = [ServiceCampaign(engine, grounds, folder, seed=seed, say=say) for engine in Engine]
        running = [pool.submit(campaign.run, services) for campaign in campaigns]
        deaths = pool.submit(whole.run, servers, seed, say)
        parts = [_services(engine, one.result()) for engine, one in zip(Engine, running, strict=True)]
        parts.append(_servers(deaths.result()))
        grounds.close()
    return {
        "asked": kills,
        "seed": seed,
        "seconds": round(time.monotonic() - began),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kills": sum(part["kills"] for part in parts),
        "parts": parts,
        "wrong": [sentence for part in parts for sentence in part["wrong"]],
    }


def _services(engine: Engine, found: Found) -> dict[str, Any]:
    return {
        "part": f"the services, {engine.value}",
        "kills": found.died.total(),
        "moments": sum(count for (_, label), count in found.died.items() if label == MOMENT),
        "judged": found.lives,
        "nodes": found.nodes,
        "named": len(found.named),
        "named_unmet": sorted(f"{deed}, {label}" for deed, label in found.named - found.died.keys()),
        "died": _by_deed(found.died, found.points),
        "faults": dict(sorted(found.faults.items())),
        "told": dict(sorted(found.told.items())),
        "wrong": found.wrong,
    }


def _servers(found: whole.Deaths) -> dict[str, Any]:
    return {
        "part": "whole servers, embedded",
        "kills": found.died.total(),
        "moments": sum(count for (_, label), count in found.died.items() if label == MOMENT),
        "judged": found.cases,
        "nodes": found.cases,
        "died": _by_deed(found.died, found.points),
        "wrong": found.wrong,
    }


def _by_deed(died: Counter[tuple[str, str]], points: dict[str, int]) -> list[dict[str, Any]]:
    names = dict.fromkeys([*points, *(name for name, _ in died)])
    return [
        {
            "deed": name,
            "points": points.get(name),
            "kills": sum(count for (owner, _), count in died.items() if owner == name),
            "at": {label: count for (owner, label), count in sorted(died.items()) if owner == name},
        }
        for name in names
    ]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments; exit 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how many processes are to die, at least")
    parser.add_argument("--seed", type=int, default=1, help="chooses deeds, points and moments")
    parser.add_argument("--every", action="store_true", help="instead, whole servers die once at every single point")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/faults.md and faults.json")
    given = parser.parse_args()
    if given.every:
        sys.exit(1 if whole.every_point() else 0)
    found = run(given.kills, given.seed, _say)
    _say(said(found))
    if given.report:
        folder = REPOSITORY / "docs" / "evidence"
        (folder / "faults.md").write_text(markdown(found))
        (folder / "faults.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
