import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from core.domain.deployment import Deployment
from core.domain.pool.asked import Asked
from core.domain.pool.choose import choose, narrow, ranked, takes_preference
from core.domain.pool.drawing import draw_from
from core.domain.pool.facts import Density, Lane, Mood, PoolFacts, Rung, Wish
from core.domain.pool.weights import weigh
from tests.pool_takes import FIGURES, MEMORY, NOW, Cells, deployment, deployments, pools, take, wishes

ORACLE, QUESTION, REPAIR = deployment("oracle"), deployment("question"), deployment("repair")
ALIKE = 0.001
"""Chi-square's least p for two distributions to count as one; the seeds are fixed, so nothing flickers."""

VARIED = [
    take(artifact_id=1, age_hours=0.5, duration_ms=4000),
    take(artifact_id=2, age_hours=30, plays=3, wear=0.1, unheard_hours=2),
    take(artifact_id=3, age_hours=300, plays=9, wear=0.4, unheard_hours=100),
    take(artifact_id=4, age_hours=500, duration_ms=40_000),
    take(artifact_id=5, age_hours=11, plays=1, unheard_hours=0.026),
    take(artifact_id=6, age_hours=12, duration_ms=20_000, topic="garden"),
]


def asked(wish: Wish, active: Deployment = MEMORY) -> Asked:
    """The wish, made concrete now, the preference taken."""
    return Asked(wish, NOW, FIGURES, active, prefers=True)


def chosen(pool: Sequence[PoolFacts], wish: Wish, active: Deployment = MEMORY, *, times: int) -> Counter[int]:
    rng = random.Random(11)
    counted: Counter[int] = Counter()
    for _ in range(times):
        choice = choose(pool, wish, NOW, rng, figures=FIGURES, deployment=active)
        assert choice is not None
        counted[choice.facts.artifact_id] += 1
    return counted


def probed(pool: Sequence[PoolFacts], wish: Wish, active: Deployment, *, times: int) -> Counter[int]:
    """What is drawn where rows are met at random."""
    rng = random.Random(12)
    counted: Counter[int] = Counter()
    for number in range(times):
        rows = Cells(pool, number)
        choice = draw_from(rows, wish, NOW, rng, figures=FIGURES, deployment=active, scan_most=0)
        assert choice is not None
        counted[choice.facts.artifact_id] += 1
    return counted


def assert_follows_weights(counted: Counter[int], rows: Sequence[PoolFacts], wish: Wish) -> None:
    weights = {row.artifact_id: weigh(row, wish, NOW, FIGURES, MEMORY).product for row in rows}
    share = counted.total() / sum(weights.values())
    found = chisquare([counted[i] for i in weights], [weight * share for weight in weights.values()])
    assert found.pvalue > ALIKE


def only(choice_wish: Wish, pool: Sequence[PoolFacts], active: Deployment = MEMORY) -> tuple[set[int], set[Rung]]:
    """The ids left after every rung, the preference taken, and the rungs that gave way."""
    rows, gave_way = narrow(pool, asked(choice_wish, active))
    return {row.artifact_id for row in rows}, set(gave_way)


def test_an_empty_pool_gives_nothing() -> None:
    assert choose([], Wish(), NOW, random.Random(1), figures=FIGURES, deployment=MEMORY) is None


@given(pools, wishes, deployments, st.integers())
def test_a_pool_with_a_take_always_gives_one_of_its_own(
    pool: list[PoolFacts], wish: Wish, active: Deployment, seed: int
) -> None:
    choice = choose(pool, wish, NOW, random.Random(seed), figures=FIGURES, deployment=active)
    assert choice is not None
    assert choice.facts in pool
    assert choice.pool_size == len(pool)


@given(pools, wishes, deployments, st.booleans())
def test_the_rungs_never_empty_a_pool(pool: list[PoolFacts], wish: Wish, active: Deployment, prefers: bool) -> None:
    rows, _ = narrow(pool, Asked(wish, NOW, FIGURES, active, prefers=prefers))
    assert rows


@given(pools, wishes, st.integers())
def test_an_excluded_take_is_never_chosen_while_others_remain(pool: list[PoolFacts], wish: Wish, seed: int) -> None:
    candidates = [row for row in pool if row.deployment == "memory"] or pool
    others = {row.artifact_id for row in candidates} - set(wish.exclude_ids)
    choice = choose(pool, wish, NOW, random.Random(seed), figures=FIGURES, deployment=MEMORY)
    assert choice is not None
    assert not others or choice.facts.artifact_id in others


@given(pools, wishes, deployments, st.integers())
def test_a_choice_tells_truly_which_rungs_gave_way(
    pool: list[PoolFacts], wish: Wish, active: Deployment, seed: int
) -> None:
    choice = choose(pool, wish, NOW, random.Random(seed), figures=FIGURES, deployment=active)
    assert choice is not None
    assert (choice.facts.deployment == active.name) is (Rung.DEPLOYMENT not in choice.gave_way)
    assert (choice.facts.artifact_id in wish.exclude_ids) is (Rung.EXCLUSION in choice.gave_way)
    for rung, asked, found in (
        (Rung.LANE, wish.lane, choice.lane),
        (Rung.DENSITY, wish.density, choice.density),
        (Rung.MOOD, wish.mood, choice.mood),
    ):
        assert (asked not in (None, found)) is (rung in choice.gave_way)


def test_the_same_seed_chooses_the_same() -> None:
    assert chosen(VARIED, Wish(), times=50) == chosen(VARIED, Wish(), times=50)


def test_choices_follow_the_weights() -> None:
    assert_follows_weights(chosen(VARIED, Wish(), times=8000), VARIED, Wish())


def test_choices_follow_the_weights_of_a_wish() -> None:
    wish = Wish(density=Density.MEDIUM, recent_densities=(Density.DENSE, Density.DENSE), exclude_ids=(3,))
    rows = [VARIED[1], VARIED[4]]
    assert_follows_weights(chosen(VARIED, wish, times=8000), rows, wish)


def test_what_is_met_at_random_follows_the_weights() -> None:
    wish = Wish(exclude_ids=(1,), recent_densities=(Density.LIGHT, Density.LIGHT))
    rows = [row for row in VARIED if row.artifact_id != 1]
    assert_follows_weights(probed(VARIED, wish, MEMORY, times=8000), rows, wish)


def test_probing_and_choosing_draw_alike_under_a_preference() -> None:
    pool = [
        take(artifact_id=1, age_hours=30, deployment="oracle"),
        take(artifact_id=2, age_hours=400, deployment="oracle"),
        take(artifact_id=3, age_hours=5, deployment="oracle"),
        take(artifact_id=4, age_hours=90, unheard_hours=3, deployment="oracle"),
        take(artifact_id=5, age_hours=90, deployment="memory"),
    ]
    scanned = chosen(pool, Wish(), ORACLE, times=40_000)
    found = probed(pool, Wish(), ORACLE, times=8000)
    assert set(found) == set(scanned) == {1, 2, 3, 4}
    ids = sorted(scanned)
    expected = [scanned[i] * found.total() / scanned.total() for i in ids]
    assert chisquare([found[i] for i in ids], expected).pvalue > ALIKE


def test_a_draw_of_one_row_is_that_row() -> None:
    assert ranked([0.1], random.Random(3), 5) == [0]


def test_a_draw_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        ranked([], random.Random(3), 1)


def test_a_draw_follows_weights_far_apart() -> None:
    rng = random.Random(5)
    weights = (0.1, 0.2, 0.5, 1.0, 3.0, 9.0)
    counted = Counter(ranked(weights, rng, 1)[0] for _ in range(20_000))
    expected = [20_000 * weight / 13.8 for weight in weights]
    assert chisquare([counted[place] for place in range(len(weights))], expected).pvalue > ALIKE


def test_a_preference_is_taken_with_its_chance() -> None:
    rng = random.Random(6)
    taken = sum(takes_preference(FIGURES, ORACLE, rng) for _ in range(20_000))
    assert chisquare([taken, 20_000 - taken], [17_000, 3000]).pvalue > ALIKE


def test_a_deployment_without_preference_takes_none_and_draws_nothing() -> None:
    rng = random.Random(6)
    before = rng.getstate()
    assert not takes_preference(FIGURES, MEMORY, rng)
    assert rng.getstate() == before


def test_another_deployment_plays_only_when_the_active_one_has_nothing() -> None:
    own, foreign = take(artifact_id=1, deployment="oracle"), take(artifact_id=2)
    assert only(Wish(), [own, foreign], ORACLE)[0] == {1}
    left, gave_way = only(Wish(), [foreign], ORACLE)
    assert left == {2}
    assert Rung.DEPLOYMENT in gave_way


def test_the_oldest_exclusion_gives_way_first() -> None:
    pool = [take(artifact_id=n) for n in (1, 2, 3)]
    assert only(Wish(exclude_ids=(2, 9, 3, 1)), pool) == ({1}, {Rung.EXCLUSION})


def test_a_take_excluded_twice_counts_from_the_later_time() -> None:
    pool = [take(artifact_id=n) for n in (1, 2)]
    assert only(Wish(exclude_ids=(1, 2, 1)), pool)[0] == {2}


def test_an_exclusion_outranks_the_cooldown() -> None:
    pool = [take(artifact_id=1), take(artifact_id=2, unheard_hours=0.001)]
    assert only(Wish(exclude_ids=(1,)), pool) == ({2}, {Rung.COOLDOWN})


def test_a_resting_take_waits_while_another_has_rested() -> None:
    pool = [take(artifact_id=1, unheard_hours=0.001), take(artifact_id=2, unheard_hours=1)]
    assert only(Wish(), pool)[0] == {2}


def test_a_lane_outranks_a_density_and_a_density_a_mood() -> None:
    pool = [
        take(artifact_id=1, age_hours=1, duration_ms=10_000),
        take(artifact_id=2, age_hours=50, duration_ms=4000),
        take(artifact_id=3, age_hours=1, duration_ms=4000),
    ]
    wish = Wish(lane=Lane.FRESH, density=Density.LIGHT, mood=Mood.HUSHED)
    assert only(wish, pool) == ({3}, {Rung.MOOD})


def test_an_unmet_lane_widens_and_the_density_still_narrows() -> None:
    pool = [take(artifact_id=1, duration_ms=4000), take(artifact_id=2, duration_ms=30_000)]
    assert only(Wish(lane=Lane.WORN, density=Density.DENSE), pool) == ({2}, {Rung.LANE})


def test_a_question_prefers_the_wanted_topic_among_the_unresolved() -> None:
    pool = [
        take(artifact_id=1, deployment="question", topic="garden", status="open"),
        take(artifact_id=2, deployment="question", topic="kitchen", status="open"),
        take(artifact_id=3, deployment="question", topic="garden", status="answered"),
    ]
    assert only(Wish(preferred_topic="garden"), pool, QUESTION)[0] == {1}


@pytest.mark.parametrize("wish", [Wish(preferred_topic="attic"), Wish(preferred_status="answered"), Wish()])
def test_a_question_falls_back_on_any_unresolved(wish: Wish) -> None:
    pool = [
        take(artifact_id=1, deployment="question", topic="garden", status="pending"),
        take(artifact_id=2, deployment="question", topic="kitchen"),
        take(artifact_id=3, deployment="question", topic="attic", status="answered"),
    ]
    assert only(wish, pool, QUESTION) == ({1, 2}, set())


def test_a_repair_prefers_its_topic_and_then_anything_within_fourteen_days() -> None:
    pool = [
        take(artifact_id=1, deployment="repair", topic="kettle", age_hours=336),
        take(artifact_id=2, deployment="repair", topic="kettle", age_hours=337),
        take(artifact_id=3, deployment="repair", topic="lamp", age_hours=20),
    ]
    assert only(Wish(preferred_topic="kettle"), pool, REPAIR)[0] == {1}
    assert only(Wish(), pool, REPAIR)[0] == {1, 3}


def test_a_preference_nothing_meets_gives_way() -> None:
    pool = [take(artifact_id=1, deployment="oracle", age_hours=2)]
    assert only(Wish(), pool, ORACLE) == ({1}, {Rung.PREFERENCE})


def test_a_choice_describes_itself() -> None:
    facts = take(artifact_id=9, age_hours=200, duration_ms=20_000)
    choice = choose([facts], Wish(), NOW, random.Random(1), figures=FIGURES, deployment=MEMORY)
    assert choice is not None
    assert (choice.lane, choice.density, choice.mood) == (Lane.WORN, Density.DENSE, Mood.WEATHERED)
    assert (choice.featured_return, choice.thread_signal, choice.gave_way) == (True, "", ())
    assert choice.factors == weigh(facts, Wish(), NOW, FIGURES, MEMORY)


def test_a_choice_knows_its_chance_and_what_would_have_been_next() -> None:
    choice = choose(VARIED, Wish(), NOW, random.Random(1), figures=FIGURES, deployment=MEMORY)
    assert choice is not None
    weights = {row.artifact_id: weigh(row, Wish(), NOW, FIGURES, MEMORY).product for row in VARIED}
    assert choice.remaining == 6
    assert choice.chance == pytest.approx(weights[choice.facts.artifact_id] / sum(weights.values()))
    others = {one.facts.artifact_id for one in choice.runners_up}
    assert len(others) == 4
    assert choice.facts.artifact_id not in others


@pytest.mark.parametrize(
    ("name", "topic", "status", "signal"),
    [
        ("question", "rain", "open", "question_chorus"),
        ("question", "rain", "answered", ""),
        ("question", "", "open", ""),
        ("repair", "lamp", "fixed", "repair_bench"),
        ("repair", " ", "pending", ""),
        ("memory", "rain", "open", ""),
        ("witness", "rain", "observed", ""),
    ],
)
def test_a_take_on_a_topic_opens_the_thread_its_deployment_names(
    name: str, topic: str, status: str, signal: str
) -> None:
    row = take(deployment=name, topic=topic, status=status)
    choice = choose([row], Wish(), NOW, random.Random(1), figures=FIGURES, deployment=deployment(name))
    assert choice is not None
    assert choice.thread_signal == signal


def test_what_a_steward_leans_to_weighs_more_under_every_deployment() -> None:
    rows = [take(artifact_id=1, topic="rain", status="open"), take(artifact_id=2, topic="rain"), take(artifact_id=3)]
    wish = Wish(preferred_topic="rain", preferred_status="open")
    both, topic, neither = (weigh(row, wish, NOW, FIGURES, MEMORY) for row in rows)
    assert (both.focus, topic.focus, neither.focus) == (pytest.approx(1.35 * 1.15), pytest.approx(1.35), 1.0)


def test_of_very_many_rows_the_choice_follows_the_weights_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.domain.pool.choose.WEIGH_MOST", 3)
    assert_follows_weights(chosen(VARIED, Wish(), times=8000), VARIED, Wish())
