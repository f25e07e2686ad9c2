"""A full evening: `python -m bench.evening [--engine embedded|stack|both] [--minutes N] [--json FILE] [--report]`.

Four kiosks and three rooms, each with its page's socket open, and two stewards at one node, for `--minutes`: takes are
left (every other one a fossil), some are taken back, voices are drawn, fetched, heard to their end and acknowledged,
stewards look and change something now and then. Two engines have their evenings at the same time. Reported are how long
each kind of request took in the first and in the last quarter, and what every process held meanwhile: memory, file
handles, connections to the database, waiting jobs. `make evening` is 40 minutes of it on both engines.
"""

import argparse
import asyncio
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from sqlalchemy import text

from bench.clients import UNBOUNDED, Times, draw, leave, revoke
from bench.ground import Measured, client_of, machine, on, sign_in, summary
from bench.open_pages import OpenPage
from tests.wavs import take

EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence"
ENGINES = ("embedded", "stack")
KIOSKS, ROOMS, STEWARDS = 4, 3, 2
HELD = 100
"""Takes that are there when the evening begins."""
TAKE_EVERY_S, TAKEN_BACK = 25.0, 0.3
LOOK_EVERY_S, CHANGE_EVERY_S = 5.0, 60.0
SAMPLES = 40


@dataclass(slots=True)
class Evening:
    """What happens at once, and what came of it."""

    node: Measured
    seconds: float
    times: Times = field(default_factory=Times)
    counts: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, float]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """All of it. Whatever goes wrong for one of them ends the evening and is raised."""
        url = self.node.instances[0].url
        people: list[Callable[[httpx.Client, random.Random], None]] = [
            *[self._kiosk] * KIOSKS,
            *[self._room] * ROOMS,
            *[self._steward] * STEWARDS,
        ]
        with ThreadPoolExecutor(len(people) + 2) as pool, ExitStack() as stack:
            clients = [
                sign_in(self.node.instances[0], self.node.secret) if one == self._steward else client_of(url)
                for one in people
            ]
            for client in clients:
                stack.callback(client.close)
            waiting = [
                pool.submit(one, client, random.Random(number))
                for number, (one, client) in enumerate(zip(people, clients, strict=True))
            ]
            waiting += [pool.submit(asyncio.run, self._open_pages()), pool.submit(self._sample)]
            try:
                while time.monotonic() - self.times.began_s < self.seconds:
                    for one in waiting:
                        if one.done():
                            one.result()
                    time.sleep(0.5)
            finally:
                self._over.set()
            for one in waiting:
                one.result()

    def count(self, what: str) -> None:
        """One more of these."""
        with self._lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def _rest(self, seconds: float) -> bool:
        """Wait; whether the evening goes on."""
        return not self._over.wait(seconds)

    def _kiosk(self, client: httpx.Client, rng: random.Random) -> None:
        while self._rest(rng.expovariate(1 / TAKE_EVERY_S)):
            mode = rng.choice(("ROOM", "FOSSIL"))
            code = leave(client, self.times, mode, take(rng.uniform(3, 20)))["revocation_token"]
            self.count("takes left")
            if rng.random() < TAKEN_BACK:
                self._rest(2)
                verified = revoke(client, self.times, code)
                self.count("takes taken back" if verified else "takes taken back, verified after the answer")

    def _room(self, client: httpx.Client, rng: random.Random) -> None:
        heard: list[str] = []
        while self._rest(rng.uniform(0.95, 2.5)):
            played = draw(client, self.times, exclude_ids=",".join(heard[:12]))
            heard.insert(0, str(played["artifact_id"]))
            answer = self.times.time("voice", lambda: client.get(played["audio_url"]), expected=(200, 404))  # noqa: B023
            if answer.status_code != 200:
                self.count("voices gone before they began")
                continue
            if not self._rest(min(played["playback_duration_ms"] / 1000, 20)):
                return
            acknowledged = self.times.time("heard", lambda: client.post(played["playback_ack_url"])).json()  # noqa: B023
            self.count("voices heard" if not acknowledged.get("ignored") else "voices gone before they ended")

    def _steward(self, client: httpx.Client, rng: random.Random) -> None:
        changed_s = time.monotonic()
        while self._rest(LOOK_EVERY_S * rng.uniform(0.5, 1.5)):
            self.times.time("status", lambda: client.get("/api/v1/node/status"))
            self.times.time("ops page", lambda: client.get("/ops/"))
            if time.monotonic() - changed_s > CHANGE_EVERY_S:
                quieter = rng.random() < 0.5
                body = {"quieter_mode": quieter}
                self.times.time("change", lambda: client.post("/api/v1/operator/controls", json=body))  # noqa: B023
                changed_s = time.monotonic()
                self.count("changes")

    async def _open_pages(self) -> None:
        """The sockets of every page; what is pushed over them is nobody's concern here."""
        instance = self.node.instances[0]
        async with httpx.AsyncClient(base_url=instance.url, timeout=30) as http:
            paths = ["/kiosk/"] * KIOSKS + ["/room/"] * ROOMS
            pages = [await OpenPage.open(http, instance, path) for path in paths]
        await asyncio.to_thread(self._over.wait)
        for page in pages:
            await page.socket.disconnect()

    def _sample(self) -> None:
        every_s = self.seconds / SAMPLES
        with closing(sign_in(self.node.instances[0], self.node.secret)) as client:
            while self._rest(every_s):
                found: dict[str, float] = {"at_s": round(time.monotonic() - self.times.began_s)}
                for name, member in self.node.members.items():
                    found[f"{name}, MB"] = round(member.memory_mb(), 1)
                    found[f"{name}, handles"] = member.handles()
                if "DATABASE_URL" in self.node.settings:
                    with self.node.database() as engine, engine.connect() as connection:
                        sql = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                        found["connections"] = connection.execute(sql).scalar_one() - 1
                ready = client.get("/readyz").json()
                found["waiting jobs"] = ready.get("queue", {}).get("waiting", 0)
                self.samples.append(found)


def measure(engine: str, minutes: float, seed: int = 1) -> dict[str, Any]:
    """One evening on one engine."""
    with on(engine, **UNBOUNDED) as node:
        rng = random.Random(seed)
        with client_of(node.instances[0].url) as client:
            for number in range(HELD):
                leave(client, Times(), ("ROOM", "FOSSIL")[number % 2], take(rng.uniform(3, 12)))
        evening = Evening(node=node, seconds=minutes * 60)
        evening.run()
    quarter = evening.seconds / 4
    spans = {"first quarter": (0.0, quarter), "last quarter": (3 * quarter, evening.seconds)}
    times = {
        kind: {name: summary(found) for name, span in spans.items() if (found := evening.times.of(kind, *span))}
        for kind in sorted(evening.times.taken)
    }
    return {"minutes": minutes, "counts": evening.counts, "times": times, "samples": evening.samples}


def grown(samples: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Medians of the second quarter and of the last, and the most, of everything that was held."""
    quarter = max(1, len(samples) // 4)
    names = [name for name in samples[-1] if name != "at_s"]
    return {
        name: {
            "second quarter": median(one[name] for one in samples[quarter : 2 * quarter] or samples),
            "last quarter": median(one[name] for one in samples[-quarter:]),
            "most": max(one[name] for one in samples),
        }
        for name in names
    }


def told(found: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    lines = [
        "# Evidence: an evening, on both engines",
        "",
        f"{found['machine']['cores']} cores, Python {found['machine']['python']}, every sample in "
        "[evening.json](evening.json). Again:",
        "",
        "```sh",
        found["command"],
        "```",
        "",
        f"{KIOSKS} kiosks, {ROOMS} rooms and {STEWARDS} stewards at one web process; of kiosks and rooms the pages' "
        f"sockets are open; {HELD} takes were there before."
        + (" Both engines at the same time." if len(found["engines"]) > 1 else ""),
        "",
    ]
    for engine, one in found["engines"].items():
        counts = ", ".join(f"{count} {what}" for what, count in sorted(one["counts"].items()))
        lines += [f"## {engine.capitalize()}, {one['minutes']:g} minutes", "", f"{counts}.", ""]
        lines += ["| ms, median / 95 % | first quarter | last quarter |", "| --- | --- | --- |"]
        for kind, spans in one["times"].items():
            cells = [
                f"{spans[name]['median_ms']:g} / {spans[name]['p95_ms']:g}" if name in spans else ""
                for name in ("first quarter", "last quarter")
            ]
            lines.append(f"| {kind} | {' | '.join(cells)} |")
        lines += ["", "| held | second quarter | last quarter | most |", "| --- | --- | --- | --- |"]
        for name, held in grown(one["samples"]).items():
            lines.append(f"| {name} | {held['second quarter']:g} | {held['last quarter']:g} | {held['most']:g} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/evening.md and evening.json")
    given = parser.parse_args()
    engines = ENGINES if given.engine == "both" else (given.engine,)
    # Side by side, each with a process of its own to ask from: what one does to the other it does all evening.
    with ProcessPoolExecutor(len(engines), mp_context=get_context("spawn")) as pool:
        evenings = list(pool.map(measure, engines, [given.minutes] * len(engines)))
    found = {
        "command": f'make evening EVENING="--engine {given.engine} --minutes {given.minutes:g} --report"',
        "machine": machine(),
        "engines": dict(zip(engines, evenings, strict=True)),
    }
    print(told(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    if given.report:
        (EVIDENCE / "evening.md").write_text(told(found), encoding="utf-8")
        (EVIDENCE / "evening.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
