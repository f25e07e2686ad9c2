"""Many deaths of the services, chosen by a seed, on one engine: every named point of every deed, and any moment.

First each deed is done without a death, and its points are counted. Then lives follow one another on a node, each
dying at a point or a moment of its own, now and then with a store that fails; after some lives comes a new node.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.engines import Engine, Grounds
from tests.faults.deeds import DEEDS
from tests.faults.lives import CARE_S, CLAIM_S, RESERVED_S, RESTED_S, History, Outcome, Plan, Warm

LIVES = 20
"""How many lives one node has, and some more where it ends well."""
POINTS_MOST = 40
"""Of a deed with more points, every named one, and others by lot."""
MOMENT_EVERY, FAULT_EVERY, LATER_EVERY = 4, 6, 9
FAULTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("refuses to put", ("put",), ()),
    ("refuses to delete", ("delete",), ()),
    ("refuses to open", ("open", "size"), ()),
    ("refuses everything", ("put", "delete", "open", "size"), ()),
    ("claims to have deleted", (), ("delete",)),
)
CARE = frozenset({"backup", "proof", "restore", "pruning of copies"})


@dataclass(kw_only=True, slots=True)
class Found:
    """What a campaign on one engine found out; points are counted by (deed, label)."""

    died: Counter[tuple[str, str]] = field(default_factory=Counter)
    named: set[tuple[str, str]] = field(default_factory=set)
    points: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    nodes: int = 0
    wrong: list[str] = field(default_factory=list)


class ServiceCampaign:
    """Deaths on one engine."""

    def __init__(
        self, engine: Engine, grounds: Grounds, folder: Path, *, seed: int, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._engine = engine
        self._grounds = grounds
        self._folder = folder / engine.value
        self._folder.mkdir()
        self._rng = random.Random(f"{seed} {engine.value}")
        self._say = say
        self._lasts_ms: dict[str, float] = {}
        self._variants: dict[str, int] = {}
        self.found = Found()

    def run(self, kills: int) -> Found:
        """So many deaths, at least."""
        with Warm() as warm:
            every = self._points_of_all(warm)
            plans = self._plans(every)
            while self.found.died.total() < kills:
                self._one_node(warm, plans)
        return self.found

    def _one_node(self, warm: Warm, plans: Iterator[Plan]) -> None:
        with ExitStack() as stack:
            history = self._fresh(warm, stack)
            last = "birth"
            for _ in range(LIVES):
                plan = next(plans)
                outcome = history.live(plan)
                if self._judged(history, outcome, last):
                    return
                last = f"{plan.deed}, {outcome.died or 'no death'}"
                if outcome.died:
                    self.found.died[plan.deed, outcome.died] += 1
            for sentence in history.close(self._rng):
                self._wrong(history, f"at the end: {sentence}")
            self._count(history)

    def _fresh(self, warm: Warm, stack: ExitStack) -> History:
        self.found.nodes += 1
        folder = self._folder / f"node-{self.found.nodes}"
        ground = stack.enter_context(self._grounds.fresh(self._engine, folder / "data"))
        return History(warm=warm, ground=ground, folder=folder)

    def _judged(self, history: History, outcome: Outcome, last: str) -> bool:
        """Count one life; whether something was wrong."""
        self.found.lives += 1
        for sentence in outcome.wrong:
            self._wrong(history, f"after {last}: {sentence}")
        return bool(outcome.wrong)

    def _wrong(self, history: History, sentence: str) -> None:
        self.found.wrong.append(f"{self._engine.value}, node {self.found.nodes}, life {history.lives}, {sentence}")
        self._say(f"WRONG {self.found.wrong[-1]}")

    def _count(self, history: History) -> None:
        for take in history.promises.takes.values():
            self.found.told[f"{take.mode} takes acknowledged"] += 1
            self.found.told.update(f"{kind} acknowledged" for kind in take.ended)
            self.found.told["hearings acknowledged"] += take.heard

    def _points_of_all(self, warm: Warm) -> dict[str, list[str]]:
        """The points of every deed, on a node where nothing dies."""
        found: dict[str, list[str]] = {}
        with ExitStack() as stack:
            history = self._fresh(warm, stack)
            for number, deed in enumerate(DEEDS):
                for variant in (number, number + 1):
                    outcome = history.live(Plan(deed=deed.name, number=variant, waits_s=CARE_S))
                    self._judged(history, outcome, "a life without a death")
                    if len(outcome.points) > len(found.get(deed.name, [])):
                        found[deed.name], self._variants[deed.name] = list(outcome.points), variant
                    self._lasts_ms[deed.name] = max(self._lasts_ms.get(deed.name, 0.0), outcome.ms)
        self.found.points = {name: len(points) for name, points in found.items()}
        self.found.named = {(name, label) for name, points in found.items() for label in points}
        return found

    def _plans(self, every: dict[str, list[str]]) -> Iterator[Plan]:
        rng, number, rests = self._rng, 0, CLAIM_S
        while True:
            targets = self._targets(every)
            while targets:
                number += 1
                moment = number % MOMENT_EVERY == 0
                target = _Target(deed=rng.choice(DEEDS).name, number=rng.randrange(1000)) if moment else targets.pop()
                # Drawn always: what is drawn next must not hang on it.
                after_ms = rng.uniform(0, self._lasts_ms[target.deed] * 1.1)
                fault, refuses, loses = rng.choice(FAULTS) if number % FAULT_EVERY == 0 else ("", (), ())
                before = (rng.choice(DEEDS[:3]).name, rng.randrange(1000))
                yield Plan(
                    deed=target.deed,
                    number=target.number,
                    before=(before,) if number % 2 else (),
                    kill_at=target.at,
                    kill_on=target.label,
                    after_ms=after_ms if moment else None,
                    refuses=refuses,
                    loses=loses,
                    waits_s=RESERVED_S if number % LATER_EVERY == 0 else rests,
                )
                if fault:
                    self.found.faults[fault] += 1
                if target.label and target.tries and (target.deed, target.label) not in self.found.died:
                    # Not every node comes by every point: another may.
                    targets.append(replace(target, tries=target.tries - 1, number=target.number + 1))
                rests = RESTED_S if fault else CARE_S if target.deed in CARE else CLAIM_S

    def _targets(self, every: dict[str, list[str]]) -> list["_Target"]:
        """What to die at, the last one first: each named point once, then others by lot."""
        rng = self._rng
        named: list[_Target] = []
        others: list[_Target] = []
        for name, points in every.items():
            variant = self._variants[name]
            met = {label: at for at, label in reversed(list(enumerate(points)))}
            rest = sorted(set(range(len(points))) - set(met.values()))
            named += [_Target(deed=name, label=label, number=variant) for label in met]
            sample = rng.sample(rest, min(len(rest), max(0, POINTS_MOST - len(met))))
            others += [_Target(deed=name, at=at, number=rng.randrange(1000)) for at in sample]
        rng.shuffle(named)
        rng.shuffle(others)
        return others + named


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """A point of a deed, by its number or as the first of a name, or any moment of it."""

    deed: str
    number: int
    at: int | None = None
    label: str = ""
    tries: int = 3
