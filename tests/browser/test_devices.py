"""What a real browser's pages say of themselves, how they obey from afar, and a listener who asks for a check."""

import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route

from tests.browser.conftest import Node, Visit, launch, record, stage, until, visit
from tests.browser.test_pages import SIZES, TARGET_PX, accessible, fits, least, leave

LAST_GAIN = """
// The last gain before the loudspeakers, for a test that turns it down behind the page's back.
const connectTo = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode && this instanceof GainNode) window.__last = this;
  return connectTo.call(this, to, ...rest);
};
window.__mute = () => { window.__last.gain.cancelScheduledValues(0); window.__last.gain.value = 0; };
"""
SUSPEND = """
const Real = window.AudioContext;
window.AudioContext = class extends Real { constructor(...given) { super(...given); window.__context = this; } };
"""


def devices(node: Node) -> list[dict[str, Any]]:
    """Every device as it lies in the database, its report with it."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM device ORDER BY opened_at")]
    return [{**row, **json.loads(row["report"])} for row in rows]


def device(node: Node, **wanted: Any) -> dict[str, Any]:
    """The one device, once it says of itself what is wanted."""

    def found() -> dict[str, Any] | None:
        return next((row for row in devices(node) if all(row[name] == value for name, value in wanted.items())), None)

    try:
        row: dict[str, Any] = until(found, timeout_s=30, what=f"a device with {wanted}")
    except AssertionError:
        raise AssertionError(f"no device with {wanted}: {devices(node)}") from None
    return row


def age(row: dict[str, Any]) -> float:
    """Seconds between the last sound and the report of it."""
    assert row["sound_ago_s"] is not None
    return float(row["sound_ago_s"])


@pytest.fixture
def listener(speaking_browser: Browser, node: Node, voice: Path) -> Iterator[Visit]:
    """Someone before a room with one long voice in it, who can reach behind its sound."""
    leave(node, voice)
    visitor = visit(speaking_browser, node)
    visitor.context.add_init_script(LAST_GAIN)
    visitor.context.add_init_script(SUSPEND)
    yield visitor
    visitor.context.close()


def test_a_room_that_plays_says_so_and_that_it_is_heard(listener: Visit, node: Node) -> None:
    listener.open("/room/")
    row = device(node, activity="sounding", audio="running")
    assert age(row) < 1
    assert (row["surface"], row["visible"], row["closed_at"]) == ("room", True, None)
    assert abs(row["skew_s"]) < 1
    listener.clean()


def test_a_room_that_is_suspended_against_its_will_is_blocked_and_comes_back_by_itself(
    listener: Visit, node: Node
) -> None:
    page = listener.open("/room/")
    device(node, activity="sounding")
    page.evaluate("window.__context.resume = () => new Promise(() => {}); window.__context.suspend()")
    row = device(node, activity="blocked", audio="suspended")
    assert age(row) > 1
    page.evaluate("delete window.__context.resume")
    page.wait_for_selector(".room-wall[data-sound=running]")
    device(node, audio="running")


def test_a_room_whose_output_is_mute_still_says_it_sounds_and_that_nothing_is_heard(
    listener: Visit, node: Node
) -> None:
    page = listener.open("/room/")
    page.wait_for_selector(".wall[data-sounding=true]")
    device(node, activity="sounding")
    page.evaluate("window.__mute()")
    until(lambda: age(device(node, activity="sounding")) > 5, timeout_s=30, what="silence to be told")


def test_a_paused_room_is_paused_and_not_silent(listener: Visit, node: Node) -> None:
    listener.open("/room/")
    device(node, activity="sounding")
    node.change(playback_paused=True)
    row = device(node, activity="paused", audio="suspended")
    assert row["since_s"] < 30


def test_an_empty_room_rests(speaker: Visit, node: Node) -> None:
    speaker.open("/room/")
    assert age(device(node, activity="resting")) < 1  # its own tone is heard


def test_a_kiosk_reports_its_microphone_and_whether_anybody_is_before_it(speaker: Visit, node: Node) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    device(node, activity="idle", permission="granted", surface="kiosk")
    page.keyboard.press("Space")
    stage(page, "armed")
    row = device(node, activity="busy")
    assert "Fake" in row["microphone"]
    assert row["station"] == next(cookie["value"] for cookie in speaker.context.cookies())
    assert not row["microphone_silent"]
    speaker.clean()


@pytest.fixture
def refusing_browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser that asks before it listens, and nobody answers."""
    browser = launch(playwright, "--use-fake-device-for-media-stream")
    yield browser
    browser.close()


def test_a_kiosk_that_may_not_listen_says_so(refusing_browser: Browser, node: Node) -> None:
    context = refusing_browser.new_context()
    page = context.new_page()
    page.goto(f"{node.url}/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    page.wait_for_selector(".kiosk[data-error=denied]")
    device(node, permission="denied")
    context.close()


def test_a_microphone_that_gives_nothing_at_all_is_told(playwright: Playwright, node: Node, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    silence.write_bytes(_silence())
    browser = launch(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={silence}",
        "--autoplay-policy=no-user-gesture-required",
    )
    page = visit(browser, node).open("/kiosk/")
    stage(page, "idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    device(node, microphone_silent=True)
    browser.close()


def _silence() -> bytes:
    import numpy as np

    from core.audio.wav import write

    return write(np.zeros(48_000, np.float32), 48_000)


def test_a_device_keeps_its_id_over_a_reload(speaker: Visit, node: Node) -> None:
    page = speaker.open("/room/?autostart=0")
    first = device(node, activity="paused")
    page.reload()
    until(lambda: device(node, closed_at=None)["contact_at"] > first["contact_at"], what="the reloaded page")
    assert [row["id"] for row in devices(node)] == [first["id"]]


def test_a_page_that_is_closed_is_closed_at_once(speaker: Visit, node: Node) -> None:
    page = speaker.open("/room/?autostart=0")
    device(node, activity="paused")
    page.close()
    until(lambda: devices(node)[0]["closed_at"] is not None, timeout_s=5, what="the end of the page")


def test_a_second_tab_is_a_device_of_its_own(speaker: Visit, node: Node) -> None:
    speaker.open("/room/?autostart=0")
    first = device(node, activity="paused")
    speaker.open("/room/?autostart=0")
    device(node, id=f"{first['id']}-2")


def test_a_kiosk_and_a_room_of_one_browser_are_two_devices(speaker: Visit, node: Node) -> None:
    speaker.open("/room/?autostart=0")
    speaker.open("/kiosk/")
    assert device(node, surface="room")["id"] != device(node, surface="kiosk")["id"]


def test_a_room_shows_what_it_is_called_and_only_for_a_while(speaking_browser: Browser, node: Node) -> None:
    visitor = visit(speaking_browser, node)
    page = visitor.open("/room/?autostart=0")
    row = device(node, activity="paused")
    node.command(row["id"], "identify")
    name = page.get_by_role("status").filter(has_text=f"Room {row['id'][-4:]}")
    name.wait_for()
    accessible(page)
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        fits(page)
    until(lambda: name.count() == 0, timeout_s=12, what="the name to leave")
    visitor.clean()
    visitor.context.close()


def test_a_kiosk_shows_what_it_is_called_beside_a_take(speaker: Visit, node: Node) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    row = device(node, activity="idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    node.command(row["id"], "identify")
    page.get_by_role("status").filter(has_text=f"Kiosk {row['id'][-4:]}").wait_for()
    accessible(page)
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop").click()
    stage(page, "review")
    speaker.clean()


def test_a_room_plays_the_tone_by_its_own_output(speaker: Visit, node: Node) -> None:
    page = speaker.open("/room/")
    row = device(node, audio="running")
    node.command(row["id"], "tone")
    until(lambda: page.evaluate("window.__rms()") > 0.05, timeout_s=5, what="the tone")
    until(lambda: page.evaluate("window.__rms()") < 0.01, timeout_s=5, what="the end of the tone")


def test_a_kiosk_plays_the_tone_but_never_into_a_recording(speaker: Visit, node: Node) -> None:
    page = speaker.open("/kiosk/")
    stage(page, "idle")
    row = device(node, activity="idle")
    node.command(row["id"], "tone")
    until(lambda: page.evaluate("window.__rms()") > 0.05, timeout_s=5, what="the tone")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    node.command(row["id"], "tone")
    heard = [page.evaluate("window.__rms()") for _ in range(20) if not page.wait_for_timeout(60)]
    assert max(heard) < 0.001


def test_an_idle_page_is_loaded_anew_at_once(speaker: Visit, node: Node) -> None:
    for path, activity in (("/room/?autostart=0", "paused"), ("/kiosk/", "idle")):
        page = speaker.open(path)
        row = device(node, activity=activity)
        page.evaluate("window.__before = true")
        node.command(row["id"], "reload")
        until(lambda page=page: page.evaluate("window.__before") is None, what=f"{path} to be loaded anew")


def test_a_reload_waits_while_a_take_is_held(speaker: Visit, node: Node) -> None:
    page = speaker.open("/kiosk/")
    record(page, 2)
    page.evaluate("window.__before = true")
    node.command(device(node, activity="busy")["id"], "reload")
    page.wait_for_timeout(2000)
    assert page.evaluate("window.__before") is True
    stage(page, "review")
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")
    page.wait_for_timeout(1000)
    assert page.locator(".code").is_visible()  # nobody has written it down yet
    page.get_by_role("button", name="Done").click()
    until(lambda: page.evaluate("window.__before") is None, what="the reload")
    stage(page, "idle")


def flag(page: Page, status: int, asked: list[str]) -> None:
    """Answer for the steward."""

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=status, json={"ok": status == 200})

    page.route("**/api/v1/pool/flag/*", answer)


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_a_listener_asks_for_a_voice_to_be_checked(
    speaking_browser: Browser, node: Node, voice: Path, size: str
) -> None:
    leave(node, voice)
    width, height = SIZES[size]
    visitor = visit(speaking_browser, node, viewport={"width": width, "height": height})
    page = visitor.open("/room/")
    asked: list[str] = []
    flag(page, 200, asked)
    page.wait_for_selector(".wall[data-sounding=true]")
    page.mouse.move(120, 300)
    place = page.locator(".wall-toggle").bounding_box()
    question = page.get_by_role("button", name="Something wrong with this voice?")
    assert least(question) >= TARGET_PX
    accessible(page)
    question.click()
    assert asked == []
    page.get_by_role("button", name="Ask the steward to check it").click()
    page.get_by_role("status").filter(has_text="Thank you.").wait_for()
    accessible(page)
    fits(page)
    assert len(asked) == 1
    assert page.locator(".wall-toggle").bounding_box() == place
    visitor.clean()
    visitor.context.close()


def test_the_question_is_reached_by_keys_and_hidden_with_the_other_controls(listener: Visit, node: Node) -> None:
    page = listener.open("/room/")
    asked: list[str] = []
    flag(page, 200, asked)
    page.wait_for_selector(".wall[data-sounding=true]")
    controls = page.locator(".wall-controls")
    opacity = partial(controls.evaluate, "element => getComputedStyle(element).opacity")
    assert opacity() == "0"
    for key in ("Tab", "Tab", "Enter", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("status").filter(has_text="Thank you.").wait_for()
    until(lambda: opacity() == "1", what="the controls")
    assert page.evaluate("document.activeElement.className").endswith("wall-toggle")
    assert len(asked) == 1


def test_a_touch_that_only_wakes_the_controls_asks_for_nothing(
    speaking_browser: Browser, node: Node, voice: Path
) -> None:
    leave(node, voice)
    visitor = visit(speaking_browser, node, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visitor.open("/room/")
    page.wait_for_selector(".wall[data-sounding=true]")
    box = page.locator(".wall-flag").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    assert page.locator(".wall-flag").inner_text() == "Something wrong with this voice?"
    visitor.context.close()


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "Enough was pointed out"), (404, "no longer in the room"), (503, "did not reach the steward")],
)
def test_a_refusal_is_said_calmly(listener: Visit, status: int, words: str) -> None:
    page = listener.open("/room/")
    flag(page, status, [])
    page.wait_for_selector(".wall[data-sounding=true]")
    page.mouse.move(300, 300)
    page.locator(".wall-flag").click()
    page.locator(".wall-flag").click()
    page.get_by_role("status").filter(has_text=words).wait_for()


@pytest.mark.parametrize("mode", ["large", "large_high_contrast", "high_contrast"])
def test_a_kiosk_with_larger_words_is_accessible_and_needs_no_scrolling(
    speaking_browser: Browser, node: Node, mode: str
) -> None:
    node.change(kiosk_accessibility_mode=mode)
    visitor = visit(speaking_browser, node)
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    wanted = ["large" if mode.startswith("large") else None, "high" if mode.endswith("contrast") else None]
    kiosk = page.locator(".kiosk")
    until(lambda: [kiosk.get_attribute(name) for name in ("data-size", "data-contrast")] == wanted, what="the words")
    record(page, 2.5)
    page.keyboard.press("2")
    _at_every_size(page)
    page.keyboard.press("Space")
    stage(page, "complete")
    _at_every_size(page)
    visitor.context.close()


def _at_every_size(page: Page) -> None:
    for size in ("wide", "phone"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        accessible(page)
        fits(page)
        assert _tall(page) <= height, size


def _tall(page: Page) -> int:
    tall: int = page.evaluate("document.documentElement.scrollHeight")
    return tall
