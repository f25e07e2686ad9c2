"""No offering is lost at the kiosk, and none is found there: reloads, dead servers, dead networks, killed browsers."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Error, Page, Playwright, Route

from tests.browser.conftest import Node, Visit, record, row, stage, until
from tests.browser.safety import (
    CHUNK_S,
    LOST_S,
    SENT,
    at_home,
    begin,
    keys,
    kill,
    left,
    readable,
    send,
    whole,
    wiped,
)


def held(node: Node) -> None:
    """One take, which waits for a steward; it may have arrived before it was known that nobody waits for it."""
    until(lambda: reviews(node) == ["held"], what="a take that is held")
    assert len(node.sounds()) == 1


def reviews(node: Node) -> list[str]:
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        return [review for (review,) in database.execute("SELECT review FROM artifact ORDER BY id")]


def parted(page: Page, node: Node) -> None:
    """Of a take that has arrived nothing lies on the disk but its receipt, and that goes with its participant."""
    until(lambda: left(page) == {"takes": 1, "chunks": 1}, what="the receipt alone")
    page.keyboard.press("Escape")
    stage(page, "idle")
    wiped(page, node)


class TestAPageThatIsLoadedAnew:
    def test_while_recording_it_comes_back_to_review_with_all_that_was_said(
        self, node: Node, speaker: Visit, voice: Path
    ) -> None:
        kiosk = speaker.open("/kiosk/")
        begin(kiosk)
        kiosk.wait_for_timeout(4000)
        chunks = left(kiosk)["chunks"]
        assert chunks >= (4 - LOST_S) / CHUNK_S
        kiosk.reload()
        stage(kiosk, "review")
        assert node.sounds() == []
        send(kiosk)
        whole(node, voice, at_least_s=3)
        parted(kiosk, node)
        speaker.clean()

    def test_in_review_it_comes_back_with_what_was_chosen_of_it(self, node: Node, speaker: Visit) -> None:
        kiosk = speaker.open("/kiosk/")
        record(kiosk, 2)
        kiosk.get_by_text("Dream", exact=True).click()
        kiosk.reload()
        stage(kiosk, "review")
        assert kiosk.locator("input[name=kiosk-colour]:checked").get_attribute("value") == "dream"
        assert kiosk.locator(".kiosk").get_attribute("data-mode") == ""
        kiosk.keyboard.press("Escape")
        stage(kiosk, "idle")
        wiped(kiosk, node)
        kiosk.reload()
        kiosk.wait_for_timeout(1000)
        stage(kiosk, "idle")
        speaker.clean()

    def test_with_its_receipt_it_comes_back_to_it_until_its_time_is_over(self, node: Node, speaker: Visit) -> None:
        kiosk = speaker.open("/kiosk/")
        record(kiosk, 2)
        send(kiosk)
        code, line = kiosk.locator(".kiosk-kept .code"), kiosk.locator(".kiosk-ink")
        shown = code.inner_text(), line.get_attribute("d")
        until(lambda: left(kiosk) == {"takes": 1, "chunks": 1}, what="the receipt on the disk")
        kiosk.reload()
        stage(kiosk, "complete")
        assert (code.inner_text(), line.get_attribute("d")) == shown
        kiosk.get_by_role("button", name="Done").click()
        wiped(kiosk, node)
        kiosk.reload()
        kiosk.wait_for_timeout(1000)
        stage(kiosk, "idle")
        speaker.clean()

    def test_what_nobody_comes_back_for_in_time_is_destroyed(self, node: Node, speaker: Visit) -> None:
        kiosk = speaker.open("/kiosk/")
        record(kiosk, 2)
        kiosk.close()
        later = speaker.context.new_page()
        later.add_init_script("const now = Date.now; Date.now = () => now() + 91_000;")
        later.goto(f"{node.url}/kiosk/")
        wiped(later, node)
        stage(later, "idle")

    def test_a_key_that_is_gone_leaves_nothing_to_come_back_to(self, node: Node, speaker: Visit) -> None:
        kiosk = speaker.open("/kiosk/")
        record(kiosk, 2)
        with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
            database.execute("DELETE FROM take_key")
        kiosk.reload()
        wiped(kiosk, node)
        stage(kiosk, "idle")


class TestAServerThatDies:
    def test_while_recording_and_in_review(self, node: Node, speaker: Visit, voice: Path) -> None:
        kiosk = speaker.open("/kiosk/")
        begin(kiosk)
        kiosk.wait_for_timeout(1500)
        node.kill()
        kiosk.wait_for_timeout(1500)
        node.start()
        kiosk.wait_for_timeout(500)
        kiosk.keyboard.press("Space")
        stage(kiosk, "review")
        node.kill()
        kiosk.wait_for_timeout(500)
        node.start()
        kiosk.reload()  # and the browser with it
        stage(kiosk, "review")
        send(kiosk)
        whole(node, voice, at_least_s=2.5)
        parted(kiosk, node)

    def test_between_send_and_the_answer(self, node: Node, speaker: Visit, voice: Path) -> None:
        kiosk = speaker.open("/kiosk/")
        record(kiosk, 3)
        tries: list[str] = []

        def swallow(route: Route) -> None:
            tries.append(route.request.headers["idempotency-key"])
            if len(tries) == 1:
                route.fetch()  # it arrives
                node.kill()
                route.abort()
                node.start()
            else:
                route.continue_()

        kiosk.route("**/api/v1/artifacts/audio", swallow)
        send(kiosk)
        assert len(tries) >= 2
        assert len(set(tries)) == 1
        whole(node, voice, at_least_s=2)
        assert row(node)["id"] == 1
        code = "-".join(kiosk.locator(".kiosk-kept .code span").all_inner_texts())
        answer = httpx.post(f"{node.url}/api/v1/revoke", json={"token": code}).json()
        assert answer["revoked_artifacts"] == 1

    def test_a_sending_whose_participant_has_left_waits_for_a_steward_and_shows_no_code(
        self, node: Node, speaker: Visit
    ) -> None:
        kiosk = speaker.open("/kiosk/")
        record(kiosk, 2)
        kiosk.route("**/api/v1/artifacts/audio", lambda route: None)  # no answer, ever
        kiosk.keyboard.press("1")
        kiosk.keyboard.press("Space")
        stage(kiosk, "submitting")
        kiosk.wait_for_timeout(500)
        kiosk.unroute("**/api/v1/artifacts/audio")
        kiosk.add_init_script("const now = performance.now.bind(performance); performance.now = () => now() * 20;")
        kiosk.reload()
        stage(kiosk, "review")
        assert kiosk.locator(".kiosk").get_attribute("data-mode") == "ROOM"
        stage(kiosk, "idle")
        held(node)
        assert kiosk.locator(".code").count() == 0
        wiped(kiosk, node)


def test_a_steward_wipes_what_a_kiosk_holds(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    device = until(lambda: known(node), what="its report")
    node.command(device, "wipe")
    stage(kiosk, "idle")
    wiped(kiosk, node)
    assert node.sounds() == []


def test_the_key_does_not_wait_for_the_disk(node: Node, speaker: Visit) -> None:
    """Whatever dies before the disk is emptied, what lies there is noise."""
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    kiosk.evaluate("() => { IDBObjectStore.prototype.clear = () => { throw new Error('no change'); }; }")
    kiosk.keyboard.press("3")
    until(lambda: keys(node) == 0, what="the key to go", timeout_s=5)
    assert left(kiosk)["chunks"] > 0


def known(node: Node) -> str | None:
    """The id of the kiosk that is open."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        found = database.execute("SELECT id FROM device WHERE surface = 'kiosk'").fetchone()
    return found[0] if found else None


def test_what_was_sent_is_handed_in_by_a_page_that_comes_long_after(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    kiosk.route("**/api/v1/artifacts/audio", lambda route: None)
    kiosk.keyboard.press("2")
    kiosk.keyboard.press("Space")
    stage(kiosk, "submitting")
    kiosk.wait_for_timeout(500)
    kiosk.close()
    later = speaker.context.new_page()
    later.add_init_script("const now = Date.now; Date.now = () => now() + 300_000;")
    later.goto(f"{node.url}/kiosk/")
    held(node)
    stage(later, "idle")
    wiped(later, node)


HURRIED = """
const later = setTimeout; // the pause between two hand-ins, and nothing else: a socket needs its time
window.setTimeout = (act, ms, ...more) => later(act, ms === 20_000 ? 1000 : ms, ...more);
const now = performance.now.bind(performance);
window.__ahead = 0;
performance.now = () => now() + window.__ahead;
"""


def left_unanswered(kiosk: Page) -> None:
    """Sent, without an answer, by somebody who has gone since."""
    kiosk.route("**/api/v1/artifacts/audio", lambda route: route.abort())
    record(kiosk, 2)
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")
    kiosk.get_by_role("alert").wait_for(timeout=20_000)
    kiosk.evaluate("window.__ahead += 91_000")
    stage(kiosk, "idle")


def test_what_is_handed_in_late_touches_nothing_of_who_came_next(node: Node, speaker: Visit) -> None:
    speaker.context.add_init_script(HURRIED)
    kiosk = speaker.open("/kiosk/")
    left_unanswered(kiosk)
    record(kiosk, 2)
    chunks = left(kiosk)["chunks"]
    kiosk.unroute("**/api/v1/artifacts/audio")
    held(node)
    kiosk.wait_for_timeout(500)
    assert left(kiosk) == {"takes": 1, "chunks": chunks}
    kiosk.reload()
    stage(kiosk, "review")


def test_a_steward_ends_what_is_still_to_be_handed_in(node: Node, speaker: Visit) -> None:
    speaker.context.add_init_script(HURRIED)
    kiosk = speaker.open("/kiosk/")
    left_unanswered(kiosk)
    device = until(lambda: known(node), what="its report")
    node.command(device, "wipe")
    wiped(kiosk, node)
    kiosk.unroute("**/api/v1/artifacts/audio")
    kiosk.wait_for_timeout(2500)  # more than two of its tries
    assert node.sounds() == []


def test_a_sending_that_got_no_answer_and_was_cancelled_is_taken_back(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    asked: list[str] = []

    def swallow_first(route: Route) -> None:
        asked.append("")
        if len(asked) == 1:
            route.fetch()  # it arrives
            kiosk.keyboard.press("Escape")
            route.abort()
        else:
            route.continue_()

    kiosk.route("**/api/v1/artifacts/audio", swallow_first)
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")
    stage(kiosk, "idle")
    until(lambda: kiosk.title() and reviews(node) and row(node)["state"] == "REVOKED", what="its end")
    until(lambda: node.sounds() == [], what="its bytes to go")
    wiped(kiosk, node)


def test_a_second_page_of_the_same_browser_takes_nothing_from_the_first(node: Node, speaker: Visit) -> None:
    kiosk = speaker.open("/kiosk/")
    begin(kiosk)
    kiosk.wait_for_timeout(2000)
    other = speaker.open("/kiosk/")
    other.wait_for_timeout(4000)
    stage(other, "idle")
    kiosk.bring_to_front()
    assert left(kiosk)["takes"] == 1
    assert keys(node) == 1


@pytest.mark.parametrize("when", ["recording", "review", "sending"])
def test_a_network_that_swallows_everything_for_a_while_costs_nothing(
    node: Node, speaker: Visit, voice: Path, when: str
) -> None:
    kiosk = speaker.open("/kiosk/")
    begin(kiosk)
    with swallowing(speaker, wanted=when == "recording"):
        kiosk.wait_for_timeout(3000)
    kiosk.keyboard.press("Space")
    stage(kiosk, "review")
    with swallowing(speaker, wanted=when == "review"):
        kiosk.wait_for_timeout(500)
    with swallowing(speaker, wanted=when == "sending"):
        kiosk.keyboard.press("1")
        kiosk.keyboard.press("Space")
    stage(kiosk, "complete", timeout_s=30)
    whole(node, voice, at_least_s=2)
    assert row(node)["id"] == 1
    parted(kiosk, node)


HOLE_S = float(os.environ.get("HOLE_S", "2"))
"""How long nothing comes back; a minute is tried by `make kiosk`."""


@contextmanager
def swallowing(speaker: Visit, *, wanted: bool) -> Iterator[None]:
    """A network in which every request gets no answer at all until it is over."""
    held: list[Route] = []
    if wanted:
        speaker.context.route("**/*", lambda route: held.append(route))  # noqa: PLW0108 -- no bound method can be a handler
    yield
    if wanted:
        speaker.context.pages[0].wait_for_timeout(HOLE_S * 1000)
        speaker.context.unroute("**/*")
        for route in held:
            with suppress(Error):
                route.abort()


@pytest.mark.parametrize("when", ["recording", "review", "sending"])
def test_a_network_that_goes_away_for_a_while_costs_nothing(node: Node, speaker: Visit, voice: Path, when: str) -> None:
    kiosk = speaker.open("/kiosk/")
    begin(kiosk)
    speaker.context.set_offline(when == "recording")
    kiosk.wait_for_timeout(3000)
    kiosk.keyboard.press("Space")
    stage(kiosk, "review")
    speaker.context.set_offline(when in ("review", "sending"))
    kiosk.wait_for_timeout(1000)
    speaker.context.set_offline(when == "sending")
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")
    kiosk.wait_for_timeout(1500)
    speaker.context.set_offline(False)
    stage(kiosk, "complete")
    whole(node, voice, at_least_s=2)
    assert row(node)["id"] == 1


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


def test_a_browser_that_is_killed_while_recording_comes_back_to_review(
    node: Node, playwright: Playwright, profile: Path, voice: Path
) -> None:
    context = at_home(playwright, node, profile, voice)
    kiosk = context.pages[0]
    kiosk.goto(f"{node.url}/kiosk/")
    begin(kiosk)
    kiosk.wait_for_timeout(4000)
    plain = kiosk.evaluate("window.__plain")
    kill(profile)
    assert len(plain) * CHUNK_S >= 4 - LOST_S
    assert readable(profile, plain) == []
    with suppress(Exception):
        context.close()

    context = at_home(playwright, node, profile, voice)
    kiosk = context.pages[0]
    kiosk.goto(f"{node.url}/kiosk/")
    stage(kiosk, "review")
    assert left(kiosk)["chunks"] * CHUNK_S >= 4 - LOST_S
    send(kiosk)
    whole(node, voice, at_least_s=3)
    parted(kiosk, node)
    context.close()
    assert readable(profile, plain) == []


def test_what_is_heard_once_leaves_no_trace_on_the_disk(
    node: Node, playwright: Playwright, profile: Path, voice: Path
) -> None:
    context = at_home(playwright, node, profile, voice)
    kiosk = context.pages[0]
    kiosk.goto(f"{node.url}/kiosk/")
    record(kiosk, 3)
    plain = kiosk.evaluate("window.__plain")
    kiosk.keyboard.press("3")
    wiped(kiosk, node)
    kiosk.keyboard.press("Space")
    stage(kiosk, "complete")
    sent = kiosk.evaluate(SENT)
    context.close()
    pieces = [sent[at : at + 48] for at in range(0, len(sent) - 48, 800)]
    assert readable(profile, plain) == []
    assert readable(profile, pieces) == []
    assert node.sounds() == []
