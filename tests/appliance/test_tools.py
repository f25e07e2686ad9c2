"""What an update works with outside itself: the commands of a release, and what is read of their last words."""

import os
import secrets
import signal
import subprocess
from pathlib import Path

import pytest

from core.errors import Conflict, Unavailable
from memory_ui.appliance.releases import Link, Releases
from memory_ui.appliance.tools import SERVICES, ReleaseCommands, enabled_services, last_words
from tests.appliance.archives import put_release
from tests.chaos.stack import PROGRAM
from tests.fakes import wait_for
from tests.processes import free_port

STACK = {
    "DATABASE_URL": "postgresql+psycopg://memory:seven-otters@127.0.0.1:1/memory",
    "REDIS_URL": "redis://:seven-otters@127.0.0.1:1/0",
    "MINIO_ENDPOINT": "http://127.0.0.1:1",
    "MINIO_BUCKET": "voices",
    "MINIO_ACCESS_KEY": "memory-engine",
    "MINIO_SECRET_KEY": "seven-otters-under",
    "CODE_KEY": secrets.token_hex(32),
    "TOKEN_KEY": secrets.token_hex(32),
    "OPS_SHARED_SECRET": "seven-otters-under-one",
}
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


def systemctl(folder: Path, enabled: str) -> Path:
    """A stand-in that says which services are enabled, does as asked else, and writes down what that was."""
    program, asked = folder / "systemctl", folder / "asked"
    answers = f'case "$3" in {enabled}) exit 0 ;; *) exit 1 ;; esac'
    program.write_text(f'#!/bin/sh\nif [ "$1 $2" = "is-enabled --quiet" ]; then {answers}; fi\necho "$*" >> {asked}\n')
    program.chmod(0o755)
    return asked


@pytest.mark.parametrize(
    ("enabled", "found"),
    [
        ("|".join(SERVICES), list(SERVICES)),
        ("memory-engine-worker", ["memory-engine-worker"]),
        ("nothing", ["memory-engine"]),
    ],
)
def test_the_services_of_a_machine_are_those_that_it_starts_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: str, found: list[str]
) -> None:
    systemctl(tmp_path, enabled)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert enabled_services() == found


@pytest.mark.parametrize(("settings", "services"), [(STACK, list(SERVICES)), ({}, ["memory-engine"])])
def test_on_the_stack_all_of_them_are_stopped_and_started(
    tmp_path: Path, releases: Releases, settings: dict[str, str], services: list[str]
) -> None:
    asked = systemctl(tmp_path, "|".join(SERVICES))
    for version, link in (("0.7.0", Link.CURRENT), ("0.6.0", Link.PREVIOUS)):
        put_release(releases.folder(version), version)
        releases.point(link, version)
    given = ["--root", str(tmp_path), "--data-dir", str(tmp_path), "--wait", "0"]
    url = f"http://127.0.0.1:{free_port()}"
    ran = subprocess.run(
        [*PROGRAM, "rollback", *given, "--url", url],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    # Nobody answers at that address: it goes back, and that fails, too.
    assert "GOING BACK HAS FAILED, TOO" in ran.stdout, ran.stdout + ran.stderr
    named = " ".join(services)
    acts = [line for line in asked.read_text().splitlines() if not line.startswith("reset-failed")]
    assert acts == [f"stop {named}", f"start {named}"] * 2
    assert (f"Services of this machine: {', '.join(services)}." in ran.stdout) == bool(settings)


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
