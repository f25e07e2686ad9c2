"""The real room page while its server or its network is away, and after."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests import speech
from tests.browser.conftest import Node, Visit, until, visit
from tests.browser.test_pages import leave

VOICED = 0.03
"""RMS that only a voice reaches; the room's tone lies below a hundredth."""


@pytest.fixture
def listener(speaking_browser: Browser, node: Node) -> Iterator[Visit]:
    """A visitor of a room with three short takes."""
    for speaker in ("en man", "fr", "es"):
        path = node.data_dir / "take.wav"
        path.write_bytes(speech.at(speaker, -20))
        leave(node, path)
    visitor = visit(speaking_browser, node)
    yield visitor
    visitor.context.close()


def rms(page: Page) -> float:
    level: float = page.evaluate("window.__rms()")
    return level


def voiced(page: Page, timeout_s: float = 30) -> None:
    until(lambda: rms(page) > VOICED, timeout_s=timeout_s, what="a voice")


def air_for(page: Page, seconds: int) -> list[float]:
    """What leaves the loudspeaker, ten times a second."""
    levels = []
    for _ in range(seconds * 10):
        page.wait_for_timeout(100)
        levels.append(rms(page))
    return levels


def test_a_room_without_its_server_keeps_its_air_and_has_voices_again_when_it_is_back(
    listener: Visit, node: Node
) -> None:
    page = listener.open("/room/")
    voiced(page)
    node.kill()
    levels = air_for(page, 12)
    assert min(levels) > 1e-5
    assert max(levels[-20:]) < VOICED  # nothing is played that nobody confirms
    node.start()
    voiced(page)


def test_a_room_without_a_network_does_the_same(listener: Visit) -> None:
    page = listener.open("/room/")
    voiced(page)
    listener.context.set_offline(True)
    levels = air_for(page, 12)
    assert min(levels) > 1e-5
    assert max(levels[-20:]) < VOICED
    listener.context.set_offline(False)
    voiced(page, timeout_s=40)
