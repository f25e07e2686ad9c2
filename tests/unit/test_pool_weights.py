import math
from dataclasses import asdict

import pytest
from hypothesis import given

from core.domain.deployment import Deployment, DeploymentName
from core.domain.pool.facts import Density, Mood, PoolFacts, Wish
from core.domain.pool.lanes import standing
from core.domain.pool.weights import (
    DensityBalanceFigures,
    age_factor,
    bound,
    cooldown_factor,
    cooldown_s,
    density_balance_factor,
    featured_return_factor,
    is_past_cooldown,
    mood_factor,
    rarity_factor,
    same_topic_factor,
    wear_factor,
    weigh,
)
from tests.pool_takes import CATALOG, FIGURES, LANES, MEMORY, NOW, deployment, deployments, take, takes, wishes

TABLE = CATALOG.weights
TOPICAL = Wish(recent_topics=("garden",))
L, M, D = Density.LIGHT, Density.MEDIUM, Density.DENSE


@given(takes, wishes, deployments)
def test_no_weight_exceeds_the_bound_of_its_wish(facts: PoolFacts, wish: Wish, active: Deployment) -> None:
    assert weigh(facts, wish, NOW, FIGURES, active).product <= bound(wish, FIGURES, active)


@pytest.mark.parametrize("name", list(DeploymentName))
@pytest.mark.parametrize("asked", [None, *Mood])
def test_the_best_take_of_every_kind_stays_within_the_bound(name: str, asked: Mood | None) -> None:
    wish = Wish(mood=asked, recent_densities=(D, D), recent_topics=("garden",))
    most = bound(wish, FIGURES, deployment(name))
    for age_hours in (1, 8, 12, 24, 48, 72, 168, 240, 336, 720):
        for duration_ms in (4000, 9000, 18_000):
            facts = take(age_hours=age_hours, duration_ms=duration_ms, topic="garden", status="open")
            assert weigh(facts, wish, NOW, FIGURES, deployment(name)).product <= most


def test_recent_topics_raise_the_bound_by_the_deployments_multiplier() -> None:
    plain, topical = (bound(wish, FIGURES, deployment("question")) for wish in (Wish(), TOPICAL))
    assert topical == pytest.approx(plain * 1.24)


@given(takes, wishes, deployments)
def test_no_weight_is_under_the_floor(facts: PoolFacts, wish: Wish, active: Deployment) -> None:
    assert weigh(facts, wish, NOW, FIGURES, active).product >= 0.1


@given(takes, wishes, deployments)
def test_a_weight_is_the_product_of_its_named_factors(facts: PoolFacts, wish: Wish, active: Deployment) -> None:
    factors = weigh(facts, wish, NOW, FIGURES, active)
    named = asdict(factors)
    assert factors.product == pytest.approx(max(named.pop("floor"), math.prod(named.values())))


def test_the_bound_is_reached_by_a_take_that_has_everything() -> None:
    best = take(age_hours=24, duration_ms=4000)
    wish = Wish(mood=Mood.HUSHED, recent_densities=(D, D))
    weight = weigh(best, wish, NOW, FIGURES, MEMORY).product
    assert weight == pytest.approx(3 * 1.15 * 1.16 * 1.5 * 1.18)
    assert bound(wish, FIGURES, MEMORY) == pytest.approx(weight * 1.45)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 1), (45, 1.5), (90, 2), (180, 3), (9000, 3), (None, 3), (-60, 1)]
)
def test_a_take_regains_its_chance_as_cooldowns_pass(seconds: float | None, expected: float) -> None:
    facts = take(unheard_hours=None if seconds is None else seconds / 3600)
    assert cooldown_factor(facts, NOW, 90, TABLE.cooldown) == pytest.approx(expected)


def test_without_a_cooldown_nothing_is_divided_by_it() -> None:
    assert cooldown_factor(take(unheard_hours=0), NOW, 0, TABLE.cooldown) == 3


@pytest.mark.parametrize(("name", "expected"), [("memory", 90), ("question", 58.5), ("oracle", 135)])
def test_the_deployment_stretches_the_cooldown(name: str, expected: float) -> None:
    assert cooldown_s(FIGURES, deployment(name)) == pytest.approx(expected)


def test_the_cooldown_is_past_exactly_when_it_has_run() -> None:
    assert is_past_cooldown(take(unheard_hours=90 / 3600), NOW, 90)
    assert not is_past_cooldown(take(unheard_hours=89 / 3600), NOW, 90)
    assert is_past_cooldown(take(), NOW, 90)


@pytest.mark.parametrize(("plays", "expected"), [(0, 1), (1, 1 / 1.45), (10, 1 / 5.5)])
def test_often_heard_takes_weigh_less(plays: int, expected: float) -> None:
    assert rarity_factor(plays, TABLE.rarity) == pytest.approx(expected)


@pytest.mark.parametrize(("wear", "expected"), [(0, 1.15), (0.5, 0.875), (1, 0.6)])
def test_worn_takes_weigh_less(wear: float, expected: float) -> None:
    assert wear_factor(wear, TABLE.wear) == pytest.approx(expected)


def test_no_wear_takes_the_factor_under_its_least() -> None:
    assert wear_factor(9.0, TABLE.wear) == 0.45


@pytest.mark.parametrize(
    ("age_hours", "expected"),
    [(1, 0.82), (1.01, 0.96), (8, 0.96), (8.01, 1.16), (72, 1.16), (73, 1.05), (240, 1.05), (241, 0.92)],
)
def test_the_age_factor_follows_its_steps_at_the_edges(age_hours: float, expected: float) -> None:
    assert age_factor(age_hours, TABLE.age) == expected


@pytest.mark.parametrize("asked", list(Mood))
def test_the_mood_asked_for_weighs_most_and_its_neighbours_next(asked: Mood) -> None:
    near = {
        Mood.CLEAR: {Mood.HUSHED, Mood.GATHERING},
        Mood.HUSHED: {Mood.CLEAR, Mood.SUSPENDED},
        Mood.SUSPENDED: {Mood.HUSHED, Mood.WEATHERED, Mood.GATHERING},
        Mood.WEATHERED: {Mood.SUSPENDED, Mood.HUSHED},
        Mood.GATHERING: {Mood.CLEAR, Mood.SUSPENDED},
    }
    factors = {own: mood_factor(asked, own, TABLE.mood) for own in Mood}
    assert factors.pop(asked) == 1.5
    assert {own for own, factor in factors.items() if 1.14 <= factor <= 1.18} == near[asked]
    assert {factor for own, factor in factors.items() if own not in near[asked]} == {0.88}


def test_no_mood_asked_weighs_all_moods_alike() -> None:
    assert {mood_factor(None, own, TABLE.mood) for own in Mood} == {1.0}


@pytest.mark.parametrize(
    ("age_hours", "unheard_hours", "expected"),
    [(168, 96, 1.45), (168, None, 1.45), (167.9, 96, 1), (168, 95.9, 1)],
)
def test_an_old_take_long_unheard_returns(age_hours: float, unheard_hours: float | None, expected: float) -> None:
    facts = standing(take(age_hours=age_hours, unheard_hours=unheard_hours), NOW, LANES)
    assert featured_return_factor(facts, TABLE.featured_return, 1) == expected


def test_the_deployment_multiplies_a_return_only() -> None:
    old, young = (standing(take(age_hours=hours), NOW, LANES) for hours in (200, 2))
    assert featured_return_factor(old, TABLE.featured_return, 1.32) == pytest.approx(1.914)
    assert featured_return_factor(young, TABLE.featured_return, 1.32) == 1


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ((), (1, 1, 1)),
        ((D,), (1, 1, 1)),
        ((D, D), (1.18, 1.08, 0.62)),
        ((D, L, D), (1.18, 1.08, 0.62)),
        ((D, D, D), (1.18, 1.08, 0.62)),
        ((L, M, L), (0.8, 1.12, 1.06)),
        ((M, M, M), (1, 1, 1)),
        ((M, L, D, D, D, D), (1, 1, 1)),
    ],
)
def test_densities_just_heard_are_balanced(recent: tuple[Density, ...], expected: tuple[float, float, float]) -> None:
    found = tuple(density_balance_factor(recent, own, TABLE.density_balance) for own in (L, M, D))
    assert found == expected


def test_two_densities_can_never_both_repeat() -> None:
    with pytest.raises(ValueError, match="more than half"):
        DensityBalanceFigures(window=4, repeats=2, after={})


def test_a_topic_just_heard_is_multiplied_and_no_topic_is_no_match() -> None:
    assert same_topic_factor(" Garden ", ("kitchen", "garden"), 1.24) == 1.24
    assert same_topic_factor("garden", ("kitchen",), 1.24) == 1
    assert same_topic_factor("", ("",), 1.24) == 1
