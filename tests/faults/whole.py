"""Many deaths, chosen by a seed: `python -m tests.faults.campaign --kills 500 --seed 7`.

Every life is a whole server. Each case dies at one point drawn evenly over all points of one scenario, and in every
second case its successor dies too, while it makes good. Every tenth case is a crowd: takes sent at once, by several
clients, to servers killed from outside at any moment. `--every` dies once at every single point instead. Prints
where servers died and how often.
"""

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.faults.acts import upload
from tests.faults.driver import Driver
from tests.faults.harness import Answer, Life, Nursery, Server, broken_custody, rows
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


def run(kills: int, seed: int) -> int:
    """The campaign; the number of cases after which something was wrong."""
    rng = random.Random(seed)
    died: Counter[tuple[str, str]] = Counter()
    failures = 0
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        measured = _measure(nursery, Path(folder))
        weights = [points for _, _, points in measured]
        number = 0
        while died.total() < kills:
            number += 1
            if number % 10 == 0:
                name, labels = "crowd", ["at any moment"] * 4
                with tempfile.TemporaryDirectory() as room:
                    wrong = crowd(nursery, Path(room), seed=rng.getrandbits(32), lives=4)
            else:
                driver, name, points = rng.choices(measured, weights)[0]
                at = [rng.randrange(points) for _ in range(1 + number % 2)]
                outcome = driver.deaths(*at)
                labels, wrong = list(outcome.died), list(outcome.wrong)
            died.update((name, label) for label in labels)
            failures += bool(wrong)
            for sentence in wrong:
                _say(f"WRONG {name}, after {labels}: {sentence}")
    _table(died, {name: points for _, name, points in measured}, failures)
    return failures


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


def main() -> None:
    """Read the arguments; exit 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many servers are to die, at least")
    parser.add_argument("--seed", type=int, default=1, help="chooses scenarios, points and moments")
    parser.add_argument("--every", action="store_true", help="instead die once at every single point, in order")
    given = parser.parse_args()
    sys.exit(1 if (every_point() if given.every else run(given.kills, given.seed)) else 0)


if __name__ == "__main__":
    main()
