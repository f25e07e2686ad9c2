"""What an update works with outside itself: the commands of a release, and what is read of their last words."""

import os
import signal
from pathlib import Path

import pytest

from core.errors import Conflict, Unavailable
from memory_ui.appliance.releases import Releases
from memory_ui.appliance.tools import ReleaseCommands, enabled_services, last_words
from tests.fakes import wait_for

TRACEBACK = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: nowhere
[SQL: INSERT INTO nowhere VALUES (1)]
(Background on this error at: https://sqlalche.me/e/21/e3q8)"""


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """A folder of releases with one whose program looks for the update's lock among what it was handed."""
    made = Releases(tmp_path)
    program(made, "ls -l /proc/self/fd | grep -c update.lock || true")
    return made


def program(releases: Releases, does: str) -> None:
    """What `memory-engine` of 0.7.0 does from now on, as a shell has it."""
    path = releases.folder("0.7.0") / "bin" / "memory-engine"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (TRACEBACK, "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: nowhere"),
        ("look\nmemory-engine: This cannot be.", "memory-engine: This cannot be."),
        ("Killed\n", "Killed"),
        ("", ""),
    ],
)
def test_of_a_failed_command_the_line_is_told_that_says_why(said: str, last: str) -> None:
    assert last_words(said) == last


def test_a_failed_command_is_told_with_its_last_words(releases: Releases, tmp_path: Path) -> None:
    program(releases, "echo 'memory-engine: no room'; exit 3")
    with pytest.raises(Unavailable, match="memory-engine migrate ended with 3: memory-engine: no room"):
        ReleaseCommands(releases, {}, tmp_path).migrate("0.7.0")


def test_the_lock_of_an_update_is_lent_to_the_commands_it_starts(releases: Releases, tmp_path: Path) -> None:
    commands = ReleaseCommands(releases, {"PATH": "/usr/bin:/bin"}, tmp_path)
    assert commands.migrate("0.7.0") == "0"
    with releases.alone():
        assert commands.migrate("0.7.0") == "1"
    assert commands.migrate("0.7.0") == "0"


def test_another_update_waits_until_what_a_killed_one_has_started_is_over(releases: Releases, tmp_path: Path) -> None:
    program(releases, "sleep 60 >/dev/null 2>&1 & echo $!")
    commands = ReleaseCommands(releases, {"PATH": "/usr/bin:/bin"}, tmp_path)
    with releases.alone():
        left_running = int(commands.backup("0.7.0"))
    try:
        with pytest.raises(Conflict, match="what one that was ended has started"), Releases(releases.root).alone():
            pass
    finally:
        os.kill(left_running, signal.SIGKILL)
    wait_for(lambda: free(releases))


@pytest.mark.parametrize(
    ("enabled", "found"),
    [
        ("memory-engine|memory-engine-worker|memory-engine-scheduler", None),
        ("memory-engine-worker", ["memory-engine-worker"]),
        ("nothing", ["memory-engine"]),
    ],
)
def test_the_services_of_a_machine_are_those_that_it_starts_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: str, found: list[str] | None
) -> None:
    system = tmp_path / "systemctl"
    system.write_text(
        f'#!/bin/sh\ncase "$1 $2 $3" in "is-enabled --quiet "*) ;; *) exit 1 ;; esac\n'
        f'case "$3" in {enabled}) exit 0 ;; *) exit 1 ;; esac\n'
    )
    system.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert enabled_services() == (found or enabled.split("|"))


def test_without_systemd_the_node_alone_is_taken_to_be_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert enabled_services() == ["memory-engine"]


def free(releases: Releases) -> bool:
    """Whether an update may begin."""
    try:
        with releases.alone():
            return True
    except Conflict:
        return False
