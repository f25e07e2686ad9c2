"""Browsers that trust one certificate authority more than others do, and find a name where the proxy listens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.browser.conftest import CHROMIUM, QUIET_BROWSER
from tests.stack.topology import PUBLIC_NAME


@contextmanager
def browser_at(playwright: Playwright, home: Path, voice: Path) -> Iterator[Browser]:
    """Chromium with a voice in its microphone; what it trusts is what its home folder trusts."""
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *QUIET_BROWSER,
            f"--host-resolver-rules=MAP {PUBLIC_NAME} 127.0.0.1",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
            "--autoplay-policy=no-user-gesture-required",
        ],
        env={**os.environ, "HOME": str(home)},
    )
    try:
        yield browser
    finally:
        browser.close()
