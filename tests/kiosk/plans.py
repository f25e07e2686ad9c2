"""What happens to whom, drawn by a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from core.domain.consent import Mode

LONG_EVERY = 10
"""Of black holes, where not all of them are long."""


class Where(StrEnum):
    """How far a visit has come."""

    RECORDING = "recording"
    REVIEW = "review"
    SENDING = "between Send and the answer"


class What(StrEnum):
    """What goes wrong there."""

    SERVER = "server killed"
    NETWORK = "network swallows everything"
    BROWSER = "browser killed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One visit. `moment` lies within the stage, 0..1; `lasts_s` is how long server, network or browser are away."""

    number: int
    where: Where
    what: What
    mode: Mode
    moment: float
    speaks_s: float
    lasts_s: float
    waits: bool
    """Whether the participant waits until it is over, or goes on meanwhile."""
    chosen: bool
    """Whether it happens after the choice, in review."""
    cut: bool
    """Whether a network that is back knows nothing of its connections, or hands on what it had swallowed."""


def plans(rounds: int, *, seed: int, hole_s: float, brief_s: float) -> list[Plan]:
    """Every place, fault and choice as often as any other; every tenth black hole is `hole_s` long."""
    rng = random.Random(seed)
    every = list(product(Where, What, Mode))
    cases: list[tuple[Where, What, Mode]] = []
    while len(cases) < rounds:
        cases += rng.sample(every, len(every))
    holes = 0
    drawn = []
    for number, (where, what, mode) in enumerate(cases[:rounds], 1):
        own = random.Random(f"{seed} {number}")
        lasts_s = own.uniform(0.2, 3.0)
        if what is What.NETWORK:
            lasts_s = brief_s if holes % LONG_EVERY else hole_s
            holes += 1
        drawn.append(_plan(own, number=number, where=where, what=what, mode=mode, lasts_s=lasts_s))
    return drawn


def _plan(rng: random.Random, *, number: int, where: Where, what: What, mode: Mode, lasts_s: float) -> Plan:
    return Plan(
        number=number,
        where=where,
        what=what,
        mode=mode,
        lasts_s=round(lasts_s, 2),
        moment=round(rng.random(), 3),
        speaks_s=round(rng.uniform(2.5, 5.0), 2),
        waits=rng.random() < 0.5,
        chosen=rng.random() < 0.5,
        cut=rng.random() < 0.5,
    )


def lanes(drawn: Sequence[Plan], count: int) -> list[list[Plan]]:
    """The same visits at `count` kiosks, each with a node of its own."""
    return [list(drawn[at::count]) for at in range(count)]
