"""What the kiosk does when something is wrong: each trouble its own words and its own way out."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.browser.conftest import Node, Visit, launch, record, stage, until, visit
from tests.browser.test_pages import accessible, fits

REFUSED = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("told so", "%s"));
"""
TROUBLES = {
    "denied": (REFUSED % "NotAllowedError", "not allowed"),
    "absent": (REFUSED % "NotFoundError", "no microphone"),
    "busy": (REFUSED % "NotReadableError", "in use"),
    "unsupported": ("delete window.AudioWorkletNode;", "cannot record"),
}


def troubled(page: Page, code: str) -> str:
    """The words of an error screen."""
    page.wait_for_selector(f".kiosk[data-stage=error][data-error={code}]", timeout=20_000)
    return page.locator(".kiosk").inner_text()


@pytest.mark.parametrize("code", TROUBLES)
def test_a_microphone_that_cannot_be_had_is_explained(speaking_browser: Browser, node: Node, code: str) -> None:
    script, words = TROUBLES[code]
    visitor = visit(speaking_browser, node)
    visitor.context.add_init_script(script)
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    assert words in troubled(page, code)
    page.keyboard.press("Escape")
    stage(page, "idle")
    visitor.context.close()


def test_an_insecure_address_is_explained(playwright: Playwright, tmp_path: Path, node: Node) -> None:
    node.stop()
    node.environment["ALLOWED_HOSTS"] = "kiosk.example"
    node.start()
    browser = launch(playwright, "--host-resolver-rules=MAP kiosk.example 127.0.0.1")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://kiosk.example:{node.port}/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    assert "https" in troubled(page, "insecure")
    browser.close()


def test_a_very_short_take_is_not_kept(speaker: Visit) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.keyboard.press("Space")
    assert "very short" in troubled(page, "too_short")


def test_a_microphone_lost_while_speaking_leaves_what_was_said(speaking_browser: Browser, node: Node) -> None:
    visitor = visit(speaking_browser, node)
    visitor.context.add_init_script(
        """
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
          const stream = await open(wanted);
          window.__unplug = () => stream.getTracks().forEach((t) => { t.stop(); t.dispatchEvent(new Event("ended")); });
          return stream;
        };
        """
    )
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.wait_for_timeout(3000)
    page.evaluate("window.__unplug()")
    stage(page, "review")
    visitor.context.close()


def test_a_server_that_is_away_loses_nothing(node: Node, speaking_browser: Browser) -> None:
    visitor = visit(speaking_browser, node)
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.wait_for_timeout(1500)
    node.kill()
    page.wait_for_timeout(1500)
    page.keyboard.press("Space")
    stage(page, "review")
    page.locator(".kiosk-colour").last.click()
    until(lambda: page.evaluate("window.__rms()") > 0.005, what="the take in a colour, without the server")
    page.keyboard.press("1")
    page.keyboard.press("Space")
    page.get_by_role("alert").filter(has_text="still here").wait_for(timeout=20_000)
    stage(page, "review")
    node.start()
    page.wait_for_timeout(4000)  # long enough to connect anew, and for a page the server does not know to be reloaded
    page.get_by_role("button", name="Send again").click()
    stage(page, "complete", timeout_s=30)
    assert len(node.sounds()) == 1
    page.wait_for_timeout(3000)
    assert page.locator(".code").is_visible()
    page.get_by_role("button", name="Done").click()
    stage(page, "idle")
    page.wait_for_function("window.socket?.connected === true")  # the page may be loaded anew meanwhile
    visitor.context.close()


def test_an_answer_that_got_lost_leaves_one_take_and_its_code(node: Node, speaker: Visit) -> None:
    page = speaker.open("/kiosk/")
    lost: list[Any] = []

    def lose_first(route: Any) -> None:
        if not lost:
            lost.append(route.fetch())  # the server answers, and nobody hears it
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/artifacts/audio", lose_first)
    record(page, 2.5)
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")
    code = "-".join(page.locator(".code span").all_inner_texts())
    assert lost[0].json()["revocation_token"] == code
    assert len(node.sounds()) == 1
    assert httpx.post(f"{node.url}/api/v1/revoke", json={"token": code}).json()["revoked_artifacts"] == 1


def test_cancelling_keeps_nothing_and_lets_the_microphone_go(node: Node, speaker: Visit) -> None:
    page = speaker.open("/kiosk/")
    record(page, 2)
    page.keyboard.press("Escape")
    stage(page, "idle")
    page.wait_for_timeout(500)
    assert node.sounds() == []
    speaker.clean()


def test_the_whole_ritual_by_touch_alone(node: Node, speaking_browser: Browser) -> None:
    visitor = visit(speaking_browser, node, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    page.get_by_role("button", name="Begin").tap()
    page.get_by_role("button", name="Record").tap()
    stage(page, "recording")
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Stop").tap()
    stage(page, "review")
    page.locator(".kiosk-choice").nth(1).tap()
    page.locator(".kiosk-primary button").tap()
    stage(page, "complete")
    assert len(node.sounds()) == 1
    page.get_by_role("button", name="Done").tap()
    stage(page, "idle")
    until(lambda: page.locator(".code").count() == 0, what="the code to leave the screen")
    visitor.clean()
    visitor.context.close()


def test_whoever_uses_keys_is_shown_them_and_told_when_they_do_not_arrive(speaker: Visit) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    assert page.locator(".kiosk-key").count() == 0
    page.keyboard.press("l")
    until(lambda: page.locator(".kiosk-key").all_inner_texts() == ["L", "␣", "M"], what="the keys of the first screen")
    page.keyboard.press("Escape")
    page.mouse.move(640, 200)
    page.mouse.down()
    page.mouse.up()
    until(lambda: page.locator(".kiosk-key").count() == 0, what="a screen for fingers")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.get_by_text("Keys and buttons do not reach this screen just now.").wait_for()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.get_by_text("Keys and buttons do not reach this screen just now.").wait_for(state="hidden")
    record(page, 2)
    keys = page.locator(".kiosk-key").all_inner_texts()
    assert keys[:4] == ["1", "2", "3", "␣"]
    assert "Esc" in keys
    accessible(page)
    fits(page)
    speaker.clean()
