"""The stack as it is deployed: one voice through HTTPS, and every process killed at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.stack.campaign import Outcome, power_cuts, walk
from tests.stack.topology import SecureStack

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stack() -> Iterator[SecureStack]:
    with SecureStack() as made:
        yield made


def test_a_voice_goes_its_whole_way_through_https(stack: SecureStack, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        assert len(walk(stack, playwright, tmp_path)) == 9


def test_everything_killed_at_once_is_ready_again_and_has_lost_nothing(stack: SecureStack, tmp_path: Path) -> None:
    outcome = Outcome(seed=3)
    power_cuts(stack, tmp_path, outcome, cuts=1)
    assert outcome.wrong == []
    assert outcome.cuts[0]["killed"] > len(stack.servers())
    assert outcome.custody["ROOM and FOSSIL takes acknowledged"] > 0
