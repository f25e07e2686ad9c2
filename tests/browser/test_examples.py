"""Each example is run as its README says, opened in a browser, and does what it shows."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ROOT, WATCH, free_port, record, stage, until

EXAMPLES = sorted((ROOT / "examples").glob("*_alone.py"))
LINES_MOST = 60

Opening = Callable[[str], Page]


@pytest.fixture
def opening(speaking_browser: Browser, tmp_path: Path) -> Iterator[Opening]:
    """Runs an example and opens its page; what goes wrong on the page is a failure of the test."""
    started: list[subprocess.Popen[bytes]] = []
    context = speaking_browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH)
    errors: list[str] = []

    def opened(name: str) -> Page:
        port = free_port()
        with (tmp_path / "log").open("wb") as log:
            given = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PORT": str(port)}
            example = [sys.executable, str(ROOT / "examples" / f"{name}.py")]
            started.append(subprocess.Popen(example, cwd=tmp_path, env=given, stdout=log, stderr=log))
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url) or started[0].poll() is not None, what="the example")
        assert started[0].poll() is None, (tmp_path / "log").read_text()
        context.grant_permissions(["microphone"], origin=url)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    yield opened
    context.close()
    for process in started:
        process.terminate()
        process.wait(10)
    assert errors == []
    assert "Traceback" not in (tmp_path / "log").read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


def test_the_recorder_alone_records_and_gives_back_once(opening: Opening) -> None:
    page = opening("recorder_alone")
    heard: list[tuple[int, str]] = []
    page.on("response", lambda answer: "/takes/" in answer.url and heard.append((answer.status, answer.url)))
    record(page, 1.0)
    page.keyboard.press("3")
    page.keyboard.press("Space")
    until(lambda: page.evaluate("window.__rms() > 0.01"), what="the one hearing")
    stage(page, "complete")
    assert [status for status, _ in heard] == [200]
    assert httpx.get(heard[0][1]).status_code == 404


def test_the_player_alone_sounds_draws_and_tells_when_it_was_heard(opening: Opening) -> None:
    page = opening("player_alone")
    until(lambda: page.evaluate("window.__rms() > 0.01"), what="the voice")
    line = until(lambda: page.locator(".wall-trace path").first.get_attribute("d"), what="its line")
    assert len(line) > 500
    with page.expect_request("**/heard", timeout=20_000):
        pass
    page.get_by_text("a hum").first.wait_for(timeout=20_000)


def test_the_trace_alone_is_drawn_and_wears(opening: Opening) -> None:
    page = opening("trace_alone")
    path = page.get_by_role("img", name="The line of a voice").locator("path")
    fresh = until(lambda: path.get_attribute("d"), what="the line")
    assert len(fresh) > 500
    page.locator(".q-slider").click()  # in its middle
    worn = until(lambda: path.get_attribute("opacity") != "1" and path.get_attribute("d"), what="wear")
    assert worn != fresh


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_is_short_and_has_its_place_in_the_readme(example: Path) -> None:
    assert len(example.read_text("utf-8").splitlines()) < LINES_MOST
    assert f"[{example.name}]({example.name})" in (example.parent / "README.md").read_text("utf-8")
