"""Every alarm of the room, produced for real: switches, takes that wait, the shape of the pool."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from core.domain.steward import SWITCHES
from core.domain.warnings import SHAPE_LEAST, Name
from tests.alarms.case import WARNING, Act, Cases
from tests.alarms.node import Left, Node

CASES, LAST = Cases(), Cases()
"""Those that leave the room as it was; those after which its takes are no longer young."""

TIMED_S = 4


def _switched(name: str) -> Act:
    def switch(node: Node) -> Iterator[None]:
        node.act("controls", **{name: True})
        yield
        node.act("controls", **{name: False})

    switch.__name__ = name
    return switch


def _timed(name: str) -> Act:
    def switch(node: Node) -> Iterator[None]:
        until = datetime.now(UTC) + timedelta(seconds=TIMED_S)
        node.act("controls", **{name: True, f"{name}_until": until.isoformat()})
        yield

    switch.__name__ = f"{name}_until"
    return switch


for _name in SWITCHES:
    CASES.add((Name(_name), WARNING), cause="a steward turns it on", remedy="a steward turns it off")(_switched(_name))
    _clears = f"nothing is done: it ends {TIMED_S} s after it began"
    # Over before it may have been forgotten, and so told to nobody.
    _for_a_time = CASES.add(
        (Name(_name), WARNING), cause="a steward turns it on for a time", remedy=_clears, told=False
    )
    _for_a_time(_timed(_name))


@CASES.add(
    (Name.TAKES_WAITING, WARNING),
    cause="a listener asks to have what sounds checked",
    remedy="a steward passes it",
)
def take_flagged(node: Node) -> Iterator[None]:
    granted = node.visitor.get("/api/v1/pool/next").json()
    token = granted["playback_ack_url"].rsplit("/", 1)[1]
    node.visitor.post(f"/api/v1/pool/flag/{token}").raise_for_status()
    yield
    node.act(f"artifacts/{granted['artifact_id']}/pass")


@CASES.add(
    (Name.TAKES_WAITING, WARNING),
    cause="a take is left at a node that holds new ones (`HOLD_NEW_TAKES`)",
    remedy="a steward passes it",
    settings=lambda _node: {"HOLD_NEW_TAKES": True},
)
def take_held(node: Node) -> Iterator[None]:
    left = node.leave()
    yield
    node.act(f"artifacts/{left.id}/pass")
    node.take_back([left])


@LAST.add(
    (Name.LANE_DOMINATES, WARNING),
    (Name.LANE_MISSING, WARNING),
    (Name.MOOD_DOMINATES, WARNING),
    (Name.MOOD_MISSING, WARNING),
    cause=f"{SHAPE_LEAST} short takes are left within a minute",
    remedy="takes of other lengths, ages and wear (rows are changed, as hours would)",
)
def pool_out_of_shape(node: Node) -> Iterator[None]:
    left = [node.leave() for _ in range(SHAPE_LEAST)]
    for _ in range(4):
        yield
    _age(node, left)


# Duration in ms, age in hours, plays: two of each mood.
_SHAPES = ((300, 0, 0), (8000, 0, 0), (300, 9, 0), (20_000, 9, 0), (20_000, 20, 6), (300, 20, 6))


def _age(node: Node, left: list[Left]) -> None:
    for place, one in enumerate(left):
        duration_ms, age_h, plays = _SHAPES[place % len(_SHAPES)]
        node.change(one, duration_ms=duration_ms, plays=plays, created_at=datetime.now(UTC) - timedelta(hours=age_h))
