import random

from hypothesis import given
from hypothesis import strategies as st

from core.domain.deployment import Deployment
from core.domain.pool.drawing import Recording, Replaying, draw_from
from core.domain.pool.facts import PoolFacts, Wish
from tests.pool_takes import FIGURES, MEMORY, NOW, Cells, deployments, pools, take, wishes


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
    assert (rows.looked().size, rows.looked().probed, rows.looked().scanned) == (0, (), None)
