"""Every program of a room is noted with its reasons, and comes out the same when it is composed once more."""

import json
import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from core.adapters.sql.pool import SqlPool
from core.bootstrap import Outside
from core.domain.artifact import DRAW_BITS
from core.domain.deployment import find_deployment
from core.domain.room.state import RoomState
from core.errors import NotFound, Unavailable
from core.services.decisions import KEPT, Decisions
from tests.fakes import Node
from tests.pool_takes import DEPLOYMENTS, FIGURES
from tests.takes import put_takes

TOPIC, STATUS = "Very Secret Words", "odd words"
SCAN_MOST = 12


@pytest.fixture
def busy(make_node: Callable[..., Node]) -> Callable[..., Node]:
    """Builds a room in which much happens: layers often, threads where the deployment has them."""
    return lambda **given: make_node(ROOM_OVERLAP_CHANCE=0.6, ROOM_OVERLAP_LAYERS=3, **given)


def stock(node: Node, count: int, **values: Any) -> None:
    """`count` takes of all lanes and densities, two of three with words of their participants."""
    now, rng = node.clock.now(), random.Random(count)
    for number in range(count):
        heard = None if number % 3 == 0 else now - timedelta(hours=number % 50)
        left = {
            "draw": rng.getrandbits(DRAW_BITS),
            "created_at": now - timedelta(hours=(0.5, 5, 14, 30, 300)[number % 5]),
            "duration_ms": (3000, 10_000, 25_000)[number % 3],
            "plays": number % 4,
            "wear": 0.1 * (number % 7),
            "heard_at": heard,
            "topic": ("", TOPIC, "Kitchen")[number % 3],
            "status": ("open", STATUS, "")[number % 3],
        }
        put_takes(node, 1, **{**left, **values})


def play(node: Node, count: int, state: RoomState | None = None) -> RoomState:
    """A page that plays so many programs, hearing each."""
    state = state or RoomState()
    for _ in range(count):
        _, state = node.system.room.compose(state, node.rng, device_id="room-1")
        node.clock.advance(seconds=20)
    return state


def differing(node: Node, decisions: Decisions | None = None) -> list[int]:
    """Programs of which something else comes the second time."""
    service = decisions or node.system.decisions
    return [one.id for one in service.newest(limit=KEPT) if not service.replay(one.id).same]


def whys(node: Node) -> list[dict[str, Any]]:
    """The reasons of every program, newest first."""
    return [one.why for one in node.system.decisions.newest(limit=KEPT)]


class TestAReplayedProgramIsTheSame:
    @pytest.mark.parametrize("takes", [1, 2, 5, 40])
    def test_in_a_pool_of_any_size_with_voices_that_sound_together(self, busy, takes):
        node = busy()
        stock(node, takes)
        play(node, 40)
        assert len(whys(node)) == 40
        assert differing(node) == []
        assert (takes < 6) or any(len(why["voices"]) > 1 for why in whys(node))

    @pytest.mark.parametrize(
        ("deployment", "sign"),
        [
            ("question", lambda why: any(voice["kind"] == "chorus" for voice in why["voices"])),
            ("repair", lambda why: "follow_on" in why["reasons"]),
        ],
    )
    def test_through_threads(self, busy, deployment, sign):
        node = busy(ENGINE_DEPLOYMENT=deployment)
        stock(node, 12, deployment=deployment, topic=TOPIC)
        play(node, 60)
        assert any(sign(why) for why in whys(node))
        assert differing(node) == []

    @pytest.mark.parametrize("focus", [(TOPIC, ""), ("", STATUS), (TOPIC, "open"), ("nobody left this", STATUS)])
    def test_with_a_stewards_focus(self, busy, focus):
        node = busy()
        stock(node, 12)
        topic, status = focus
        wanted = {"deployment_focus_topic": topic, "deployment_focus_status": status, "mood_bias": "hushed"}
        node.system.stewardship.change(wanted, actor="t")
        play(node, 30)
        assert all("focus" in why["reasons"] for why in whys(node))
        assert differing(node) == []

    @pytest.mark.parametrize("deployment", ["memory", "oracle"])
    def test_in_a_pool_that_is_probed(self, busy, deployment):
        def small_scans(outside: Outside) -> Outside:
            row = find_deployment(deployment, DEPLOYMENTS)
            pool = SqlPool(figures=FIGURES, deployment=row, scan_most=SCAN_MOST)
            return replace(outside, pool=pool)

        node = busy(ENGINE_DEPLOYMENT=deployment, wrap=small_scans)
        stock(node, 60, deployment=deployment)
        play(node, 15)
        found = [voice["remaining"] for why in whys(node) for voice in why["voices"]]
        assert None in found, "nothing was found by probing"
        decisions = Decisions(
            node.system.work,
            tables=node.system.room.tables,
            deployment=node.system.deployment,
            figures=FIGURES,
            scan_most=SCAN_MOST,
        )
        assert differing(node, decisions) == []

    def test_whatever_has_become_of_its_takes(self, busy):
        node = busy()
        stock(node, 9)
        play(node, 12)
        for number in range(1, 10):
            node.change(number, state="REVOKED", topic="", plays=99, wear=1.0)
        assert differing(node) == []


class TestAReplayedProgramDiffers:
    def test_when_a_figure_of_the_choice_has_changed(self, busy):
        node = busy()
        stock(node, 12)
        play(node, 12)
        later = busy(POOL_COOLDOWN_SECONDS=100_000)
        assert differing(later) != []
        (changed, *_) = differing(later)
        again = later.system.decisions.replay(changed)
        assert (again.why["seed"], again.why["movement"]) == (
            again.decision.why["seed"],
            again.decision.why["movement"],
        )

    def test_when_the_pace_of_the_room_has_changed(self, busy):
        node = busy(ROOM_INTENSITY="quiet")
        stock(node, 12)
        play(node, 6)
        assert differing(busy(ROOM_INTENSITY="active")) != []
        assert differing(busy(ROOM_INTENSITY="quiet")) == []


class TestWhatIsKept:
    def test_the_reasons_are_those_of_the_program(self, busy):
        node = busy()
        stock(node, 12)
        program, _ = node.system.room.compose(RoomState(), node.rng, device_id="room-1")
        (found,) = node.system.decisions.newest(limit=5)
        assert (found.device_id, found.at, found.artifact_id) == (
            "room-1",
            node.clock.now(),
            program.playback.artifact.id,
        )
        why = found.why
        assert (why["movement"], why["scene"]) == (program.cue.movement, program.cue.scene)
        assert why["gap"]["ms"] == program.cue.gap.ms
        assert [voice["artifact_id"] for voice in why["voices"]] == [one.artifact.id for one in program.playbacks]
        first = why["voices"][0]
        assert first["pool_size"] == 12
        assert 0 < first["chance"] <= 1
        assert 0 < first["remaining"] <= 12
        assert len(first["runners_up"]) == min(4, first["remaining"] - 1)
        assert int(why["seed"]) < 2**63

    def test_a_rest_is_no_decision(self, node):
        play(node, 3)
        assert whys(node) == []

    def test_no_more_than_two_hundred_and_the_newest_of_them(self, node):
        stock(node, 2)
        play(node, KEPT + 3)
        kept = node.system.decisions.newest(limit=1000)
        assert [one.id for one in kept] == list(range(KEPT + 3, 3, -1))
        with pytest.raises(NotFound):
            node.system.decisions.replay(3)

    def test_the_newest_of_one_page(self, node):
        stock(node, 2)
        for page in ("a", "b", "a"):
            node.system.room.compose(RoomState(), node.rng, device_id=page)
        assert [one.id for one in node.system.decisions.newest(limit=5, device_id="a")] == [3, 1]
        assert [one.id for one in node.system.decisions.newest(limit=1, device_id="b")] == [2]
        assert node.system.decisions.newest(limit=5, device_id="c") == []

    def test_no_word_anybody_left_and_no_word_a_steward_leaned_to(self, busy):
        node = busy(ENGINE_DEPLOYMENT="question")
        stock(node, 12, deployment="question")
        wanted = {"deployment_focus_topic": "Kitchen", "deployment_focus_status": STATUS}
        node.system.stewardship.change(wanted, actor="t")
        play(node, 30)
        for row in node.table("decision"):
            written = f"{zlib.decompress(row.noted).decode()} {json.dumps(row.why)} {row!r}".lower()
            assert [word for word in ("secret", "odd words", "kitchen") if word in written] == []

    def test_what_is_read_for_a_list_is_not_what_it_was_composed_from(self, node):
        stock(node, 2)
        play(node, 1)
        with node.system.outside.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE decision SET noted = ''")
        assert len(whys(node)) == 1


@dataclass
class NoNotes:
    """A unit of work that reads, and writes nothing while it is told to refuse."""

    inner: Any
    refuses: bool = False

    def read(self) -> Any:
        """A transaction that never commits."""
        return self.inner.read()

    @contextmanager
    def write(self) -> Iterator[Any]:
        """A transaction, unless told otherwise."""
        if self.refuses:
            raise Unavailable("The database of this room does not answer right now.")
        with self.inner.write() as tx:
            yield tx


def test_a_database_that_refuses_the_note_does_not_silence_the_room(make_node):
    works: list[NoNotes] = []

    def wrap(outside: Outside) -> Outside:
        works.append(NoNotes(outside.work))
        return replace(outside, work=works[0])

    node = make_node(wrap=wrap)
    stock(node, 3)
    works[0].refuses = True
    program, state = node.system.room.compose(RoomState(), node.rng)
    assert program.playback is not None
    assert whys(node) == []
    works[0].refuses = False
    play(node, 1, state)
    assert len(whys(node)) == 1


def test_what_is_not_kept_is_not_found(node):
    with pytest.raises(NotFound):
        node.system.decisions.replay(1)
