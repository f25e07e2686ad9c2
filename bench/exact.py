"""Whether a large pool is drawn from exactly: `python -m bench.exact [--engine embedded|stack|both] [--size N]
[--draws N] [--json FILE]`.

Every playable take of a seeded archive is weighed by the specification, one after the other; then the pool draws as it
always does. Compared is how often each kind of take came (by its plays, its density and its age) with the share of its
kind in all weights: chi-square, for anything, for a lane that is rare, for a mood, and with fifty excluded. The least
of four honest p-values is under 0.01 once in 25 runs.
"""

import argparse
import json
import random
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scipy.stats import chisquare
from sqlalchemy import Engine, select

from bench.ground import machine
from bench.seeding import fill
from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.tables import ArtifactRow
from core.domain.pool.asked import Asked
from core.domain.pool.facts import Lane, Mood, PoolFacts, Wish
from core.domain.pool.lanes import standing
from tests.pool_draws import Draws
from tests.pool_takes import FIGURES, MEMORY
from tests.servers import private_postgres

ENGINES = ("embedded", "stack")
WISHES = {
    "anything": Wish(),
    "a rare lane": Wish(lane=Lane.FRESH),
    "a mood": Wish(mood=Mood.WEATHERED),
    "fifty excluded": Wish(exclude_ids=tuple(range(1, 51))),
}
AGES_H = (8, 24, 72, 168, 1_000, 4_000)
LEAST_EXPECTED = 5.0
AT_ONCE = 5_000
Kind = tuple[int, str, int]


def measure(engine: str, size: int, draws: int) -> dict[str, Any]:
    """The p-value for each wish, and how many kinds of take were told apart."""
    with ExitStack() as stack:
        if engine == "embedded":
            database = open_engine(sqlite_url(Path(stack.enter_context(TemporaryDirectory()))))
            upgrade(database)
        else:
            server = stack.enter_context(private_postgres())
            database = open_engine(stack.enter_context(server.fresh_database()))
        stack.callback(database.dispose)
        fill(database, size, seed=1)
        now = datetime.now(UTC)
        weights = _weights(database, now)
        pool, found = Draws(database), {}
        for name, wish in WISHES.items():
            began, rng = time.monotonic(), random.Random(7)
            drawn: Counter[Kind] = Counter()
            for _ in range(draws):
                answer = pool.draw(wish, now, rng)
                if answer is None:
                    raise RuntimeError("nothing was drawn")
                drawn[_kind(answer.choice.facts, now)] += 1
            ms = (time.monotonic() - began) * 1000 / draws
            found[name] = {**_surprise(drawn, weights[name]), "ms_each": round(ms, 2)}
        return found


def _weights(database: Engine, now: datetime) -> dict[str, Counter[Kind]]:
    """What takes of each kind weigh together, for each wish: every row is read and weighed."""
    asked = {name: Asked(wish, now, FIGURES, MEMORY, prefers=False) for name, wish in WISHES.items()}
    totals: dict[str, Counter[Kind]] = {name: Counter() for name in WISHES}
    row = ArtifactRow
    named = {name: getattr(row, "id" if name == "artifact_id" else name) for name in PoolFacts.__dataclass_fields__}
    with database.connect() as connection:
        statement = select(*(column.label(name) for name, column in named.items()))
        for one in connection.execution_options(yield_per=AT_ONCE).execute(statement).mappings():
            facts = PoolFacts(**one)
            kind = _kind(facts, now)
            for name, concrete in asked.items():
                if all(condition.holds(facts) for condition in concrete.first):
                    totals[name][kind] += concrete.weigh(facts).product
    return totals


def _kind(facts: PoolFacts, now: datetime) -> Kind:
    stands = standing(facts, now, FIGURES.lanes)
    return min(facts.plays, 8), stands.density.value, sum(stands.age_hours > age for age in AGES_H)


def _surprise(drawn: Counter[Kind], weights: Counter[Kind]) -> dict[str, float]:
    if set(drawn) - set(weights):
        raise RuntimeError("something was drawn that had no weight")
    share = drawn.total() / sum(weights.values())
    expected = {kind: weight * share for kind, weight in weights.items()}
    often = [kind for kind, count in expected.items() if count >= LEAST_EXPECTED]
    seldom = sum(count for kind, count in expected.items() if kind not in often)
    counts = [
        *(drawn[kind] for kind in often),
        *([drawn.total() - sum(drawn[kind] for kind in often)] if seldom else []),
    ]
    hoped = [*(expected[kind] for kind in often), *([seldom] if seldom else [])]
    return {"p": round(float(chisquare(counts, hoped).pvalue), 4), "kinds": len(counts)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Whether a large pool is drawn from exactly.")
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    engines = ENGINES if given.engine == "both" else (given.engine,)
    found = {engine: measure(engine, given.size, given.draws) for engine in engines}
    for engine, wishes in found.items():
        for name, one in wishes.items():
            print(f"{engine:<10}{name:<16} p {one['p']:<8} {one['kinds']} kinds, {one['ms_each']} ms each")
    if given.json:
        given.json.write_text(
            json.dumps({"machine": machine(), "size": given.size, "draws": given.draws, "engines": found}, indent=1)
            + "\n"
        )


if __name__ == "__main__":
    main()
