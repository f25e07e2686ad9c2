"""What a steward sees: the first day, a busy afternoon, and everything at once."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Node, Visit, stage, visit
from tests.first_day import Day
from tests.pictures.camera import PHONE, WALL, WIDE, shot

MOMENTS = ("open", "run", "fix", "close")
SIZES = {"wide": WIDE, "phone": PHONE, "wall": WALL}
ON_A_PHONE = ("run", "pause")
LONG = "What did the house of your childhood sound like before anybody was awake?"


def first_day(browser: Browser, node: Node) -> None:
    """Every picture of docs/how-to/first-day.md; what is done on the way through the house, on a phone as well."""

    def look(page: Page, name: str) -> None:
        shot(page, f"first-day-{name}")
        if name in ON_A_PHONE:
            page.set_viewport_size(PHONE)
            shot(page, f"first-day-{name}-phone")
            page.set_viewport_size(WIDE)

    day = Day(browser=browser, node=node, look=look)
    day.walk()
    day.end()


def busy(browser: Browser, node: Node) -> None:
    """The README's pictures: a room that runs, and its bench with a take that waits."""
    machine, page = _opened(browser, node)
    page.locator("#tab-run").click()
    machine.pages[1].wait_for_selector(".wall[data-sounding=true]", timeout=120_000)
    expect(page.locator(".ops-sounding")).to_be_visible(timeout=120_000)
    shot(page, "ops-run")
    page.goto(f"{node.url}/ops/bench/")
    page.wait_for_selector("#takes .bench-rows")
    page.locator("#takes").evaluate("element => element.scrollIntoView()")
    shot(page, "bench")


def crowded(browser: Browser, node: Node, folder: Path) -> None:
    """Long words, a held and a flagged take, a failed job, something critical: ops and bench, all sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    _, page = _opened(browser, node)
    _fill(node, page)
    node.stop()
    node.environment["DISK_RESERVE_GB"] = "100000"
    node.start()
    page.wait_for_timeout(20_000)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        page.goto(f"{node.url}/ops/")
        page.wait_for_selector(".ops-state")
        for moment in MOMENTS:
            page.locator(f"#tab-{moment}").click()
            shot(page, f"{moment}-{size}", folder, full_page=True)
        page.goto(f"{node.url}/ops/bench/")
        page.wait_for_selector("#takes .bench-rows")
        page.wait_for_timeout(1500)
        shot(page, f"bench-{size}", folder, full_page=True)


def _opened(browser: Browser, node: Node) -> tuple["Machine", Page]:
    """A kiosk and a wall on one machine, and a steward signed in on another."""
    machine = Machine(visit(browser, node, viewport=WIDE))
    steward = visit(browser, node, viewport=WIDE)
    page = steward.open("/ops/")
    page.fill("#secret", (node.data_dir / "data" / "steward-secret.txt").read_text().strip())
    page.keyboard.press("Enter")
    page.wait_for_selector(".ops-devices tr:nth-child(2)")
    return machine, page


class Machine:
    def __init__(self, visitor: Visit) -> None:
        self.pages = [visitor.open("/kiosk/"), visitor.open("/room/")]
        stage(self.pages[0], "idle")


def _fill(node: Node, page: Page) -> None:
    node.change(
        session_theme_title=LONG, session_theme_prompt=LONG * 3, deployment_focus_topic="kitchens-and-hallways" * 3
    )
    page.goto(f"{node.url}/ops/bench/")
    page.wait_for_selector("#takes .bench-rows")
    options = page.locator("#devices select option").all_inner_texts()
    for label in options:
        page.locator("#devices").get_by_label("Page").select_option(label=label)
        page.locator("#devices").get_by_label("Name it").fill(f"{label}, second floor by the stairs, left of the lift")
        page.locator("#devices").get_by_role("button", name="Save").click()
        page.wait_for_timeout(800)
    rows = page.locator("#takes .bench-rows tr")
    rows.nth(0).get_by_role("button", name="Hold", exact=True).click()
    rows.nth(2).get_by_role("textbox").fill("kitchens-and-hallways-of-every-house-we-ever-lived-in-together")
    rows.nth(2).get_by_role("textbox").press("Enter")
    page.wait_for_timeout(800)
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        database.execute("UPDATE artifact SET flagged_at = ? WHERE id = 3", (now,))
        database.execute(
            "INSERT INTO job_run (job, subject, attempts, began_at, ended_at, failed_at, error, done, failures) "
            "VALUES ('make_spectrogram', '3', 5, ?, ?, ?, 'StoreUnavailable: the store did not answer in 10 s', 0, 5)",
            (now, now, now),
        )
