"""The steward's pages as a steward sees them, and as somebody who is none would like to."""

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import socketio
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from memory_ui.copy import languages, load_copy
from tests.browser.conftest import Node, Visit, record, stage, visit
from tests.browser.test_pages import leave

SIZES = ({"width": 1280, "height": 800}, {"width": 390, "height": 844}, {"width": 1080, "height": 1920})
MOMENTS = ("open", "run", "fix", "close")
SLOW_HAND_MS = 2_500
"""A page that counts seconds has drawn itself anew by then."""
SERVED_IDS = re.compile(r"'client_id': '([0-9a-f-]{36})'")


def apart(work: Any) -> Any:
    """The result of a coroutine run beside the browser's own event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def served_id(html: str) -> str:
    """The id a served page was given."""
    found = SERVED_IDS.search(html)
    assert found is not None
    return found.group(1)


def secret_of(node: Node) -> str:
    return (node.data_dir / "data" / "steward-secret.txt").read_text().strip()


def command(node: Node, *arguments: str) -> str:
    """What a command of the node says."""
    program = [sys.executable, "-c", "from memory_ui.cli import main; main()", *arguments]
    folder = str(node.data_dir / "data")
    ran = subprocess.run(
        [*program, "--data-dir", folder], capture_output=True, text=True, check=True, cwd=node.data_dir
    )
    return ran.stdout


def sign_in(opened: Visit, secret: str, path: str = "/ops/") -> Page:
    page = opened.open("/ops/")
    page.fill("#secret", secret)
    page.keyboard.press("Enter")
    page.wait_for_selector(".ops-state")
    if path != "/ops/":
        page.goto(f"{opened.base}{path}")
        page.wait_for_selector(".bench")
    return page


def moment(page: Page, name: str) -> None:
    page.locator(f"#tab-{name}").click()


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


@pytest.fixture
def steward(speaking_browser: Browser, node: Node) -> Any:
    opened = visit(speaking_browser, node)
    yield opened
    opened.context.close()


@pytest.fixture
def other(speaking_browser: Browser, node: Node) -> Any:
    opened = visit(speaking_browser, node)
    yield opened
    opened.context.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"rules": {"color-contrast": {"enabled": True}}})
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found.response["violations"]]


def test_every_moment_is_accessible_at_every_size_and_nothing_is_fetched_from_elsewhere(steward, node):
    page = sign_in(steward, secret_of(node))
    for size in SIZES:
        page.set_viewport_size(size)
        for name in MOMENTS:
            moment(page, name)
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (size, name)
    page.goto(f"{node.url}/ops/bench/")
    page.wait_for_selector(".bench-chart, #charts .note")
    for size in SIZES:
        page.set_viewport_size(size)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
    steward.clean()


def test_a_click_reaches_kiosk_room_and_the_other_steward(steward, other, node):
    page = sign_in(steward, secret_of(node))
    second = sign_in(other, secret_of(node))
    kiosk, room = other.open("/kiosk/"), other.open("/room/")
    stage(kiosk, "idle")
    moment(page, "run")
    moment(second, "run")
    button(page, "Pause intake").click()
    expect(kiosk.locator(".kiosk")).to_have_attribute("data-blocked", "paused")
    expect(button(second, "Open intake")).to_be_visible()
    button(second, "Pause playback").click()
    expect(room.locator(".room-wall")).to_have_attribute("data-sound", "paused")
    expect(page.locator(".ops-next")).to_contain_text("Open the room.")
    moment(page, "open")
    button(page, "Open the room").click()
    expect(kiosk.locator(".kiosk")).to_have_attribute("data-blocked", "")
    steward.clean()
    other.clean()


def test_a_switch_for_a_quarter_of_an_hour_says_when_it_ends(steward, node):
    page = sign_in(steward, secret_of(node))
    moment(page, "run")
    page.get_by_role("button", name="Make quieter for 15 minutes").click()
    expect(page.locator(".ops-switches")).to_contain_text("ends in 15 minutes")
    expect(page.locator(".ops-last")).to_contain_text("Changed controls, steward")


def test_two_stewards_at_one_theme_do_not_overwrite_each_other_unseen(steward, other, node):
    first, second = sign_in(steward, secret_of(node)), sign_in(other, secret_of(node))
    for page in (first, second):
        moment(page, "open")
    first.get_by_label("Theme").fill("Rain")
    second.get_by_label("Theme").fill("Snow")
    button(first, "Save").click()
    expect(second.locator(".ops-theirs")).to_contain_text("Theme")
    expect(second.get_by_label("Theme")).to_have_value("Snow")
    button(second, "Save").click()
    expect(first.get_by_label("Theme")).to_have_value("Rain")
    button(second, "Keep mine").click()
    button(second, "Save").click()
    expect(first.get_by_label("Theme")).to_have_value("Snow")


def test_a_curator_looks_and_changes_nothing(steward, node):
    secret = command(node, "steward", "add", "Carl", "--role", "curator").split()[-1]
    page = sign_in(steward, secret)
    for name in MOMENTS:
        moment(page, name)
        shown = [one.inner_text() for one in page.locator(".ops-panel button").all()]
        assert set(shown) <= {"Play a tone here"}, (name, shown)
    expect(page.locator(".ops-who")).to_contain_text("Carl, looking only")
    refused = page.evaluate(
        "fetch('/api/v1/operator/controls', {method: 'POST', headers: {'Content-Type': 'application/json'}, "
        "body: '{\"intake_paused\": true}'}).then((answer) => answer.status)"
    )
    assert refused == 403


def test_signing_everyone_out_ends_an_open_page_and_takes_what_it_showed(steward, other, node):
    page, second = sign_in(steward, secret_of(node)), sign_in(other, secret_of(node))
    moment(second, "close")
    button(second, "Sign everyone out").click()
    expect(page.locator(".ops-over")).to_contain_text("Your session has ended.")
    assert page.locator(".ops-panel").count() == 0
    page.reload()
    expect(page.locator("#secret")).to_be_visible()


def test_a_rotated_secret_ends_an_open_page(steward, node):
    page = sign_in(steward, secret_of(node))
    command(node, "secret", "--rotate")
    expect(page.locator(".ops-over")).to_be_visible(timeout=15_000)


def test_a_lost_node_is_shown_and_the_page_heals(steward, node):
    page = sign_in(steward, secret_of(node))
    node.kill()
    expect(page.locator(".ops-lost")).to_be_visible(timeout=20_000)
    node.start()
    expect(page.locator(".ops-lost")).to_have_count(0, timeout=30_000)
    moment(page, "run")
    button(page, "Pause intake").click()
    expect(button(page, "Open intake")).to_be_visible()


def test_a_take_is_found_listened_to_described_and_removed_on_the_bench(steward, speaker, node):
    kiosk = speaker.open("/kiosk/")
    record(kiosk, 2)
    kiosk.keyboard.press("1")
    kiosk.keyboard.press("Space")
    stage(kiosk, "complete")
    page = sign_in(steward, secret_of(node), "/ops/bench/")
    row = page.locator("#takes .bench-rows tr")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Listen to take 1").click()
    expect(row.get_by_role("button", name="Listen to take 1")).to_have_text("Stop")
    expect(row.get_by_role("button", name="Listen to take 1")).to_have_text("Listen", timeout=15_000)
    assert page.locator(".ops-said").inner_text() == ""
    topic = row.get_by_label("Topic of take 1")
    topic.press_sequentially("ra")
    page.wait_for_timeout(SLOW_HAND_MS)
    topic.press_sequentially("in")
    expect(topic).to_have_value("rain")
    topic.press("Enter")
    expect(page.locator("#trail")).to_contain_text("Described a take")
    page.get_by_label("Topic contains").fill("snow")
    page.locator("#takes").get_by_role("button", name="Search").click()
    expect(row).to_have_count(0)
    page.locator("#takes").get_by_role("button", name="Show all").click()
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Remove", exact=True).click()
    assert row.count() == 1
    row.get_by_role("button", name="Remove for good").click()
    expect(page.locator(".ops-said")).to_contain_text("looked for and not found")
    expect(row).to_have_count(0)
    assert node.sounds() == []
    page.get_by_label("Words to look for").fill("remove")
    page.locator("#trail").get_by_role("button", name="Search").click()
    expect(page.locator("#trail tbody tr")).to_have_count(1)
    expect(page.locator("#trail")).not_to_contain_text("rain")


def test_a_muted_room_page_is_a_warning_until_it_sounds_again(steward, other, node, voice):
    leave(node, voice)
    room = other.open("/room/")
    room.wait_for_selector(".wall[data-sounding=true]")
    page = sign_in(steward, secret_of(node))
    moment(page, "fix")
    expect(page.locator(".ops-devices")).to_contain_text("online")
    # Stopped from outside, and kept from starting again by itself.
    held = "(({ context }) => { context.resume = () => new Promise(() => {}); context.suspend(); })"
    room.evaluate(f"window.__taps.forEach({held})")
    expect(page.locator(".ops-warnings")).to_contain_text("plays nothing yet", timeout=15_000)
    expect(page.locator(".ops-devices")).to_contain_text("silent")
    room.evaluate("window.__taps.forEach(({ context }) => { delete context.resume; })")
    expect(page.locator(".ops-panel")).not_to_contain_text("plays nothing yet", timeout=15_000)


def test_a_flagged_voice_leaves_the_room_and_waits_for_the_steward_who_passes_it(steward, other, node, voice):
    leave(node, voice)
    room = other.open("/room/")
    room.wait_for_selector(".wall[data-sounding=true]")
    page = sign_in(steward, secret_of(node), "/ops/bench/")
    room.mouse.move(120, 300)
    room.locator(".wall-flag").click()
    room.locator(".wall-flag").click()
    room.wait_for_selector(".wall[data-sounding=false]")
    waiting = page.locator("#waiting .bench-rows tr")
    expect(waiting).to_have_count(1)
    assert httpx.get(f"{node.url}/api/v1/pool/next").status_code == 204
    waiting.get_by_role("button", name="Listen to take 1").click()
    expect(waiting.get_by_role("button", name="Listen to take 1")).to_have_text("Stop")
    waiting.get_by_role("button", name="Pass").click()
    expect(waiting).to_have_count(0)
    assert httpx.get(f"{node.url}/api/v1/pool/next").json()["play_count"] == 0


def test_a_curator_sees_why_a_voice_was_played_and_chooses_it_again(steward, other, node, voice):
    for _ in range(3):
        leave(node, voice)
    room = other.open("/room/")
    room.wait_for_selector(".wall[data-sounding=true]")
    secret = command(node, "steward", "add", "Carl", "--role", "curator").split()[-1]
    page = sign_in(steward, secret, "/ops/bench/")
    rows, again = page.locator("#why .bench-why-list tbody tr"), page.locator("#why .bench-why-again")
    expect(rows.first).to_be_visible()
    known = rows.count()
    oldest = rows.last.get_by_role("button")
    oldest.press("Enter")  # a key goes to this row also where a new one has just pushed it down
    expect(oldest).to_have_attribute("aria-pressed", "true")
    title = page.locator("#h-why-one").inner_text()
    expect(page.locator("#why .bench-why-facts")).to_contain_text("of 3 takes")
    expect(page.locator("#why .bench-factors tbody tr")).to_have_count(10)
    button(page, "Choose again from the seed").click()
    expect(again).to_have_text("The same voice came of it, and everything else as well.")
    for size in SIZES:
        page.set_viewport_size(size)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
    expect(rows).not_to_have_count(known, timeout=90_000)
    assert page.locator("#h-why-one").inner_text() == title
    expect(again).to_contain_text("The same voice")
    rows.first.get_by_role("button").click()
    expect(page.locator("#h-why-one")).not_to_have_text(title)
    expect(again).to_have_text("")
    steward.clean()


def test_a_prompt_of_the_steward_reaches_the_kiosk(steward, speaker, node):
    page = sign_in(steward, secret_of(node), "/ops/bench/")
    page.get_by_label("A new prompt").fill("What did the house sound like?")
    page.locator("#prompts").get_by_role("button", name="Add", exact=True).first.click()
    kiosk = speaker.open("/kiosk/")
    stage(kiosk, "idle")
    kiosk.keyboard.press("Space")
    stage(kiosk, "armed")
    expect(kiosk.locator(".kiosk")).to_contain_text("What did the house sound like?")
    page.get_by_role("button", name="Add “Places”").click()
    kept = page.locator("#prompts").get_by_label("Prompt", exact=True)
    expect(kept).to_have_count(1 + 3 * len(languages()))
    page.locator("#prompts").get_by_role("button", name="Remove").first.click()
    expect(kept).to_have_count(3 * len(languages()))
    kiosk.keyboard.press("Escape")
    kiosk.get_by_role("button", name="日本語").click()
    kiosk.locator(".kiosk-primary button").click()
    stage(kiosk, "armed")
    asked = [text for prompt in kept.all() if (text := prompt.input_value()) in kiosk.locator(".kiosk").inner_text()]
    assert len(asked) == 1


def test_a_page_that_cannot_be_built_says_so_and_nothing_of_the_inside(steward, node):
    sign_in(steward, secret_of(node)).close()
    page = steward.context.new_page()
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        database.execute("ALTER TABLE steward_session RENAME TO gone")
        database.execute("ALTER TABLE steward_state RENAME TO gone_too")
    for path, status, words in (("/ops/", 503, "problem.closed"), ("/kiosk/", 500, "problem.failed")):
        answer = page.goto(f"{node.url}{path}")
        assert (answer.status, page.get_by_text(load_copy("en").t(words)).count()) == (status, 1)
        assert re.search("sqlite|no such table|Traceback|Unavailable", page.content()) is None


class TestSockets:
    """What a socket may not do: the page's id alone opens nothing."""

    @staticmethod
    def client_id(page: Page) -> str:
        found: str = page.evaluate("window.clientId")
        return found

    @staticmethod
    async def _connect(node: Node, client_id: str, headers: dict[str, str]) -> socketio.AsyncClient:
        client = socketio.AsyncClient(reconnection=False)
        query = f"client_id={client_id}&next_message_id=0&implicit_handshake=true"
        query += f"&tab_id={uuid.uuid4()}&document_id={uuid.uuid4()}"
        await client.connect(
            f"{node.url}?{query}", headers=headers, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"]
        )
        return client

    def refused(self, node: Node, client_id: str, headers: dict[str, str]) -> bool:
        async def knock() -> bool:
            try:
                client = await self._connect(node, client_id, headers)
            except socketio.exceptions.ConnectionError:
                return True
            await client.disconnect()
            return False

        refused: bool = apart(knock())
        return refused

    def page_of(self, node: Node, cookie: str, agent: str) -> str:
        """A steward's page that was built and to which no socket was opened yet."""
        html = httpx.get(f"{node.url}/ops/", headers={"Cookie": cookie, "User-Agent": agent}).text
        return served_id(html)

    def session(self, node: Node, agent: str) -> str:
        answer = httpx.post(f"{node.url}/ops/", data={"secret": secret_of(node)}, headers={"User-Agent": agent})
        return answer.headers["Set-Cookie"].split(";")[0]

    def test_a_page_is_opened_by_its_own_browser_only(self, node):
        mine = self.session(node, "mine")
        assert self.refused(node, self.page_of(node, mine, "mine"), {})
        assert self.refused(node, self.page_of(node, mine, "mine"), {"Cookie": mine, "User-Agent": "stolen"})
        another = self.session(node, "mine")
        assert self.refused(node, self.page_of(node, mine, "mine"), {"Cookie": another, "User-Agent": "mine"})
        assert not self.refused(node, self.page_of(node, mine, "mine"), {"Cookie": mine, "User-Agent": "mine"})

    def test_a_page_whose_session_has_ended_admits_nobody(self, node):
        mine = self.session(node, "mine")
        page = self.page_of(node, mine, "mine")
        httpx.post(f"{node.url}/ops/logout/", headers={"Cookie": mine, "User-Agent": "mine"}, data={"x": ""})
        assert self.refused(node, page, {"Cookie": mine, "User-Agent": "mine"})

    def test_an_event_by_a_foreign_socket_is_not_heard(self, node, other):
        room = other.open("/room/?autostart=0")
        room.wait_for_selector(".room-wall")
        room.wait_for_timeout(500)
        victim = self.client_id(room)

        own = served_id(httpx.get(f"{node.url}/kiosk/").text)

        async def speak() -> None:
            client = await self._connect(node, own, {})
            for kind, message in (
                ("event", {"client_id": victim, "id": 4, "listener_id": "x", "args": [json.dumps({"seq": 0})]}),
                ("log", {"client_id": victim, "level": "error", "message": "planted"}),
                ("javascript_response", {"client_id": victim, "request_id": "x", "result": 1}),
                ("ack", {"client_id": victim, "next_message_id": 9999}),
                ("event", "no object"),
                ("event", {"client_id": own}),
                ("handshake", {}),
            ):
                await client.emit(kind, message)
            await asyncio.sleep(1)
            await client.disconnect()

        apart(speak())
        logged = node.logged()
        assert logged.count("socket.foreign") >= 4
        assert "planted" not in logged
        assert "Traceback" not in logged
        assert room.evaluate("window.socket.connected")
