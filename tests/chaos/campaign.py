"""A storm, chosen by a seed: `python -m tests.chaos.campaign --seconds 120 --seed 7`.

Two web instances behind Caddy, two workers and two schedulers serve clients while processes are killed and restarted
at random, one or both of a kind; Redis is killed and emptied twice, PostgreSQL is killed once, and the store refuses,
hangs or fails for seconds. Then everything is healed, the node settles, and the laws are put to the test. Prints
what happened; `--report` writes it to `docs/evidence`. Exit status 1 where a law was broken.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import redis

from jobs.broker import STREAM
from tests.chaos.laws import Judge, LaterClock, Law, Settling
from tests.chaos.load import Load
from tests.chaos.report import markdown, said
from tests.chaos.stack import KINDS, SCHEDULERS, Stack
from tests.chaos.watch import Slots, Watch
from tests.proxy import Fault

FAULTS = (
    (Fault.REFUSE, ()),
    (Fault.HANG, ()),
    (Fault.ERROR, ()),
    (Fault.ERROR, ("PUT",)),
    (Fault.HANG, ("PUT",)),
    (Fault.LOST, ("PUT",)),
    (Fault.HANG, ("GET",)),
    (Fault.ERROR, ("DELETE",)),
    (Fault.HANG, ("DELETE",)),
)
LOOK_S = 0.1
SETTLE_S = 150.0
"""A sweep that was killed holds what it had claimed for two minutes."""


@dataclass(slots=True)
class Outcome:
    """Everything a campaign found out."""

    seconds: float
    seed: int
    events: dict[str, int] = field(default_factory=dict)
    laws: list[Law] = field(default_factory=list)
    slots: list[Slots] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    custody: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    log_lines: dict[str, int] = field(default_factory=dict)
    slowest_s: float = 0.0
    settled_s: float = 0.0
    owed: dict[str, int] = field(default_factory=dict)
    swept_later: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Every sentence about something that should not be."""
        found = [f"{law.sentence}: {complaint}" for law in self.laws for complaint in law.wrong]
        found += [f"{law.sentence}: never put to the test" for law in self.laws if not law.checked]
        return found + [complaint for slots in self.slots for complaint in slots.wrong]


class Storm:
    """Does harm for a while, at moments and to processes chosen by a seed; leaves everything healed."""

    def __init__(self, stack: Stack, rng: random.Random, events: Counter[str]) -> None:
        self._stack = stack
        self._rng = rng
        self._events = events
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._down: set[str] = set()
        self._store_ill = False

    def rage(self, seconds: float) -> None:
        """Every act heals itself some seconds later; a process that died by itself is started again at once."""
        began = time.monotonic()
        rare = [(0.3, self._empty_redis), (0.55, self._kill_postgres), (0.75, self._empty_redis)]
        next_s = 0.0
        while (now_s := time.monotonic() - began) < seconds:
            self._heal(now_s + began)
            while rare and now_s > rare[0][0] * seconds:
                rare.pop(0)[1]()
            if now_s >= next_s:
                self._rng.choices((self._one, self._politely, self._both, self._store), (45, 15, 20, 20))[0]()
                next_s = now_s + self._rng.uniform(1.0, 4.0)
            for name in self._stack.relaunch_the_dead(but=frozenset(self._down)):
                self._events[f"{name.split('-')[0]} ended by itself, started again"] += 1
            time.sleep(LOOK_S)
        self._heal(float("inf"))
        self._stack.proxy.clear()

    def _heal(self, until: float) -> None:
        due = [act for at, act in self._later if at <= until]
        self._later = [(at, act) for at, act in self._later if at > until]
        for act in due:
            act()

    def _after(self, least_s: float, most_s: float, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + self._rng.uniform(least_s, most_s), act))

    def _one(self) -> None:
        self._kill(self._rng.choice([name for kind in KINDS for name in kind]))

    def _both(self) -> None:
        kind = self._rng.choice(KINDS)
        for name in kind:
            self._kill(name)
        self._events[f"both {kind[0].split('-')[0]} processes killed at once"] += 1

    def _kill(self, name: str) -> None:
        self._stack.members[name].kill()
        self._events[f"{name.split('-', maxsplit=1)[0]} killed (-9)"] += 1
        self._stay_down(name, 0.2, 3.0)

    def _politely(self) -> None:
        name = self._rng.choice([name for kind in KINDS for name in kind])
        if self._stack.members[name].running and name not in self._down:
            self._stack.members[name].tell_to_end()
            self._events[f"{name.split('-')[0]} told to stop (SIGTERM)"] += 1
            self._stay_down(name, 1.0, 4.0)

    def _stay_down(self, name: str, least_s: float, most_s: float) -> None:
        self._down.add(name)

        def up() -> None:
            self._down.discard(name)
            self._stack.relaunch_the_dead(but=frozenset(self._stack.members) - {name})

        self._after(least_s, most_s, up)

    def _store(self) -> None:
        if self._store_ill:
            return
        fault, methods = self._rng.choice(FAULTS)
        self._stack.proxy.set(fault, *methods)
        self._events[f"store: {fault} on {'/'.join(methods) or 'everything'}"] += 1
        self._store_ill = True

        def well() -> None:
            self._stack.proxy.clear()
            self._store_ill = False

        self._after(2.0, 6.0, well)

    def _empty_redis(self) -> None:
        self._stack.redis.kill()
        self._events["Redis killed and emptied"] += 1
        self._after(0.5, 4.0, lambda: self._stack.redis.restart(empty=True))

    def _kill_postgres(self) -> None:
        self._stack.postgres.kill()
        self._events["PostgreSQL killed (-9)"] += 1
        self._after(0.5, 2.0, self._stack.postgres.restart)


def run(seconds: float, seed: int, *, settle_s: float = SETTLE_S) -> Outcome:
    """One campaign on a stack of its own."""
    with Stack() as stack, tempfile.TemporaryDirectory() as folder:
        return weather(stack, Path(folder), seconds, seed, settle_s=settle_s)


def weather(stack: Stack, folder: Path, seconds: float, seed: int, *, settle_s: float) -> Outcome:
    """A campaign on a stack that runs; leaves it with only its servers running."""
    outcome = Outcome(seconds=seconds, seed=seed)
    watch, load = _watched(stack), Load(stack.url, seed=seed)
    load.start()
    events: Counter[str] = Counter()
    Storm(stack, random.Random(seed), events).rage(seconds)
    outcome.events = dict(sorted(events.items()))
    load.finish()
    stack.wait_until_ready()
    with stack.system(folder) as system:
        outcome.settled_s, outcome.owed = Settling(system, load, lambda: depth(stack)).wait(settle_s)
        judge = Judge(stack, load, system)
        judge.audit("with everything running")
        judge.judge()
        outcome.slots = watch.slots(system.intervals_s)
        for member in stack.members.values():
            member.stop()
        outcome.swept_later = _sweep_later(stack, folder)
        judge.judge_later()
        judge.audit("three hours later, with everything stopped")
    outcome.laws, outcome.runs = judge.laws, dict(watch.runs())
    outcome.versions = versions(stack)
    _count(outcome, stack, load)
    return outcome


def _watched(stack: Stack) -> Watch:
    """A watch that begins while nothing of earlier slots is left to run: its slots and its runs are the same ones."""
    for name in SCHEDULERS:
        stack.members[name].stop()
    end = time.monotonic() + SETTLE_S
    while depth(stack):
        if time.monotonic() > end:
            raise RuntimeError(f"{depth(stack)} jobs were still queued\n{stack.ends_of_logs()}")
        time.sleep(LOOK_S)
    watch = Watch(stack)
    stack.wait_until_ready()
    return watch


def depth(stack: Stack) -> int:
    """Jobs queued or in a worker's hands."""
    with redis.Redis.from_url(stack.redis.url) as client:
        return int(client.xlen(STREAM)) if client.exists(STREAM) and client.xinfo_groups(STREAM) else 0


def _sweep_later(stack: Stack, folder: Path) -> int:
    with stack.system(folder, wrap=lambda outside: replace(outside, clock=LaterClock())) as system:
        system.retention.expire()
        return system.retention.sweep()


def _count(outcome: Outcome, stack: Stack, load: Load) -> None:
    record = load.record
    kept = record.kept()
    outcome.answers, outcome.slowest_s = dict(sorted(record.answers.items())), record.slowest_s
    once = [one for one in record.takes if one.mode == "NOSAVE"]
    outcome.custody = {
        "ROOM takes acknowledged": sum(one.mode == "ROOM" for one in kept),
        "FOSSIL takes acknowledged": sum(one.mode == "FOSSIL" for one in kept),
        "one-time takes acknowledged": len(once),
        "revocations acknowledged": sum(bool(one.revoked_at) for one in kept),
        "of these verified gone in the answer": sum(one.verified for one in kept),
        "one-time takes heard": sum(any(status == 200 for status, _ in one.plays) for one in once),
        "one-time takes lost to a broken connection": sum(
            bool(one.plays) and all(status != 200 for status, _ in one.plays) for one in once
        ),
        "one-time takes disposed of": sum(one.disposed for one in once),
        "playbacks granted": len(record.grants),
        "hearings counted": sum("counted" in grant.said for grant in record.grants),
        "acknowledgements repeated": sum(grant.said.count("duplicate") for grant in record.grants),
    }
    lines = [line for member in stack.members.values() for line in member.log_lines()]
    outcome.traces = [line for line in lines if "Traceback" in line]
    outcome.log_lines = dict(Counter(event for line in lines if (event := _event(line))).most_common())


def _event(line: str) -> str:
    """The name of a warning or an error, with the class of the exception that was traced; empty for another line."""
    match = re.match(r"\S+ (?:warning|error)\s+(\S+)", line)
    if match is None:
        return ""
    traced = re.search(r"\| ([\w.]+)(?::[^|]*)?$", line) if "Traceback" in line else None
    return match.group(1) + (f" ({traced.group(1)})" if traced is not None else "")


def facts(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON, with what it ran on: numbers and versions only, no line of a log."""
    slots = [{**asdict(one), "job": one.job.value} for one in outcome.slots]
    found = {**asdict(outcome), "slots": slots, "wrong": outcome.wrong, "cores": os.cpu_count()}
    del found["traces"]
    return found


def versions(stack: Stack) -> dict[str, str]:
    """Of every program a stack consists of, by its name."""
    servers = {"PostgreSQL": stack.postgres, "Redis": stack.redis, "Caddy": stack.caddy, "rclone": stack.s3}
    programs = {"Python": sys.executable, **{name: server._command()[0] for name, server in servers.items()}}
    texts = {
        name: subprocess.check_output([program, "version" if name in ("Caddy", "rclone") else "--version"], text=True)
        for name, program in programs.items()
    }
    numbers = {name: re.search(r"\d+\.\d+(?:\.\d+)?", text) for name, text in texts.items()}
    return {name: match.group() for name, match in numbers.items() if match is not None}


def main() -> None:
    """Read the arguments, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.campaign", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long the storm lasts")
    parser.add_argument("--seed", type=int, default=1, help="chooses moments, victims and what the clients do")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/chaos.md and chaos.json")
    given = parser.parse_args()
    outcome = run(given.seconds, given.seed)
    found = facts(outcome)
    print(said(found))
    for trace in outcome.traces:
        print(trace, file=sys.stderr)
    if given.report:
        folder = Path(__file__).parents[2] / "docs" / "evidence"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "chaos.json").write_text(json.dumps(found, indent=1) + "\n")
        (folder / "chaos.md").write_text(markdown(found))
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
