"""A steward's first day, walked step by step as docs/how-to/first-day.md tells it: for a test and for pictures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Node, Visit, stage, until, visit

PATIENCE_MS = 25_000
BETWEEN_VOICES_MS = 120_000

Look = Callable[[Page, str], None]
"""What is done where the document has a picture: the page, and the picture's name."""


@dataclass
class Day:
    """One steward with a browser, and the machine in the room with a kiosk and a listening page."""

    browser: Browser
    node: Node
    look: Look
    steward: Visit = field(init=False)
    machine: Visit = field(init=False)
    ops: Page = field(init=False)
    bench: Page = field(init=False)
    kiosk: Page = field(init=False)
    room: Page = field(init=False)
    code: str = ""

    def __post_init__(self) -> None:
        self.steward, self.machine = visit(self.browser, self.node), visit(self.browser, self.node)

    def walk(self) -> None:
        """The whole day."""
        for step in (
            self.sign_in,
            self.open_pages,
            self.name_pages,
            self.record,
            self.listen,
            self.pause,
            self.make_quieter,
            self.hold_and_pass,
            self.remove,
            self.take_back,
            self.fix,
            self.close,
        ):
            step()

    def end(self) -> None:
        self.steward.context.close()
        self.machine.context.close()

    def sign_in(self) -> None:
        self.ops = self.steward.open("/ops/")
        self.look(self.ops, "sign-in")
        self.ops.fill("#secret", (self.node.data_dir / "data" / "steward-secret.txt").read_text().strip())
        press(self.ops, "Sign in")
        self.ops.wait_for_selector(".ops-state")

    def open_pages(self) -> None:
        self.moment("Open room")
        expect(self.ops.locator(".ops-steps")).to_contain_text("Open /kiosk/ on the machine with the microphone")
        self.look(self.ops, "open")
        self.kiosk = self.machine.open("/kiosk/")
        stage(self.kiosk, "idle")
        self.room = self.machine.open("/room/")
        said = self.ops.locator(".ops-steps")
        expect(said).to_contain_text("A kiosk is open and its microphone is there.", timeout=PATIENCE_MS)
        expect(said).to_contain_text("A listening page is open and not silent.", timeout=PATIENCE_MS)
        expect(self.ops.locator(".ops-steps [data-done=true]")).to_have_count(5)
        if (button := self.ops.get_by_role("button", name="Open the room", exact=True)).is_enabled():
            button.click()
        self.look(self.ops, "opened")

    def name_pages(self) -> None:
        self.moment("Run room")
        self.ops.get_by_role("button", name="Identify: Room").click()
        expect(self.ops.locator(".ops-said")).to_contain_text("shows its name.")
        self.room.wait_for_selector(".wall[data-called=true]")
        self.look(self.room, "identify")
        self.ops.get_by_role("button", name="Tone: Room").click()
        expect(self.ops.locator(".ops-said")).to_contain_text("plays a tone.")
        self.ops.get_by_role("link", name="Bench").click()
        self.bench = self.ops
        self.bench.wait_for_selector(".bench")
        self._name("Kiosk", "Desk")
        self._name("Room", "Loudspeakers")
        self.bench.locator("#devices").scroll_into_view_if_needed()
        self.look(self.bench, "name")

    def _name(self, surface: str, name: str) -> None:
        devices = self.bench.locator("#devices")
        label = devices.locator("tr", has_text=surface).locator("th").first.inner_text().split("\n")[0]
        devices.get_by_label("Page").select_option(label=label)
        devices.get_by_label("Name it").fill(name)
        press(devices, "Save")
        expect(devices.locator("table")).to_contain_text(name)

    def record(self) -> None:
        """Two takes: one to be taken back with its code, and one that will be removed."""
        self.code = self._leave(look=True)
        press(self.kiosk, "Done")
        self._leave(look=False)
        press(self.kiosk, "Done")

    def _leave(self, *, look: bool) -> str:
        stage(self.kiosk, "idle")
        press(self.kiosk, "Begin")
        stage(self.kiosk, "armed")
        press(self.kiosk, "Record")
        stage(self.kiosk, "recording")
        self.kiosk.wait_for_timeout(2500)
        press(self.kiosk, "Stop")
        stage(self.kiosk, "review")
        self.kiosk.get_by_text("Leave it in the room").click()
        if look:
            self.look(self.kiosk, "record")
        self.kiosk.locator(".kiosk .button-primary").click()
        stage(self.kiosk, "complete")
        expect(self.kiosk.locator(".kiosk")).to_contain_text("It is in the room.")
        if look:
            self.look(self.kiosk, "receipt")
        return "-".join(self.kiosk.locator(".code span").all_inner_texts())

    def listen(self) -> None:
        self.ops = self.bench
        self.ops.get_by_role("link", name="Room", exact=True).click()
        self.ops.wait_for_selector(".ops-state")
        self.moment("Run room")
        self.room.wait_for_selector(".wall[data-sounding=true]", timeout=BETWEEN_VOICES_MS)
        expect(self.ops.locator(".ops-sounding")).to_contain_text("take", timeout=BETWEEN_VOICES_MS)
        self.look(self.ops, "run")

    def pause(self) -> None:
        press(self.ops, "Pause playback")
        expect(self.room.locator(".room-wall")).to_have_attribute("data-sound", "paused")
        self._resume()
        press(self.ops, "Pause playback for 15 minutes")
        expect(self.ops.locator(".ops-switches")).to_contain_text("ends in 15 minutes")
        self.look(self.ops, "pause")
        self._resume()
        expect(self.room.locator(".room-wall")).not_to_have_attribute("data-sound", "paused")

    def _resume(self) -> None:
        press(self.ops, "Resume playback")
        expect(self.ops.get_by_role("button", name="Pause playback", exact=True)).to_be_visible()

    def make_quieter(self) -> None:
        press(self.ops, "Make quieter")
        expect(self.ops.locator(".ops-switches")).to_contain_text("quieter")
        self.look(self.ops, "quieter")
        press(self.ops, "Back to level")
        expect(self.ops.get_by_role("button", name="Make quieter", exact=True)).to_be_visible()

    def hold_and_pass(self) -> None:
        expect(self.ops.locator(".ops-sounding")).to_contain_text("take", timeout=BETWEEN_VOICES_MS)
        self.ops.get_by_role("button", name="Hold for checking").first.click()
        expect(self.ops.locator(".ops-said")).to_have_text("It is out of the room until somebody passes it.")
        self.moment("Fix problem")
        self.ops.get_by_role("link", name="Someone heard a voice that should not be here").click()
        self.ops.wait_for_selector("#waiting .bench-rows")
        self.look(self.ops, "held")
        waiting = self.ops.locator("#waiting")
        press(waiting, "Pass")
        expect(self.ops.locator(".ops-said")).to_have_text("It may be heard in the room.")
        expect(waiting).to_contain_text("None.")

    def remove(self) -> None:
        newest = self.ops.locator("#takes .bench-rows tr").first
        number = newest.locator("th").inner_text()
        listening = newest.get_by_role("button", name="Listen to take")
        listening.click()
        expect(listening).to_have_text("Stop")
        listening.click()
        press(newest, "Remove")
        self.ops.locator("#takes").scroll_into_view_if_needed()
        self.look(self.ops, "remove")
        press(newest, "Remove for good")
        expect(self.ops.locator(".ops-said")).to_have_text("It is gone: deleted, looked for and not found.")
        until(lambda: newest.locator("th").inner_text() != number, what="the list without it")

    def take_back(self) -> None:
        page = self.machine.open("/revoke/")
        page.get_by_label("What is the code on your receipt?").fill(self.code)
        press(page, "Look it up")
        expect(page.locator("body")).to_contain_text("This is the memory you left.")
        self.look(page, "take-back")
        press(page, "Remove it for good")
        expect(page.locator("body")).to_contain_text("It is gone.")
        page.close()

    def fix(self) -> None:
        self.ops.goto(f"{self.node.url}/ops/")
        self.ops.wait_for_selector(".ops-state")
        self.moment("Fix problem")
        expect(self.ops.locator(".ops-panel")).to_contain_text("What stands in the way")
        self.look(self.ops, "fix")

    def close(self) -> None:
        self.moment("Close session")
        press(self.ops, "Close the room")
        press(self.ops, "Clear this session's framing")
        steps = self.ops.locator(".ops-steps")
        expect(steps).to_contain_text("Intake is paused.")
        expect(steps).to_contain_text("Playback is paused.")
        expect(self.kiosk.locator(".kiosk")).to_have_attribute("data-blocked", "paused")
        expect(self.room.locator(".room-wall")).to_have_attribute("data-sound", "paused")
        press(self.ops, "Make a backup")
        expect(self.ops.locator(".ops-care")).to_contain_text("Read back and found whole.", timeout=30_000)
        self.look(self.ops, "close")
        press(self.ops, "Sign out")
        self.ops.wait_for_selector("#secret")

    def moment(self, name: str) -> None:
        self.ops.get_by_role("tab", name=name).click()


def press(where: Any, name: str) -> None:
    where.get_by_role("button", name=name, exact=True).click()
