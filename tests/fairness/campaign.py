"""`make fairness`: the laws of a fair room over many seeds, and a week of every deployment, into docs/evidence."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

from scipy.stats import combine_pvalues

from tests.fairness.deployments import MEASURED, Week, differ, weeks
from tests.fairness.laws import CHANCE, SLACK, Fairness, fairness, frequencies_p

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence"
POOLS = ((5, 2), (50, 8), (5000, 24))
"""Pool sizes, and the hours a day the room is open: enough programs for the bound to be passed."""


def main() -> None:
    """Run, write, and exit with 1 where a law was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="seeds for the small pools")
    parser.add_argument("--large-seeds", type=int, default=2, help="seeds for the largest one")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--only", choices=["laws", "deployments"], help="one of the two reports")
    given = parser.parse_args()
    good = True
    if given.only != "deployments":
        good &= _laws(given.seeds, given.large_seeds, given.days)
    if given.only != "laws":
        good &= _deployments()
    sys.exit(0 if good else 1)


def _laws(seeds: int, large_seeds: int, days: int) -> bool:
    began, runs = time.monotonic(), []
    for pool, hours in POOLS:
        for seed in range(1, (large_seeds if pool == POOLS[-1][0] else seeds) + 1):
            runs.append(fairness(pool=pool, seed=seed, days=days, hours=hours))
            print(runs[-1], flush=True)
    names = ("memory", "question", "prompt", "repair", "witness", "oracle")
    draws = {name: frequencies_p(pool=50, seed=9, days=days, deployment=name) for name in names}
    broken = [run for run in runs if run.repeats or run.days_over_budget or run.waits_within_bound is not True]
    orders = {
        pool: float(combine_pvalues([run.order_p for run in runs if run.pool == pool]).pvalue) for pool, _ in POOLS
    }
    told = {
        "runs": [asdict(run) for run in runs],
        "order_p_together": orders,
        "draws": {name: {"p": p_value, "draws": count} for name, (p_value, count) in draws.items()},
    }
    _write("fairness", told, _laws_text(runs, orders, draws, time.monotonic() - began))
    return not broken and min(orders.values()) > 1e-4 and min(p for p, _ in draws.values()) > 1e-4


def _deployments() -> bool:
    began = time.monotonic()
    found = weeks(seeds=(1, 2, 3), days=7)
    pairs = {(one.deployment, other.deployment): differ(one, other) for one, other in combinations(found, 2)}
    told = {"weeks": [asdict(one) for one in found], "differ": {" / ".join(pair): by for pair, by in pairs.items()}}
    _write("deployments", told, _deployments_text(found, pairs, time.monotonic() - began))
    return all(pairs.values())


def _together(p_values: Sequence[float]) -> float:
    """Fisher's: one probability of many runs."""
    return float(combine_pvalues(p_values).pvalue)


def _laws_text(
    runs: Sequence[Fairness], orders: dict[int, float], draws: dict[str, tuple[float, int]], took_s: float
) -> str:
    rows = [
        f"| {run.pool} | {run.seed} | {run.programs:,} | {run.longest_wait:,} | {run.bound:,} | {run.never_heard} "
        f"| {run.repeats} | {run.order_z:+.2f} | {run.order_p:.3f} | {run.silence:.1%} | {run.budget:.1%} "
        f"| {run.days_over_budget} |"
        for run in runs
    ]
    return LAWS.format(
        machine=_machine(),
        took_s=took_s,
        days=runs[0].days,
        slack=SLACK,
        chance=CHANCE,
        rows="\n".join(rows),
        orders=", ".join(f"{pool} takes p = {p_value:.3f}" for pool, p_value in orders.items()),
        draws="\n".join(f"| {name} | {count:,} | {p_value:.3f} |" for name, (p_value, count) in draws.items()),
    )


def _deployments_text(found: Sequence[Week], pairs: dict[tuple[str, str], list[str]], took_s: float) -> str:
    names = [one.deployment for one in found]
    matrix = [
        f"| {row} | "
        + " | ".join(", ".join(_SHORT[key] for key in _pair(pairs, row, column)) for column in names)
        + " |"
        for row in names
    ]
    return DEPLOYMENTS.format(
        machine=_machine(),
        took_s=took_s,
        rows="\n".join(_week_row(one, found[0]) for one in found),
        heads=" | ".join(names),
        line=" --- |" * len(names),
        matrix="\n".join(matrix),
    )


_SHORT = dict(zip(MEASURED, ("return", "gap", "pause", "wear"), strict=True))


def _week_row(one: Week, memory: Week) -> str:
    def cell(key: str, unit: str, promised: str = "") -> str:
        ratio = one.measured[key] / memory.measured[key]
        said = f", promised {one.promised[promised]:g}" if promised else ""
        return f"{one.measured[key]:.3g}{unit} ({ratio:.2f}{said})"

    cells = (
        one.deployment,
        cell("recurrence_s_median", " s"),
        cell("gap_cue_s_mean", " s", "cue_gap"),
        cell("gap_pause_s_mean", " s", "pause_gap"),
        cell("wear_per_hearing", "", "wear"),
        f"{one.measured['silence_share']:.1%}",
        f"{one.measured['together_share']:.1%}",
        f"{one.measured['followed_share']:.1%}",
        f"{one.measured['programs_per_open_hour']:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _pair(pairs: dict[tuple[str, str], list[str]], one: str, other: str) -> list[str]:
    return pairs.get((one, other)) or pairs.get((other, one)) or []


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def _write(name: str, told: dict[str, object], text: str) -> None:
    (EVIDENCE / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    (EVIDENCE / f"{name}.md").write_text(text, "utf-8")
    print(text)


LAWS = """# A fair room

`make fairness` on {machine}; {took_s:.0f} s.

Every run is {days} simulated days of a room under `memory` with takes that nobody adds to and nothing ends, by the
daypart of Europe/Berlin. Everything comes from the seed.

- *Longest wait*: the most programs between two hearings of any take, or between one and the beginning or the end.
  *Bound*: {slack:g} N ln(N / {chance:g}) programs; with a chance of {chance:.0%} a run may pass it. Why:
  [how the room composes](../explanation/composing.md).
- *Repeats*: hearings inside the anti-repetition window (12 takes, in a small pool at most 60 % of it).
- *Order*: Spearman's correlation of the order in which takes are first heard on a day and on the next, in its own
  standard errors over all days, and the probability of such a value by chance.
- *Silence*: its share among voices and silence; *allowed*: by the intensities of its hours and what was there.

| takes | seed | programs | longest wait | bound | never heard | repeats | order z | p | silence | allowed | days over |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

Order of all seeds together (Fisher): {orders}. Where many z
lean to one side, a trace is left that a single month hardly shows
([decision 31](../decisions/0031-wishes-by-chance.md)).

## Choices against their weights

Every draw's chances are worked out beside it; over a whole run, chi-square of how often each of 50 takes was chosen
against the sum of its chances.

| deployment | draws | p |
| --- | ---: | ---: |
{draws}
"""

DEPLOYMENTS = """# A week of every deployment

`make fairness FAIRNESS="--only deployments"` on {machine}; {took_s:.0f} s.

Seven simulated days, 10 to 18 o'clock, 40 takes a day of which 30 % leave fossils, under the profile `shared_lab`
| deployment | return, median | gap | held pause | wear of a hearing | silence | together | followed | an hour |
deployment's row promises.

| deployment | return, median | gap | held pause | wear of a hearing | silence | together | follow-ons | an hour |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

A take returns the later, the longer the gaps and the longer the window; preferences and threads bring some back sooner.
Threads shorten the gaps of `repair` besides: the one after a follow-on is part of its thread.

## What tells two of them apart

A figure is named where the two differ in it by more than 8 %, twice what two seeds of one deployment do.

| | {heads} |
| --- |{line}
{matrix}
"""


if __name__ == "__main__":
    main()
