"""Machines that are updated for real: archives, environments and processes, with packages that are borrowed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memory_ui.appliance.steps import Step
from tests.engines import Engine
from tests.update.acts import Act, Rehearsal
from tests.update.box import Box
from tests.update.expecting import AGAIN
from tests.update.making import archives
from tests.update.room import Room

pytestmark = pytest.mark.timeout(400)

DISK_MB = 600
NAMES = ("base", "good", "half")
TAKES = {Engine.EMBEDDED: 12, Engine.STACK: 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The archives, by name."""
    return archives(tmp_path_factory.mktemp("archives"), NAMES, whole=False)


@pytest.fixture(scope="module")
def rehearsal(made: dict[str, Path]) -> Iterator[Rehearsal]:
    """A machine of the embedded engine."""
    with begun(made, Engine.EMBEDDED) as started:
        yield started


@contextmanager
def begun(made: dict[str, Path], engine: Engine) -> Iterator[Rehearsal]:
    """A machine on which people have left takes; what the programs said is shown where a test fails."""
    box = Box(DISK_MB, engine)
    try:
        started = Rehearsal(box, Room(box, seed=1), made, seed=1, say=_tell)
        started.begin(TAKES[engine])
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


def test_on_the_stack_all_three_services_go_on_at_the_migration_in_which_the_updater_died(
    made: dict[str, Path],
) -> None:
    with begun(made, Engine.STACK) as stack:
        stack.kills([Step.MIGRATE], [AGAIN], "--no-backup")
        assert wrong(stack) == []
        assert stack.acts[-1].runs[0].struck


def wrong(rehearsal: Rehearsal) -> list[str]:
    """Everything that should not be, so far."""
    return [f"{act.name}: {said}" for act in rehearsal.acts for said in act.wrong]


def _tell(act: Act) -> None:
    print(f"== {act.name}: {act.wrong}")
    for ran in act.runs:
        print("\n".join([f"$ {ran.command}", *(f"{at:6.1f}  {line}" for at, line in ran.lines), f"= {ran.status}"]))
