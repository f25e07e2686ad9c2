"""The real room page, in a browser, against a real node with the sounds of `memory-engine demo`."""

import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Playwright

from bench.ground import PROGRAM, Instance, embedded
from tests.browser.conftest import launch
from tests.soak.census import WATCH, Census

Row = dict[str, Any]
HEARD = "let heard = 0; const real = window.fetch; window.fetch = (url, given) => { \
if (String(url).includes('/pool/heard/')) heard += 1; return real(url, given); }; window.__heard = () => heard;"


def soak(playwright: Playwright, *, minutes: float, samples: int, tell: Callable[[str], None]) -> list[Row]:
    """One row at the end of each of `samples` equal stretches of real time."""
    rows = []
    with embedded() as node:
        server = node.instances[0]
        _fill(server)
        browser = launch(playwright, "--autoplay-policy=no-user-gesture-required")
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.add_init_script(HEARD)
        census = Census(page)
        page.goto(f"{server.url}/room/")
        page.wait_for_selector(".wall[data-sounding=true]", timeout=30_000)
        began = time.monotonic()
        for number in range(1, samples + 1):
            due = began + number * minutes * 60 / samples
            page.wait_for_timeout(max(0.0, due - time.monotonic()) * 1000)
            heard = page.evaluate("window.__heard()")
            passed = round((time.monotonic() - began) / 60, 2)
            rows.append(
                {"minutes": passed, "heard": heard, **census.count(), "server_mb": round(server.memory_mb(), 1)}
            )
            tell(" ".join(f"{name} {value}" for name, value in rows[-1].items()))
        browser.close()
    return rows


def _fill(server: Instance) -> None:
    data = str(server.log.parent / "data")
    environment = {**os.environ, "MEMORY_DATA_DIR": data}
    subprocess.run([*PROGRAM, "demo"], cwd=server.log.parent, env=environment, check=True, stdout=subprocess.DEVNULL)
