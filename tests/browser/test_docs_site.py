"""The documentation and the cards in a browser: found, read, and printed."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import ROOT, Node, visit
from tests.browser.test_pages import SIZES, accessible, fits

CARDS = {
    "/cards/participant?language=de": (105, 148),
    "/cards/participant?language=ar": (105, 148),
    "/cards/participant?language=fr&size=A5": (148, 210),
    "/cards/drill": (210, 297),
}
POINTS_A_MM = 72 / 25.4


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The site of this very checkout, as `make setup` leaves it."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "build_docs.py"), "--if-stale"], check=True, timeout=120)


def test_a_word_is_searched_found_and_read_at_every_size(speaking_browser: Browser, node: Node) -> None:
    reader = visit(speaking_browser, node)
    page = reader.open("/docs/")
    page.get_by_role("searchbox").fill("revoke")
    page.get_by_role("button", name="Search").click()
    page.locator(".search a").first.wait_for()
    accessible(page)
    with page.expect_navigation():
        page.locator(".search a").first.click()
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        fits(page)
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/docs/", "/docs/reference/settings.html", "/docs/explanation/memory-lifecycle.html"):
        page.goto(f"{node.url}{address}")
        fits(page)
    accessible(page)
    reader.clean()
    reader.context.close()


@pytest.mark.parametrize("address", CARDS)
def test_a_card_is_one_sheet_of_its_size(speaking_browser: Browser, node: Node, address: str) -> None:
    visitor = visit(speaking_browser, node)
    page = visitor.open(address)
    accessible(page)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    box = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert box is not None
    assert [round(float(side) / POINTS_A_MM) for side in box.groups()] == list(CARDS[address])
    page.emulate_media(media="print")
    card = page.locator(".card")
    assert card.evaluate("(one) => one.scrollHeight <= one.clientHeight + 1")
    visitor.clean()
    visitor.context.close()
