"""The kiosk where nobody looks after it: noise, a loud voice, none at all, cables, sleep, and a visitor who dawdles."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from memory_ui.copy import load_copy
from tests.browser.conftest import Node, Visit, free_port, record, row, stage, until, visit

SCRIPT = (Path(__file__).parent / "microphone.js").read_text()
SAYS = load_copy("en")
SPOKEN_MS = 1500


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One node for all of them: what they leave does not meet."""
    running = Node(
        data_dir=tmp_path_factory.mktemp("node"), port=free_port(), environment={"NODE_CONTACT": "Ana at the desk"}
    ).start()
    yield running
    running.stop()


@pytest.fixture
def visitor(speaking_browser: Browser, node: Node) -> Iterator[Visit]:
    """Somebody before a kiosk whose microphone does what it is told."""
    opened = visit(speaking_browser, node)
    opened.context.add_init_script(SCRIPT)
    yield opened
    opened.clean()
    opened.context.close()


def at(visitor: Visit, path: str = "/kiosk/") -> Page:
    """The kiosk, ready."""
    page = visitor.open(path)
    stage(page, "idle")
    until(lambda: page.evaluate("window.socket?.connected"), what="the link")
    return page


def armed(page: Page) -> Page:
    page.keyboard.press("Space")
    stage(page, "armed")
    return page


def recording(page: Page) -> Page:
    armed(page).keyboard.press("Space")
    stage(page, "recording")
    return page


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def aside(page: Page, key: str) -> None:
    expect(page.locator(".kiosk-aside")).to_have_text(SAYS.t(f"kiosk.{key}", contact="Ana at the desk"))


def test_a_microphone_that_gives_nothing_is_told_of_before_and_after(visitor: Visit) -> None:
    page = at(visitor)
    page.evaluate("__mic.loud(0)")
    armed(page)
    aside(page, "nothing_heard")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.wait_for_timeout(SPOKEN_MS)
    page.keyboard.press("Space")
    stage(page, "error")
    expect(heading(page)).to_have_text(SAYS.t("kiosk.error_silent_heading"))
    page.evaluate("__mic.loud(0.3)")
    page.get_by_role("button", name=SAYS.t("kiosk.retry")).click()
    stage(page, "armed")


def test_a_voice_that_is_too_loud_is_told_so_while_it_speaks_and_asked_after(visitor: Visit) -> None:
    page = recording(at(visitor))
    page.evaluate("__mic.loud(3)")
    aside(page, "too_loud")
    page.wait_for_timeout(SPOKEN_MS)
    page.keyboard.press("Space")
    stage(page, "review")
    expect(heading(page)).to_have_text(SAYS.t("kiosk.clipped_heading"))
    expect(page.locator(".kiosk-choice")).to_have_count(0)
    page.get_by_role("button", name=SAYS.t("kiosk.keep_anyway")).click()
    expect(page.locator(".kiosk-choice")).to_have_count(3)


def test_how_loud_it_is_around_the_microphone_is_told_before_anything_is_recorded(visitor: Visit) -> None:
    page = at(visitor)
    page.evaluate("__mic.loud(0.001)")
    armed(page)
    page.evaluate("__mic.steady()")
    aside(page, "noise_low")
    page.evaluate("__mic.loud(0.02)")
    aside(page, "noise_some")
    page.evaluate("__mic.loud(0.4)")
    aside(page, "noise_high")


def test_a_recording_as_long_as_may_be_ends_by_itself_and_says_so(visitor: Visit) -> None:
    page = recording(at(visitor))
    page.wait_for_timeout(SPOKEN_MS)
    page.evaluate("__mic.ahead += 120_000")
    stage(page, "review")
    expect(page.locator(".kiosk-lead")).to_have_text(SAYS.t("kiosk.ended_full_lead"))


def test_a_microphone_pulled_out_and_plugged_in_again_goes_on_by_itself(visitor: Visit) -> None:
    page = armed(at(visitor))
    page.evaluate("const there = __mic.devices; __mic.have([]); __mic.end(); window.there = there")
    page.wait_for_selector(".kiosk[data-error=lost]")
    page.evaluate("__mic.have(window.there)")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.wait_for_timeout(SPOKEN_MS)
    page.evaluate("__mic.have([]); __mic.end()")
    stage(page, "review")
    expect(page.locator(".kiosk-lead")).to_have_text(SAYS.t("kiosk.ended_lost_lead"))


def test_a_permission_taken_away_leaves_what_was_said_and_given_back_goes_on(visitor: Visit) -> None:
    page = recording(at(visitor))
    page.wait_for_timeout(SPOKEN_MS)
    page.evaluate("__mic.permit('denied'); __mic.end()")
    stage(page, "review")
    page.get_by_role("button", name=SAYS.t("kiosk.again")).click()
    page.wait_for_selector(".kiosk[data-error=denied]")
    page.evaluate("__mic.permit('granted')")
    stage(page, "armed")


def test_a_kiosk_listens_to_the_microphone_it_was_given_and_to_no_other(visitor: Visit) -> None:
    page = at(visitor, "/kiosk/?microphone=nt-usb")
    page.keyboard.press("Space")
    page.wait_for_selector(".kiosk[data-error=absent]")
    rode = {"kind": "audioinput", "label": "RØDE NT-USB Mono", "deviceId": "rode"}
    page.evaluate("device => __mic.have([...__mic.devices, device])", rode)
    stage(page, "armed")
    assert page.evaluate("__mic.asked.at(-1)") == "rode"


@pytest.mark.parametrize("rate_hz", [16_000, 96_000])
def test_a_slow_and_a_fast_sound_card_leave_a_take_of_the_right_length(
    visitor: Visit, node: Node, rate_hz: int
) -> None:
    visitor.context.add_init_script(
        "window.AudioContext = class extends AudioContext {"
        f" constructor(given) {{ super({{ sampleRate: {rate_hz}, ...given }}); }} }};"
    )
    page = at(visitor)
    record(page, 2)
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")
    assert 2200 <= row(node)["duration_ms"] <= 3400  # with the tail, and what the machine took to stop it


def test_a_page_out_of_sight_stops_recording_and_a_machine_that_slept_forgets(visitor: Visit) -> None:
    page = recording(at(visitor))
    page.wait_for_timeout(SPOKEN_MS)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    stage(page, "review")
    expect(page.locator(".kiosk-lead")).to_have_text(SAYS.t("kiosk.ended_hidden_lead"))
    page.evaluate("__mic.ahead += 3_600_000")
    stage(page, "idle")
    assert page.evaluate("indexedDB.databases().then((found) => found.length)") <= 1


def test_frozen_by_its_browser_and_thawed_a_take_is_still_there(visitor: Visit) -> None:
    page = at(visitor)
    record(page, 1.5)
    session = visitor.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.wait_for_timeout(1000)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    stage(page, "review")
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")


def test_what_lies_between_the_handles_is_heard_and_sent_with_the_topic_chosen(visitor: Visit, node: Node) -> None:
    node.change(kiosk_topics="rain, the stairs")
    page = at(visitor)
    record(page, 4)
    start, end = page.get_by_role("slider").all()
    expect(start).to_have_accessible_name(SAYS.t("kiosk.trim_start"))
    box = start.bounding_box()
    assert box is not None
    line = page.locator(".kiosk-trim").bounding_box()
    assert line is not None
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(line["x"] + line["width"] / 4, box["y"], steps=4)
    page.mouse.up()
    length = int(end.get_attribute("aria-valuemax") or 0)
    assert int(start.get_attribute("aria-valuenow") or 0) == pytest.approx(length / 4, abs=length / 50)
    for _ in range(5):
        end.press("ArrowLeft")
    assert int(end.get_attribute("aria-valuenow") or 0) == length - 500
    left_ms = length - 500 - int(start.get_attribute("aria-valuenow") or 0)
    page.get_by_role("button", name=SAYS.t("kiosk.listen"), exact=True).click()
    until(lambda: page.evaluate("window.__rms()") > 0.005, what="the take")
    page.get_by_role("radio", name="the stairs").check()
    page.get_by_role("radio", name=SAYS.t("kiosk.verb_room")).check()
    page.get_by_role("button", name=SAYS.t("kiosk.verb_room"), exact=True).click()
    stage(page, "complete")
    left = row(node)
    assert (left["topic"], left["duration_ms"]) == ("the stairs", pytest.approx(left_ms, abs=3))
    node.change(kiosk_topics="")


def test_a_closed_kiosk_speaks_with_the_stewards_own_words(visitor: Visit, node: Node) -> None:
    page = at(visitor)
    words = "The lamp is being changed. Back at four."
    for switch, name in (("maintenance_mode", "maintenance"), ("intake_paused", "paused")):
        node.change(**{switch: True}, kiosk_closed_words=words)
        expect(heading(page)).to_have_text(SAYS.t(f"kiosk.{name}_heading"))
        expect(page.locator(".kiosk-own")).to_have_text(words)
        expect(page.locator(".kiosk-primary button")).to_have_count(0)
        node.change(**{switch: False}, kiosk_closed_words="")
    expect(page.locator(".kiosk-own")).to_have_count(0)


def test_while_nobody_is_there_the_kiosk_invites_in_every_language_and_begins_in_its_own(visitor: Visit) -> None:
    page = at(visitor)
    page.evaluate("__mic.ahead += 21_000")
    invited = page.locator("h1[lang=de]")
    expect(invited).to_have_text(load_copy("de").t("kiosk.idle_heading"))
    page.evaluate("__mic.ahead += 6_000")
    expect(page.locator("h1:not([lang=de])")).to_have_count(1)
    armed(page)
    expect(heading(page)).to_have_text(SAYS.t("kiosk.armed_heading"))


def test_a_kiosk_that_is_set_so_prints_each_receipt_once_by_itself(visitor: Visit) -> None:
    visitor.context.add_init_script(
        "window.__printed = []; window.print = () => __printed.push(document.querySelector('.slip-code').innerText);"
    )
    page = at(visitor, "/kiosk/?prints=1")
    record(page, 1.5)
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")
    aside(page, "printing")
    until(lambda: len(page.evaluate("__printed")) == 1, what="the receipt")
    printed, shown = page.evaluate("__printed")[0], page.locator(".kiosk-kept .code").inner_text()
    assert "".join(printed.split()) == "".join(shown.split())


def test_the_sound_is_tested_by_a_tone_and_a_voice_and_both_are_written_too(visitor: Visit) -> None:
    page = armed(at(visitor))
    page.get_by_role("button", name=SAYS.t("kiosk.monitor")).click()
    aside(page, "tone_sounds")
    until(lambda: page.evaluate("window.__rms()") > 0.005, what="the tone")
    aside(page, "check_says")
    until(lambda: page.evaluate("window.__rms()") > 0.005, what="the voice")
    page.get_by_role("button", name=SAYS.t("kiosk.record"), exact=True).click()
    stage(page, "countdown")
    assert page.locator(".kiosk").get_attribute("data-sounding") == ""


def test_choices_and_code_are_read_aloud_sign_by_sign_and_only_while_they_say_what_holds(visitor: Visit) -> None:
    heard: list[str] = []
    page = at(visitor)
    page.on("response", lambda answer: "/kiosk-clips/" in answer.url and heard.append(answer.url.split("/")[-1]))
    record(page, 1.5)
    page.keyboard.press("r")
    until(lambda: page.evaluate("window.__rms()") > 0.005, what="the choices")
    expect(page.get_by_role("button", name=SAYS.t("kiosk.read_stop"))).to_be_visible()
    assert set(heard) == {"room", "fossil", "nosave", "backup"}
    page.get_by_role("button", name=SAYS.t("kiosk.read_stop")).click()
    until(lambda: page.evaluate("window.__rms()") < 0.0001, what="silence")
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")
    heard.clear()
    page.get_by_role("button", name=SAYS.t("kiosk.read_aloud")).click()
    until(lambda: page.evaluate("window.__rms()") > 0.005, what="the code")
    code = "".join(page.locator(".kiosk-kept .code").inner_text().split()).lower()
    assert {"code", "keep", *(f"sign-{sign}" for sign in code)} == set(heard)


def test_every_stage_that_waits_says_in_time_that_it_will_not_wait_for_ever(visitor: Visit) -> None:
    page = armed(at(visitor))
    page.evaluate("__mic.ahead += 35_000")
    expect(page.locator(".kiosk-aside")).to_contain_text("Without a touch, this screen returns")
    page.evaluate("__mic.ahead += 60_000")
    stage(page, "idle")


def test_a_kiosk_whose_budget_is_used_up_says_when_the_next_voice_can_be_left(
    speaking_browser: Browser, tmp_path: Path
) -> None:
    own = Node(data_dir=tmp_path, port=free_port(), environment={"INGEST_PER_STATION_HOUR": "1"}).start()
    opened = visit(speaking_browser, own)
    opened.context.add_init_script(SCRIPT)
    page = at(opened)
    record(page, 1.5)
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")
    page.get_by_role("button", name=SAYS.t("kiosk.done")).click()
    stage(page, "idle")
    expect(heading(page)).to_have_text(SAYS.t("kiosk.budget_heading"))
    expect(page.locator(".kiosk-lead")).to_contain_text("minutes")
    expect(page.locator(".kiosk-primary button")).to_have_count(0)
    assert httpx.get(f"{own.url}/api/v1/surface/state").json()["intake_door"] == ""
    opened.context.close()
    own.stop()
