"""What does not hang on an archive's size: `python -m bench.loads [--engine embedded|stack|both] [--rounds N]
[--json FILE]`.

Of a fresh node: how long it takes to start, what it holds in memory at rest; how soon a voice begins to arrive, how
many arrive in a second at eight clients, and a part of one; how long others wait while eight uploads of the largest
size run, and how long the web process itself waited for a core meanwhile.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx

from bench.clients import SOUND, UNBOUNDED, Times, draw, leave
from bench.ground import Measured, client_of, machine, on, sign_in, summary
from bench.told import LONG_MS
from tests.wavs import take

ENGINES = ("embedded", "stack")
CLIENTS = 8
FETCHED = 40
LARGEST_S = 300.0
OTHERS = ("/livez", "/api/v1/surface/state", "/api/v1/pool/next", "/healthz")
ASK_EVERY_S = 0.02
SETTLE_S = 3.0
CALM_S = 5.0


def measure(engine: str, rounds: int) -> dict[str, Any]:
    """Everything, on one engine."""
    started, rest = [], []
    for _ in range(rounds):
        with on(engine, **UNBOUNDED) as node:
            started.append(node.started_s[0] * 1000)
            rest.append(_at_rest(node))
    with on(engine, **UNBOUNDED) as node:
        times, a_second = _voices(node, rounds)
        uploads = _uploads(node, rounds)
        return {
            "start": summary(started),
            "at_rest_mb": {name: max(one[name] for one in rest) for name in rest[0]},
            "voice": {kind: summary([ms for _, ms in found]) for kind, found in times.taken.items()},
            "voices_a_second": a_second,
            "others": uploads,
            "most_mb": {name: round(member.memory_mb("VmHWM")) for name, member in node.members.items()},
        }


def _at_rest(node: Measured) -> dict[str, int]:
    with closing(sign_in(node.instances[0], node.secret)) as client:
        for path in ("/kiosk/", "/room/", "/ops/", "/revoke/"):
            client.get(path)
    time.sleep(SETTLE_S)
    return {name: round(member.memory_mb()) for name, member in node.members.items()}


def _voices(node: Measured, rounds: int) -> tuple[Times, float]:
    times, url = Times(), node.instances[0].url
    with client_of(url) as client:
        leave(client, Times())
        address = draw(client, Times())["audio_url"]

        def first_byte() -> httpx.Response:
            with client.stream("GET", address) as answer:
                next(answer.iter_raw(1024))
                return answer

        ways: dict[str, tuple[Callable[[], httpx.Response], int]] = {
            "first byte": (first_byte, 200),
            "whole": (lambda: client.get(address), 200),
            "a part": (lambda: client.get(address, headers={"Range": "bytes=480000-575999"}), 206),
        }
        for _ in range(rounds * FETCHED):
            for kind, (ask, expected) in ways.items():
                times.time(kind, ask, expected=(expected,))

    def fetch(_number: int) -> None:
        with client_of(url) as own:
            for _ in range(rounds * FETCHED):
                if len(own.get(address).content) < len(SOUND):
                    raise RuntimeError("not the whole voice")

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(fetch, range(CLIENTS)))
    return times, round(CLIENTS * rounds * FETCHED / (time.monotonic() - began), 1)


def _uploads(node: Measured, rounds: int) -> dict[str, Any]:
    """How long others wait while nobody uploads, and while eight do; and how long these take."""
    largest, instance = take(LARGEST_S), node.instances[0]
    found: dict[str, Any] = {"upload_bytes": len(largest)}
    with _asking(instance.url) as calm:
        time.sleep(CALM_S)
    meanwhile, uploads, cores = Times(), [], [0.0, 0.0]
    # In a process of its own: what sending costs is not what the others wait for.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        beside.submit(_upload, instance.url, SOUND).result()
        for _ in range(rounds):
            time.sleep(SETTLE_S)
            before = instance.cores_s()
            with _asking(instance.url, meanwhile):
                uploads += beside.submit(_upload, instance.url, largest).result()
            cores = [sum_s + after - was for sum_s, after, was in zip(cores, instance.cores_s(), before, strict=True)]
    found["upload"] = summary(uploads)
    found["web"] = {"ran_s": round(cores[0], 2), "waited_for_a_core_s": round(cores[1], 2)}
    for name, times in (("calm", calm), ("while eight upload", meanwhile)):
        found[name] = {path: _waited([ms for _, ms in taken]) for path, taken in times.taken.items()}
    return found


@contextmanager
def _asking(url: str, times: Times | None = None) -> Iterator[Times]:
    """Meanwhile somebody asks for what others want of a node, one thing after the other."""
    over, asked = threading.Event(), times or Times()

    def ask() -> None:
        with client_of(url) as client:
            while not over.wait(ASK_EVERY_S):
                for path in OTHERS:
                    asked.time(path, lambda: client.get(path), expected=(200, 204))  # noqa: B023

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield asked
    finally:
        over.set()
        asking.join()


def _waited(values_ms: list[float]) -> dict[str, float]:
    return {**summary(values_ms), "longer": sum(ms > LONG_MS for ms in values_ms)}


def _upload(url: str, sound: bytes) -> list[float]:
    """Eight uploads at once; how long each took, in ms."""

    def one(_number: int) -> float:
        with client_of(url) as client:
            times = Times()
            leave(client, times, sound=sound)
            return times.of("intake")[0]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, range(CLIENTS)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What does not hang on an archive's size.")
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    engines = ENGINES if given.engine == "both" else (given.engine,)
    found = {engine: measure(engine, given.rounds) for engine in engines}
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(
            json.dumps({"machine": machine(), "rounds": given.rounds, "engines": found}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
