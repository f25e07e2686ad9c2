"""Many open pages on one instance: `python -m bench.open_pages [--pages N] [--json FILE]`.

Opens kiosk and listening pages as browsers do (the page over HTTP, then its socket with the handshake), without the
browsers: what is measured is the server. Reported are memory for each page, how long ops takes to answer while they are
open (page, status, a change), and how long a change takes to reach the last of them.
"""

import argparse
import asyncio
import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import socketio

from bench.ground import Instance, Measured, embedded, machine, sign_in, summary

PROMISED_MS = 200.0
ASKED = 20
PATHS = ("/kiosk/", "/room/")
CLIENT_ID = re.compile(r"'client_id': '([0-9a-f-]{36})'")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    # Every page here has the same address.
    with embedded(INGEST_PER_ADDRESS_HOUR=100_000) as node:
        found = asyncio.run(_measure(node, given.pages))
    for name, value in found.items():
        print(f"{name:<28}{value}")
    slowest = max(found[name]["p95_ms"] for name in ("ops page", "node status", "a change"))
    print(f"ops answers within {PROMISED_MS:g} ms at 95 %: {'yes' if slowest <= PROMISED_MS else 'NO'}")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "pages": given.pages, **found}, indent=2) + "\n")


async def _measure(node: Measured, count: int) -> dict[str, Any]:
    instance = node.instances[0]
    steward = sign_in(instance, node.secret)
    for _ in range(3):
        steward.get("/ops/")
    at_rest_mb = instance.memory_mb()
    pages: list[OpenPage] = []
    async with httpx.AsyncClient(base_url=instance.url, timeout=30) as http:
        pages += [await OpenPage.open(http, instance, PATHS[number % len(PATHS)]) for number in range(count)]
    await asyncio.sleep(5)
    with_pages_mb = instance.memory_mb()
    found: dict[str, Any] = {
        "memory at rest": f"{at_rest_mb:.0f} MB",
        f"memory, {count} pages": f"{with_pages_mb:.0f} MB",
        "memory for each page": f"{(with_pages_mb - at_rest_mb) / count:.3f} MB",
    }
    found["ops page"] = await asyncio.to_thread(_ask, lambda: steward.get("/ops/"))
    found["node status"] = await asyncio.to_thread(_ask, lambda: steward.get("/api/v1/node/status"))
    reached, changed = [], []
    for number in range(ASKED):
        for page in pages:
            page.updated.clear()
        began = time.perf_counter()
        body = {"intake_paused": number % 2 == 0, "playback_paused": number % 2 == 0}
        answer = await asyncio.to_thread(steward.post, "/api/v1/operator/controls", json=body)
        changed.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
        await asyncio.wait_for(asyncio.gather(*(page.updated.wait() for page in pages)), 20)
        reached.append((max(page.at for page in pages) - began) * 1000)
        await asyncio.sleep(0.5)
    found["a change"] = summary(changed)
    found["seen by the last page"] = summary(reached)
    for page in pages:
        await page.socket.disconnect()
    return found


def _ask(request: Any) -> dict[str, float]:
    taken = []
    for _ in range(ASKED):
        began = time.perf_counter()
        if request().status_code != 200:
            raise RuntimeError("ops did not answer as it should")
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(0.1)
    return summary(taken)


class OpenPage:
    """One page as the server sees it: built, and connected by its socket."""

    def __init__(self, socket: socketio.AsyncClient) -> None:
        self.socket = socket
        self.updated = asyncio.Event()
        self.at = 0.0

    @classmethod
    async def open(cls, http: httpx.AsyncClient, instance: Instance, path: str) -> "OpenPage":
        """Fetch the page and shake hands as its script would."""
        html = (await http.get(path)).text
        found = CLIENT_ID.search(html)
        if found is None:
            raise RuntimeError("the page names no client")
        page = cls(socketio.AsyncClient(reconnection=False))
        page.socket.on("update", page._update)
        query = f"client_id={found.group(1)}&next_message_id=0&implicit_handshake=true&tab_id={uuid.uuid4()}"
        query += f"&document_id={uuid.uuid4()}"
        await page.socket.connect(
            f"{instance.url}?{query}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"]
        )
        return page

    async def _update(self, _data: Any) -> None:
        self.at = time.perf_counter()
        self.updated.set()


if __name__ == "__main__":
    main()
