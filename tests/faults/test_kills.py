"""Kill -9 of the whole server at every step of everything a participant can do, and what must hold afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.driver import Driver
from tests.faults.harness import Nursery
from tests.faults.scenarios import BY_NAME
from tests.faults.whole import crowd

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


def _deaths(nursery: Nursery, name: str, folder: Path, *, step: int = 1) -> tuple[list[str], list[str]]:
    """Where servers died, and everything that was wrong afterwards.

    With a `step` only every so-manieth point: what is left out, the campaign dies at.
    """
    died: list[str] = []
    wrong: list[str] = []
    for outcome in Driver(nursery, BY_NAME[name], folder).every_death(step=step):
        died += outcome.died
        wrong += [f"after {' and '.join(outcome.died) or 'no death'}: {sentence}" for sentence in outcome.wrong]
    return died, wrong


@pytest.mark.parametrize("name", ["upload ROOM", "upload NOSAVE"])
def test_an_upload_survives_a_death_at_each_of_its_steps(nursery: Nursery, tmp_path: Path, name: str) -> None:
    died, wrong = _deaths(nursery, name, tmp_path)
    assert {"file half written", "before os.replace", "after store.put", "before commit", "after commit"} <= set(died)
    # Reserve and adopt; of a take that is kept also the beginning, the result and the end of its measurement.
    assert died.count("before commit") == {"upload ROOM": 5, "upload NOSAVE": 2}[name]
    assert wrong == []


def test_an_upload_that_nobody_repeats_leaves_all_of_itself_or_nothing(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "upload FOSSIL, never repeated", tmp_path, step=2)
    assert len(died) > 5
    assert wrong == []


def test_a_revocation_is_wholly_done_or_wholly_undone_at_each_of_its_steps(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "revoke", tmp_path)
    assert {"before os.unlink", "after store.delete", "before commit", "after commit"} <= set(died)
    assert wrong == []


def test_a_revocation_that_nobody_repeats_is_finished_by_the_sweep(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "revoke, never repeated", tmp_path, step=3)
    assert len(died) > 3
    assert wrong == []


def test_a_one_time_take_is_never_heard_twice_wherever_its_hearing_breaks_off(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "play once", tmp_path)
    assert {"before commit", "before sending start", "after sending body", "before os.unlink"} <= set(died)
    assert wrong == []


def test_a_one_time_take_disposed_of_stays_so_wherever_that_breaks_off(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "consume", tmp_path, step=2)
    assert len(died) > 5
    assert wrong == []


def test_a_hearing_is_counted_once_for_its_grant_wherever_it_breaks_off(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "heard", tmp_path)
    assert {"before commit", "after commit"} <= set(died)
    assert wrong == []


def test_expiry_is_finished_wherever_it_breaks_off(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "expiry", tmp_path, step=4)
    assert len(died) > 6
    assert wrong == []


def test_a_node_starts_again_after_a_death_in_its_first_start(nursery: Nursery, tmp_path: Path) -> None:
    died, wrong = _deaths(nursery, "first start", tmp_path, step=4)
    assert len(died) > 6
    assert wrong == []


def test_takes_sent_at_once_survive_deaths_at_chosen_moments(nursery: Nursery, tmp_path: Path) -> None:
    assert crowd(nursery, tmp_path, seed=1, lives=4) == []


@pytest.mark.parametrize(
    ("broken", "name", "first", "notice"),
    [
        ("adopts_before_putting", "upload ROOM", 0, "row without file"),
        ("reserves_nothing", "upload FOSSIL, never repeated", 0, "file without row"),
        ("buries_nothing", "revoke", 0, "file without row"),
        ("claims_nothing", "play once", 0, "heard 2 times"),
        ("forgets_keys", "upload ROOM", 8, "not exactly one take"),
        ("forgets_keys", "heard", 0, "2 plays for one grant"),
    ],
)
def test_the_checks_notice_a_law_that_was_taken_out(
    nursery: Nursery, tmp_path: Path, broken: str, name: str, first: int, notice: str
) -> None:
    for outcome in Driver(nursery, BY_NAME[name], tmp_path, broken=broken).every_death(first=first):
        if any(notice in sentence for sentence in outcome.wrong):
            return
    pytest.fail(f"nothing was noticed of {broken}")
