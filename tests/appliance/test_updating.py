"""Changing versions with everything outside faked: what a failure, and what a kill at every single act, leaves."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Refused, Unavailable
from core.services.reserve import Reserve
from memory_ui.appliance.release import Manifest
from memory_ui.appliance.releases import COMPLETE, Change, Link, Releases
from memory_ui.appliance.steps import Outcome, Wanted
from memory_ui.appliance.updating import Updater
from tests.appliance.archives import OLD, archive_of, put_release

NEW = "0.7.0"


class Killed(BaseException):
    """The process ends here, without a word."""


class Machine(Releases):
    """A folder of releases whose node, services and environments are fakes; every act may be the last, or fail."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.running = OLD
        self.schema = "0006"
        self.disk_bytes = 10**12
        self.said: list[str] = []
        self.acts: list[str] = []
        self.kill_at = 0
        self.failing: set[str] = set()
        self.full_from = ""
        self._done = 0

    def act(self, name: str) -> None:
        self._done += 1
        if self._done == self.kill_at:
            raise Killed
        self.acts.append(name)
        if name in self.failing:
            raise Unavailable(f"{name} does not work.")

    def install(self, unpacked: Path, manifest: Manifest) -> None:
        self.act("install")
        folder = self.folder(manifest.version)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / COMPLETE).write_text(manifest.to_text())

    def note(self, change: Change | None) -> None:
        self.act("note")
        if change is not None and self.full_from in self.acts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().note(change)
        self.act("noted")

    def point(self, link: Link, version: str) -> None:
        self.act("point")
        super().point(link, version)

    def begin(self) -> None:
        self.act("begin")

    def start(self) -> None:
        self.act("start")
        self.running = self.named(Link.CURRENT)

    def stop(self) -> None:
        self.act("stop")
        self.running = ""

    def look(self, version: str) -> str:
        self.act(f"look {version}")
        return "nothing is missing"

    def backup(self, version: str) -> str:
        self.act(f"backup {version}")
        return "proven"

    def migrate(self, version: str) -> str:
        self.act(f"migrate {version}")
        assert self.running == ""
        self.schema = "0007"
        return "migrated"

    def trouble(self) -> str | None:
        return "" if self.running else None

    def wait(self, version: str) -> None:
        self.act(f"wait {version}")
        if self.running != version:
            raise Unavailable(f"{version} is not ready.")

    def smoke(self) -> None:
        self.act(f"smoke {self.running}")

    def free_bytes(self) -> int:
        return self.disk_bytes

    def total_bytes(self) -> int:
        return 10**12

    def updater(self) -> Updater:
        reserve = Reserve(self, least_bytes=10**9, share=0.0, copies=1)
        return Updater(self, self, self, self, reserve, self.said.append)

    def reborn(self) -> None:
        self.kill_at, self.failing, self.full_from = 0, set(), ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A node that runs on the old version."""
    made = Machine(tmp_path / "root")
    put_release(made.folder(OLD), OLD)
    made.point(Link.CURRENT, OLD)
    made.acts.clear()
    made._done = 0
    return made


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A release of the new version, and its checksum."""
    return archive_of(tmp_path / "dist", NEW)


def test_a_good_release_is_taken_after_a_copy_and_the_old_one_is_kept(machine: Machine, archive: Path) -> None:
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.DONE
    assert (machine.running, machine.schema, machine.change()) == (NEW, "0007", None)
    assert (machine.named(Link.CURRENT), machine.named(Link.PREVIOUS)) == (NEW, OLD)
    acts = [act for act in machine.acts if act not in ("note", "noted", "point")]
    assert acts == [
        "install", f"look {NEW}", f"backup {OLD}", "stop", f"migrate {NEW}", "begin", "start", f"wait {NEW}",
        f"smoke {NEW}",
    ]  # fmt: skip


@pytest.mark.parametrize("failing", ["install", f"look {NEW}", f"backup {OLD}"])
def test_what_fails_before_the_services_are_stopped_changes_nothing(
    machine: Machine, archive: Path, failing: str
) -> None:
    machine.failing = {failing}
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert (machine.running, machine.named(Link.CURRENT), machine.schema) == (OLD, OLD, "0006")
    assert "stop" not in machine.acts
    assert f"Nothing was changed: {OLD} goes on as it was." in machine.said


@pytest.mark.parametrize("failing", [f"migrate {NEW}", f"wait {NEW}", f"smoke {NEW}"])
def test_what_fails_afterwards_is_taken_back_and_said(machine: Machine, archive: Path, failing: str) -> None:
    machine.failing = {failing}
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert (machine.running, machine.named(Link.CURRENT), machine.named(Link.PREVIOUS)) == (OLD, OLD, "")
    assert machine.change() is None
    assert machine.acts.count(f"smoke {OLD}") == 1
    assert machine.said[-2:] == [
        f"The update from {OLD} to {NEW} has failed: {failing} does not work.",
        f"The node is on {OLD} again, and well.",
    ]


def test_a_disk_that_fills_up_before_the_stop_changes_nothing_and_leaves_nothing_half_installed(
    machine: Machine, archive: Path
) -> None:
    (machine.folder(NEW) / "lib").mkdir(parents=True)
    machine.failing = {"install"}
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert not machine.folder(NEW).exists()
    machine.reborn()
    machine.full_from = "install"
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert (machine.running, machine.change(), "stop" in machine.acts) == (OLD, None, False)
    assert machine.said[-2:] == [
        "Failed: No space left on device.",
        f"Nothing was changed: {OLD} goes on as it was.",
    ]


def test_a_disk_that_fills_up_at_the_stop_keeps_no_node_standing_still(machine: Machine, archive: Path) -> None:
    machine.full_from = "stop"
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert (machine.running, machine.named(Link.CURRENT), machine.change()) == (OLD, OLD, None)
    assert machine.said[-1] == f"The node is on {OLD} again, and well."


def test_where_going_back_fails_too_it_says_what_to_do_and_a_rollback_tries_again(
    machine: Machine, archive: Path
) -> None:
    machine.failing = {f"smoke {NEW}", f"wait {OLD}"}
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.STUCK
    assert any(line.startswith("GOING BACK HAS FAILED") for line in machine.said)
    machine.reborn()
    with pytest.raises(Refused, match="rollback"):
        machine.updater().update(Wanted(archive=archive))
    assert machine.updater().rollback() is Outcome.DONE
    assert (machine.running, machine.change()) == (OLD, None)


def test_a_rollback_goes_to_the_version_before_and_leaves_the_database(machine: Machine, archive: Path) -> None:
    machine.updater().update(Wanted(archive=archive))
    assert machine.updater().rollback() is Outcome.DONE
    assert (machine.running, machine.named(Link.PREVIOUS), machine.schema) == (OLD, NEW, "0007")


def test_without_room_for_it_beside_the_reserve_nothing_is_unpacked(machine: Machine, archive: Path) -> None:
    machine.disk_bytes = 10**9
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert "install" not in machine.acts
    assert any("no room" in line for line in machine.said)


def test_a_changed_archive_is_refused_before_anything(machine: Machine, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() + b"\0")
    assert machine.updater().update(Wanted(archive=archive)) is Outcome.AS_BEFORE
    assert "install" not in machine.acts
    assert any("not whole" in line for line in machine.said)


def test_an_older_version_needs_to_be_meant(machine: Machine, tmp_path: Path) -> None:
    older = archive_of(tmp_path / "dist", "0.5.0")
    assert machine.updater().update(Wanted(archive=older)) is Outcome.AS_BEFORE
    assert machine.updater().update(Wanted(archive=older, allow_older=True)) is Outcome.DONE


def test_a_dry_run_stops_before_the_services_do(machine: Machine, archive: Path) -> None:
    assert machine.updater().update(Wanted(archive=archive, dry_run=True)) is Outcome.DONE
    assert (machine.running, machine.named(Link.CURRENT), machine.change()) == (OLD, OLD, None)
    assert "stop" not in machine.acts


def test_without_a_backup_it_says_so_loudly(machine: Machine, archive: Path) -> None:
    machine.updater().update(Wanted(archive=archive, backup=False))
    assert f"backup {OLD}" not in machine.acts
    assert any("NO BACKUP" in line for line in machine.said)


AGAIN: dict[str, Callable[[Machine, Path], Outcome]] = {
    "again": lambda machine, archive: machine.updater().update(Wanted(archive=archive)),
    "resume": lambda machine, _: machine.updater().resume(),
    "rollback": lambda machine, _: machine.updater().rollback(),
}


@pytest.mark.parametrize("way", AGAIN)
def test_killed_at_any_act_the_next_start_finds_its_way(
    machine: Machine, archive: Path, way: str, tmp_path: Path
) -> None:
    def kill_at(number: int) -> bool:
        each = Machine(tmp_path / f"{way}-{number}")
        each.folder(OLD).mkdir(parents=True)
        (each.folder(OLD) / COMPLETE).write_text((machine.folder(OLD) / COMPLETE).read_text())
        Releases.point(each, Link.CURRENT, OLD)
        each.kill_at = number
        try:
            each.updater().update(Wanted(archive=archive))
        except Killed:
            each.reborn()
        else:
            return False
        # Whoever starts the services now starts a whole version.
        assert each.installed(each.named(Link.CURRENT)) is not None
        interrupted = each.change()
        try:
            AGAIN[way](each, archive)
        except Refused as refused:
            # All had ended but a word: what runs is the new version, and an older one is not there or not asked for.
            assert each.running == NEW or not interrupted, refused
        expected = {"again": {NEW}, "resume": {OLD, NEW}, "rollback": {OLD}}[way]
        if interrupted is not None or way == "again":
            assert each.running in expected, (number, each.acts, each.said)
            assert each.running == each.named(Link.CURRENT)
        assert each.change() is None
        return True

    killed = 0
    while kill_at(killed + 1):
        killed += 1
    assert killed > 25
