"""Two servers, turn by turn: `python -m bench.compare --here URL --there URL [--scenario NAME]... [--turns N]
[--json FILE]`.

Both speak the published contract; what they are and where they run is nobody's concern here. In each turn one request
of each scenario goes to the one and then to the other, and the next turn begins with the other: whatever the machine is
busy with meanwhile, both are. Printed are medians, 95th percentiles and their ratio. The secrets that open ops are read
from the environment (`SECRET_HERE`, `SECRET_THERE`); without one, what needs a steward is left out. Takes are left and
taken back: budgets of both servers have to allow it.
"""

import argparse
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from bench.clients import Times, draw, leave, revoke
from bench.ground import client_of, machine, sign_in_at, summary

Scenario = Callable[[httpx.Client, Times], object]


def _intake(client: httpx.Client, times: Times) -> None:
    revoke(client, Times(), leave(client, times)["revocation_token"])


def _revoke(client: httpx.Client, times: Times) -> None:
    revoke(client, times, leave(client, Times())["revocation_token"])


def _voice(client: httpx.Client, times: Times) -> None:
    address = draw(client, Times())["audio_url"]
    times.time("voice", lambda: client.get(address))


SCENARIOS: dict[str, Scenario] = {
    "intake": _intake,
    "revoke": _revoke,
    "pool next": draw,
    "voice": _voice,
    "surface state": lambda client, times: times.time("surface state", lambda: client.get("/api/v1/surface/state")),
}
STEWARDS: dict[str, Scenario] = {
    "node status": lambda client, times: times.time("node status", lambda: client.get("/api/v1/node/status")),
    "artifact summary": lambda client, times: times.time(
        "artifact summary", lambda: client.get("/api/v1/operator/artifact-summary")
    ),
}
"""What needs a session."""


def compare(here: httpx.Client, there: httpx.Client, scenarios: dict[str, Scenario], turns: int) -> dict[str, Any]:
    """Medians of both and how many times longer it took there, by scenario."""
    sides = [(here, Times()), (there, Times())]
    for client, _ in sides:
        leave(client, Times())  # so that there is something to draw
    for turn in range(turns):
        for scenario in scenarios.values():
            for client, times in sides if turn % 2 == 0 else reversed(sides):
                scenario(client, times)
    found = {}
    for name in scenarios:
        ours, theirs = (summary(times.of(name)) for _, times in sides)
        found[name] = {"here": ours, "there": theirs, "ratio": round(theirs["median_ms"] / ours["median_ms"], 2)}
    return found


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description="Two servers, turn by turn.")
    parser.add_argument("--here", required=True, metavar="URL")
    parser.add_argument("--there", required=True, metavar="URL")
    parser.add_argument("--scenario", choices=(*SCENARIOS, *STEWARDS), action="append")
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    secrets = [os.environ.get(name, "") for name in ("SECRET_HERE", "SECRET_THERE")]
    offered = {**SCENARIOS, **(STEWARDS if all(secrets) else {})}
    missing = [name for name in given.scenario or () if name not in offered]
    if missing:
        parser.error(f"{', '.join(missing)}: please set SECRET_HERE and SECRET_THERE")
    chosen = {name: scenario for name, scenario in offered.items() if not given.scenario or name in given.scenario}
    with ExitStack() as stack:
        clients = [
            sign_in_at(url, secret) if secret else client_of(url)
            for url, secret in zip((given.here, given.there), secrets, strict=True)
        ]
        for client in clients:
            stack.callback(client.close)
        found = compare(clients[0], clients[1], chosen, given.turns)
    print(f"{'ms, median / 95 %':<18}{'here':>18}{'there':>18}{'there / here':>14}")
    for name, row in found.items():
        cells = [f"{row[side]['median_ms']:g} / {row[side]['p95_ms']:g}" for side in ("here", "there")]
        print(f"{name:<18}{cells[0]:>18}{cells[1]:>18}{row['ratio']:>14g}")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "turns": given.turns, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
