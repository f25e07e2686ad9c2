"""A wish made concrete for one moment: the rungs it narrows by, what a take weighs for it, and the most that can be.

Worked out once for each choice, because a large pool is probed a hundred times for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.domain.deployment import Deployment
from core.domain.pool.facts import PoolFacts, Rung, Wish
from core.domain.pool.lanes import density, lane, mood
from core.domain.pool.reach import EVERYWHERE, Reach, of_density, of_lane, of_mood, of_preference
from core.domain.pool.weights import Factors, PoolFigures, bound, cooldown_s, is_past_cooldown, weigh


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What a take must be, and where every take lies that is so."""

    holds: Callable[[PoolFacts], bool]
    reach: Reach = EVERYWHERE


class Asked:
    """`prefers` is `core.domain.pool.choose.takes_preference`'s answer for this choice."""

    def __init__(
        self, wish: Wish, now: datetime, figures: PoolFigures, deployment: Deployment, *, prefers: bool
    ) -> None:
        self.wish = wish
        self.now = now
        self.figures = figures
        self.deployment = deployment
        self.rungs = self._rungs(prefers=prefers)
        self.most = bound(wish, figures, deployment)
        self.first = tuple(conditions[0] for _rung, conditions in self.rungs)

    def weigh(self, facts: PoolFacts) -> Factors:
        """What a take weighs for this wish."""
        return weigh(facts, self.wish, self.now, self.figures, self.deployment)

    def _rungs(self, *, prefers: bool) -> list[tuple[Rung, list[Condition]]]:
        """The rungs this wish asks for, outermost first; of several conditions the first to leave a row counts."""
        wish, now, lanes, name = self.wish, self.now, self.figures.lanes, self.deployment.name
        excluded = frozenset(wish.exclude_ids)
        rest_s = cooldown_s(self.figures, self.deployment)
        preference = [
            Condition(holds=step.admits, reach=of_preference(step)) for step in self.deployment.preference(wish, now)
        ]
        own = Condition(holds=lambda row: row.deployment == name, reach=Reach(deployment=name))
        rungs = [
            (Rung.DEPLOYMENT, [own]),
            (Rung.EXCLUSION, [Condition(holds=lambda row: row.artifact_id not in excluded)]),
            (Rung.COOLDOWN, [Condition(holds=lambda row: is_past_cooldown(row, now, rest_s))]),
        ]
        if prefers and preference:
            rungs.append((Rung.PREFERENCE, preference))
        if wish.lane is not None:
            in_lane = Condition(
                holds=lambda row: lane(row, now, lanes) is wish.lane, reach=of_lane(wish.lane, now, lanes)
            )
            rungs.append((Rung.LANE, [in_lane]))
        if wish.density is not None:
            as_dense = Condition(
                holds=lambda row: density(row, lanes) is wish.density, reach=of_density(wish.density, lanes)
            )
            rungs.append((Rung.DENSITY, [as_dense]))
        if wish.mood is not None:
            in_mood = Condition(
                holds=lambda row: mood(row, now, lanes) is wish.mood, reach=of_mood(wish.mood, now, lanes)
            )
            rungs.append((Rung.MOOD, [in_mood]))
        return rungs
