"""Requests made from the published contract, chosen by a seed: `python -m tests.fuzz.campaign --examples 200 --seed 1`.

Every operation is asked by nobody, by a curator and by a steward, on both engines: with data the contract allows, with
data it does not, with values that exist and with what nobody should send. Every answer is held against the contract,
the headers each answer carries, and the one sentence a refusal is. Prints what was answered; `--report` writes it to
`docs/evidence`. Exit status 1 where an answer was wrong.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.engines import Engine, Grounds
from tests.fakes import new_node
from tests.fuzz.cases import Fuzz, described, labels
from tests.fuzz.place import ROOMY, Who, opened
from tests.fuzz.report import markdown, said


@dataclass(kw_only=True)
class Outcome:
    """Everything a campaign found out: answers by engine and operation, and what was wrong with them."""

    examples: int
    seed: int
    answered: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)
    asked_by: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run(examples: int, seed: int, engines: list[Engine]) -> Outcome:
    """One campaign on nodes of its own."""
    outcome = Outcome(examples=examples, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        new_node(template).close()
        grounds = Grounds(template)
        try:
            for engine in engines:
                began = time.monotonic()
                with grounds.fresh(engine, Path(folder) / engine) as ground:
                    node = new_node(ground.folder, **ground.settings, **ROOMY)
                    with opened(node) as place:
                        _ask(Fuzz(place, described()), engine, outcome)
                outcome.seconds[engine] = round(time.monotonic() - began, 1)
        finally:
            grounds.close()
    return outcome


def _ask(fuzz: Fuzz, engine: Engine, outcome: Outcome) -> None:
    told = outcome.answered.setdefault(engine, {})
    for label in labels(described()):
        answers: Counter[int] = Counter()
        for who in Who:
            tally = fuzz.ask(label, who, examples=outcome.examples, seed=outcome.seed)
            answers += tally.answered
            outcome.asked_by[who] += tally.answered.total()
            outcome.wrong += [f"{engine}, {who}, {label}: {one} ({shown})" for one, shown in tally.wrong.items()]
        told[label] = dict(sorted(answers.items()))
        sys.stdout.write(f"{engine:9} {answers.total():6}  {label}\n")
        sys.stdout.flush()


def facts(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON, with what it ran on."""
    names = ("schemathesis", "hypothesis", "fastapi", "uvicorn")
    versions = {"Python": platform.python_version(), **{name: version(name) for name in names}}
    return {**outcome.__dict__, "versions": versions, "cores": os.cpu_count()}


def main() -> None:
    """Read the arguments, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.campaign", description=__doc__)
    parser.add_argument("--examples", type=int, default=50, help="requests an operation, asker and kind of data")
    parser.add_argument("--seed", type=int, default=1, help="chooses what is sent")
    parser.add_argument("--engine", choices=list(Engine), help="ask one engine only")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/fuzz.md and fuzz.json")
    given = parser.parse_args()
    outcome = run(given.examples, given.seed, [Engine(given.engine)] if given.engine else list(Engine))
    found = json.loads(json.dumps(facts(outcome)))
    print(said(found))
    if given.report:
        folder = Path(__file__).parents[2] / "docs" / "evidence"
        (folder / "fuzz.json").write_text(json.dumps(found, indent=1) + "\n")
        (folder / "fuzz.md").write_text(markdown(found))
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
