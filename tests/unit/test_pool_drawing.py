import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from core.domain.deployment import Deployment
from core.domain.pool import drawing
from core.domain.pool.asked import Asked
from core.domain.pool.choose import narrow, takes_preference
from core.domain.pool.drawing import draw_from
from core.domain.pool.facts import Lane, PoolFacts, Wish
from core.domain.pool.looked import Looked, Recording, Replaying
from core.domain.pool.reach import meet
from tests.pool_takes import FIGURES, MEMORY, NOW, Cells, deployments, pools, take, takes, wishes


@given(pools, wishes, deployments, st.integers(), st.sampled_from([0, 2000]))
def test_what_was_looked_at_and_the_seed_draw_the_same_again(
    pool: list[PoolFacts], wish: Wish, active: Deployment, seed: int, scan_most: int
) -> None:
    rows = Recording(Cells(pool, seed))
    given_figures = {"figures": FIGURES, "deployment": active, "scan_most": scan_most}
    first = draw_from(rows, wish, NOW, random.Random(seed), **given_figures)
    again = draw_from(Replaying(rows.looked()), wish, NOW, random.Random(seed), **given_figures)
    assert first is not None
    assert again == first


@given(pools, wishes, deployments, st.integers())
def test_in_a_large_pool_the_same_rungs_give_way_and_the_same_takes_are_left(
    pool: list[PoolFacts], wish: Wish, active: Deployment, seed: int
) -> None:
    prefers = takes_preference(FIGURES, active, random.Random(seed))
    rows, gave_way = narrow(pool, Asked(wish, NOW, FIGURES, active, prefers=prefers))
    found = draw_from(
        Cells(pool, seed), wish, NOW, random.Random(seed), figures=FIGURES, deployment=active, scan_most=0
    )
    assert found is not None
    assert found.facts in rows
    assert found.gave_way == gave_way


@given(takes, wishes, deployments)
def test_no_take_lies_outside_the_reach_of_what_it_is(facts: PoolFacts, wish: Wish, active: Deployment) -> None:
    asked = Asked(wish, NOW, FIGURES, active, prefers=True)
    every = [condition for _, conditions in asked.rungs for condition in conditions if condition.holds(facts)]
    assert all(condition.reach.admits(facts) for condition in every)
    assert meet(condition.reach for condition in every).admits(facts)


@given(st.lists(takes.map(lambda row: replace(row, artifact_id=1)), min_size=1, max_size=8), wishes, deployments)
def test_reaches_meet_where_both_admit(rows: list[PoolFacts], wish: Wish, active: Deployment) -> None:
    asked = Asked(wish, NOW, FIGURES, active, prefers=True)
    reaches = [condition.reach for _, conditions in asked.rungs for condition in conditions]
    for row in rows:
        assert meet(reaches).admits(row) is all(reach.admits(row) for reach in reaches)


RARE = [take(artifact_id=number, age_hours=1, duration_ms=3000 + number * 100, plays=number % 3) for number in range(9)]
COMMON = [take(artifact_id=100 + number, age_hours=40) for number in range(60)]


@pytest.mark.parametrize(("few", "many"), [(100, 100), (3, 100), (3, 4)], ids=["picked", "picked late", "scanned"])
def test_what_is_rare_is_drawn_by_weight_however_it_is_found(
    monkeypatch: pytest.MonkeyPatch, few: int, many: int
) -> None:
    monkeypatch.setattr(drawing, "FEW", few)
    monkeypatch.setattr(drawing, "MANY", many)
    monkeypatch.setattr(drawing, "BATCHES", (2, 2))
    wish, rng = Wish(lane=Lane.FRESH), random.Random(7)
    asked = Asked(wish, NOW, FIGURES, MEMORY, prefers=False)
    rows = Cells([*RARE, *COMMON], 1)
    drawn: Counter[int] = Counter()
    for _ in range(1500):
        choice = draw_from(rows, wish, NOW, rng, figures=FIGURES, deployment=MEMORY, scan_most=0)
        assert choice is not None
        drawn[choice.facts.artifact_id] += 1
    weights = [asked.weigh(row).product for row in RARE]
    expected = [1500 * weight / sum(weights) for weight in weights]
    assert chisquare([drawn[row.artifact_id] for row in RARE], expected).pvalue > 0.001


def test_another_seed_draws_something_else_from_the_same_record() -> None:
    pool = [take(artifact_id=number) for number in range(1, 40)]
    rows = Recording(Cells(pool, 1))
    drawn = set()
    for seed in range(30):
        choice = draw_from(rows, Wish(), NOW, random.Random(seed), figures=FIGURES, deployment=MEMORY)
        assert choice is not None
        drawn.add(choice.facts.artifact_id)
    assert len(drawn) > 10


def test_an_empty_pool_gives_nothing_and_looks_at_nothing() -> None:
    rows = Recording(Cells([], 1))
    assert draw_from(rows, Wish(), NOW, random.Random(1), figures=FIGURES, deployment=MEMORY) is None
    assert rows.looked() == Looked(size=0)
