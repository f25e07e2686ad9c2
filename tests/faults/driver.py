"""One case: prepare, die at a point, perhaps die again, live, judge."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.acts import Memo, Scenario
from tests.faults.harness import (
    Answer,
    Life,
    Nursery,
    Server,
    broken_custody,
    copied,
)

MOST_POINTS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """`died` names the points at which servers died, in order; `passed` counts those the first one passed."""

    died: tuple[str, ...]
    passed: int
    wrong: tuple[str, ...]


class Driver:
    """Drives one scenario through as many deaths as wanted, each on a copy of the same prepared node."""

    def __init__(
        self, nursery: Nursery, scenario: Scenario, folder: Path, *, broken: str = "", fine: bool = False
    ) -> None:
        self._nursery = nursery
        self._scenario = scenario
        self._folder = folder
        self._life = Life(
            broken=broken, fine=fine, settings=scenario.settings, armed_from_birth=scenario.armed_from_birth
        )
        self._memo: Memo = {}
        self._prepared = folder / "prepared" / "data"
        self._prepare()

    def _prepare(self) -> None:
        self._prepared.mkdir(parents=True)
        if self._scenario.armed_from_birth:
            return
        with self._nursery.server(self._prepared, replace(self._life, broken="")) as server:
            self._memo = self._scenario.prepare(server) if server.calm() else {}
            server.end(politely=True)
        time.sleep(self._scenario.rest_s)

    def every_death(self, *, first: int = 0, step: int = 1) -> Iterator[Outcome]:
        """Die at point `first`, then each `step` later, until the scenario is through before its point has come."""
        for kill_at in range(first, MOST_POINTS, step):
            outcome = self.deaths(kill_at)
            yield outcome
            if not outcome.died:
                return
        raise AssertionError("this never ends")

    def deaths(self, *kill_at: int) -> Outcome:
        """One server after another dies at its point; the last one lives and is judged."""
        case = self._folder / "case"
        data_dir = copied(self._prepared, case)
        log: list[Answer] = []
        died: list[str] = []
        wrong: list[str] = []
        passed = 0
        for number, point in enumerate(kill_at):
            label, points = self._die(data_dir, point, log, acts=number == 0 or self._scenario.retried)
            passed = passed or points
            died += [label] if label else []
            wrong += self._scenario.at_rest(data_dir, self._memo, log) if (data_dir / "memory.db").exists() else []
        wrong += self._live(data_dir, log)
        log_file = case / "log"
        wrong += [line for line in log_file.read_text().splitlines() if "Traceback" in line or " error " in line]
        shutil.rmtree(case)
        return Outcome(died=tuple(died), passed=passed, wrong=tuple(wrong))

    def _die(self, data_dir: Path, point: int, log: list[Answer], *, acts: bool) -> tuple[str, int]:
        with self._nursery.server(data_dir, replace(self._life, kill_at=point)) as server:
            if acts:
                log.append(self._scenario.act(server, self._memo))
            if server.calm():
                return "", len(server.points)
            server.end(killed_itself=True)
            return server.points[-1], len(server.points)

    def _live(self, data_dir: Path, log: list[Answer]) -> list[str]:
        scenario, memo = self._scenario, self._memo
        with self._nursery.server(data_dir, replace(self._life, scheduled=True, armed_from_birth=False)) as server:
            if scenario.retried:
                log.append(scenario.act(server, memo))
            wrong = scenario.judge(server, data_dir, memo, log)
            wrong += self._later(server, data_dir)
            if scenario.later is not None and not wrong:
                wrong += scenario.later(server, data_dir, memo, log)
                wrong += broken_custody(data_dir)
        return wrong

    def _later(self, server: Server, data_dir: Path) -> list[str]:
        server.calm()
        self._nursery.sweep_later(data_dir, self._scenario.settings)
        return broken_custody(data_dir)
