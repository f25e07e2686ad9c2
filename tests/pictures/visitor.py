"""What visitors see: the kiosk, the room, the door, the page that takes back."""

from playwright.sync_api import Browser

from tests.browser.conftest import Node, stage, visit
from tests.pictures.camera import PHONE, WALL, WIDE, shot


def kiosk(browser: Browser, node: Node) -> str:
    """The kiosk from idle to receipt; the code on it."""
    visitor = visit(browser, node, viewport=WIDE)
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    shot(page, "kiosk-idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.wait_for_timeout(2500)
    shot(page, "kiosk-armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.wait_for_timeout(6000)
    shot(page, "kiosk-recording")
    page.keyboard.press("Space")
    stage(page, "review")
    page.keyboard.press("2")
    for name, size in (("kiosk-review-phone", PHONE), ("kiosk-review-tall", WALL), ("kiosk-review", WIDE)):
        page.set_viewport_size(size)
        shot(page, name)
    page.keyboard.press("Space")
    stage(page, "complete")
    shot(page, "kiosk-complete")
    code = "-".join(page.locator(".code span").all_inner_texts())
    visitor.context.close()
    return code


def room(browser: Browser, node: Node) -> None:
    """The wall, once a few voices have sunk into the ground; every later wall draws them again."""
    visitor = visit(browser, node, viewport=WIDE)
    visitor.open("/room/").wait_for_timeout(90_000)
    visitor.context.close()
    for name, size in (("room", WIDE), ("room-tall", WALL), ("room-phone", PHONE)):
        visitor = visit(browser, node, viewport=size)
        page = visitor.open("/room/")
        page.wait_for_selector(".wall[data-sounding=true]")
        page.wait_for_timeout(4500)
        shot(page, name)
        visitor.context.close()


def plain(browser: Browser, node: Node, code: str) -> None:
    """The door, and the end of one memory."""
    visitor = visit(browser, node, viewport=WIDE)
    page = visitor.open("/")
    shot(page, "door")
    page.set_viewport_size(PHONE)
    shot(page, "door-phone")
    page.set_viewport_size(WIDE)
    page.goto(f"{node.url}/revoke/?token={code}")
    shot(page, "revoke-ask")
    page.get_by_role("button", name="Look it up").click()
    shot(page, "revoke")
    page.get_by_role("button", name="Remove it for good").click()
    shot(page, "revoke-gone")
    visitor.context.close()
