"""A short part of the campaign over the services, and proof that its judge notices a law that was taken out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines import Engine, Ground
from tests.faults.lives import CARE_S, History, Plan, Warm

pytestmark = pytest.mark.timeout(300)

# By seed and lot elsewhere; here each deed once, in the middle of what it does.
DEATHS = (
    Plan(deed="intake ROOM", number=1, kill_at=12),
    Plan(deed="one-time play", number=2, kill_at=9),
    Plan(deed="revoke", number=3, kill_at=14, refuses=("delete",)),
    Plan(deed="narrow", number=4, kill_at=9, waits_s=1_200.0),
    Plan(deed="derive", number=5, kill_at=20),
    Plan(deed="expire", number=6, kill_at=13),
    Plan(deed="restore", number=7, kill_at=60, waits_s=CARE_S),
    Plan(deed="removal", number=8, after_ms=15.0, waits_s=CARE_S),
)


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm() as warm:
        yield warm


@pytest.fixture
def history(warm: Warm, ground: Ground, tmp_path: Path) -> History:
    return History(warm=warm, ground=ground, folder=tmp_path)


def test_a_node_that_dies_in_the_middle_of_everything_keeps_what_it_was_told(history: History) -> None:
    outcomes = [history.live(plan) for plan in DEATHS]
    assert sum(bool(outcome.died) for outcome in outcomes) >= len(DEATHS) - 1
    outcomes += [history.live(Plan(deed="end", number=0, waits_s=CARE_S))]
    assert [sentence for outcome in outcomes for sentence in outcome.wrong] == []


@pytest.mark.engine(Engine.EMBEDDED)
def test_the_same_deed_passes_the_same_points(history: History) -> None:
    plan = Plan(deed="intake FOSSIL", number=2)
    _folders_are_made, *again = [history.live(plan, judged=False).points for _ in range(3)]
    assert again[0] == again[1]


@pytest.mark.engine(Engine.EMBEDDED)
@pytest.mark.parametrize(
    ("broken", "deed", "dies", "notice"),
    [
        ("writes_no_ledger", "revoke", "", "the ledger does not say so"),
        ("writes_after_the_commit", "revoke", "after commit", "the ledger does not say so"),
        ("narrows_in_words_only", "narrow", "", "narrowed"),
        ("buries_nothing", "removal", "", "bytes without a row or a tombstone"),
        ("reserves_nothing", "intake ROOM", "after store.put", "bytes without a row or a tombstone"),
        ("believes_the_store", "revoke", "", "bytes of what was told to be over"),
        ("never_compares", "start", "", "in the ledger"),
    ],
)
def test_the_judge_notices_a_law_that_was_taken_out(
    history: History, broken: str, deed: str, dies: str, notice: str
) -> None:
    loses = ("delete",) if broken == "believes_the_store" else ()
    plan = Plan(deed=deed, number=2, broken=broken, loses=loses)
    passed = history.live(plan, judged=False).points
    if dies:
        assert history.live(replace(plan, kill_at=passed.index(dies)), judged=False).died
    wrong = history.live(Plan(deed="ledger", number=1, broken=broken, waits_s=CARE_S)).wrong
    assert any(notice in sentence for sentence in wrong), wrong
