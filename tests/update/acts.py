"""What is done to the machine, and how it has to end."""

import hashlib
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx

from memory_ui.appliance.releases import Link
from memory_ui.appliance.steps import Step
from tests.update import disk
from tests.update.box import Blow, Box, Ran, cut_power, kill_updater
from tests.update.expecting import RESUME, ROLLBACK, WAYS, announcement, expected, took
from tests.update.making import COLUMN, TABLE, later_revision, planted_versions
from tests.update.room import Room

BLOWS = {"the updater killed": kill_updater, "everything killed": cut_power}
BACK = ("stop what", "let `current`", "start the", "wait until", "record, play")
"""What going back says before each of its acts."""
UNDER_WAY = ("Another update is under way", "This is under way already")
PATIENCE_S = 400.0
"""A backup whose process was killed counts as ended after five minutes."""
BUT_BYTES = 1 << 20
HUGE_GB = 1_000_000


@dataclass(kw_only=True, slots=True)
class Act:
    """One thing that was done, what the programs said, and every sentence about something that should not be."""

    name: str
    kind: str
    runs: list[Ran] = field(default_factory=list)
    step: str = ""
    blow: str = ""
    way: str = ""
    version: str = ""
    takes: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, complaint: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(complaint)


class Rehearsal:
    """One machine, its room, and the archives by name. Every act leaves the machine on the version it says.

    `ways_most` of the ways of going on are tried at each kill, chosen by the seed.
    """

    def __init__(
        self,
        box: Box,
        room: Room,
        archives: dict[str, Path],
        *,
        seed: int,
        say: Callable[[Act], None],
        ways_most: int = len(WAYS),
    ) -> None:
        self.acts: list[Act] = []
        self._box = box
        self._room = room
        self._archives = archives
        self._versions = {name: planted.version for name, planted in planted_versions().items()}
        self._rng = random.Random(seed)
        self._say = say
        self._ways_most = ways_most
        self._took: dict[str, float] = {}
        self._numbers = count()

    def begin(self, takes: int) -> None:
        """Install the first version from its archive, start it, and have people leave voices."""
        act = Act(name=f"{self._versions['base']} is installed, and {takes} takes are left", kind="install")
        began = time.monotonic()
        act.runs = [self._box.install(self._archives["base"])]
        found = self._box.power()
        act.expect(found == self._versions["base"], f"{found or 'nothing'} answers after the installation")
        self._room.populate(takes)
        self._end(act, "base", began)

    def damaged(self) -> None:
        """An archive with one wrong bit: told by its checksum, and told by its manifest where the checksum fits it."""
        for name, fits in (
            ("an archive that was damaged on its way", False),
            ("the same with a checksum made of it", True),
        ):
            archive = self._box.folder / self._archives["good"].name
            content = bytearray(self._archives["good"].read_bytes())
            content[len(content) // 2] ^= 1
            archive.write_bytes(content)
            digest = hashlib.sha256(content if fits else self._archives["good"].read_bytes()).hexdigest()
            archive.with_name(f"{archive.name}.sha256").write_text(f"{digest}  {archive.name}\n")
            self._refused(name, "damaged", lambda archive=archive: self._box.update(str(archive)))  # type: ignore[misc]
            archive.unlink()

    def no_room(self) -> None:
        """A disk on which the release does not fit beside the reserve."""
        if not self._box.own_disk:
            huge = {"DISK_RESERVE_GB": HUGE_GB}
            self._refused("a disk without room", "full", lambda: self._box.update(str(self._archives["good"]), **huge))
            return
        disk.fill(self._box.root, but_bytes=BUT_BYTES)
        self._refused("a disk without room", "full", lambda: self._box.update(str(self._archives["good"])))
        disk.clear(self._box.root)

    def filling(self, step: Step) -> None:
        """A disk that something else fills up after it was found to have room."""
        if not self._box.own_disk:
            return
        self.reset(forget=True)
        name, blow = f"a disk that is filled up at `{step}`", Blow(at=announcement(step), act=_fill)
        if step is Step.UNPACK:
            self._refused(name, "full", lambda: self._box.update(str(self._archives["good"]), blow=blow))
        else:
            self._taken_back(name, "full", "good", blow)
        disk.clear(self._box.root)
        self._box.forget(self._versions["good"])

    def half(self, *arguments: str) -> None:
        """A release whose migration fails midway: the schema is what it was."""
        before = self._box.schema
        act = self._taken_back("a migration that fails midway", "half", "half", None, *arguments)
        act.expect(self._box.schema == before, f"the schema was {before} and is {self._box.schema}")

    def mute(self, *arguments: str) -> None:
        """A release that starts, says that it is ready, and takes nothing in."""
        self._taken_back("a version that takes nothing in", "mute", "mute", None, *arguments)

    def idle(self, *arguments: str) -> None:
        """A release whose worker dies as it starts, while everything else of it works."""
        act = self._taken_back("a version whose worker does not live", "idle", "idle", None, *arguments)
        act.expect("worker not heard of since the start" in act.runs[0].said, "it does not say what is wrong")

    def good(self, *, whole: bool) -> None:
        """A release that works; how long each step takes is remembered."""
        self.reset(forget=True)
        act, began = Act(name="a good release", kind="good"), time.monotonic()
        with self._room.visited():
            act.runs = [self._box.update(str(self._archives["good"]))]
        self._took = took(act.runs[0])
        act.expect(act.runs[0].status == 0, f"it ended with {act.runs[0].status}")
        act.expect(self._box.schema[0] == later_revision(), f"the schema is {self._box.schema[0]}")
        if whole:
            site = httpx.get(f"{self._box.url}/docs/").status_code
            act.expect(site == 200, f"/docs/ answers {site}")
        self._end(act, "good", began)

    def back(self) -> None:
        """A rollback after it: the older version on the newer schema."""
        act, began = Act(name="a rollback, on the newer schema", kind="back"), time.monotonic()
        with self._room.visited():
            act.runs = [self._box.rollback()]
        act.expect(act.runs[0].status == 0, f"it ended with {act.runs[0].status}")
        act.expect(self._box.schema[0] == later_revision(), f"the schema is {self._box.schema[0]}")
        self._end(act, "base", began)

    def kills(self, steps: Sequence[Step], ways: Sequence[str], *arguments: str) -> None:
        """An update to the good release, ended at a moment of each step and gone on with in each way."""
        for step in steps:
            for way in self._chosen(ways):
                self.reset(forget=step in (Step.CHECK, Step.UNPACK))
                self._killed(
                    "good",
                    step.value,
                    announcement(step),
                    way,
                    lambda blow: self._box.update(str(self._archives["good"]), *arguments, blow=blow),
                )

    def kills_back(self, acts: Sequence[str], ways: Sequence[str]) -> None:
        """An update that fails, ended at a moment of each act of going back."""
        for told in acts:
            for way in self._chosen(ways):
                self.reset()
                self._killed(
                    "mute",
                    f"back: {told}",
                    f"  back: {told}",
                    way,
                    lambda blow: self._box.update(str(self._archives["mute"]), blow=blow),
                )

    def kills_rollback(self, steps: Sequence[Step], ways: Sequence[str]) -> None:
        """A rollback, ended at a moment of each step."""
        for step in steps:
            for way in self._chosen(ways):
                self.reset()
                self._box.update(str(self._archives["good"]), "--no-backup")
                self._killed(
                    "good", f"rollback, {step}", announcement(step), way, lambda blow: self._box.rollback(blow=blow)
                )

    def _chosen(self, ways: Sequence[str]) -> list[str]:
        chosen = self._rng.sample(ways, min(len(ways), self._ways_most))
        return [way for way in ways if way in chosen]

    def reset(self, *, forget: bool = False) -> None:
        """The first version on its own schema again, and no other one named; everything that was left stays."""
        box, base = self._box, self._versions["base"]
        if box.releases.named(Link.CURRENT) != base:
            box.rollback()
        box.releases.unpoint(Link.PREVIOUS)
        if forget:
            box.forget(self._versions["good"])
        if past := [*self._older_schema(), *self._backups_given_up()]:
            box.keep("stop")
            box.change_database(*past)
        if (found := box.power()) != base:
            raise RuntimeError(f"{found or 'nothing'} answers where {base} should:\n{box.log()}")

    def _older_schema(self) -> list[str]:
        if self._box.schema[0] != later_revision():
            return []
        number = f"UPDATE alembic_version SET version_num = '{int(later_revision()) - 1:04d}'"
        return [f"DROP TABLE {TABLE}", f"ALTER TABLE artifact DROP COLUMN {COLUMN}", number]

    def _backups_given_up(self) -> list[str]:
        """As though the minutes had passed in which a backup that was killed might still be at work."""
        if not self._box.query("SELECT id FROM report WHERE state = 'running'"):
            return []
        return ["UPDATE report SET state = 'failed', ended_at = seen_at WHERE state = 'running'"]

    def _killed(self, release: str, step: str, at: str, way: str, run: Callable[[Blow], Ran]) -> None:
        blow = list(BLOWS)[next(self._numbers) % len(BLOWS)]
        after_s = self._rng.uniform(0, self._took.get(step.removeprefix("rollback, "), 0.0))
        act = Act(name=f"{blow} at `{step}`, then {way}", kind="killed", step=step, blow=blow, way=way)
        began, box = time.monotonic(), self._box
        with self._room.visited():
            act.runs = [run(Blow(at=at, after_s=after_s, act=BLOWS[blow]))]
            fell = any(line.startswith(at) for _, line in act.runs[0].lines)
            act.expect(fell, "it ended before it could be killed")
            change, named, previous = (
                box.releases.change(),
                box.releases.named(Link.CURRENT),
                box.releases.named(Link.PREVIOUS),
            )
            act.expect(box.releases.installed(named) is not None, f"`current` names {named}, which is not whole")
            if BLOWS[blow] is cut_power:
                # What a machine does that has power again: whatever `current` names has to run.
                found = box.power()
                act.expect(found == named, f"{found or 'nothing'} answers after the power came back, not {named}")
            version, status = expected(way, change, named, previous, self._versions["base"], self._versions[release])
            act.runs.append(self._go_on(way, release))
        act.expect(act.runs[-1].status == status, f"{way} ended with {act.runs[-1].status}, not {status}")
        allowed = "500" if release == "mute" else ""
        self._end(act, "base" if version == self._versions["base"] else release, began, allowed=allowed)

    def _go_on(self, way: str, release: str) -> Ran:
        until = time.monotonic() + PATIENCE_S
        while True:
            if way == ROLLBACK:
                ran = self._box.rollback()
            else:
                ran = self._box.update("--resume" if way == RESUME else str(self._archives[release]))
            if not any(said in ran.said for said in UNDER_WAY) or time.monotonic() > until:
                return ran
            # As it says: what a killed updater has started is waited for.
            time.sleep(2)

    def _refused(self, name: str, kind: str, run: Callable[[], Ran]) -> None:
        """Nothing of the running node is touched."""
        act, began, pids = Act(name=name, kind=kind), time.monotonic(), self._box.pids
        with self._room.visited():
            act.runs = [run()]
        act.expect(act.runs[0].status == 1, f"it ended with {act.runs[0].status}")
        act.expect(self._box.running and self._box.pids == pids, "the node was touched")
        act.expect("goes on as it was" in act.runs[0].said, "it does not say that nothing was changed")
        act.expect(not self._box.releases.incoming.exists(), "what was unpacked lies there still")
        self._end(act, "base", began)

    def _taken_back(self, name: str, kind: str, release: str, blow: Blow | None, *arguments: str) -> Act:
        act, began = Act(name=name, kind=kind), time.monotonic()
        with self._room.visited():
            act.runs = [self._box.update(str(self._archives[release]), *arguments, blow=blow)]
        act.expect(act.runs[0].status == 1, f"it ended with {act.runs[0].status}")
        act.expect("again, and well" in act.runs[0].said, "it does not say that the node is well")
        self._end(act, "base", began, allowed="500" if release == "mute" else "")
        return act

    def _end(self, act: Act, release: str, began: float, *, allowed: str = "") -> None:
        act.version = self._versions[release]
        act.expect(not any(ran.leaked for ran in act.runs), "it says a secret")
        act.wrong += self._room.judge(act.version, allowed=allowed)
        act.takes, act.seconds = len(self._room.record.kept()), round(time.monotonic() - began, 1)
        self.acts.append(act)
        self._say(act)


def _fill(box: Box, process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGSTOP)
    disk.fill(box.root)
    process.send_signal(signal.SIGCONT)
