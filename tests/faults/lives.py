"""One node's history through many deaths: each life is the successor of the one before, and judges what it finds."""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pyrage import x25519

from core.adapters import sealing
from tests.engines import Ground
from tests.faults.harness import REPOSITORY
from tests.faults.promises import Promises

IDENTITY = sealing.new_identity()
"""A recipient's key opens copies at once; a passphrase would take a second on purpose, every time."""
SETTINGS: dict[str, Any] = {
    "LOG_LEVEL": "WARNING",
    "BACKUP_RECIPIENTS": str(x25519.Identity.from_str(IDENTITY).to_public()),
}
MOMENT = "at any moment"
CLAIM_S = 150.0
"""A sweep that was killed holds what it had claimed for two minutes."""
CARE_S = 400.0
"""Long work that was killed keeps others of its kind from beginning for five minutes."""
RESTED_S = 1_200.0
"""What a store refused rests for a quarter of an hour at most."""
RESERVED_S = 7_800.0
"""Past every reservation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How one life is to go: `before` are deeds nobody dies in; without a point (by number, or the first of a name) and
    a moment it lives."""

    deed: str
    number: int
    before: tuple[tuple[str, int], ...] = ()
    kill_at: int | None = None
    kill_on: str = ""
    after_ms: float | None = None
    refuses: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    waits_s: float = CLAIM_S
    broken: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """`died` names the point, and is empty where it lived, having taken `ms`; `wrong` is what it found of its
    predecessors' doing."""

    died: str
    points: tuple[str, ...]
    ms: float
    wrong: tuple[str, ...]


class Warm:
    """A process that has imported everything and forks lives."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.service"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def live(self, given: dict[str, Any]) -> int:
        """One life; how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        code: int = json.loads(self._process.stdout.readline())["code"]
        return code


@dataclass(kw_only=True, slots=True)
class History:
    """A node and everything that was told about it."""

    warm: Warm
    ground: Ground
    folder: Path
    promises: Promises = field(default_factory=Promises)
    lives: int = 0

    def live(self, plan: Plan, *, judged: bool = True) -> Outcome:
        """One more life."""
        self.promises.ahead_s += plan.waits_s
        journal, trace, log = (self.folder / name for name in ("journal", "trace", "log"))
        for path in (journal, trace, log):
            path.unlink(missing_ok=True)
        given = {
            "settings": {**SETTINGS, **self.ground.settings, "MEMORY_DATA_DIR": str(self.ground.folder)},
            "journal": str(journal),
            "trace": str(trace),
            "log": str(log),
            "promises": self.promises.to_json(),
            "judge": judged,
            "before": plan.before,
            "deed": plan.deed,
            "number": plan.number,
            "kill_at": plan.kill_at,
            "kill_on": plan.kill_on,
            "after_ms": plan.after_ms,
            "refuses": plan.refuses,
            "loses": plan.loses,
            "broken": plan.broken,
            "identity": IDENTITY,
        }
        code = self.warm.live(given)
        self.lives += 1
        events = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
        for event in events:
            self.promises.apply(event)
        points = tuple(trace.read_text().splitlines()) if trace.exists() else ()
        wrong = [event["what"] for event in events if event["e"] == "wrong"]
        if code not in (0, -signal.SIGKILL):
            wrong.append(f"ended with {code}: {log.read_text()[-1500:]}")
        died = _where(plan, points) if code == -signal.SIGKILL else ""
        ms = sum(event["ms"] for event in events if event["e"] == "done")
        return Outcome(died=died, points=points, ms=ms, wrong=tuple(wrong))

    def close(self, rng: random.Random) -> list[str]:
        """Past every reservation, then past every promise: what is wrong, and what is left."""
        wrong = list(self.live(Plan(deed="sweep", number=rng.randrange(100), waits_s=RESERVED_S)).wrong)
        return wrong + list(self.live(Plan(deed="end", number=0, waits_s=RESERVED_S)).wrong)


def _where(plan: Plan, points: tuple[str, ...]) -> str:
    return MOMENT if plan.after_ms is not None else points[-1]
