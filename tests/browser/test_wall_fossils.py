"""Pictures of fossils on the wall: faint, few, and gone as soon as the feed lists them no longer."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import Node, free_port, visit
from tests.browser.test_pages import leave
from tests.browser.test_wall import base_url, browser_page, start

__all__ = ["base_url", "browser_page"]

FAST = {"refresh_s": 0.4, "life_s": 6.0, "fade_s": 1.0}


def png() -> bytes:
    """A picture of the size fossils have."""
    held = io.BytesIO()
    Image.new("RGB", (1200, 360), "#7c7264").save(held, "PNG")
    return held.getvalue()


class Feed:
    """What a node would answer; `status` 0 does not answer."""

    def __init__(self) -> None:
        self.moments: list[str] = []
        self.status = 200
        self.asked = 0
        self.fetched: list[str] = []

    def answer(self, route: Route) -> None:
        if "/picture/" in route.request.url:
            self.fetched.append(route.request.url.rsplit("/", 1)[1])
            route.fulfill(body=png(), content_type="image/png")
            return
        self.asked += 1
        if self.status != 200:
            route.abort() if self.status == 0 else route.fulfill(status=self.status, body="{}")
            return
        # As on a node, the address of a picture is another one in every answer.
        listed = [
            {"created_at": one, "image_url": f"/picture/{one}-{self.asked}", "title": one} for one in self.moments
        ]
        route.fulfill(body=json.dumps(listed), content_type="application/json")


@pytest.fixture
def feed(browser_page: Page) -> Iterator[Feed]:
    made = Feed()
    for path in ("**/feed", "**/picture/*"):
        browser_page.route(path, made.answer)
    yield made
    browser_page.unroute_all(behavior="ignoreErrors")


def begin(page: Page, url: str, feed: Feed, moments: int, *, reduced_motion: bool = False, **figures: Any) -> Page:
    feed.moments = [f"moment{at}" for at in range(moments)]
    start(page, url, reduced_motion=reduced_motion, fossils={**FAST, **figures})
    page.evaluate(
        """() => {
          window.held = 0;
          const [make, let_go] = [URL.createObjectURL, URL.revokeObjectURL];
          URL.createObjectURL = (blob) => { window.held += 1; return make.call(URL, blob); };
          URL.revokeObjectURL = (url) => { window.held -= 1; let_go.call(URL, url); };
          wall.fossilsFrom("/feed");
        }"""
    )
    return page


def shown(page: Page) -> int:
    return page.locator(".wall-fossil").count()


def wait_for(page: Page, count: int, timeout_ms: int = 8000) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('.wall-fossil').length === count", arg=count, timeout=timeout_ms
    )


def test_a_wall_without_an_address_asks_for_nothing(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = start(browser_page, base_url, fossils=FAST)
    page.evaluate("wall.fossilsFrom('')")
    page.wait_for_timeout(900)
    assert (feed.asked, shown(page)) == (0, 0)


def test_pictures_come_one_after_the_other_and_never_too_many(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 12)
    wait_for(page, 1)
    wait_for(page, 3)
    for _ in range(100):
        assert shown(page) <= 3
        if len(feed.fetched) >= 4:
            break
        page.wait_for_timeout(100)
    seen = [one.split("-")[0] for one in feed.fetched]
    assert seen[:4] == ["moment0", "moment1", "moment2", "moment3"]


def test_a_picture_that_is_no_longer_listed_is_gone_at_the_next_look(
    browser_page: Page, base_url: str, feed: Feed
) -> None:
    page = begin(browser_page, base_url, feed, 3)
    wait_for(page, 3)
    feed.moments = feed.moments[1:]
    wait_for(page, 2, 1500)
    feed.moments = []
    wait_for(page, 0, 1500)


def test_a_voice_taken_back_is_looked_up_at_once(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 1, refresh_s=60)
    wait_for(page, 1)
    feed.moments = []
    page.evaluate("wall.drop([77])")
    wait_for(page, 0, 1500)


@pytest.mark.parametrize(("status", "looks"), [(404, 1), (0, 2), (503, 2)])
def test_pictures_do_not_outlive_their_feed(
    browser_page: Page, base_url: str, feed: Feed, status: int, looks: int
) -> None:
    page = begin(browser_page, base_url, feed, 3)
    wait_for(page, 1)
    before, feed.status = feed.asked, status
    wait_for(page, 0, 3000)
    assert before + looks <= feed.asked <= before + looks + 1


def test_one_look_that_fails_takes_nothing_away(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 3, refresh_s=0.8)
    wait_for(page, 1)
    before, feed.status = feed.asked, 503
    page.wait_for_timeout(850)
    feed.status = 200
    assert feed.asked > before
    assert shown(page) >= 1


def test_nothing_of_a_picture_is_kept(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 3)
    wait_for(page, 3)
    assert page.evaluate("held") == 0
    page.evaluate("wall.fossilsFrom('')")
    assert shown(page) == 0
    page.wait_for_timeout(700)
    assert shown(page) == 0


def test_a_wall_that_is_left_leaves_no_picture(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 3)
    wait_for(page, 2)
    page.evaluate("scope.dispose()")
    asked = feed.asked
    page.wait_for_timeout(1000)
    assert (shown(page), feed.asked) == (0, asked)


def light(page: Page) -> float:
    """What reaches the eye of the brightest picture, as a share."""
    seen: float = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll(".wall-fossil")].map(one => +getComputedStyle(one).opacity))
          * +getComputedStyle(document.querySelector(".wall-fossils")).opacity"""
    )
    return seen


def test_they_are_faint_and_fainter_while_a_voice_sounds(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 1, life_s=60.0, fade_s=0.5)
    wait_for(page, 1)
    page.wait_for_timeout(900)
    alone = light(page)
    assert 0.1 < alone <= 0.25
    page.evaluate("wall.playing(voice(1, outline))")
    page.wait_for_timeout(1800)
    assert light(page) == pytest.approx(alone / 2, abs=0.02)


def places(page: Page) -> list[float]:
    found: list[float] = page.evaluate(
        "[...document.querySelectorAll('.wall-fossil')].map(one => one.getBoundingClientRect().x)"
    )
    return found


@pytest.mark.parametrize("still", [False, True])
def test_they_wander_unless_motion_is_unwelcome(browser_page: Page, base_url: str, feed: Feed, still: bool) -> None:
    page = begin(browser_page, base_url, feed, 1, life_s=30.0, reduced_motion=still, speed=0.02)
    wait_for(page, 1)
    before = places(page)
    page.wait_for_timeout(1000)
    assert (places(page) == before) is still


def test_they_stop_where_motion_becomes_unwelcome(browser_page: Page, base_url: str, feed: Feed) -> None:
    page = begin(browser_page, base_url, feed, 1, life_s=30.0, speed=0.02)
    wait_for(page, 1)
    page.evaluate("wall.state({ reducedMotion: true })")
    wait_for(page, 1)
    before = places(page)
    page.wait_for_timeout(800)
    assert places(page) == before


def test_a_room_shows_its_fossils_until_they_are_taken_back(
    speaking_browser: Browser, tmp_path: Path, voice: Path
) -> None:
    node = Node(data_dir=tmp_path, port=free_port(), environment={"ROOM_FOSSIL_VISUALS": "true"}).start()
    try:
        code = leave(node, voice, "FOSSIL")
        visitor = visit(speaking_browser, node)
        page = visitor.open("/room/?autostart=0")
        page.locator(".wall-fossil").wait_for(timeout=40_000)
        assert page.evaluate("document.querySelector('.wall-fossil').naturalWidth") == 1200
        httpx.post(f"{node.url}/api/v1/revoke", json={"token": code})
        page.wait_for_function("document.querySelector('.wall-fossil') === null", timeout=5000)
        visitor.clean()
        visitor.context.close()
    finally:
        node.stop()
