"""Alarms of what the promise rests on: a clock nobody believes, a node that is closed."""

import shutil
from collections.abc import Iterator

from core.adapters.ledger import LEDGER_FILE
from core.domain.custody import LEDGER_PREFIX
from core.domain.warnings import Name
from tests.alarms.case import CRITICAL, EMBEDDED, Cases
from tests.alarms.node import WEB, Node

CASES = Cases()
DAYS = 30


@CASES.add(
    (Name.CLOCK_DOUBT, CRITICAL),
    cause=f"a machine starts {DAYS} days late, as one without a battery does, and nobody keeps its time",
    remedy="it is set right and the node started again",
    engines=EMBEDDED,
    moves_clock=(WEB,),
)
def clock_doubted(node: Node) -> Iterator[None]:
    _restart(node, ahead_s=-DAYS * 86_400)
    yield
    _restart(node, ahead_s=0)


@CASES.add(
    (Name.CLOCK_DOUBT, CRITICAL),
    cause=f"the same, and the time of {DAYS} days ago is what a steward says is right",
    remedy="the steward confirms it; and again, once it is set right",
    engines=EMBEDDED,
    moves_clock=(WEB,),
)
def clock_confirmed(node: Node) -> Iterator[None]:
    _restart(node, ahead_s=-DAYS * 86_400)
    yield
    node.act("clock/confirm")
    _restart(node, ahead_s=0)
    node.sign_in()
    node.act("clock/confirm")


@CASES.add(
    (Name.NODE_CLOSED, CRITICAL),
    cause="the ledger is deleted, file and objects",
    remedy="a steward opens the node without it",
    engines=EMBEDDED,
)
def ledger_lost(node: Node) -> Iterator[None]:
    node.take_back([node.leave()])
    # A start notes how long it is.
    _restart(node)
    node.web.stop()
    (node.sounds.parent / LEDGER_FILE).unlink()
    shutil.rmtree(node.sounds / LEDGER_PREFIX, ignore_errors=True)
    node.web.launch()
    node.wait(node.web.answers, 30)
    yield
    node.act("node/open")


def _restart(node: Node, *, ahead_s: int | None = None) -> None:
    node.web.stop()
    if ahead_s is not None:
        node.web.set_clock(ahead_s)
    node.web.launch()
    node.wait(node.web.answers, 30)
