"""Many deaths of whole servers, chosen by a seed, on the embedded engine.

Each case dies at one point drawn evenly over all points of one scenario, and in every
second case its successor dies too, while it makes good. Every tenth case is a crowd: takes sent at once, by several
clients, to servers killed from outside at any moment. `every_point` dies once at every single point instead, and prints
where.
"""

import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.acts import upload
from tests.faults.driver import Driver
from tests.faults.harness import Answer, Life, Nursery, Server, broken_custody, rows
from tests.faults.lives import MOMENT
from tests.faults.scenarios import SCENARIOS

ANSWER_S = 10
CLIENTS = 4
LONGEST_LIFE_S = 0.6


def crowd(nursery: Nursery, folder: Path, *, seed: int, lives: int) -> list[str]:
    """Clients send takes at once while servers are killed at moments chosen by `seed`; what is wrong in the end."""
    rng = random.Random(seed)
    data_dir = folder / "crowd" / "data"
    data_dir.mkdir(parents=True)
    answers: dict[str, list[Answer]] = {}
    for _ in range(lives):
        with nursery.server(data_dir, Life(scheduled=True)) as server:
            _send_until_death(server, answers, rng.uniform(0.05, LONGEST_LIFE_S), rng)
    return _judge_crowd(nursery, data_dir, answers)


def _send_until_death(server: Server, answers: dict[str, list[Answer]], life_s: float, rng: random.Random) -> None:
    over = threading.Event()
    # Some keys come again in the next life, as those of kiosks do.
    open_keys = [key for key, got in answers.items() if got[-1].status == 0]

    heard_from = threading.Event()

    def send(known: list[str], name: str) -> None:
        for number in range(1_000):
            key = known.pop() if known else f"{name}-{number}"
            answer = upload(server, "ROOM", key)
            answers.setdefault(key, []).append(answer)
            if answer.status == 201:
                heard_from.set()
            if over.is_set() or not answer.whole:
                return

    clients = [
        threading.Thread(target=send, args=(open_keys[number::CLIENTS], f"{number}-{rng.getrandbits(32):08x}"))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    # A loaded machine answers late; a life in which nothing was acknowledged would prove nothing.
    heard_from.wait(ANSWER_S)
    time.sleep(life_s)
    server.end()
    over.set()
    for client in clients:
        client.join()


def _judge_crowd(nursery: Nursery, data_dir: Path, answers: dict[str, list[Answer]]) -> list[str]:
    wrong: list[str] = []
    with nursery.server(data_dir, Life(scheduled=True)) as server:
        nursery.sweep_later(data_dir, {})
        wrong += broken_custody(data_dir)
        acked = {key: got for key, got in answers.items() if any(one.status == 201 for one in got)}
        held = {row["id"] for row in rows(data_dir, "SELECT id FROM artifact WHERE state = 'ACTIVE'")}
        for key, got in acked.items():
            bodies = {one.body for one in got if one.whole}
            again = upload(server, "ROOM", key)
            if len(bodies | {again.body}) > 1:
                wrong.append(f"{key} was answered differently")
            if again.json["artifact"]["id"] not in held:
                wrong.append(f"{key} was acknowledged and is lost")
            taken = server.ask("POST", "/api/v1/revoke", json={"token": again.json["revocation_token"]}).json
            if taken.get("verified_gone_at") is None:
                wrong.append(f"{key} could not be taken back: {taken}")
        if not acked:
            wrong.append("nothing was acknowledged: this proves nothing")
        if any(one.status not in (0, 201) for got in answers.values() for one in got):
            wrong.append(f"odd answers: {Counter(one.status for got in answers.values() for one in got)}")
    return wrong


def _measure(nursery: Nursery, folder: Path) -> list[tuple[Driver, str, int]]:
    """A driver for each scenario, and how many points it has."""
    drivers = [(Driver(nursery, one, folder / one.name, fine=True), one.name) for one in SCENARIOS]
    return [(driver, name, driver.deaths(10_000).passed) for driver, name in drivers]


@dataclass(kw_only=True, slots=True)
class Deaths:
    """Where whole servers died, by (scenario, label), how many points each scenario has, and what was wrong."""

    died: Counter[tuple[str, str]] = field(default_factory=Counter)
    points: dict[str, int] = field(default_factory=dict)
    cases: int = 0
    wrong: list[str] = field(default_factory=list)


def run(kills: int, seed: int, say: Callable[[str], None]) -> Deaths:
    """So many deaths, at least."""
    rng = random.Random(seed)
    found = Deaths()
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        measured = _measure(nursery, Path(folder))
        found.points = {name: points for _, name, points in measured}
        weights = [points for _, _, points in measured]
        while found.died.total() < kills:
            found.cases += 1
            if found.cases % 10 == 0:
                name, labels = "crowd", [MOMENT] * 4
                with tempfile.TemporaryDirectory() as room:
                    wrong = crowd(nursery, Path(room), seed=rng.getrandbits(32), lives=4)
            else:
                driver, name, points = rng.choices(measured, weights)[0]
                at = [rng.randrange(points) for _ in range(1 + found.cases % 2)]
                outcome = driver.deaths(*at)
                labels, wrong = list(outcome.died), list(outcome.wrong)
            found.died.update((name, label) for label in labels)
            for sentence in wrong:
                found.wrong.append(f"whole server, {name}, after {labels}: {sentence}")
                say(f"WRONG {found.wrong[-1]}")
    return found


def every_point() -> int:
    """Die once at every point of every scenario; the number of cases after which something was wrong."""
    failures = 0
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        for scenario in SCENARIOS:
            died: Counter[tuple[str, str]] = Counter()
            for outcome in Driver(nursery, scenario, Path(folder) / scenario.name, fine=True).every_death():
                died.update((scenario.name, label) for label in outcome.died)
                failures += bool(outcome.wrong)
                for sentence in outcome.wrong:
                    _say(f"WRONG {scenario.name}, after {outcome.died}: {sentence}")
            _table(died, {scenario.name: died.total()}, failures)
    return failures


def _table(died: Counter[tuple[str, str]], points: Mapping[str, int], failures: int) -> None:
    for name in dict.fromkeys(name for name, _ in sorted(died)):
        labels = {label: count for (owner, label), count in died.items() if owner == name}
        _say(f"{name}: {sum(labels.values())} deaths, {points.get(name, 'no numbered')} points")
        for label, count in sorted(labels.items(), key=lambda pair: -pair[1]):
            _say(f"  {count:5}  {label}")
    _say(f"{died.total()} deaths by signal {int(signal.SIGKILL)}, {failures} cases with something wrong")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
