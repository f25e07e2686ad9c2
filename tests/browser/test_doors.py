"""What visitors and stewards see while no voice may come in, and how it opens again."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Node, Visit, record, stage, visit
from tests.browser.test_steward import SIZES, button, moment, secret_of, sign_in, violations

DAYS = 30
SHUT: dict[str, dict[str, Any]] = {
    "full": {"free_bytes": 1},
    "clock": {"ahead_days": -DAYS},
    "closed": {"closed": "exhibition"},
}
OPEN = {"free_bytes": 0, "ahead_days": 0, "closed": ""}


@pytest.fixture
def steward(speaking_browser: Browser, node: Node) -> Any:
    opened = visit(speaking_browser, node)
    yield opened
    opened.context.close()


def blocked(kiosk: Page, door: str) -> None:
    """The kiosk has noticed, by itself."""
    expect(kiosk.locator(".kiosk")).to_have_attribute("data-blocked", door, timeout=12_000)


def test_the_kiosk_says_why_it_takes_nothing_in_and_opens_by_itself(speaker: Visit, node: Node) -> None:
    kiosk = speaker.open("/kiosk/")
    stage(kiosk, "idle")
    for door, cause in SHUT.items():
        node.become(**cause)
        blocked(kiosk, door)
        assert kiosk.locator(".kiosk-primary button").count() == 0
        assert violations(kiosk) == []
        for size in SIZES:
            kiosk.set_viewport_size(size)
            assert kiosk.evaluate("document.documentElement.scrollWidth <= innerWidth"), (door, size)
        node.become(**OPEN)
        blocked(kiosk, "")
    assert kiosk.locator(".kiosk-primary button").count() == 1
    speaker.clean()


def test_a_take_outlasts_a_clock_that_jumps_and_is_sent_when_it_is_right(speaker: Visit, node: Node) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    node.become(ahead_days=-DAYS)
    blocked(kiosk, "clock")
    stage(kiosk, "review")
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")
    expect(kiosk.locator(".kiosk-lead")).to_contain_text("Your recording is still here")
    assert node.sounds() == []
    node.become(ahead_days=0)
    blocked(kiosk, "")
    kiosk.keyboard.press("Space")
    stage(kiosk, "complete")
    assert len(node.sounds()) == 1


def test_a_steward_confirms_the_clock_after_reading_what_it_means(speaker: Visit, steward: Visit, node: Node) -> None:
    kiosk = speaker.open("/kiosk/")
    page = sign_in(steward, secret_of(node))
    moment(page, "fix")
    assert button(page, "Confirm the clock").count() == 0
    node.become(ahead_days=-DAYS)
    blocked(kiosk, "clock")
    expect(page.locator(".ops-warnings")).to_contain_text("The clock is in doubt", timeout=12_000)
    button(page, "Confirm the clock").click()
    expect(page.locator(".ops-remedy")).to_contain_text("Look at another clock first")
    button(page, "Not now").click()
    button(page, "Confirm the clock").click()
    expect(button(page, "Not now")).to_be_focused()
    assert violations(page) == []
    button(page, "It is right").click()
    blocked(kiosk, "")
    expect(page.locator(".ops-remedy")).to_have_count(0)
    moment(page, "run")
    expect(page.locator(".ops-trail")).to_contain_text("Confirmed the clock")


def test_a_closed_node_is_calm_everywhere_until_a_steward_opens_it(speaker: Visit, steward: Visit, node: Node) -> None:
    kiosk, room = speaker.open("/kiosk/"), speaker.open("/room/")
    page = sign_in(steward, secret_of(node))
    node.become(closed="ledger_short")
    blocked(kiosk, "closed")
    expect(room.locator(".wall-caption")).to_contain_text("Someone is looking after the room", timeout=12_000)
    moment(page, "fix")
    expect(page.locator(".ops-warnings")).to_contain_text("shorter than it was", timeout=12_000)
    button(page, "Open the node").click()
    button(page, "Open it").click()
    blocked(kiosk, "")
    node.become(closed="exhibition")
    expect(room.locator(".wall-caption")).to_contain_text("This room is closed.", timeout=12_000)
    speaker.clean()
