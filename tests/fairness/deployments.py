"""A week of every deployment, on the same visitors: what each promises, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean
from typing import Any

from core.bootstrap.simulation import Visit, plan_of, simulation_of
from core.domain.deployment import DeploymentName
from core.services.measures import summary
from tests.fairness.laws import settings_of

MEASURED = ("recurrence_s_median", "gap_cue_s_mean", "gap_pause_s_mean", "wear_per_hearing")
SPREAD = 0.04
"""Two seeds of one deployment differ by less than this share; deployments count as distinct from twice as much on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """One deployment's promised multipliers, and the mean over the seeds of what was measured."""

    deployment: str
    promised: dict[str, float]
    measured: dict[str, float]
    seeds: tuple[dict[str, float], ...]


def week(name: DeploymentName, *, seeds: Sequence[int], days: int, arrivals: float) -> Week:
    """So many days of one deployment in a room of one intensity all day, once for each seed."""
    settings = settings_of(name.value, "shared_lab")
    simulation = simulation_of(settings)
    row = simulation.deployment.row
    found = tuple(_one(simulation, plan_of(settings, _visit(seed, days, arrivals))) for seed in seeds)
    return Week(
        deployment=name.value,
        promised={
            "cooldown": row.cooldown,
            "cue_gap": row.cue_gap,
            "pause_gap": row.pause_gap,
            "wear": row.wear,
            "anti_repetition_window": row.anti_repetition_window,
        },
        measured={key: round(fmean(one[key] for one in found), 5) for key in found[0]},
        seeds=found,
    )


def weeks(*, seeds: Sequence[int], days: int, arrivals: float = 40) -> list[Week]:
    """All six."""
    return [week(name, seeds=seeds, days=days, arrivals=arrivals) for name in DeploymentName]


def differ(one: Week, other: Week) -> list[str]:
    """The figures by which two weeks are plainly told apart."""
    return [
        key
        for key in MEASURED
        if abs(one.measured[key] - other.measured[key]) > 2 * SPREAD * max(one.measured[key], other.measured[key])
    ]


def _one(simulation: Any, plan: Any) -> dict[str, float]:
    run = simulation.run(plan)
    found = summary(run, simulation)
    hearings = sum(len(one.voices) for one in run.played)
    wear = sum(take.facts.wear for take in run.takes.values())
    kept = (
        "recurrence_s_median",
        "recurrence_s_p05",
        "gap_cue_s_mean",
        "gap_pause_s_mean",
        "silence_share",
        "together_share",
        "followed_share",
        "programs_per_open_hour",
        "takes_never_heard",
    )
    return {**{key: float(found[key] or 0.0) for key in kept}, "wear_per_hearing": wear / hearings}


def _visit(seed: int, days: int, arrivals: float) -> Visit:
    return Visit(
        start=date(2026, 3, 2),
        days=days,
        seed=seed,
        arrivals_per_day=arrivals,
        fossils=0.3,
        held=0,
        opens_hour=10,
        closes_hour=18,
        quieter=False,
        mood=None,
    )
