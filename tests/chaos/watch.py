"""What the database itself saw of the schedule: triggers of the campaign's own note every slot, run and process."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import psycopg

from core.domain.work import Job
from tests.chaos.stack import SCHEDULERS, Stack, pid_of

ON_DEMAND = frozenset({Job.SWEEP_TOMBSTONES})
"""Also kicked between its slots."""
SLACK_S = 5.0
"""How late a slot may be claimed by a scheduler on a machine that is busy starting its neighbours."""

SETUP = """
CREATE TABLE watch_slot (name text, slot_at timestamptz, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE watch_run (job text, subject text, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE watch_life (name text, role text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION watch_slot() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO watch_slot VALUES (NEW.name, NEW.slot_at); RETURN NULL; END $$;
CREATE FUNCTION watch_run() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO watch_run VALUES (NEW.job, NEW.subject); RETURN NULL; END $$;
CREATE FUNCTION watch_life() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO watch_life VALUES (NEW.name, NEW.role); RETURN NULL; END $$;
CREATE TRIGGER watch_slot AFTER INSERT OR UPDATE ON schedule FOR EACH ROW EXECUTE FUNCTION watch_slot();
CREATE TRIGGER watch_run AFTER UPDATE ON job_run FOR EACH ROW
  WHEN (NEW.began_at IS DISTINCT FROM OLD.began_at) EXECUTE FUNCTION watch_run();
CREATE TRIGGER watch_life AFTER INSERT ON presence FOR EACH ROW EXECUTE FUNCTION watch_life();
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slots:
    """One periodic job: how its slots went. `longest_pause_s` counts only time in which a scheduler lived."""

    job: Job
    every_s: int
    claimed: int
    claimed_twice: int
    missed: int
    begun: int
    reclaimed: int
    longest_pause_s: float

    @property
    def wrong(self) -> list[str]:
        """What contradicts: a slot runs once, a missed one is made up by the next."""
        wrong = [f"{self.job}: {self.claimed_twice} slots were claimed twice"] if self.claimed_twice else []
        if self.job not in ON_DEMAND and self.begun > self.claimed + self.reclaimed:
            wrong.append(f"{self.job}: {self.begun} runs of {self.claimed} slots, {self.reclaimed} of them reclaimed")
        if self.longest_pause_s > self.every_s + SLACK_S:
            wrong.append(f"{self.job}: no slot for {self.longest_pause_s:.1f} s though a scheduler lived")
        return wrong


class Watch:
    """Notes from now on."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._url = stack.database_url.replace("+psycopg", "")
        with psycopg.connect(self._url) as connection:
            connection.execute(SETUP.encode())

    def slots(self, intervals_s: dict[Job, int]) -> list[Slots]:
        """Every periodic job so far."""
        with psycopg.connect(self._url) as connection:
            claims = connection.execute("SELECT name, slot_at, at FROM watch_slot ORDER BY at").fetchall()
            runs = Counter(row[0] for row in connection.execute("SELECT job FROM watch_run WHERE subject = ''"))
            born = connection.execute("SELECT name, at FROM watch_life WHERE role = 'scheduler'").fetchall()
        lives, reclaimed = self._lives(born), self._reclaimed()
        return [
            _slots(job, every_s, [row[1:] for row in claims if row[0] == job], runs[job.value], reclaimed[job], lives)
            for job, every_s in intervals_s.items()
        ]

    def runs(self) -> Counter[str]:
        """How many runs of every job have begun, periodic or not."""
        with psycopg.connect(self._url) as connection:
            return Counter(row[0] for row in connection.execute("SELECT job FROM watch_run"))

    def _lives(self, born: list[tuple[str, datetime]]) -> list[tuple[float, float]]:
        """From the first sign of life of each scheduler to its end, in seconds of the epoch."""
        ended = {pid: at for name in SCHEDULERS for pid, at in self._stack.members[name].ended_at.items()}
        return [(at.timestamp(), ended.get(pid_of(name), float("inf"))) for name, at in born]

    def _reclaimed(self) -> Counter[str]:
        lines = [line for member in self._stack.members.values() for line in member.log_lines()]
        found = (re.search(r'jobs\.reclaimed job="(\w+)"', line) for line in lines)
        return Counter(match.group(1) for match in found if match is not None)


def _slots(
    job: Job,
    every_s: int,
    claims: list[tuple[datetime, datetime]],
    begun: int,
    reclaimed: int,
    lives: list[tuple[float, float]],
) -> Slots:
    slots = sorted(slot_at.timestamp() for slot_at, _ in claims)
    taken_at = sorted(at.timestamp() for _, at in claims)
    between = pairwise(taken_at)
    return Slots(
        job=job,
        every_s=every_s,
        claimed=len(slots),
        claimed_twice=len(slots) - len(set(slots)),
        missed=round((slots[-1] - slots[0]) / every_s) + 1 - len(set(slots)) if slots else 0,
        begun=begun,
        reclaimed=reclaimed,
        longest_pause_s=max((_lived(lives, *pause) for pause in between), default=0.0),
    )


def _lived(lives: list[tuple[float, float]], begin: float, end: float) -> float:
    """The longest stretch between two moments in which one and the same scheduler lived."""
    return max((min(end, death) - max(begin, birth) for birth, death in lives), default=0.0)
