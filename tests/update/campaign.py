"""Updates of a machine, rehearsed: `python -m tests.update.campaign --engine both --takes 40 --report`.

Release archives with every wheel are made of this tree and of copies of it in which something was planted; from then on
there is no network. The first is installed by its own script, takes are left over HTTP, and then a real updater meets
archives that are damaged, disks without room, a migration that fails midway, a version that takes nothing in, and a
good release; and it is killed at a moment of every step and gone on with. People leave, hear and take back voices all
the while. After each of it everything they were told is held against what is there. On the stack the machine has
PostgreSQL, Redis, an S3 server and three services of the node, and one version more, whose worker does not live. Prints
what happened; `--report` writes it to `docs/evidence`, and leaves what was written of the other engine. Exit status 1
where something is wrong.
"""

import argparse
import json
import math
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from memory_ui.appliance.release import read_manifest
from memory_ui.appliance.steps import FROM_STOP_ON, Step
from tests.engines import Engine
from tests.update.acts import BACK, Act, Rehearsal
from tests.update.box import Box
from tests.update.expecting import RESUME, ROLLBACK, WAYS
from tests.update.making import archives
from tests.update.offline import leave_the_network
from tests.update.report import line, markdown
from tests.update.room import Room

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence"
NAMES = {
    Engine.EMBEDDED: ("base", "good", "half", "mute"),
    Engine.STACK: ("base", "good", "half", "mute", "idle"),
}
DISK_MB = 5000
"""Four releases with every wheel, and what is unpacked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What a rehearsal was asked for."""

    engine: Engine
    takes: int
    seed: int
    ways: int
    minutes: float | None
    wheels: Path | None


def rehearse(given: Given) -> dict[str, Any]:
    """All of it; what was found, as plain JSON."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="memory-update-") as name:
        made = archives(Path(name), NAMES[given.engine], whole=True, wheels=given.wheels)
        manifest = read_manifest(made["base"])
        offline = leave_the_network()
        box = Box(DISK_MB, given.engine)
        try:
            room = Room(box, given.seed)
            rehearsal = Rehearsal(box, room, made, seed=given.seed, say=_tell, ways_most=given.ways)
            _everything(rehearsal, given)
            own_disk, servers = box.own_disk, box.servers
        finally:
            box.remove()
        archive_mb = round(made["base"].stat().st_size / 1e6)
    laws = [asdict(law) for law in room.laws.values()]
    return {
        "takes": given.takes,
        "seed": given.seed,
        "ways": given.ways,
        "minutes": given.minutes,
        "seconds": round(time.monotonic() - began),
        "offline": offline,
        "own_disk": own_disk,
        "servers": servers,
        "wheels": sum(file.name.endswith(".whl") for file in manifest.files),
        "archive_mb": archive_mb,
        "installed_mb": round(manifest.installed_bytes / 1e6),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "acts": [_plain(act) for act in rehearsal.acts],
        "laws": [{**law, "wrong": len(law["wrong"])} for law in laws],
        "answers": dict(sorted(room.record.answers.items())),
        "wrong": [f"{act.name}: {said}" for act in rehearsal.acts for said in act.wrong],
    }


def _everything(rehearsal: Rehearsal, given: Given) -> None:
    rehearsal.begin(given.takes)
    rehearsal.damaged()
    rehearsal.no_room()
    rehearsal.filling(Step.UNPACK)
    rehearsal.half()
    rehearsal.mute()
    if given.engine is Engine.STACK:
        rehearsal.idle()
    rehearsal.filling(Step.STOP)
    rehearsal.good(whole=True)
    rehearsal.back()
    _kills(rehearsal, given)


def _kills(rehearsal: Rehearsal, given: Given) -> None:
    """At every step; where time is short, at steps in an order that the seed chooses, as long as there is any."""
    both = (RESUME, ROLLBACK)
    plan = [partial(rehearsal.kills, [step], WAYS) for step in Step]
    plan += [partial(rehearsal.kills_back, [told], both) for told in BACK]
    plan += [partial(rehearsal.kills_rollback, [step], both) for step in FROM_STOP_ON if step is not Step.MIGRATE]
    until = math.inf
    if given.minutes is not None:
        random.Random(given.seed).shuffle(plan)
        until = time.monotonic() + given.minutes * 60
    for kills in plan:
        if time.monotonic() < until:
            kills()


def _plain(act: Act) -> dict[str, Any]:
    runs = [
        {"command": ran.command, "status": ran.status, "lines": [f"{at:6.1f}  {text}" for at, text in ran.lines]}
        for ran in act.runs
    ]
    return {**{name: value for name, value in asdict(act).items() if name != "runs"}, "runs": runs}


def _tell(act: Act) -> None:
    print("\n".join([line(_plain(act)), *(f"  WRONG {said}" for said in act.wrong)]), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, rehearse, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.update.campaign", description=__doc__)
    engines = [*(engine.value for engine in Engine), "both"]
    parser.add_argument("--engine", default="both", choices=engines, help="what the node of the machine stands on")
    parser.add_argument("--takes", type=int, default=40, help="how many takes are left before the first update")
    parser.add_argument("--seed", type=int, default=1, help="chooses moments and what people do")
    parser.add_argument("--ways", type=int, default=len(WAYS), choices=range(len(WAYS) + 1), help="of going on, a kill")
    parser.add_argument("--minutes", type=float, help="begin no kill later; else there is one at every step")
    parser.add_argument("--wheels", type=Path, help="take the pinned wheels from this folder; the network is not asked")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/update.md and update.json")
    asked = parser.parse_args(arguments)
    wrong = []
    for engine in Engine if asked.engine == "both" else [Engine(asked.engine)]:
        given = {name: value for name, value in vars(asked).items() if name not in ("engine", "report")}
        found = _apart(Given(engine=engine, **given))
        wrong += found["wrong"]
        if asked.report:
            _write(engine, found)
    print("\n".join(f"WRONG {one}" for one in wrong) or "nothing is wrong")
    return 1 if wrong else 0


def _apart(given: Given) -> dict[str, Any]:
    """In a process of its own: the network that is left is left for good, and the next one's archives need it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(rehearse, given).result()


def _write(engine: Engine, found: dict[str, Any]) -> None:
    kept = EVIDENCE / "update.json"
    known = {**(json.loads(kept.read_text()) if kept.exists() else {}), engine.value: found}
    both = {each.value: known[each.value] for each in Engine if each.value in known}
    kept.write_text(json.dumps(both, indent=1) + "\n")
    (EVIDENCE / "update.md").write_text(markdown(both))


if __name__ == "__main__":
    sys.exit(main())
