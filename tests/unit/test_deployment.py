from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from core.domain.deployment import Deployment, DeploymentCatalog, DeploymentName, Narrowing, Resolution
from core.domain.deployment import find_deployment as find
from core.domain.pool.facts import PoolFacts, Wish
from core.domain.pool.lanes import standing
from tests.pool_takes import DEPLOYMENTS, LANES, NOW, deployment, deployments, take, takes

ROWS = [
    ("memory", (1, 1, 12, 1, 1, 1, 1, 1, 1)),
    ("question", (0.65, 0.45, 8, 0.88, 0.92, 0.94, 1.18, 0.96, 1.24)),
    ("prompt", (0.72, 0.55, 7, 0.76, 0.82, 0.9, 1.22, 0.84, 1.16)),
    ("repair", (0.78, 0.3, 9, 0.8, 0.86, 0.82, 0.72, 0.9, 1.12)),
    ("witness", (1.18, 0.48, 15, 1.16, 1.22, 0.96, 0.5, 1, 1)),
    ("oracle", (1.5, 0.18, 18, 1.45, 1.7, 1.14, 0.18, 1.32, 1)),
]
PICKERS = [
    ("memory", ("open", "resolved")),
    ("question", ("open", "pending", "answered", "resolved")),
    ("prompt", ("seed", "echo", "spent")),
    ("repair", ("pending", "needs_part", "fixed", "obsolete")),
    ("witness", ("observed", "verified", "contextual")),
    ("oracle", ("held", "spent")),
]
# (deployment, age h, unheard h or None for never heard, ms, status, the factors of figures.md in order)
FACTORS = [
    ("memory", 1, None, 4000, "open", []),
    # Status and age; with a medium take that is worn and hushed from 18 h on.
    ("question", 72, None, 10_000, "open", [1.35, 1.18, 0.9]),
    ("question", 72, None, 10_000, "", [1.35, 1.18, 0.9]),
    ("question", 336, None, 10_000, "answered", [0.72, 1.04, 0.9]),
    ("question", 337, 72, 10_000, "pending", [1.35, 1.12, 0.9]),
    ("question", 337, 71, 10_000, "pending", [1.35, 0.94, 0.9]),
    ("question", 337, 72, 10_000, "resolved", [0.72, 0.94, 0.9]),
    ("question", 337, None, 18_000, "seed", [0.92, 0.94, 0.9, 0.92, 0.9]),
    ("question", 1, None, 4000, "open", [1.35, 1.18, 1.06, 1.08]),
    ("question", 12, None, 10_000, "open", [1.35, 1.18, 1.08]),
    ("prompt", 24, None, 9000, "", [1.28, 1.12, 0.88]),
    ("prompt", 96, None, 9001, "", [1.12, 0.88]),
    ("prompt", 97, None, 21_999, "", [0.88, 0.86, 0.82]),
    ("prompt", 336, None, 22_000, "", [0.82, 0.82, 0.88, 0.86, 0.82]),
    ("prompt", 1, None, 4000, "", [1.28, 1.12, 1.08, 1.12]),
    ("prompt", 12, None, 10_000, "", [1.28, 1.08]),
    ("repair", 48, None, 8000, "open", [1.38, 1.08, 1.16, 1.08, 0.84, 1.1]),
    ("repair", 168, 72, 8001, "fixed", [1.14, 1.08, 0.95, 0.84, 1.1]),
    ("repair", 169, None, 10_000, "needs_part", [0.84, 1.1]),
    ("repair", 336, None, 24_000, "needs_part", [0.76, 0.8, 0.84, 0.82]),
    ("repair", 1, None, 5000, "needs_part", [1.38, 1.08, 1.16, 1.08, 1.1]),
    ("repair", 12, None, 10_000, "needs_part", [1.38, 1.08]),
    ("witness", 5.9, None, 9000, "", [0.76, 1.06, 0.88, 0.86]),
    ("witness", 6, None, 9000, "", [1.06, 0.88, 0.86]),
    ("witness", 12, None, 5000, "", [1.18, 0.94, 1.12, 0.9, 1.12]),
    ("witness", 240, None, 8999, "", [1.18, 0.94, 1.12]),
    ("witness", 241, None, 9000, "", [1.06, 1.12]),
    ("witness", 720, None, 9000, "", [0.92, 1.06, 1.12]),
    ("oracle", 1, None, 10_000, "", [0.4, 0.72]),
    ("oracle", 23.9, None, 10_000, "", [0.4, 1.12, 1.08]),
    ("oracle", 24, None, 10_000, "", [0.88, 1.12, 1.08]),
    ("oracle", 168, 96, 18_000, "", [1.72, 1.12, 0.9, 1.08]),
    ("oracle", 168, 95, 10_000, "", [0.88, 1.12, 1.08]),
    ("oracle", 250, 240, 10_000, "", [1.72, 1.12, 1.08]),
]


def product(factors: list[float]) -> float:
    total = 1.0
    for factor in factors:
        total *= factor
    return total


@pytest.mark.parametrize(("name", "expected"), ROWS)
def test_every_multiplier_is_as_written_down(name: str, expected: tuple[float, ...]) -> None:
    row = deployment(name).row
    assert expected == (
        row.cooldown,
        row.wear,
        row.anti_repetition_window,
        row.cue_gap,
        row.pause_gap,
        row.room_tone,
        row.overlap_chance,
        row.featured_return,
        row.same_topic,
    )


@pytest.mark.parametrize(("name", "expected"), PICKERS)
def test_every_deployment_offers_its_statuses(name: str, expected: tuple[str, ...]) -> None:
    assert deployment(name).row.statuses == expected


@pytest.mark.parametrize(("name", "age_hours", "unheard_hours", "duration_ms", "status", "factors"), FACTORS)
def test_the_factor_follows_its_table_at_the_edges(
    name: str, age_hours: float, unheard_hours: float | None, duration_ms: int, status: str, factors: list[float]
) -> None:
    facts = take(age_hours=age_hours, unheard_hours=unheard_hours, duration_ms=duration_ms)
    found = deployment(name).factor(standing(facts, NOW, LANES), status)
    assert found == pytest.approx(product(factors))


@given(takes, deployments)
def test_no_factor_exceeds_its_bound(facts: PoolFacts, active: Deployment) -> None:
    assert active.factor(standing(facts, NOW, LANES), facts.status) <= active.factor_bound()


@pytest.mark.parametrize("status", ["", " ", "open", "Unresolved", "pending"])
def test_unresolved_statuses_are_known(status: str) -> None:
    assert deployment("question").resolution(status) is Resolution.UNRESOLVED


@pytest.mark.parametrize("status", ["answered", "resolved", "closed", "complete", "completed", "fixed", "OBSOLETE"])
def test_resolved_statuses_are_known(status: str) -> None:
    assert deployment("question").resolution(status) is Resolution.RESOLVED


def test_any_other_status_is_neither() -> None:
    assert deployment("question").resolution("needs_part") is Resolution.OTHER


@pytest.mark.parametrize(
    ("name", "age_hours", "unheard_hours", "preferred"),
    [
        ("prompt", 240, None, True),
        ("prompt", 240.1, None, False),
        ("repair", 336, None, True),
        ("repair", 336.1, None, False),
        ("witness", 6, None, False),
        ("witness", 6.1, None, True),
        ("oracle", 72, None, True),
        ("oracle", 71.9, None, False),
        ("oracle", 90, 72, True),
        ("oracle", 90, 71.9, False),
    ],
)
def test_a_preference_follows_age_and_absence_at_the_edges(
    name: str, age_hours: float, unheard_hours: float | None, preferred: bool
) -> None:
    facts = take(age_hours=age_hours, unheard_hours=unheard_hours)
    (step,) = deployment(name).preference(Wish(), NOW)
    assert step.admits(facts) is preferred


def test_memory_prefers_nothing() -> None:
    assert deployment("memory").preference(Wish(preferred_topic="garden"), NOW) == ()


def test_a_question_narrows_by_what_the_wish_names() -> None:
    active = deployment("question")
    wanted, any_unresolved = active.preference(Wish(preferred_topic="Garden", preferred_status="Open"), NOW)
    assert wanted == Narrowing(topic="garden", statuses=frozenset({"open"}))
    assert any_unresolved == Narrowing(statuses=active.unresolved)
    assert active.preference(Wish(), NOW) == (any_unresolved,)


def test_a_repair_wants_its_topic_within_fourteen_days() -> None:
    wanted, recent = deployment("repair").preference(Wish(preferred_topic="lamp"), NOW)
    assert wanted == Narrowing(topic="lamp", created_from=NOW - timedelta(days=14))
    assert recent == Narrowing(created_from=NOW - timedelta(days=14))


def test_a_topic_is_compared_without_its_spelling() -> None:
    assert Narrowing(topic="garden gate").admits(take(topic="  Garden  GATE"))


def test_an_unknown_deployment_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'meadow'; known are memory, question, prompt, repair, witness, oracle"):
        find("meadow", DEPLOYMENTS)


def test_a_catalog_without_one_of_the_six_is_refused() -> None:
    rows = dict(DEPLOYMENTS.deployments)
    del rows[DeploymentName.ORACLE]
    with pytest.raises(ValueError, match="no row for oracle"):
        replace(DEPLOYMENTS, deployments=rows)


def test_a_status_cannot_be_both_resolved_and_unresolved() -> None:
    with pytest.raises(ValueError, match="open"):
        DeploymentCatalog(unresolved=("open",), resolved=("open",), deployments=DEPLOYMENTS.deployments)
