"""A receipt as participants meet it: on the kiosk, on paper, and behind its square with scripts off."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Node, Visit, record, stage, visit
from tests.browser.test_pages import SIZES, accessible, fits, leave

PAPERS = {"roll": {"width": "80mm", "height": "297mm"}, "sheet": {"format": "A4"}}


def press(page: Page, button: str) -> None:
    """A button of a form, and the page that answers it."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def printed(page: Page) -> str:
    """What a print shows, once it fits one page of either paper."""
    for paper in PAPERS.values():
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(**paper))) == 1
    page.emulate_media(media="print")
    shown: str = page.inner_text("body")
    page.emulate_media(media="null")
    return shown


def test_what_is_shown_is_what_is_recorded_and_the_receipt_is_printed_here_alone(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    kiosk.evaluate("window.printed = 0; window.print = () => { window.printed += 1; }; 0")
    record(kiosk, 2.5)
    kiosk.keyboard.press("2")
    chosen = kiosk.locator(".kiosk-choice[data-chosen=true]")
    name = chosen.locator(".kiosk-choice-name").inner_text()
    promise = chosen.locator(".kiosk-choice-promise").inner_text()
    kiosk.keyboard.press("Space")
    stage(kiosk, "complete")
    code = "-".join(kiosk.locator(".kiosk-kept .code span").all_inner_texts())
    assert kiosk.locator(".kiosk-square svg").is_visible()
    sent: list[str] = []
    kiosk.on("request", lambda request: sent.append(request.url))
    kiosk.get_by_role("button", name="Print the receipt").click()
    assert (kiosk.evaluate("window.printed"), sent) == (1, [])
    stage(kiosk, "complete")

    text = printed(kiosk)
    assert set(code.split("-")) <= set(text.split())
    assert "It is out of every backup by" in text
    assert "Done" not in text

    notice = httpx.post(f"{node.url}/api/v1/receipt/record", json={"token": code}).json()["pii_processing"]
    assert (notice["privacy_notice"]["choice"], notice["privacy_notice"]["text"]) == (name, promise)
    speaker.clean()


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_a_receipt_is_read_narrowed_kept_and_taken_back_with_scripts_off(
    speaking_browser: Browser, node: Node, voice: Path, size: str
) -> None:
    code = leave(node, voice, "FOSSIL")
    width, height = SIZES[size]
    silent = visit(speaking_browser, node, viewport={"width": width, "height": height}, java_script_enabled=False)
    page = silent.open(f"/revoke/?token={code}")
    press(page, "Look it up")
    assert "It is in the room." in page.inner_text("main")
    press(page, "leave no fossil")
    assert "It leaves no fossil." in page.inner_text("main")
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download the consent record").click()
    written = json.loads(Path(kept.value.path()).read_text())
    assert [event["event_state"] for event in written["events"]] == ["given", "narrowed"]
    text = printed(page)
    assert set(code.split("-")) <= set(text.split())
    assert "Remove it" not in text
    press(page, "Remove it for good")
    assert "It is gone." in page.inner_text("main")
    assert not set(code.split("-")) & set(page.inner_text("body").split())
    assert "Looked for and not found" in printed(page)
    assert node.sounds() == []
    assert silent.errors == []
    silent.context.close()
    assert code not in node.logged()


def test_a_receipt_is_accessible_and_fits_alive_and_ended(speaking_browser: Browser, node: Node, voice: Path) -> None:
    code = leave(node, voice, "FOSSIL")
    visitor = visit(speaking_browser, node)
    page = visitor.open(f"/revoke/?token={code}")
    for button in ("Look it up", "Remove it for good"):
        press(page, button)
        for width, height in SIZES.values():
            page.set_viewport_size({"width": width, "height": height})
            fits(page)
        accessible(page)
    visitor.clean()
    visitor.context.close()
