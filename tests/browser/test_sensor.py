"""What ops shows of a sensor, and a steward's word against it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Node, free_port, visit
from tests.browser.test_steward import button, moment, secret_of, sign_in, violations

TOKEN = "a-token-for-tests-only"
BEYOND = """
() => {
  const table = document.querySelector(".ops-switches");
  return table.getBoundingClientRect().right - table.closest(".ops-part").getBoundingClientRect().right;
}
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node that listens to sensors."""
    running = Node(data_dir=tmp_path, port=free_port(), environment={"SENSOR_TOKEN": TOKEN}).start()
    yield running
    running.stop()


@pytest.fixture
def steward(speaking_browser: Browser, node: Node) -> Any:
    opened = visit(speaking_browser, node)
    yield opened
    opened.context.close()


def test_ops_says_who_asks_for_what_and_a_steward_overrides_it(steward, node):
    room = steward.open("/room/")
    page = sign_in(steward, secret_of(node))
    moment(page, "run")
    expect(page.locator(".ops-sensor")).to_have_count(0)
    said = {"playback_paused": True, "occupancy": 12, "source": "door counter"}
    asked = httpx.post(f"{node.url}/api/v1/sensor", headers={"Authorization": f"Bearer {TOKEN}"}, json=said)
    assert asked.status_code == 200
    told = page.locator(".ops-sensor")
    expect(told).to_contain_text("12 people are there. A sensor, door counter, said so just now.")
    expect(told).to_contain_text("A sensor, door counter, asks for a pause until ")
    expect(room.locator(".room-wall")).to_have_attribute("data-sound", "paused")
    switch = page.locator(".ops-switches tr", has=page.get_by_role("button", name="Pause playback"))
    expect(switch).to_contain_text("paused, for a sensor")
    page.set_viewport_size({"width": 1080, "height": 1920})
    assert page.evaluate(BEYOND) <= 0
    expect(page.locator(".ops-next")).to_contain_text("A sensor keeps the room silent.")
    assert violations(page) == []
    button(page, "Override the sensor").click()
    expect(page.locator(".ops-next")).not_to_contain_text("sensor")
    expect(told).to_contain_text("Overruled.")
    expect(button(page, "Override the sensor")).to_have_count(0)
    expect(switch).not_to_contain_text("sensor")
    expect(room.locator(".room-wall")).not_to_have_attribute("data-sound", "paused")
    expect(page.locator(".ops-last")).to_contain_text("Overrode a sensor, steward")
    steward.clean()
