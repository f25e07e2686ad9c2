"""Alarms of a running node: the quick ones; all of them are `make alarms`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.domain.warnings import Level, Name
from tests.alarms.campaign import EVERY
from tests.alarms.case import BROWSER
from tests.alarms.node import WEB, Node
from tests.alarms.run import Ran, run
from tests.engines import Engine

pytestmark = pytest.mark.timeout(180)

GRAVER = {Name.QUEUE_FILLING, Name.DISK_LOW}
"""Those that grow from a warning to critical."""


def test_every_warning_is_produced_by_what_really_causes_it():
    sights = {sight for case in EVERY.values() for sight in case.sights}
    assert {name for name, _ in sights} | BROWSER == set(Name)
    assert sights >= {(name, level) for name in GRAVER for level in Level}


@pytest.fixture(scope="module")
def alarmed(engine: Engine) -> Iterator[Node]:
    """A running node with a room that is neither empty nor out of shape."""
    with Node(engine) as node:
        assert quick(node, "pool").wrong == []
        yield node


def quick(node: Node, name: str, *, told: bool = False) -> Ran:
    """What comes of a case; on a machine whose clock can be moved, where there is one, so that none needs another."""
    return run(node, replace(EVERY[name], told=told, moves_clock=(WEB,) if node.engine is Engine.EMBEDDED else ()))


# The last needs other settings, and so a restart.
@pytest.mark.engine("stack")
@pytest.mark.parametrize("name", ["worker_frozen", "queue_fills", "quieter_mode", "quieter_mode_until", "disk_fills"])
def test_on_the_stack_it_is_seen_and_gone_with_its_remedy(alarmed, name):
    assert quick(alarmed, name).wrong == []


@pytest.mark.engine("embedded")
@pytest.mark.parametrize("name", ["quieter_mode", "quieter_mode_until", "disk_fills", "clock_moved"])
def test_on_the_embedded_engine_it_is_seen_and_gone_with_its_remedy(alarmed, name):
    assert quick(alarmed, name).wrong == []


def test_it_is_told_by_webhook_and_by_mail(alarmed):
    ran = quick(alarmed, "take_flagged", told=True)
    assert ran.wrong == []
    assert ran.alarms[0].told_s is not None
