"""Kiosks that are killed under their participants: `python -m tests.kiosk.campaign --rounds 100 --seed 1`.

Each round is a visit with a known voice in the microphone. While it is recorded, in review or between Send and the
answer, the server is killed and started again; or the network swallows everything for `--hole` seconds (with `--brief`,
only every tenth of them is so long); or the browser and all its children are killed and started again on the same
profile. Then the participant finishes what they came for. Each of `--lanes` kiosks has a node of its own. Prints what
became of the takes; `--report` writes it to `docs/evidence`. Exit status 1 where something is wrong. The same seed
draws the same rounds; how far everything has come at a moment differs from run to run.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Playwright, sync_playwright

from tests.browser.conftest import Node, free_port, speak_all
from tests.kiosk.judge import Round, audit, judged, kept, newest
from tests.kiosk.plans import Plan, lanes, plans
from tests.kiosk.report import Lane, facts, markdown, said
from tests.kiosk.visit import Visit, Visitor
from tests.kiosk.wire import Wire

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence"
UNBOUNDED = {
    f"{budget}_PER_{whom}_HOUR": "100000" for budget in ("INGEST", "REVOKE") for whom in ("STATION", "ADDRESS")
}


def run(rounds: int, *, seed: int, hole_s: float, brief_s: float, lane_count: int) -> list[Lane]:
    """The campaign: what was found in every lane."""
    drawn = plans(rounds, seed=seed, hole_s=hole_s, brief_s=brief_s)
    shares = [share for share in lanes(drawn, lane_count) if share]
    processes = multiprocessing.get_context("fork")  # no thread has begun yet, and everything is imported
    with ProcessPoolExecutor(len(shares), mp_context=processes) as pool:
        return list(pool.map(lane, shares))


def lane(drawn: Sequence[Plan]) -> Lane:
    """One kiosk after the other on one node; then what the node says of itself."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, sync_playwright() as playwright:
        folder = Path(name)
        voice = folder / "voice.wav"
        speak_all(voice)
        node = Node(data_dir=folder, port=free_port(), environment={"NODE_NAME": "The Long Room", **UNBOUNDED}).start()
        befores, rounds = [], []
        try:
            with Wire(node.port) as wire:
                for plan in drawn:
                    befores.append(newest(node))
                    rounds.append(_round(playwright, node, wire, voice, plan))
        finally:
            node.stop()
        # What was swallowed may have come later.
        for one, before, after in zip(rounds, befores, [*befores[1:], newest(node)], strict=True):
            one.takes = [number for number, _ in kept(node, before) if number <= after]
        return Lane(rounds=rounds, audit=audit(node))


def _round(playwright: Playwright, node: Node, wire: Wire, voice: Path, plan: Plan) -> Round:
    began, before = time.monotonic(), newest(node)
    profile = node.data_dir / f"kiosk-{plan.number}-" / "profile"
    try:
        visit = Visitor(playwright, node, wire, profile, voice, plan).visit()
    except (AssertionError, Error) as error:
        visit = Visit.broken(repr(error).splitlines()[0])
    found = judged(plan, visit, node, voice, before, time.monotonic() - began)
    _say(f"{plan.number}: {plan.where}, {plan.what}, {plan.mode}: {found.ended} after {found.took_s:g} s")
    for complaint in found.wrong:
        _say(f"WRONG {complaint}")
    return found


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Read the arguments, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.kiosk.campaign", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many visits")
    parser.add_argument("--seed", type=int, default=1, help="draws places, faults, choices and moments")
    parser.add_argument("--hole", type=float, default=60, help="how long the network swallows everything, in seconds")
    parser.add_argument(
        "--brief", type=float, help="the same of all but every tenth black hole; else as long as --hole"
    )
    parser.add_argument("--lanes", type=int, default=1, help="kiosks at once")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/kiosk.md and kiosk.json")
    given = parser.parse_args()
    began = time.monotonic()
    brief_s = given.hole if given.brief is None else given.brief
    found = facts(
        run(given.rounds, seed=given.seed, hole_s=given.hole, brief_s=brief_s, lane_count=given.lanes),
        command=_command(given),
        seconds=round(time.monotonic() - began),
    )
    _say(said(found))
    if given.report:
        (EVIDENCE / "kiosk.json").write_text(json.dumps(found, indent=1) + "\n")
        (EVIDENCE / "kiosk.md").write_text(markdown(found))
    sys.exit(1 if found["wrong"] else 0)


def _command(given: Any) -> str:
    brief = "" if given.brief is None else f" --brief {given.brief:g}"
    options = f"--rounds {given.rounds} --seed {given.seed} --hole {given.hole:g}{brief} --lanes {given.lanes}"
    return f'make kiosk KIOSK="{options} --report"'


if __name__ == "__main__":
    main()
