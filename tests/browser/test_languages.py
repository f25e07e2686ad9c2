"""The whole ritual in every language, by keys alone, by touch alone, by roles and names alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page

from core.audio.wav import write
from memory_ui.copy import Copy, languages, load_copy
from tests.browser.conftest import Node, Visit, free_port, read_wav, stage, until, visit
from tests.browser.test_pages import SIZES, accessible, fits

SPOKEN_MS = 2000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One node for all of them: what they leave does not meet."""
    running = Node(
        data_dir=tmp_path_factory.mktemp("node"), port=free_port(), environment={"NODE_NAME": "The Long Room"}
    ).start()
    yield running
    running.stop()


@pytest.fixture
def visitor(speaking_browser: Browser, node: Node, how: str) -> Iterator[Visit]:
    opened = visit(speaking_browser, node, has_touch=how == "touch")
    yield opened
    opened.context.close()


class Keys:
    """Nothing but the keys of the contract."""

    def __init__(self, page: Page, copy: Copy) -> None:
        self._page = page
        self._copy = copy

    def choose_language(self) -> None:
        # Once around where it is spoken already: a language that was asked for is only spoken when its words are here.
        kiosk = self._page.locator(".kiosk")
        for _ in languages():
            before = kiosk.get_attribute("lang")
            self._page.keyboard.press("l")
            until(lambda before=before: kiosk.get_attribute("lang") != before, what="the next language")
            if kiosk.get_attribute("lang") == self._copy.language:
                return
        raise AssertionError(f"{self._copy.name} has no turn")

    def primary(self, _name: str) -> None:
        self._page.keyboard.press("Space")

    def choose_fossil(self) -> None:
        self._page.keyboard.press("2")


class Touch(Keys):
    """Nothing but a finger, on what can be seen."""

    def choose_language(self) -> None:
        self._page.get_by_text(self._copy.name, exact=True).tap()

    def primary(self, name: str) -> None:
        self._page.get_by_text(name, exact=True).locator("visible=true").last.tap()

    def choose_fossil(self) -> None:
        self._page.locator(".kiosk-choice-name").nth(1).tap()


class Roles(Keys):
    """Nothing but what a screen reader is told."""

    def choose_language(self) -> None:
        self._page.get_by_role("button", name=self._copy.name, exact=True).click()

    def primary(self, name: str) -> None:
        self._page.get_by_role("button", name=name, exact=True).click()

    def choose_fossil(self) -> None:
        self._page.get_by_role("radio", name=self._copy.t("kiosk.verb_fossil")).check()


HANDS: dict[str, Callable[[Page, Copy], Keys]] = {"keys": Keys, "touch": Touch, "roles": Roles}
LOOKED_AT = ("en", "de", "ja", "ar")
WAYS = [
    *((how, language) for how in ("keys", "touch") for language in LOOKED_AT),
    *(("roles", language) for language in languages()),
]


@pytest.mark.parametrize(("how", "language"), WAYS)
def test_the_ritual_is_finished_in_the_visitors_language(node: Node, visitor: Visit, how: str, language: str) -> None:
    copy, page = load_copy(language), visitor.open("/kiosk/")
    hands = HANDS[how](page, copy)
    looked = how == "roles"  # once in each language is enough
    stage(page, "idle")
    until(lambda: page.evaluate("window.socket?.connected"), what="the link")
    hands.choose_language()
    heading(page, copy.t("kiosk.idle_heading"))
    assert page.locator("html").get_attribute("dir") == copy.direction
    look(page, looked)
    hands.primary(copy.t("kiosk.begin"))
    stage(page, "armed")
    heading(page, copy.t("kiosk.armed_heading"))
    look(page, looked)
    hands.primary(copy.t("kiosk.record"))
    stage(page, "countdown")
    heading(page, copy.t("kiosk.countdown_heading"))
    stage(page, "recording")
    heading(page, copy.t("kiosk.recording_heading"))
    page.wait_for_timeout(SPOKEN_MS)
    hands.primary(copy.t("kiosk.stop"))
    stage(page, "review")
    heading(page, copy.t("kiosk.review_heading"))
    look(page, looked)
    hands.choose_fossil()
    chosen = page.locator(".kiosk-choice[data-chosen=true]")
    promised = (chosen.locator(".kiosk-choice-name").inner_text(), chosen.locator(".kiosk-choice-promise").inner_text())
    assert copy.span(48, "hour") in promised[1]
    hands.primary(copy.t("kiosk.verb_fossil"))
    stage(page, "complete")
    heading(page, copy.t("kiosk.complete_kept_heading"))
    look(page, looked)
    code = "-".join(page.locator(".kiosk-kept .code span").all_inner_texts())

    record = httpx.post(f"{node.url}/api/v1/receipt/record", json={"token": code}).json()["pii_processing"]
    notice = record["privacy_notice"]
    assert (notice["language"], notice["choice"], notice["text"]) == (language, *promised)

    # The next participant has not chosen a language.
    hands.primary(copy.t("kiosk.done"))
    stage(page, "idle")
    heading(page, load_copy("en").t("kiosk.idle_heading"))
    visitor.clean()

    if looked:
        receipt = visitor.open(f"/revoke/?token={code}&language={language}")
        with receipt.expect_navigation():
            receipt.get_by_role("button", name=copy.t("revoke.look_up")).click()
        assert copy.t("revoke.stand_room") in receipt.inner_text("main")
        look(receipt, looked)
        with receipt.expect_navigation():
            receipt.get_by_role("button", name=copy.t("revoke.confirm")).click()
        assert copy.t("revoke.stand_gone") in receipt.inner_text("main")
        receipt.close()
    else:
        httpx.post(f"{node.url}/api/v1/revoke", json={"token": code})


@pytest.mark.parametrize("how", ["roles"])
def test_the_room_speaks_as_the_stewards_set_it_and_goes_on_in_another_language(
    node: Node, visitor: Visit, how: str, voice: Path
) -> None:
    samples, rate_hz = read_wav(voice)
    answer = httpx.post(
        f"{node.url}/api/v1/artifacts/audio",
        files={"file": ("take.wav", write(samples[: 2 * rate_hz], rate_hz))},
        data={"consent_mode": "ROOM"},
    )
    room = visitor.open("/room/")
    caption = room.locator(".wall-caption[data-shown=true]")
    try:
        for language in ("en", "ja", "ar"):
            copy = load_copy(language)
            node.change(kiosk_language_code=language)
            kind = copy.t("room.kind_room")
            until(
                lambda kind=kind: kind in "".join(caption.all_inner_texts()),
                what=f"a caption in {language}",
                timeout_s=60,
            )
            assert room.locator(".room-wall").get_attribute("dir") == copy.direction
            assert room.locator("html").get_attribute("lang") == language
    finally:
        node.change(kiosk_language_code="")
        httpx.post(f"{node.url}/api/v1/revoke", json={"token": answer.json()["revocation_token"]})
    accessible(room)
    visitor.clean()


def said(caption: Locator, words: str) -> None:
    until(lambda: words in "".join(caption.all_inner_texts()), what=f"a caption with {words!r}", timeout_s=60)


def heading(page: Page, text: str) -> None:
    until(lambda: page.get_by_role("heading", level=1).inner_text() == text, what=f"the heading {text!r}")


def look(page: Page, looked: bool) -> None:
    """Nothing is cut off at any size, and nothing is amiss for those who do not see it."""
    if not looked:
        return
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        fits(page)
    accessible(page)
    page.set_viewport_size({"width": 1280, "height": 800})
