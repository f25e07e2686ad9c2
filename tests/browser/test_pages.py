"""Every page as people meet it: accessible, self-contained, fitting its screen, calm when asked to be."""

from pathlib import Path

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

from tests.browser.conftest import Node, Visit, record, row, stage, until, visit

SIZES = {"wide": (1280, 800), "wall": (1080, 1920), "phone": (390, 844), "zoomed": (640, 400)}
"""`zoomed` is what 1280x800 leaves at a zoom of 200 %."""


TARGET_PX = 44
"""What a finger finds."""


def least(target: Locator) -> float:
    """The shorter side of something to touch, in px; what is scaled is measured with an error far below a hundredth."""
    box = target.bounding_box()
    assert box is not None
    return round(min(box["width"], box["height"]), 2)


def accessible(page: Page) -> None:
    """No violation that axe can find."""
    page.wait_for_timeout(400)  # colours and focus may still be on their way
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def fits(page: Page) -> None:
    """Nothing runs out of the page sideways."""
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{page.url}: {wide[0]} px of content in {wide[1]} px"


def leave(node: Node, voice: Path, mode: str = "ROOM") -> str:
    """A take left by someone else; its code."""
    answer = httpx.post(
        f"{node.url}/api/v1/artifacts/audio",
        files={"file": ("take.wav", voice.read_bytes())},
        data={"consent_mode": mode},
    )
    code: str = answer.json()["revocation_token"]
    return code


def at_every_size(page: Page) -> None:
    """It fits whatever it is shown on, and is accessible."""
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        accessible(page)
        fits(page)


def test_the_kiosk_is_accessible_and_fits_at_every_stage(speaker: Visit) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    at_every_size(page)
    record(page, 2.5)
    at_every_size(page)
    page.keyboard.press("2")
    at_every_size(page)
    page.keyboard.press("Space")
    stage(page, "complete")
    at_every_size(page)
    speaker.clean()


def test_the_room_is_accessible_and_fits(speaker: Visit, node: Node, voice: Path) -> None:
    leave(node, voice, "FOSSIL")
    page = speaker.open("/room/")
    page.wait_for_selector(".wall-caption[data-shown=true]")
    at_every_size(page)
    speaker.clean()


def test_plain_pages_are_accessible_fit_and_need_no_scripts(
    speaking_browser: Browser, speaker: Visit, node: Node, voice: Path
) -> None:
    code = leave(node, voice)
    silent = visit(speaking_browser, node, java_script_enabled=False)
    page = silent.open("/")
    page.get_by_role("link", name="Take one back").click()
    page.get_by_label("What is the code on your receipt?").fill(code[:-1])
    page.get_by_role("button", name="Look it up").click()
    assert "looks mistyped" in page.inner_text("main")
    page.get_by_label("What is the code on your receipt?").fill(code.lower())
    page.get_by_role("button", name="Look it up").click()
    assert "A memory for the room" in page.inner_text("main")
    page.get_by_role("button", name="Remove it for good").click()
    assert "It is gone." in page.inner_text("main")
    assert node.sounds() == []
    assert silent.errors == []
    silent.context.close()

    for path in ("/", "/revoke/", f"/revoke/?token={code}", "/ops/", "/nothing/here"):
        at_every_size(speaker.open(path))
    speaker.errors = [error for error in speaker.errors if "404" not in error]  # of the last, as it should be
    speaker.clean()


def test_a_wall_without_leave_to_sound_asks_to_be_tapped(speaking_browser: Browser, node: Node, voice: Path) -> None:
    leave(node, voice)
    visitor = visit(speaking_browser, node)
    # Headless Chromium never blocks sound, so a context that stays suspended until a tap stands in for one that does.
    visitor.context.add_init_script(
        """
        const resume = AudioContext.prototype.resume;
        let tapped = false;
        addEventListener("pointerdown", () => { tapped = true; }, { capture: true });
        AudioContext.prototype.resume = function () { return tapped ? resume.call(this) : new Promise(() => {}); };
        const Real = AudioContext;
        window.AudioContext = class extends Real { constructor(...a) { super(...a); if (!tapped) this.suspend(); } };
        """
    )
    page = visitor.open("/room/")
    button = page.get_by_role("button", name="Tap to listen")
    button.wait_for()
    accessible(page)
    button.click()
    until(lambda: page.evaluate("window.__rms()") > 0.01, what="sound after the tap")
    assert not button.is_visible()
    visitor.context.close()


def test_the_room_waits_when_it_is_told_not_to_start(speaker: Visit, node: Node, voice: Path) -> None:
    leave(node, voice)
    page = speaker.open("/room/?autostart=0")
    page.wait_for_timeout(3000)
    assert page.evaluate("window.__rms()") == 0
    page.mouse.move(300, 300)
    start = page.locator("button:visible").first
    start.click()
    until(lambda: page.evaluate("window.__rms()") > 0.01, what="sound after the start")


def test_the_room_has_its_tone_when_there_is_nothing_to_play(speaker: Visit) -> None:
    page = speaker.open("/room/")
    until(lambda: page.evaluate("window.__rms()") > 0.0003, what="room tone")
    loudest = max(page.evaluate("window.__rms()") for _ in range(5))
    assert loudest < 0.05
    speaker.clean()


def test_a_wall_at_rest_is_still_when_motion_is_unwelcome(speaking_browser: Browser, node: Node, voice: Path) -> None:
    leave(node, voice)
    visitor = visit(speaking_browser, node, reduced_motion="reduce")
    page = visitor.open("/room/")
    page.wait_for_selector(".wall-caption[data-shown=true]")
    # While a voice sounds its line is opened by a clip of its own, which goes when the voice ends.
    widths = page.evaluate(
        """() => new Promise((resolve) => {
          const seen = {};
          let looks = 0;
          const look = () => {
            for (const clip of document.querySelectorAll("clipPath[id^=wall-clip-]")) {
              (seen[clip.id] ??= new Set()).add(clip.firstElementChild.getAttribute("width"));
              looks += 1;
            }
            if (looks < 60) requestAnimationFrame(look);
            else resolve(Object.values(seen).map((widths) => [...widths]));
          };
          look();
        })"""
    )
    assert widths
    assert all(len(of_a_voice) == 1 for of_a_voice in widths), widths
    visitor.context.close()


def test_a_reloaded_wall_draws_what_was_heard_today_and_nothing_that_was_taken_back(
    speaker: Visit, node: Node, voice: Path
) -> None:
    code = leave(node, voice)
    page = speaker.open("/room/")
    page.wait_for_selector(".wall-caption[data-shown=true]")
    until(lambda: row(node)["plays"], timeout_s=60, what="the hearing")
    second = speaker.open("/room/?autostart=0")
    until(lambda: second.locator(".wall-strata .wall-trace").count() == 1, what="the stratum")
    httpx.post(f"{node.url}/api/v1/revoke", json={"token": code})
    until(lambda: second.locator(".wall-trace").count() == 0, what="the stratum to go", timeout_s=3)
    third = speaker.open("/room/?autostart=0")
    third.wait_for_timeout(1500)
    assert third.locator(".wall-trace").count() == 0
