"""What the kiosk page weighs, and how fast it is: `python -m bench.kiosk_page [--rounds 5] [--json FILE] [--report]`.

A real browser at a node of its own, and beside it a page of the same framework with nothing on it but one label: what
the framework weighs is not the kiosk's. Measured are the bytes a first and a second visit bring over the wire, the time
from the navigation until the kiosk's primary button answers, and the frames of the page while its line is drawn from a
voice. `--report` writes the figures to docs/evidence.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from bench import kiosk_page_report as report
from bench.bare_page import bare
from bench.ground import await_start, embedded, machine, summary
from bench.wire import Wire
from tests.browser.conftest import launch_speaking, speak_all, stage

EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence"
VIEWPORT = ViewportSize(width=1280, height=800)
VISITS = ("cold", "warm")
LONG_MS = 50.0
READY = """
// When what SELECTOR names stood, and when a click on it had moved the stage on, in ms since the navigation.
window.__ready = {};
new MutationObserver(() => {
  const found = document.querySelector(SELECTOR);
  if (found && window.__ready.stood === undefined) {
    window.__ready.stood = performance.now();
    found.click();
  }
  const { stage } = document.querySelector(".kiosk")?.dataset ?? {};
  if (window.__ready.stood && stage !== "idle") window.__ready.answered ??= performance.now();
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-stage"] });
"""
FRAMES = """
// The times of the frames, and the long tasks, between `begin` and `end`.
window.__frames = (() => {
  let times = [];
  const tasks = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  watch.observe({ type: "longtask" });
  let frame = 0;
  const next = (time) => { times.push(time); frame = requestAnimationFrame(next); };
  return {
    begin() { times = []; frame = requestAnimationFrame(next); },
    end() {
      cancelAnimationFrame(frame);
      tasks.push(...watch.takeRecords());
      const [first, last] = [times[0], times.at(-1)];
      return {
        between: times.slice(1).map((time, index) => time - times[index]),
        tasks: tasks.filter(({ startTime }) => startTime >= first && startTime <= last).map(({ duration }) => duration),
      };
    },
  };
})();
"""
LINE = "document.querySelector('.kiosk-ink').getAttribute('d')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A page to measure; `stands` selects what is there once it stands."""

    url: str
    stands: str

    @contextmanager
    def visitor(self, browser: Browser, script: str = "") -> Iterator[BrowserContext]:
        """Somebody who was never here, and may be heard."""
        context = browser.new_context(viewport=VIEWPORT, service_workers="block", permissions=["microphone"])
        context.add_init_script(script)
        yield context
        context.close()


Pages = Mapping[str, Subject]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="how long frames are watched in each stage")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/kiosk-page.md and kiosk-page.json")
    given = parser.parse_args()
    found = _measure(given.rounds, given.seconds)
    print(report.table(found))
    if given.json:
        report.write_json(given.json, found)
    if given.report:
        report.write(EVIDENCE, found)


def _measure(rounds: int, seconds: float) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plain = stack.enter_context(bare(folder / "log"))
        node = stack.enter_context(embedded()).instances[0]
        await_start(plain)
        voice = folder / "voice.wav"
        speak_all(voice)
        browser = launch_speaking(stack.enter_context(sync_playwright()), voice)
        stack.callback(browser.close)
        pages = {
            "kiosk": Subject(url=f"{node.url}/kiosk/", stands=".kiosk[data-stage=idle] .kiosk-primary .button"),
            "bare": Subject(url=f"{plain.url}/", stands=".bare"),
        }
        return {
            "command": f"python -m bench.kiosk_page --rounds {rounds} --seconds {seconds:g} --report",
            "machine": {**machine(), "chromium": browser.version},
            "rounds": rounds,
            "seconds": seconds,
            "weight": _weight(browser, pages, rounds),
            "interactive": _interactive(browser, pages, rounds),
            "frames": _frames(browser, pages, seconds),
        }


# --- weight ---------------------------------------------------------------------------------------------


def _weight(browser: Browser, pages: Pages, rounds: int) -> dict[str, Any]:
    """Bytes of each round; the files only one page has on a first visit, and those a second one fetches again."""
    seen = [{name: _weigh(browser, page) for name, page in pages.items()} for _ in range(rounds)]
    kiosk, plain = (seen[0][name]["cold"].files for name in ("kiosk", "bare"))
    return {
        "fetched": _each(seen, lambda wire: sum(wire.files.values())),
        "socket": _each(seen, lambda wire: wire.socket_bytes),
        "only_kiosk": _beyond(kiosk, plain),
        "only_bare": _beyond(plain, kiosk),
        "again": {name: [_beyond(one[name]["warm"].files, {}) for one in seen] for name in pages},
    }


def _weigh(browser: Browser, subject: Subject) -> dict[str, Wire]:
    with subject.visitor(browser) as context:
        return {visit: _visit(context, subject) for visit in VISITS}


def _visit(context: BrowserContext, subject: Subject) -> Wire:
    page = context.new_page()
    wire = Wire(page)
    page.goto(subject.url)
    page.wait_for_selector(subject.stands)
    wire.settle()
    page.close()
    return wire


def _each(seen: list[dict[str, dict[str, Wire]]], bytes_of: Callable[[Wire], int]) -> dict[str, dict[str, list[int]]]:
    """By visit and page, round by round."""
    return {visit: {name: [bytes_of(one[name][visit]) for one in seen] for name in seen[0]} for visit in VISITS}


def _beyond(files: dict[str, int], others: dict[str, int]) -> dict[str, int]:
    """What came over the wire, the largest first."""
    beyond = [(path, size) for path, size in files.items() if size and path not in others]
    return dict(sorted(beyond, key=lambda item: -item[1]))


# --- until it answers -----------------------------------------------------------------------------------


def _interactive(browser: Browser, pages: Pages, rounds: int) -> dict[str, Any]:
    """How long until the kiosk's primary button has answered, and until the bare page's label stands, in ms."""
    taken = {name: {visit: [] for visit in VISITS} for name in pages}
    for _ in range(rounds):
        for name, subject in pages.items():
            with subject.visitor(browser, READY.replace("SELECTOR", json.dumps(subject.stands))) as context:
                for visit in VISITS:
                    moment = "answered" if name == "kiosk" else "stood"
                    taken[name][visit].append(_until(context, subject, visit, moment))
    return {name: {visit: summary(times) for visit, times in visits.items()} for name, visits in taken.items()}


def _until(context: BrowserContext, subject: Subject, visit: str, moment: str) -> float:
    page = context.new_page()
    page.goto(subject.url, wait_until="commit")
    page.wait_for_function(f"window.__ready.{moment}", polling=50)
    passed_ms: float = page.evaluate(f"window.__ready.{moment}")
    if visit == "cold":
        page.wait_for_load_state("networkidle")  # so that the next visit finds everything
    page.close()
    return passed_ms


# --- frames ---------------------------------------------------------------------------------------------


def _frames(browser: Browser, pages: Pages, seconds: float) -> dict[str, Any]:
    """Frames and long tasks of the kiosk before a recording and during it, and of the bare page at the same time."""
    found = {}
    with ExitStack() as stack:
        kiosk, plain = (
            _standing(stack.enter_context(pages[name].visitor(browser, FRAMES)), pages[name])
            for name in ("kiosk", "bare")
        )
        for name, passed in (("armed", ()), ("recording", ("countdown",))):
            kiosk.keyboard.press("Space")
            for each in (*passed, name):
                stage(kiosk, each)
            line = kiosk.evaluate(LINE)
            found[name] = dict(zip(("kiosk", "bare"), _stretch(kiosk, plain, seconds=seconds), strict=True))
            stage(kiosk, name)
            if kiosk.evaluate(LINE) == line:
                raise RuntimeError(f"{name}: no voice was drawn")
    return found


def _standing(context: BrowserContext, subject: Subject) -> Page:
    page = context.new_page()
    page.goto(subject.url, wait_until="networkidle")
    page.wait_for_selector(subject.stands)
    return page


def _stretch(*pages: Page, seconds: float) -> list[dict[str, Any]]:
    for page in pages:
        page.evaluate("window.__frames.begin()")
    pages[0].wait_for_timeout(seconds * 1000)
    seen = [page.evaluate("window.__frames.end()") for page in pages]
    return [
        {
            **summary(one["between"]),
            "over_50_ms": sum(between > LONG_MS for between in one["between"]),
            "long_tasks_ms": [round(task) for task in one["tasks"]],
        }
        for one in seen
    ]


if __name__ == "__main__":
    main()
