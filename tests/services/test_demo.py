"""The demonstration set: there whole or not at all, playable at once, gone without a trace on demand."""

import io
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from core.adapters.catalogs import load
from core.adapters.sql.tables import ConsentRow
from core.adapters.stores.files import FileStore
from core.adapters.stores.s3 import S3Store
from core.audio.voicelike import Samples, Speaker, VoiceFigures, voicelike
from core.audio.wav import inspect
from core.bootstrap import Outside, System, build
from core.domain.artifact import Artifact, State
from core.domain.consent import Manifest, Mode
from core.domain.memory_color import ColorCatalog, find_color
from core.domain.pool.facts import Wish
from core.errors import DiskReserve, MemoryEngineError, NotFound, Paused, Unavailable
from core.ports.outside import ByteStore
from core.services import demo as demo_module
from core.services.demo import DemoCatalog, DemoTake
from core.services.intake import Offering
from core.settings import load_settings
from memory_ui.cli import app
from tests.engines import Engine, Ground
from tests.wavs import take

CATALOG = load("demo", DemoCatalog)
COUNT = len(CATALOG.takes)
NOON = datetime(2030, 5, 4, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Killed(BaseException):
    """The process is gone: nothing that cleans up may run."""


class Store:
    """Passes on to a store; fails at the put numbered `fail_put`, and on every delete while `stuck`."""

    def __init__(self, inner: ByteStore) -> None:
        self.inner = inner
        self.puts = 0
        self.fail_put: int | None = None
        self.failure: BaseException = Unavailable("The store is away.")
        self.stuck = False
        self.before_last_put: Callable[[], None] = lambda: None

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        self.puts += 1
        if self.puts == self.fail_put:
            raise self.failure
        if self.puts == COUNT:
            self.before_last_put()
        self.inner.put(key, stream, size_bytes)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        return self.inner.open(key, start=start, length=length)

    def size(self, key: str) -> int | None:
        return self.inner.size(key)

    def delete(self, key: str) -> None:
        if self.stuck:
            raise Unavailable("The store refused to delete.")
        self.inner.delete(key)

    def check(self) -> None:
        self.inner.check()

    def keys(self, prefix: str = "", *, whole: bool = False) -> Iterator[str]:
        return self.inner.keys(prefix, whole=whole)


class Room:
    """A node on a ground, with its clock and store at hand."""

    def __init__(self, ground: Ground, **settings: Any) -> None:
        self.clock = Clock()
        given = {"MEMORY_DATA_DIR": ground.folder, **ground.settings, **settings}
        self.system: System = build(load_settings(**given), wrap=self._wrap)

    def _wrap(self, outside: Outside) -> Outside:
        self.store = Store(outside.store)
        return replace(outside, clock=self.clock, store=self.store)

    def demo(self) -> list[Artifact]:
        with self.system.work.read() as tx:
            found = [tx.artifacts.get(artifact_id) for artifact_id in tx.artifacts.demo_ids()]
        return [artifact for artifact in found if artifact is not None]

    def artifact(self, artifact_id: int) -> Artifact:
        with self.system.work.read() as tx:
            found = tx.artifacts.get(artifact_id)
        assert found is not None
        return found

    def keys(self) -> list[str]:
        return list(self.store.keys())

    def reservations(self) -> int:
        with self.system.work.read() as tx:
            counts = tx.tombstones.counts(self.clock.at)
        return counts.due + counts.reserved

    def keep_a_voice(self) -> tuple[int, str]:
        data = take(2.0)
        offering = Offering(stream=io.BytesIO(data), size_bytes=len(data), sha256="0" * 64, mode=Mode.ROOM)
        kept = self.system.intake.keep(offering, lambda artifact, _secret: {"id": artifact.id})
        return kept.artifact.id, kept.artifact.raw_key or ""


_MADE: dict[tuple[Speaker, float, int], Samples] = {}


@pytest.fixture(autouse=True)
def each_sound_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed makes the same sound: making it for every test would only take time."""

    def remembered(speaker: Speaker, duration_s: float, figures: VoiceFigures, rng: np.random.Generator) -> Samples:
        key = (speaker, duration_s, rng.bit_generator.state["state"]["state"])
        if key not in _MADE:
            _MADE[key] = voicelike(speaker, duration_s, figures, rng)
        return _MADE[key]

    monkeypatch.setattr(demo_module, "voicelike", remembered)


@pytest.fixture
def make_room(ground: Ground) -> Iterator[Callable[..., Room]]:
    made: list[Room] = []

    def make(**settings: Any) -> Room:
        made.append(Room(ground, **settings))
        return made[-1]

    yield make
    for room in made:
        room.system.close()


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    return make_room()


@pytest.fixture
def filled(room: Room) -> Room:
    room.system.demo.fill()
    return room


def test_the_set_has_a_dozen_sounds_between_three_and_sixty_seconds() -> None:
    lengths_s = [sound.duration_s for sound in CATALOG.takes]
    assert len(lengths_s) == 12
    assert min(lengths_s) < 4
    assert max(lengths_s) == 60


def test_the_set_uses_every_memory_colour_and_none() -> None:
    colours = load("colours", ColorCatalog)
    codes = {sound.effect for sound in CATALOG.takes}
    assert codes == {"", *colours.by_code()}
    for code in codes:
        find_color(code, colours)


def test_no_two_sounds_of_the_set_are_the_same() -> None:
    assert len({sound.seed for sound in CATALOG.takes}) == COUNT


def test_filling_adds_the_whole_set_and_says_so(room: Room) -> None:
    filled = room.system.demo.fill()
    assert (filled.added, filled.takes) == (True, COUNT)
    assert filled.duration_ms == sum(round(sound.duration_s * 1000) for sound in CATALOG.takes)
    assert filled.oldest_age == timedelta(hours=40)
    assert filled.ends_by == max(artifact.raw_until or NOON for artifact in room.demo())


def test_every_sound_is_marked_and_carries_no_words(filled: Room) -> None:
    found = filled.demo()
    assert len(found) == COUNT
    assert all(artifact.demo and (artifact.topic, artifact.status) == ("", "") for artifact in found)


def test_every_sound_plays_now_and_ends_with_its_own_promise(filled: Room) -> None:
    for artifact in filled.demo():
        assert artifact.playable(NOON)
        assert artifact.mode is Mode.ROOM
        assert artifact.raw_until == artifact.playable_until == artifact.created_at + timedelta(hours=48)


def test_the_stored_promise_was_made_when_the_sound_was_given(filled: Room) -> None:
    with Session(filled.system.outside.engine) as session:
        stored = {row.id: Manifest.from_json(row.manifest) for row in session.scalars(select(ConsentRow))}
    for artifact in filled.demo():
        manifest = stored[artifact.consent_id]
        assert (manifest.given_at, manifest.raw_until) == (artifact.created_at, artifact.raw_until)


def test_lives_are_those_of_the_catalog(filled: Room) -> None:
    by_age = sorted(filled.demo(), key=lambda artifact: artifact.created_at, reverse=True)
    for artifact, sound in zip(by_age, sorted(CATALOG.takes, key=lambda sound: sound.age_hours), strict=True):
        assert artifact.created_at == NOON - timedelta(hours=sound.age_hours)
        assert (artifact.plays, artifact.wear, artifact.effect) == (sound.plays, sound.wear, sound.effect)
        heard = None if sound.heard_hours_ago is None else NOON - timedelta(hours=sound.heard_hours_ago)
        assert artifact.heard_at == heard


def test_the_set_shows_every_lane(filled: Room) -> None:
    pool = filled.system.pool
    seen = {pool.next(Wish(), random.Random(seed)).choice.lane for seed in range(60)}  # type: ignore[union-attr]
    assert {str(found) for found in seen} == {"fresh", "mid", "worn"}


def test_the_stored_bytes_are_what_the_row_says(filled: Room) -> None:
    assert sorted(filled.keys()) == sorted(artifact.raw_key or "" for artifact in filled.demo())
    for artifact in filled.demo():
        with filled.store.open(artifact.raw_key or "") as stream:
            data = stream.read()
        found = inspect(io.BytesIO(data), size_bytes=len(data), max_duration_s=300, max_rate_hz=96_000)
        assert found.duration_ms == artifact.duration_ms


def test_every_sound_has_an_outline_to_be_drawn_from(filled: Room) -> None:
    for artifact in filled.demo():
        assert artifact.outline is not None
        assert len(artifact.outline) == 64
        assert max(level for level, _ in artifact.outline) == 1.0


def test_nothing_stays_reserved_after_filling(filled: Room) -> None:
    assert filled.reservations() == 0


def test_the_room_plays_a_demo_sound_and_serves_its_bytes(filled: Room) -> None:
    playback = filled.system.pool.next(Wish(), random.Random(4))
    assert playback is not None
    assert playback.artifact.demo
    assert filled.system.media.sound(playback.media_token).size_bytes > 44


def test_a_second_fill_does_nothing_and_says_so(filled: Room) -> None:
    before = filled.keys()
    again = filled.system.demo.fill()
    assert (again.added, again.takes) == (False, COUNT)
    assert filled.keys() == before
    assert filled.store.puts == COUNT


def test_sounds_whose_hour_is_over_do_not_keep_a_new_set_out(filled: Room) -> None:
    filled.clock.at = NOON + timedelta(hours=49)
    assert filled.system.demo.fill().added
    filled.system.retention.expire()
    assert len(filled.demo()) == COUNT


def test_two_fills_at_once_add_one_set(make_room: Callable[..., Room]) -> None:
    first, second = make_room(), make_room()
    answers = []
    first.store.before_last_put = lambda: answers.append(second.system.demo.fill())
    answers.append(first.system.demo.fill())
    assert [answer.added for answer in answers] == [True, False]
    assert len(first.demo()) == COUNT
    assert len(first.keys()) == COUNT
    assert first.reservations() == 0


def test_a_short_promise_shortens_every_life_so_that_all_still_play(make_room: Callable[..., Room]) -> None:
    room = make_room(RAW_TTL_HOURS_ROOM=2)
    room.system.demo.fill()
    assert len([artifact for artifact in room.demo() if artifact.playable(NOON)]) == COUNT
    assert NOON - min(artifact.created_at for artifact in room.demo()) == timedelta(hours=2 * CATALOG.most_of_promise)
    assert all(artifact.created_at <= (artifact.heard_at or NOON) for artifact in room.demo())


def test_the_set_belongs_to_the_deployment_of_the_node(make_room: Callable[..., Room]) -> None:
    room = make_room(ENGINE_DEPLOYMENT="oracle")
    room.system.demo.fill()
    assert {artifact.deployment for artifact in room.demo()} == {"oracle"}


@pytest.mark.parametrize("number", [1, COUNT // 2, COUNT])
def test_a_store_that_fails_on_the_way_leaves_nothing(room: Room, number: int) -> None:
    room.store.fail_put = number
    with pytest.raises(Unavailable):
        room.system.demo.fill()
    assert (room.demo(), room.keys(), room.reservations()) == ([], [], 0)


@pytest.mark.parametrize("number", [1, COUNT // 2, COUNT])
def test_a_kill_on_the_way_leaves_only_keys_that_the_sweep_removes(room: Room, number: int) -> None:
    room.store.fail_put, room.store.failure = number, Killed()
    with pytest.raises(Killed):
        room.system.demo.fill()
    assert room.demo() == []
    assert len(room.keys()) == number - 1
    room.clock.at += timedelta(seconds=room.system.settings.RESERVATION_SECONDS + 1)
    room.system.retention.sweep()
    assert (room.keys(), room.reservations()) == ([], 0)


def test_a_fill_whose_reservations_ran_out_is_refused_and_leaves_nothing(room: Room) -> None:
    def too_late() -> None:
        room.clock.at += timedelta(hours=2)
        room.system.retention.sweep()

    room.store.before_last_put = too_late
    with pytest.raises(Unavailable):
        room.system.demo.fill()
    assert (room.demo(), room.keys(), room.reservations()) == ([], [], 0)


def test_a_paused_room_takes_no_demo_in(room: Room) -> None:
    room.system.stewardship.change(
        {"intake_paused": True}, actor="test", version=room.system.stewardship.state().version
    )
    with pytest.raises(Paused):
        room.system.demo.fill()
    assert (room.demo(), room.reservations()) == ([], 0)


def test_the_disk_reserve_is_not_spent_on_a_demo(make_room: Callable[..., Room]) -> None:
    with pytest.raises(DiskReserve):
        make_room(DISK_RESERVE_GB=1e9).system.demo.fill()


def test_clearing_leaves_verified_husks_and_not_a_byte(filled: Room) -> None:
    ids = [artifact.id for artifact in filled.demo()]
    cleared = filled.system.demo.clear()
    assert (cleared.takes, cleared.keys, cleared.waiting) == (COUNT, COUNT, 0)
    assert (filled.demo(), filled.keys(), filled.reservations()) == ([], [], 0)
    for husk in map(filled.artifact, ids):
        assert (husk.state, husk.gone_at) == (State.REVOKED, NOON)
        assert (husk.raw_key, husk.sha256, husk.outline) == (None, None, None)


def test_clearing_withdraws_every_promise(filled: Room) -> None:
    filled.system.demo.clear()
    with Session(filled.system.outside.engine) as session:
        assert [row.withdrawn_at for row in session.scalars(select(ConsentRow))] == [NOON] * COUNT


def test_clearing_takes_no_voice_of_anybody_along(filled: Room) -> None:
    voice_id, voice_key = filled.keep_a_voice()
    filled.system.demo.clear()
    assert filled.artifact(voice_id).playable(NOON)
    assert filled.keys() == [voice_key]


def test_clearing_an_empty_room_does_nothing(room: Room) -> None:
    voice_id, _ = room.keep_a_voice()
    cleared = room.system.demo.clear()
    assert (cleared.takes, cleared.keys, cleared.waiting) == (0, 0, 0)
    assert room.artifact(voice_id).playable(NOON)


def test_clearing_twice_is_harmless(filled: Room) -> None:
    filled.system.demo.clear()
    assert filled.system.demo.clear().takes == 0


def test_the_room_can_be_filled_again_after_clearing(filled: Room) -> None:
    filled.system.demo.clear()
    filled.store.puts = 0
    assert filled.system.demo.fill().added
    assert len(filled.demo()) == COUNT


def test_a_grant_given_before_the_clearing_opens_nothing_after_it(filled: Room) -> None:
    playback = filled.system.pool.next(Wish(), random.Random(4))
    assert playback is not None
    filled.system.demo.clear()
    with pytest.raises(NotFound):
        filled.system.media.sound(playback.media_token)
    assert filled.system.pool.next(Wish(), random.Random(4)) is None


def test_a_store_that_refuses_is_told_and_tried_again(filled: Room) -> None:
    ids = [artifact.id for artifact in filled.demo()]
    filled.store.stuck = True
    cleared = filled.system.demo.clear()
    assert (cleared.takes, cleared.waiting) == (COUNT, COUNT)
    assert filled.demo() == []
    filled.store.stuck = False
    filled.clock.at += timedelta(hours=1)
    filled.system.retention.sweep()
    assert filled.keys() == []
    assert all(filled.artifact(artifact_id).gone_at is not None for artifact_id in ids)


def test_sounds_whose_hour_is_over_are_cleared_too(filled: Room) -> None:
    filled.clock.at = NOON + timedelta(hours=49)
    assert filled.system.demo.clear().takes == COUNT
    assert filled.keys() == []


def test_a_node_that_is_already_running_finds_the_set_and_loses_it_again(make_room: Callable[..., Room]) -> None:
    running, beside = make_room(), make_room()
    assert running.system.pool.next(Wish(), random.Random(1)) is None
    beside.system.demo.fill()
    assert running.system.pool.next(Wish(), random.Random(1)) is not None
    beside.system.demo.clear()
    assert running.system.pool.next(Wish(), random.Random(1)) is None


def test_filling_and_clearing_work_while_the_node_writes(make_room: Callable[..., Room]) -> None:
    running, beside = make_room(), make_room()
    stop, failures, kept = threading.Event(), [], []

    def write() -> None:
        while not stop.is_set():
            try:
                kept.append(running.keep_a_voice()[0])
                running.system.retention.sweep()
            except MemoryEngineError as error:
                failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert beside.system.demo.fill().added
        assert beside.system.demo.clear().takes == COUNT
    finally:
        stop.set()
        writer.join()
    running.system.retention.sweep()
    assert failures == []
    assert beside.demo() == []
    assert len(running.keys()) == len(kept) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"plays": 0, "heard_hours_ago": 1.0},
        {"plays": 3, "heard_hours_ago": None},
        {"plays": 3, "heard_hours_ago": 9.0},
        {"wear": 1.2},
        {"breath": -0.1},
        {"age_hours": -1.0, "plays": 0, "heard_hours_ago": None},
    ],
)
def test_a_life_that_cannot_have_been_is_refused(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "seed": 1,
        "f0_hz": 120.0,
        "throat": 1.0,
        "syllables_per_s": 3.0,
        "breath": 0.2,
        "duration_s": 4.0,
        "effect": "",
        "age_hours": 5.0,
        "plays": 2,
        "wear": 0.1,
        "heard_hours_ago": 1.0,
    }
    DemoTake(**good)
    with pytest.raises(ValueError, match=r"heard|shares"):
        DemoTake(**{**good, **wrong})


def demo_command(ground: Ground, *arguments: str) -> tuple[int, str]:
    given = ["demo", "--data-dir", str(ground.folder), *arguments]
    result = CliRunner().invoke(app, given, env=ground.environment)
    return result.exit_code, result.output


def test_the_command_fills_the_room_and_says_how_to_empty_it(ground: Ground, make_room: Callable[..., Room]) -> None:
    code, said = demo_command(ground)
    assert code == 0
    assert said.startswith("12 demo sounds are in the room now: 3 min 26 s in all, the oldest 40 hours old.\n")
    assert "memory-engine demo --clear" in said
    assert len(make_room().keys()) == COUNT


def test_the_command_repeated_says_that_it_did_nothing(ground: Ground) -> None:
    demo_command(ground)
    assert demo_command(ground) == (0, "12 demo sounds are in the room already. Nothing was done.\n")


def test_the_command_clears_and_says_what_it_did(ground: Ground, make_room: Callable[..., Room]) -> None:
    demo_command(ground)
    said = "12 demo sounds taken out of the room, 12 files deleted and verified gone.\n"
    assert demo_command(ground, "--clear") == (0, said)
    assert make_room().keys() == []
    assert demo_command(ground, "--clear") == (0, "No demo sounds are in the room. Nothing was done.\n")


def test_the_command_fails_where_something_is_not_gone_yet(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    demo_command(ground)

    def refuse(_store: ByteStore, _key: str) -> None:
        raise Unavailable("The store refused to delete.")

    monkeypatch.setattr(FileStore if ground.engine is Engine.EMBEDDED else S3Store, "delete", refuse)
    code, said = demo_command(ground, "--clear")
    assert code == 1
    assert "12 not verified gone yet" in said
