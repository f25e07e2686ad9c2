"""A machine that is updated for real: archives, environments and processes, with packages that are borrowed."""

from collections.abc import Iterator

import pytest

from memory_ui.appliance.steps import Step
from tests.update.acts import Act, Rehearsal
from tests.update.box import Box
from tests.update.expecting import AGAIN
from tests.update.making import archives
from tests.update.room import Room

pytestmark = pytest.mark.timeout(400)

DISK_MB = 600
NAMES = ("base", "good", "half")
TAKES = 12


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A machine on which people have left takes; what the programs said is shown where a test fails."""
    made = archives(tmp_path_factory.mktemp("archives"), NAMES, whole=False)
    box = Box(DISK_MB)
    try:
        started = Rehearsal(box, Room(box, seed=1), made, seed=1, say=_tell)
        started.begin(TAKES)
        yield started
    finally:
        box.remove()


def test_what_cannot_be_installed_is_refused_and_the_node_is_not_touched(rehearsal: Rehearsal) -> None:
    rehearsal.damaged()
    rehearsal.no_room()
    rehearsal.filling(Step.UNPACK)
    assert wrong(rehearsal) == []


def test_a_migration_that_fails_midway_is_taken_back_with_all_it_has_done(rehearsal: Rehearsal) -> None:
    rehearsal.half("--no-backup")
    assert wrong(rehearsal) == []


def test_when_the_power_goes_in_the_migration_the_same_command_again_goes_on(rehearsal: Rehearsal) -> None:
    rehearsal.kills([Step.MIGRATE], [AGAIN], "--no-backup")
    assert wrong(rehearsal) == []
    assert rehearsal.acts[-1].runs[0].struck


def wrong(rehearsal: Rehearsal) -> list[str]:
    """Everything that should not be, so far."""
    return [f"{act.name}: {said}" for act in rehearsal.acts for said in act.wrong]


def _tell(act: Act) -> None:
    print(f"== {act.name}: {act.wrong}")
    for ran in act.runs:
        print("\n".join([f"$ {ran.command}", *(f"{at:6.1f}  {line}" for at, line in ran.lines), f"= {ran.status}"]))
