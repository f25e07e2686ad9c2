"""What every page weighs, and how soon it stands: `python -m bench.pages [--rounds N] [--small] [--json FILE]`.

A real browser at a node of its own on the embedded engine, which somebody has left a few takes at. For each page, on a
first visit and on a second: the bytes over the wire, and the time from the navigation until what people use on it
stands; the listening page waits to be started, for it would go on fetching voices. With `--small` the node has one core
and 1 GB of memory, as a small computer has, and kiosk, room and ops are open all the while.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench.clients import UNBOUNDED, Times, leave
from bench.ground import Measured, client_of, embedded, machine, summary
from bench.wire import Wire
from tests.browser.conftest import launch_speaking, speak_all
from tests.wavs import take

STANDS = {
    "/kiosk/": ".kiosk[data-stage=idle] .kiosk-primary .button",
    "/room/?autostart=0": ".wall[data-connection]",
    "/revoke/": "form input[name=token]",
    "/ops/": ".ops-tabs, [role=tab]",
    "/ops/bench/": "table, .bench-takes",
    "/docs/": "main a",
}
SIGNED_IN = ("/ops/", "/ops/bench/")
VISITS = ("cold", "warm")
READY = """
window.__stood = null;
new MutationObserver(() => {
  if (window.__stood === null && document.querySelector(SELECTOR)) window.__stood = performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
SMALL = ("taskset", "--cpu-list", "0", "prlimit", f"--data={1 << 30}")
HELD = 6


def measure(rounds: int, *, small: bool = False) -> dict[str, Any]:
    """Every page; on a node with one core and 1 GB where it is to be `small`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = stack.enter_context(embedded(under=SMALL if small else (), **UNBOUNDED))
        with client_of(node.instances[0].url) as client:
            for number in range(HELD):
                leave(client, Times(), ("ROOM", "FOSSIL")[number % 2], take(4.0 + number))
        voice = folder / "voice.wav"
        speak_all(voice)
        browser = launch_speaking(stack.enter_context(sync_playwright()), voice)
        stack.callback(browser.close)
        if small:
            open_pages = stack.enter_context(_person(browser, node, "/ops/"))
            for path in ("/kiosk/", "/room/", "/ops/"):
                page = open_pages.new_page()
                page.goto(f"{node.instances[0].url}{path}")
        pages = {path: _page(browser, node, path, rounds) for path in STANDS}
        return {
            "small": small,
            "chromium": browser.version,
            "pages": pages,
            "memory_mb": round(node.instances[0].memory_mb()),
            "most_mb": round(node.instances[0].memory_mb("VmHWM")),
        }


@contextmanager
def _person(browser: Browser, node: Measured, path: str) -> Iterator[BrowserContext]:
    """Somebody who was never here, signed in where the page asks for it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, service_workers="block", permissions=["microphone"]
    )
    with closing(context):
        if path in SIGNED_IN:
            page = context.new_page()
            page.goto(f"{node.instances[0].url}/ops/")
            page.fill("#secret", node.secret)
            page.keyboard.press("Enter")
            page.wait_for_selector("[role=tab]")
            page.close()
        yield context


def _page(browser: Browser, node: Measured, path: str, rounds: int) -> dict[str, Any]:
    stood: dict[str, list[float]] = {visit: [] for visit in VISITS}
    weighed: dict[str, list[int]] = {visit: [] for visit in VISITS}
    for _ in range(rounds):
        with _person(browser, node, path) as context:
            context.add_init_script(READY.replace("SELECTOR", json.dumps(STANDS[path])))
            for visit in VISITS:
                page = context.new_page()
                wire = Wire(page)
                page.goto(f"{node.instances[0].url}{path}")
                page.wait_for_selector(STANDS[path], state="attached")
                stood[visit].append(page.evaluate("window.__stood"))
                wire.settle()
                weighed[visit].append(sum(wire.files.values()))
                page.close()
    return {
        visit: {"kb": round(sorted(weighed[visit])[rounds // 2] / 1000, 1), "stands": summary(stood[visit])}
        for visit in VISITS
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What every page weighs, and how soon it stands.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="on one core, with 1 GB of memory")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    found = measure(given.rounds, small=given.small)
    for path, visits in found["pages"].items():
        cells = [
            f"{visit} {one['kb']:>7} kB {one['stands']['median_ms']:>7} ms (95 % {one['stands']['p95_ms']:g})"
            for visit, one in visits.items()
        ]
        print(f"{path:<12} {'   '.join(cells)}")
    print(f"the node holds {found['memory_mb']} MB, at most {found['most_mb']} MB")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rounds": given.rounds, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
