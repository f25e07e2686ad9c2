"""The room's wall as a browser draws it: revealed by a clock, layered, and rid at once of a voice taken back."""

import http.server
import json
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

import assets
from tests.browser.conftest import launch

ASSETS = Path(assets.__file__).parent
STEMS = {stem: f"/js/{stem}.js" for stem in ("trace", "wall", "wall_flag", "wall_parts", "wall_place", "scope")}
VOICE = [[round(0.5 + 0.5 * ((at * 7) % 11) / 11, 3), round((at % 9) / 9, 3)] for at in range(64)]
PAGE = """<!doctype html><title>wall</title><link rel="stylesheet" href="/css/tokens.css">
<link rel="stylesheet" href="/css/base.css"><link rel="stylesheet" href="/css/room.css">
<script type="importmap">{imports}</script><body class="room"><div id="wall"></div>"""
START = """async ({figures, colours, copy, reducedMotion}) => {
  const { createWall } = await import("wall");
  const { createScope } = await import("scope");
  window.calls = [];
  window.scope = createScope();
  window.now = 0;
  window.wall = createWall(document.getElementById("wall"), {
    figures, colours, copy, reducedMotion, node: { name: "The node" }, scope: window.scope,
    onStart: () => window.calls.push("start"), onPause: () => window.calls.push("pause"),
    onFlag: async () => 200,
  });
  window.voice = (id, outline, colour = "clear") => ({ artifact_id: id, outline, wear: 0.1, colour, caption: `voice ${id}`,
    startsAt: 0, durationS: 10, clock: () => window.now });
}"""


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves the assets, and one empty page."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        body = PAGE.format(imports=json.dumps({"imports": STEMS})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    handler = partial(Server, directory=str(ASSETS))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser_page(playwright: Playwright) -> Iterator[Page]:
    browser = launch(playwright)
    yield browser.new_page(viewport={"width": 1280, "height": 800})
    browser.close()


def start(page: Page, base_url: str, *, reduced_motion: bool = False) -> Page:
    page.goto(base_url)
    figures = tomllib.loads((ASSETS / "catalogs/trace.toml").read_text())
    copy = tomllib.loads((ASSETS / "copy/en.toml").read_text())["room"]
    colours = [
        *tomllib.loads((ASSETS / "catalogs/colours.toml").read_text())["colours"],
        {"code": "new", "tint": {"light": "#00ff00", "share": 1}},
    ]
    given = {"figures": figures, "colours": colours, "copy": copy, "reducedMotion": reduced_motion}
    page.evaluate(START, given)
    page.evaluate("outline => { window.outline = outline; }", VOICE)
    return page


def traces(page: Page) -> int:
    return page.locator(".wall-trace").count()


def revealed(page: Page) -> float:
    page.wait_for_timeout(60)
    return float(page.evaluate("+document.querySelector('[id^=wall-clip-] rect').getAttribute('width')"))


def test_a_voice_is_drawn_in_time_with_its_clock(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.playing(voice(1, outline))")
    assert revealed(page) == 0
    page.evaluate("now = 5")
    half = revealed(page)
    page.evaluate("now = 10")
    assert revealed(page) == pytest.approx(2 * half, abs=8)
    assert page.locator(".wall-caption").inner_text() == "voice 1"


def test_a_stopped_clock_stops_the_line(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("now = 3; wall.playing(voice(1, outline))")
    assert revealed(page) == revealed(page) > 0


def test_a_voice_that_has_ended_stays_as_the_newest_layer(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.playing(voice(1, outline)); wall.ended(1)")
    assert page.locator(".wall-strata .wall-trace").count() == 1
    assert page.locator(".wall").get_attribute("data-sounding") == "false"


def test_a_voice_taken_back_is_gone_at_once_sounding_or_sunken(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.strata([2, 3, 4].map(id => voice(id, outline))); wall.playing(voice(1, outline))")
    left = page.evaluate("(wall.drop([1, 3]), document.querySelectorAll('.wall-trace').length)")
    assert left == 2
    assert page.locator(".wall").get_attribute("data-sounding") == "false"
    assert page.locator("[id^=wall-clip-]").count() == 0


def test_an_empty_wall_shows_a_line_and_the_name_of_the_node(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.strata([voice(2, outline)])")
    assert page.locator(".wall-name").is_hidden()
    page.evaluate("wall.strata([])")
    assert traces(page) == 0
    assert page.locator(".wall-name").inner_text() == "The node"
    assert page.locator(".wall-rest path").get_attribute("d")


def test_a_long_day_draws_no_more_layers_than_the_catalog_says(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("for (let id = 0; id < 60; id += 1) { wall.playing(voice(id, outline)); wall.ended(id); }")
    most = tomllib.loads((ASSETS / "catalogs/trace.toml").read_text())["wall"]["strata_most"]
    assert traces(page) == most


def test_with_reduced_motion_the_whole_trace_is_there_at_once(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url, reduced_motion=True)
    page.evaluate("wall.playing(voice(1, outline))")
    assert revealed(page) > 1000


def test_a_wall_the_browser_silences_is_one_large_button(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.state({ blocked: true })")
    page.get_by_role("button", name="Tap to listen").click()
    assert page.evaluate("calls") == ["start"]


def test_controls_come_with_a_movement_and_pause_or_start(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    assert page.locator(".wall").get_attribute("data-controls") != "shown"
    page.mouse.move(200, 200)
    page.mouse.move(220, 220)
    assert page.locator(".wall").get_attribute("data-controls") == "shown"
    page.get_by_role("button", name="Pause").click()
    page.evaluate("wall.state({ paused: true })")
    page.get_by_role("button", name="Start").click()
    assert page.evaluate("calls") == ["pause", "start"]


def test_a_disposed_wall_leaves_nothing_behind(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.playing(voice(1, outline)); scope.dispose()")
    assert page.locator("#wall *").count() == 0


def test_a_new_memory_colour_needs_only_a_catalog_entry_to_be_seen(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.strata(['clear', '', 'retired', 'warm', 'new'].map((code, id) => voice(id, outline, code)))")
    strokes = page.evaluate(
        "[...document.querySelectorAll('.wall-strata path')].map(path => getComputedStyle(path).stroke)"
    )
    clear, dry, retired, warm, new = strokes
    assert clear == dry == retired != warm
    assert channels(page, new) == [0, 255, 0]


def channels(page: Page, colour: str) -> list[int]:
    """Red, green and blue of any CSS colour, as they reach the screen."""
    seen: list[int] = page.evaluate(
        """colour => {
          const pen = new OffscreenCanvas(1, 1).getContext("2d");
          pen.fillStyle = colour;
          pen.fillRect(0, 0, 1, 1);
          return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }""",
        colour,
    )
    return seen
