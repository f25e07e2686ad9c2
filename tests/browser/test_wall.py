"""The room's wall as a browser draws it: revealed by a clock, layered, and rid at once of a voice taken back."""

import http.server
import json
import math
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright

import assets
from tests.browser.conftest import launch

ASSETS = Path(assets.__file__).parent
MODULES = ("scope", "trace", *(path.stem for path in (ASSETS / "js").glob("wall*.js")))
STEMS = {stem: f"/js/{stem}.js" for stem in MODULES}
VOICE = [[round(0.5 + 0.5 * ((at * 7) % 11) / 11, 3), round((at % 9) / 9, 3)] for at in range(64)]
PAGE = """<!doctype html><html lang="en"><title>wall</title><link rel="stylesheet" href="/css/fonts.css">
<link rel="stylesheet" href="/css/tokens.css"><link rel="stylesheet" href="/css/base.css">
<link rel="stylesheet" href="/css/room.css"><link rel="icon" href="data:,">
<script type="importmap">{imports}</script><body class="room"><section id="wall" aria-label="The room"></section>"""
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
  window.voice = (id, outline, colour = "clear") => ({
    artifact_id: id, outline, wear: 0.1, colour, caption: `voice ${id}`,
    startsAt: 0, durationS: 10, clock: () => window.now,
  });
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


def start(page: Page, base_url: str, *, reduced_motion: bool = False, fossils: dict[str, float] | None = None) -> Page:
    page.goto(base_url)
    figures = tomllib.loads((ASSETS / "catalogs/trace.toml").read_text())
    figures["fossils"].update(fossils or {})
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
    page.wait_for_selector(".wall-caption[data-shown=true]")
    assert page.get_by_role("status").first.inner_text() == "voice 1"


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
    new, warm, retired, dry, clear = strokes  # the newest is drawn last
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


SIZES = {"wide": (1920, 1080), "tall": (1080, 1920), "tablet": (1280, 800), "phone": (390, 844)}
LONGEST = (
    "A witness account that leaves a fossil, sounding like an old radio, left 23 hours ago, deeply worn, 121 seconds"
)


@pytest.fixture
def sized(browser_page: Page, base_url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SIZES[request.param]
    browser_page.set_viewport_size({"width": width, "height": height})
    yield start(browser_page, base_url)
    browser_page.set_viewport_size({"width": 1280, "height": 800})


every_size = pytest.mark.parametrize("sized", SIZES, indirect=True)


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    """Where things are on the screen, from top to bottom."""
    found: list[dict[str, float]] = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].map(one => one.getBoundingClientRect().toJSON())""",
        selector,
    )
    return sorted(found, key=lambda box: box["top"])


def lies_beneath(upper: dict[str, float], lower: dict[str, float]) -> bool:
    return upper["bottom"] <= lower["top"]


@every_size
def test_voices_heard_together_lie_beneath_each_other_and_above_ground_and_words(sized: Page) -> None:
    page = sized
    page.evaluate("wall.strata([4, 5, 6, 7].map(id => voice(id, outline)))")
    page.evaluate("longest => { now = 9; wall.playing({ ...voice(1, outline), caption: longest }); }", LONGEST)
    page.evaluate("wall.playing(voice(2, outline)); wall.playing(voice(3, outline))")
    page.wait_for_selector(".wall-caption[data-shown=true]")
    first, second, third = boxes(page, ".wall-voices .wall-trace path")
    ground = boxes(page, ".wall-strata .wall-trace path")
    words = boxes(page, ".wall-caption")[0]
    assert lies_beneath(first, second)
    assert lies_beneath(second, third)
    assert lies_beneath(third, ground[0])
    assert max(layer["bottom"] for layer in ground) <= words["top"]
    assert second["height"] < first["height"] / 2
    assert page.locator(".wall-caption").inner_text().endswith("Three voices together.")


def test_a_voice_that_ends_while_another_sounds_leaves_the_picture_calm(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("now = 5; wall.playing(voice(1, outline)); wall.playing(voice(2, outline))")
    before = [box["top"] for box in boxes(page, ".wall-voices .wall-trace path")]
    page.evaluate("wall.ended(1)")
    page.wait_for_timeout(300)
    after = [box["top"] for box in boxes(page, ".wall-voices .wall-trace path")]
    assert after == pytest.approx(before, abs=1)  # it fades where it was
    page.wait_for_function("document.querySelectorAll('.wall-strata .wall-trace').length === 1")
    (still_there,) = boxes(page, ".wall-voices .wall-trace path")
    assert still_there["top"] == pytest.approx(before[1], abs=1.5)
    page.wait_for_function("document.querySelector('.wall-caption').textContent === 'voice 2'")
    page.evaluate("wall.playing(voice(3, outline))")
    upper, lower = boxes(page, ".wall-voices .wall-trace path")
    assert lies_beneath(upper, lower)
    assert upper["height"] > 2 * lower["height"]


def test_a_voice_on_its_way_down_makes_way_for_one_that_begins_there(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("now = 5; wall.playing(voice(1, outline)); wall.ended(1)")
    page.wait_for_timeout(1500)
    page.evaluate("wall.playing(voice(2, outline)); wall.playing(voice(3, outline))")
    page.wait_for_timeout(100)
    (sinking,) = boxes(page, ".wall-strata .wall-trace")
    faded = page.locator(".wall-strata .wall-trace")
    assert faded.get_attribute("data-veiled") == "true"
    page.wait_for_function("document.querySelector('.wall-strata [data-veiled]') === null", timeout=5000)
    (found,) = boxes(page, ".wall-strata .wall-trace")
    assert lies_beneath(boxes(page, ".wall-voices .wall-trace path")[1], found)
    assert found["top"] > sinking["top"]


def test_a_fourth_voice_waits_for_the_ground(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("now = 5; for (const id of [1, 2, 3, 4]) wall.playing(voice(id, outline))")
    assert page.locator(".wall-voices .wall-trace:visible").count() == 3
    page.evaluate("wall.ended(4)")
    page.wait_for_function("document.querySelectorAll('.wall-strata .wall-trace').length === 1")
    assert page.locator(".wall-strata .wall-trace").is_visible()


MM_OF = {43: 43 * 25.4 * 16 / 337**0.5 / 1920, 55: 55 * 25.4 * 16 / 337**0.5 / 1920}
"""Millimetres of a pixel on a screen of so many inches, 1920 by 1080 of them."""


def arcminutes(millimetres: float) -> float:
    """The visual angle of a length seen from five metres."""
    return math.degrees(math.atan(millimetres / 5000)) * 60


@pytest.mark.parametrize("inches", MM_OF)
@pytest.mark.parametrize("sized", ["wide", "tall"], indirect=True)
def test_words_and_line_can_be_read_from_five_metres(sized: Page, inches: int) -> None:
    page = sized
    page.evaluate("now = 9; wall.playing({ ...voice(1, outline), wear: 0 })")
    page.wait_for_selector(".wall-caption[data-shown=true]")
    x_height, family = page.evaluate(
        """async () => {
          const line = document.querySelector(".wall-caption");
          await document.fonts.load(`100px ${getComputedStyle(line).fontFamily}`);
          const rod = document.createElement("i");
          rod.style.cssText = "position:absolute;inline-size:1ex";
          line.append(rod);
          return [rod.getBoundingClientRect().width, [...document.fonts].some(font => font.status === "loaded")];
        }"""
    )
    stroke = float(page.locator(".wall-voices path").get_attribute("stroke-width") or 0)
    assert family, "the words are measured in their own font"
    assert arcminutes(x_height * MM_OF[inches]) >= 10
    assert arcminutes(stroke * MM_OF[inches]) >= 1


@every_size
def test_every_state_of_the_wall_is_accessible_and_fits(sized: Page) -> None:
    page = sized
    states = (
        "wall.state({ resting: true })",
        "wall.strata([7, 8, 9].map(id => voice(id, outline)))",
        "now = 5; [1, 2, 3].forEach(id => wall.playing(voice(id, outline)))",
        "[1, 2, 3].forEach(wall.ended); wall.state({ paused: true })",
        "wall.state({ held: true })",
        "wall.state({ connection: 'lost' })",
        "wall.state({ blocked: true })",
        "document.documentElement.dataset.contrast = 'high'",
    )
    for state in states:
        page.evaluate(f"void ({state.replace('; ', ', ')})")
        page.wait_for_timeout(1000)  # light may still be on its way
        results = Axe().run(page)
        assert results.violations_count == 0, f"{state}: {results.generate_report()}"
        wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room, state


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("paused: true", "Paused."),
        ("held: true, paused: true", "The room is paused. It will go on."),
        ("maintained: true, held: true", "Someone is looking after the room. It will be back soon."),
        ("connection: 'lost'", "The connection is gone. It returns by itself."),
    ],
)
def test_a_silent_wall_says_what_it_does(browser_page: Page, base_url: str, state: str, words: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate(f"wall.state({{ {state} }})")
    page.get_by_role("status").filter(has_text=words).wait_for()


def test_a_wall_that_a_steward_has_paused_offers_no_start(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.state({ held: true, paused: true })")
    assert page.get_by_role("button", name="Start").count() == 0
    page.evaluate("wall.state({ held: false })")
    assert page.get_by_role("button", name="Start").count() == 1


def test_whatever_shines_for_long_wanders(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.evaluate("wall.strata([voice(2, outline)]), wall.state({ paused: true }), wall.call('a name')")
    hung = page.evaluate(
        """() => [...document.querySelectorAll("#wall *")]
          .filter(one => one.matches("path, p, button:not(.wall-listen), span"))
          .filter(one => one.closest(".wall-drift, .wall-controls, .wall-listen-words") === null).length"""
    )
    assert hung == 0
    places = ".wall-drift, .wall-controls, .wall-listen-words"
    before = page.evaluate(f"[...document.querySelectorAll('{places}')].map(one => one.style.transform)")
    page.evaluate("Date.now = () => 1e6")
    page.wait_for_timeout(2200)
    after = page.evaluate(f"[...document.querySelectorAll('{places}')].map(one => one.style.transform)")
    assert len(before) == 3
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_controls_stay_under_the_hand(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url)
    page.mouse.move(200, 200)
    page.mouse.move(220, 220)
    place = page.locator(".wall-toggle").bounding_box()
    page.evaluate("Date.now = () => 1e6")
    page.wait_for_timeout(2300)
    assert page.locator(".wall-toggle").bounding_box() == place


def moves(page: Page) -> list[str]:
    """Whatever could be seen to move: transitions of anything but light, and animations of anything but light."""
    seen: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#wall, #wall *")].flatMap(one => {
          const style = getComputedStyle(one);
          const lasting = style.transitionDuration.split(", ").map(parseFloat);
          const moving = style.transitionProperty.split(", ")
            .filter((name, at) => (lasting[at] ?? lasting[0]) > 0.002 && !/^(opacity|visibility|none)$/.test(name)
              && !/color/.test(name));
          const animated = style.animationName.split(", ").filter(name => !/^(none|wall-appear)$/.test(name));
          return [...moving, ...animated].map(name => `${one.className.baseVal ?? one.className}: ${name}`);
        })"""
    )
    return seen


@pytest.mark.parametrize("by", ["the steward", "the start"])
def test_with_reduced_motion_nothing_is_seen_to_move(browser_page: Page, base_url: str, by: str) -> None:
    page = start(browser_page, base_url, reduced_motion=by == "the start")
    page.evaluate("wall.strata([5, 6].map(id => voice(id, outline))), wall.playing(voice(1, outline))")
    if by == "the steward":
        assert moves(page) != []
        page.evaluate("wall.state({ reducedMotion: true })")
    assert moves(page) == []
    before = boxes(page, ".wall-trace path")
    page.evaluate("now = 7, Date.now = () => 9e8")
    page.wait_for_timeout(4200)  # a step of the drift, and the time it takes to be done unseen
    assert boxes(page, ".wall-trace path") == before  # not even against burn-in while a voice sounds


def test_with_reduced_motion_a_voice_fades_and_is_found_in_the_ground(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url, reduced_motion=True)
    page.evaluate("wall.strata([5, 6].map(id => voice(id, outline))), wall.playing(voice(1, outline))")
    before = boxes(page, ".wall-trace path")
    page.evaluate("wall.ended(1)")
    page.wait_for_timeout(200)
    assert boxes(page, ".wall-trace path") == before
    assert page.locator(".wall-strata").get_attribute("data-veiled") == "true"
    page.wait_for_function("document.querySelectorAll('.wall-strata .wall-trace').length === 3")
    page.wait_for_function("document.querySelector('[data-veiled]') === null")
    assert moves(page) == []


def test_with_reduced_motion_the_wall_still_hangs_elsewhere_in_time_unseen(browser_page: Page, base_url: str) -> None:
    page = start(browser_page, base_url, reduced_motion=True)
    page.evaluate("wall.strata([5, 6].map(id => voice(id, outline)))")
    drift = page.locator(".wall-drift")
    before = drift.evaluate("one => one.style.transform")
    page.evaluate("Date.now = () => 9e8")
    page.wait_for_selector(".wall-drift[data-veiled=true]", timeout=4000, state="attached")
    assert drift.evaluate("one => one.style.transform") == before
    seen = page.wait_for_function(
        "before => { const drift = document.querySelector('.wall-drift');"
        " return drift.style.transform !== before && [getComputedStyle(drift).opacity]; }",
        arg=before,
    )
    assert float(seen.json_value()[0]) < 0.2
    page.wait_for_function("document.querySelector('[data-veiled]') === null")
