"""The pictures of the README and the docs, made from a running node with a real voice: `make screenshots`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import Node, free_port, launch, speak_all, stage, visit

IMAGES = Path(__file__).parent.parent / "docs" / "images"
WIDE = {"width": 1280, "height": 800}
WALL = {"width": 1080, "height": 1920}
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """Make every picture anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        voice = Path(folder) / "voice.wav"
        speak_all(voice)
        node = Node(
            data_dir=Path(folder),
            port=free_port(),
            environment={
                "NODE_NAME": "The Long Room",
                "NODE_LOCATION": "Second floor, by the stairs",
                "NODE_CONTACT": "the front desk",
            },
        )
        demo = [sys.executable, "-c", "from memory_ui.cli import main; main()", "demo"]
        subprocess.run([*demo, "--data-dir", str(node.data_dir / "data")], check=True, cwd=folder)
        node.start()
        browser = launch(
            playwright,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
            "--autoplay-policy=no-user-gesture-required",
        )
        code = _kiosk(browser, node)
        _room(browser, node)
        _plain(browser, node, code)
        browser.close()
        node.stop()


def _shot(page: Page, name: str) -> None:
    page.wait_for_timeout(600)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


def _kiosk(browser: Browser, node: Node) -> str:
    visitor = visit(browser, node, viewport=WIDE)
    page = visitor.open("/kiosk/")
    stage(page, "idle")
    _shot(page, "kiosk-idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.wait_for_timeout(2500)
    _shot(page, "kiosk-armed")
    page.keyboard.press("Space")
    stage(page, "recording")
    page.wait_for_timeout(6000)
    _shot(page, "kiosk-recording")
    page.keyboard.press("Space")
    stage(page, "review")
    page.keyboard.press("2")
    _shot(page, "kiosk-review")
    for name, size in (("kiosk-review-phone", PHONE), ("kiosk-review-tall", WALL), ("kiosk-review", WIDE)):
        page.set_viewport_size(size)
        _shot(page, name)
    page.keyboard.press("Space")
    stage(page, "complete")
    _shot(page, "kiosk-complete")
    code = "-".join(page.locator(".code span").all_inner_texts())
    visitor.context.close()
    return code


def _room(browser: Browser, node: Node) -> None:
    visitor = visit(browser, node, viewport=WIDE)
    # Long enough for a few voices to have sunk into the ground; every later wall draws them again.
    visitor.open("/room/").wait_for_timeout(90_000)
    visitor.context.close()
    for name, size in (("room", WIDE), ("room-tall", WALL), ("room-phone", PHONE)):
        visitor = visit(browser, node, viewport=size)
        page = visitor.open("/room/")
        page.wait_for_selector(".wall[data-sounding=true]")
        page.wait_for_timeout(4500)
        _shot(page, name)
        visitor.context.close()


def _plain(browser: Browser, node: Node, code: str) -> None:
    visitor = visit(browser, node, viewport=WIDE)
    page = visitor.open("/")
    _shot(page, "door")
    page.set_viewport_size(PHONE)
    _shot(page, "door-phone")
    page.set_viewport_size(WIDE)
    page.goto(f"{node.url}/ops/")
    page.fill("#secret", (node.data_dir / "data" / "steward-secret.txt").read_text().strip())
    page.keyboard.press("Enter")
    page.wait_for_selector(".ledger")
    _shot(page, "ops")
    page.goto(f"{node.url}/revoke/?token={code}")
    _shot(page, "revoke-ask")
    page.get_by_role("button", name="Look it up").click()
    _shot(page, "revoke")
    page.get_by_role("button", name="Remove it for good").click()
    _shot(page, "revoke-gone")
    visitor.context.close()


if __name__ == "__main__":
    main()
