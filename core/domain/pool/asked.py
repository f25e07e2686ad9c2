"""A wish made concrete for one moment: the rungs it narrows by, what a take weighs for it, and the most that can be.

Worked out once for each choice, because a large pool is probed a hundred times for it.
"""

from collections.abc import Callable
from datetime import datetime

from core.domain.deployment import Deployment
from core.domain.pool.facts import PoolFacts, Rung, Wish
from core.domain.pool.lanes import density, lane, mood
from core.domain.pool.weights import Factors, PoolFigures, bound, cooldown_s, is_past_cooldown, weigh

Condition = Callable[[PoolFacts], bool]


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
        self._first = [conditions[0] for _rung, conditions in self.rungs]

    def passes(self, facts: PoolFacts) -> bool:
        """Whether a take passes every rung as asked; of a preference, its best step."""
        return all(holds(facts) for holds in self._first)

    def weigh(self, facts: PoolFacts) -> Factors:
        """What a take weighs for this wish."""
        return weigh(facts, self.wish, self.now, self.figures, self.deployment)

    def _rungs(self, *, prefers: bool) -> list[tuple[Rung, list[Condition]]]:
        """The rungs this wish asks for, outermost first; of several conditions the first to leave a row counts."""
        wish, now, lanes, name = self.wish, self.now, self.figures.lanes, self.deployment.name
        excluded = frozenset(wish.exclude_ids)
        rest_s = cooldown_s(self.figures, self.deployment)
        preference: list[Condition] = [step.admits for step in self.deployment.preference(wish, now)]
        rungs: list[tuple[Rung, list[Condition]]] = [
            (Rung.DEPLOYMENT, [lambda row: row.deployment == name]),
            (Rung.EXCLUSION, [lambda row: row.artifact_id not in excluded]),
            (Rung.COOLDOWN, [lambda row: is_past_cooldown(row, now, rest_s)]),
        ]
        if prefers and preference:
            rungs.append((Rung.PREFERENCE, preference))
        if wish.lane is not None:
            rungs.append((Rung.LANE, [lambda row: lane(row, now, lanes) is wish.lane]))
        if wish.density is not None:
            rungs.append((Rung.DENSITY, [lambda row: density(row, lanes) is wish.density]))
        if wish.mood is not None:
            rungs.append((Rung.MOOD, [lambda row: mood(row, now, lanes) is wish.mood]))
        return rungs
