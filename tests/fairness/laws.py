"""What a fair room keeps to, measured over simulated days: hearing, repeats, order, silence, and the draw itself.

The bound on hearing. A draw is by chance, so waiting can only be bounded with a probability. Among N takes one that has
waited for long weighs at least as much as the average one: it is heard less, rested longer. Were every draw to take it
with 1/N, it would go unheard through n draws with (1 - 1/N)^n < exp(-n/N), and any of N through n = N ln(N / d) draws
with less than d. What scenes wish for turns that into more draws; `SLACK` is how many times more are allowed.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from scipy.stats import chi2, norm, spearmanr

from core.bootstrap.simulation import Visit, plan_of, simulation_of
from core.domain.pool.asked import Asked
from core.domain.pool.choose import narrow, takes_preference
from core.domain.pool.facts import Wish
from core.domain.room.schedule import site_time
from core.services.measures import repeats_inside_window, silence_budget, silence_share
from core.services.simulate import Simulation
from core.services.simulated import MemoryRows, Played, Run
from core.settings import Settings, load_settings

SLACK = 2.0
CHANCE = 0.01
"""The probability with which, in one run, some take may wait for longer than the bound."""

NOT_BY_CHANCE = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class Fairness:
    """One run's figures. `order_z` is the mean day-to-day rank correlation in its own standard errors."""

    deployment: str
    profile: str
    pool: int
    seed: int
    days: int
    programs: int
    longest_wait: int
    bound: int
    never_heard: int
    repeats: int
    order_z: float
    order_p: float
    silence: float
    budget: float
    days_over_budget: int

    @property
    def waits_within_bound(self) -> bool | None:
        """Whether every take was heard as soon as it must; None where the run was too short to tell."""
        if self.longest_wait > self.bound:
            return False
        return True if self.programs >= self.bound else None


def visit(*, pool: int, seed: int, days: int, hours: int) -> Visit:
    """A room with so many takes that nobody adds to and nothing ends."""
    return Visit(
        start=date(2026, 3, 2),
        days=days,
        seed=seed,
        arrivals_per_day=0,
        fossils=0,
        held=pool,
        opens_hour=10,
        closes_hour=(10 + hours) % 24,
        quieter=False,
        mood=None,
    )


def settings_of(deployment: str = "memory", profile: str = "custom") -> Settings:
    """The settings of one installation."""
    return load_settings(ENGINE_DEPLOYMENT=deployment, INSTALLATION_PROFILE=profile, TIME_ZONE="Europe/Berlin")


def fairness(
    *, pool: int, seed: int, days: int, hours: int, deployment: str = "memory", profile: str = "custom"
) -> Fairness:
    """Simulate, and measure."""
    settings = settings_of(deployment, profile)
    simulation = simulation_of(settings)
    run = simulation.run(plan_of(settings, visit(pool=pool, seed=seed, days=days, hours=hours)))
    z = order_z(run, simulation)
    waits = longest_waits(run)
    return Fairness(
        deployment=deployment,
        profile=profile,
        pool=pool,
        seed=seed,
        days=days,
        programs=len(run.played),
        longest_wait=max(waits.values()),
        bound=bound(pool),
        never_heard=len(run.takes) - len({number for one in run.played for number in one.voices}),
        repeats=repeats_inside_window(run, simulation),
        order_z=round(z, 2),
        order_p=round(float(2 * norm.sf(abs(z))), 4),
        silence=silence_share(run.played) or 0.0,
        budget=silence_budget(run, simulation) or 0.0,
        days_over_budget=days_over_budget(run, simulation),
    )


def bound(pool: int) -> int:
    """In so many programs every take of a pool is heard, with a chance of 1 - `CHANCE`."""
    return math.ceil(SLACK * pool * math.log(pool / CHANCE))


def longest_waits(run: Run) -> dict[int, int]:
    """For every take, the most programs between two hearings, or between one and the beginning or the end."""
    last = dict.fromkeys(run.takes, -1)
    most: dict[int, int] = defaultdict(int)
    for place, one in enumerate(run.played):
        for number in one.voices:
            most[number] = max(most[number], place - last[number])
            last[number] = place
    return {number: max(most[number], len(run.played) - last[number]) for number in run.takes}


def order_z(run: Run, simulation: Simulation) -> float:
    """Spearman's correlation of the order in which takes are first heard on one day and on the next.

    By chance it has the mean 0 and the variance 1 / (n - 1) for n takes heard on both days; the sum over the days, each
    in its own standard error, is divided by the root of their number.
    """
    orders = [_order(played) for played in by_day(run, simulation)]
    found = []
    for earlier, later in pairwise(orders):
        both = [number for number in earlier if number in later]
        if len(both) > 3:
            rank = spearmanr([earlier[number] for number in both], [later[number] for number in both])
            found.append(float(rank.statistic) * math.sqrt(len(both) - 1))
    return sum(found) / math.sqrt(len(found)) if found else 0.0


def by_day(run: Run, simulation: Simulation) -> list[list[Played]]:
    """Programs by the site's day."""
    found: dict[date, list[Played]] = defaultdict(list)
    for one in run.played:
        found[site_time(one.at, simulation.tables.choices.zone).date()].append(one)
    return [found[day] for day in sorted(found)]


def days_over_budget(run: Run, simulation: Simulation) -> int:
    """Days on which the share of silence was above what their hours allowed."""
    over = 0
    for played in by_day(run, simulation):
        day = Run(plan=run.plan, played=played)
        over += (silence_share(played) or 0.0) > (silence_budget(day, simulation) or 1.0)
    return over


class Watched(Simulation):
    """A simulation that adds up, draw by draw, with which chance every take had to be chosen, and how often it was."""

    def __init__(self, simulation: Simulation) -> None:
        self.__dict__.update(simulation.__dict__)
        self.chosen: Counter[int] = Counter()
        self.expected: dict[int, float] = defaultdict(float)
        self.draws = 0

    def draw(self, rows: MemoryRows, wish: Wish, now: datetime, rng: random.Random) -> Any:
        """As it is, and what had to be expected."""
        ahead = random.Random()
        ahead.setstate(rng.getstate())
        prefers = takes_preference(self._figures, self._deployment, ahead)
        asked = Asked(wish, now, self._figures, self._deployment, prefers=prefers)
        left, _ = narrow([take.facts for take in rows.takes.values()], asked)
        weights = {row.artifact_id: asked.weigh(row).product for row in left}
        total = math.fsum(weights.values())
        for number, weight in weights.items():
            self.expected[number] += weight / total
        drawn = super().draw(rows, wish, now, rng)
        self.chosen[drawn.choice.facts.artifact_id] += 1
        self.draws += 1
        return drawn

    def p_value(self) -> float:
        """Chi-square of all choices against their chances; the chances change with every draw, the sum is still one."""
        numbers = sorted(self.expected)
        statistic = sum((self.chosen[n] - self.expected[n]) ** 2 / self.expected[n] for n in numbers)
        return float(chi2.sf(statistic, len(numbers) - 1))


def frequencies_p(*, pool: int, seed: int, days: int, deployment: str = "memory") -> tuple[float, int]:
    """The p-value of the choices of a whole run against their weights, and how many choices there were."""
    settings = settings_of(deployment)
    watched = Watched(simulation_of(settings))
    watched.run(plan_of(settings, visit(pool=pool, seed=seed, days=days, hours=1)))
    return watched.p_value(), watched.draws


def _order(played: Sequence[Played]) -> dict[int, int]:
    order: dict[int, int] = {}
    for one in played:
        for number in one.voices:
            order.setdefault(number, len(order))
    return order
