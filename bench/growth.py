"""What an archive's size costs: `python -m bench.growth [--engine embedded|stack|both] [--sizes N,N] [--rounds N]
[--swept-most N] [--json FILE]`.

One node for each engine, its archive filled up from size to size (see `bench.seeding`). At each size eight clients
first listen for a while, which is not timed. Then, over HTTP on loopback, one request after the other: the next voice
(any, a lane, a rare mood, fifty exclusions), what was heard, the steward's status and summary, a take of ten seconds
left and taken back, by one client and by eight at once. Then, in a process beside it, the sweep: with nothing due, one
take in a hundred, and one in ten.
Times are those of the whole answer at the client, and for what must be quick also those at the server, by its log.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from bench.clients import UNBOUNDED, Times, draw, hear, leave, revoke
from bench.ground import Measured, client_of, machine, on, sign_in, summary
from bench.memory import memory_mb
from bench.seeding import fill

ENGINES = ("embedded", "stack")
SIZES = (10, 1_000, 10_000, 100_000, 1_000_000)
ASKED = 60
LEFT = 16
CLIENTS = 8
A_DAY_S = 86_400
LEFT_TO_US = {
    "EXPIRE_INTERVAL_SECONDS": A_DAY_S,
    "SWEEP_INTERVAL_SECONDS": A_DAY_S,
    # Else rights are ended every second, for a take to be heard once to be swept as soon as its promise says.
    "ONCE_SWEEP_MINUTES": 3 * A_DAY_S // 60,
}
"""What is due is ended, and swept, where it is timed, and not by the node beside it."""
WISHES: dict[str, dict[str, str]] = {
    "pool next, any": {},
    "pool next, a lane": {"lane": "worn"},
    "pool next, a rare lane": {"lane": "fresh"},
    "pool next, a rare mood": {"mood": "clear"},
    "pool next, 50 excluded": {"exclude_ids": ",".join(str(number) for number in range(1, 51))},
}
SERVED = {
    "pool next": "/api/v1/pool/next",
    "heard": "/api/v1/pool/heard/-",
    "node status": "/api/v1/node/status",
}
"""Addresses, as the log names them."""
HEARD_WITHIN_S = 8.0
SHARES = {"nothing due": 0.0, "1 % due": 0.01, "10 % due": 0.1}
SWEPT_MOST = 10_000
"""So many are swept at most; a share of a size that comes to more is left out."""


def measure(
    engine: str, sizes: Sequence[int], rounds: int, told: Callable[[str], None], *, swept_most: int = SWEPT_MOST
) -> list[dict[str, Any]]:
    """One row for each size: times by kind, memory, and sweeps."""
    rows = []
    with on(engine, **UNBOUNDED, **LEFT_TO_US) as node:
        for size in sizes:
            began = time.monotonic()
            with node.resting(), node.database() as database:
                fill(database, size, seed=1)
            filled_s = time.monotonic() - began
            _count_once(node)
            _warm(node)
            times, logged = Times(), node.instances[0].log.stat().st_size
            for _ in range(rounds):
                _round(node, times)
            served = {kind: node.instances[0].served_ms(path, since=logged) for kind, path in SERVED.items()}
            row = {
                "size": size,
                "filled_s": round(filled_s, 1),
                "times": {kind: summary([ms for _, ms in found]) for kind, found in times.taken.items()},
                "served": {kind: summary(found) for kind, found in served.items()},
                "memory_mb": {name: round(member.memory_mb()) for name, member in node.members.items()},
                "sweeps": _sweeps(node, size, swept_most),
            }
            rows.append(row)
            told(f"{engine}, {size:,}: {_line(row)}")
    return rows


def _line(row: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {found['median_ms']:g}" for kind, found in row["times"].items())


def _count_once(node: Measured) -> None:
    """Large archives are counted now and then; a node that has been running has done it."""
    _beside(node, "sample")


def _round(node: Measured, times: Times) -> None:
    url = node.instances[0].url
    with client_of(url) as client, closing(sign_in(node.instances[0], node.secret)) as steward:
        _listen(client, times)
        for _ in range(LEFT):
            times.time("node status", lambda: steward.get("/api/v1/node/status"))
            times.time("artifact summary", lambda: steward.get("/api/v1/operator/artifact-summary"))
        codes = [leave(client, times)["revocation_token"] for _ in range(LEFT)]
        for code in codes:
            revoke(client, times, code)
        codes = _eight(url, times)
        for code in codes:
            revoke(client, Times(), code)


def _listen(client: httpx.Client, times: Times) -> None:
    for kind, wish in WISHES.items():
        for _ in range(ASKED // len(WISHES)):
            draw(client, times, kind, **wish)
    light = [draw(client, Times(), density="light") for _ in range(LEFT)]
    # Half of it has to have sounded.
    shares_s = [played["playback_duration_ms"] / 2000 for played in light]
    wait_s = min(max(shares_s), HEARD_WITHIN_S)
    time.sleep(wait_s + 0.2)
    for played, share_s in zip(light, shares_s, strict=True):
        if share_s <= wait_s:
            hear(client, times, played)


def _warm(node: Measured) -> None:
    """Each of the connections that eight at once leave behind has what is asked for prepared, as after some days."""

    def one(_number: int) -> None:
        with client_of(node.instances[0].url) as client:
            _listen(client, Times())

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, range(CLIENTS)))


def _eight(url: str, times: Times) -> list[str]:
    """Eight clients at once leave takes; their codes."""
    own = [Times() for _ in range(CLIENTS)]

    def one(times_of_one: Times) -> list[str]:
        with client_of(url) as client:
            return [leave(client, times_of_one)["revocation_token"] for _ in range(LEFT // 4)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        codes = [code for found in pool.map(one, own) for code in found]
    for found in own:
        times.taken.setdefault("intake, 8 at once", []).extend(found.taken["intake"])
    return codes


def _sweeps(node: Measured, size: int, most: int) -> dict[str, Any]:
    found = {}
    for name, share in SHARES.items():
        due = round(size * share)
        if due <= most and (due or not share):
            found[name] = _beside(node, "sweep", due)
    return found


def _beside(node: Measured, what: str, due: int = 0) -> dict[str, float]:
    """Have a process of its own do it on the node's database and store."""
    with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
        folder = str(node.instances[0].folder / "data")
        json.dump({"settings": {**node.settings, "MEMORY_DATA_DIR": folder}, "what": what, "due": due}, file)
        file.flush()
        ran = subprocess.run(
            [sys.executable, "-m", "bench.growth", "--beside", file.name], stdout=subprocess.PIPE, text=True, check=True
        )
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _work(file: Path) -> None:
    # What a worker loads is loaded only here.
    from bench.due import make_due  # noqa: PLC0415
    from core.bootstrap import build  # noqa: PLC0415
    from core.settings import load_settings  # noqa: PLC0415

    asked = json.loads(file.read_text())
    system = build(load_settings(**asked["settings"]))
    try:
        if asked["what"] == "sample":
            began = time.monotonic()
            system.status.sample()
            found = {"sampled_s": round(time.monotonic() - began, 3)}
        else:
            make_due(system, asked["due"])
            began = time.monotonic()
            expired = system.retention.expire()
            swept_s = time.monotonic()
            gone = system.retention.sweep(most_s=3600)
            found = {
                "due": asked["due"],
                "expired": expired,
                "gone": gone,
                "expire_s": round(swept_s - began, 3),
                "sweep_s": round(time.monotonic() - swept_s, 3),
            }
    finally:
        system.close()
    found["peak_mb"] = round(memory_mb(line="VmHWM"))
    print(json.dumps(found))


def main() -> None:
    """Measure, or be the process beside the node."""
    parser = argparse.ArgumentParser(description="What an archive's size costs.")
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--sizes", type=lambda given: [int(one) for one in given.split(",")], default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--swept-most", type=int, default=SWEPT_MOST, help="sweeps of more takes are left out")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--beside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.beside:
        _work(given.beside)
        return
    engines = ENGINES if given.engine == "both" else (given.engine,)
    rows = {
        engine: measure(
            engine, given.sizes, given.rounds, lambda line: print(line, flush=True), swept_most=given.swept_most
        )
        for engine in engines
    }
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rounds": given.rounds, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
