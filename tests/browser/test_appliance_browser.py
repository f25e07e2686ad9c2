"""The screen of an appliance: opened by a command, listening unasked, and there again after a crash."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright

from tests.browser.conftest import CHROMIUM, Node, free_port, stage, until

RUN = "from memory_ui.cli import main; main()"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def screen(node: Node, tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The command, with a browser that draws on no screen and can be looked into."""
    command = [sys.executable, "-c", RUN, "browser", "--role", "kiosk", "--address", node.url]
    mine = ["--program", CHROMIUM, "--profile", str(tmp_path / "profile")]
    looked_into = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={port}"]
    with (tmp_path / "screen.log").open("wb") as log:
        started = subprocess.Popen(
            [*command, *mine, "--", *looked_into, "--use-fake-device-for-media-stream"], stdout=log, stderr=log
        )
        yield started
        started.terminate()
        started.wait(15)


def shown(playwright: Playwright, port: int) -> tuple[Browser, Page]:
    """The one page there is."""

    def opened() -> Browser | None:
        with suppress(Error):
            return playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        return None

    browser = until(opened, 60, what="the browser")
    return browser, until(lambda: browser.contexts[0].pages, what="its page")[0]


def test_a_kiosk_opens_by_itself_listens_unasked_and_comes_back_when_it_is_killed(
    playwright: Playwright, node: Node, screen: subprocess.Popen[bytes], port: int
) -> None:
    browser, page = shown(playwright, port)
    assert page.url == f"{node.url}/kiosk/"
    stage(page, "idle", 60)
    page.keyboard.press("Space")
    stage(page, "armed", 40)
    granted = "navigator.permissions.query({ name: 'microphone' }).then((status) => status.state)"
    assert page.evaluate(granted) == "granted"
    elsewhere = browser.contexts[0].new_page()
    elsewhere.goto(node.url.replace("127.0.0.1", "localhost"))
    assert elsewhere.evaluate(granted) == "prompt"
    children = subprocess.run(["pgrep", "-P", str(screen.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(children.split()[0]), signal.SIGKILL)
    with suppress(Error):
        browser.close()
    _, page = shown(playwright, port)
    stage(page, "idle", 60)
    assert page.url == f"{node.url}/kiosk/"
