import hashlib
import io
import os
import sys
import threading
import time
from datetime import timedelta

import pytest

from core.adapters.behind import NICENESS
from core.audio.outline import outline
from core.domain import codes
from core.domain.artifact import State
from core.domain.consent import Manifest, Mode
from core.domain.pool.facts import Wish
from core.errors import BadField, BadTake, Conflict, DiskReserve, Gone, Paused, Unavailable
from tests import wavs
from tests.fakes import OTHER_TAKE, SHORT_TAKE, START, FrozenClock, at_once, offering

NOTHING = {"consent": 0, "artifact": 0, "tombstone": 0, "idempotency": 0, "access_event": 0}


def nothing_left(node):
    """Whether, once what is due has been swept, no row and no byte is there."""
    node.system.retention.sweep()
    counts = node.counts()
    return {name: counts[name] for name in NOTHING} == NOTHING and node.files() == []


def reservations_come_due(node):
    """A store that did not answer may have taken the bytes, or take them yet: their reservation keeps its hour."""
    node.clock.advance(hours=1, seconds=1)


def swept_in_the_meantime(node, *, times):
    """For the first `times` puts: the store takes two hours, and a sweep runs in them."""
    left = [None] * times

    def slow(_key):
        if left:
            left.pop()
            node.clock.advance(hours=2)
            node.system.retention.sweep()

    return slow


@pytest.mark.parametrize("mode", [Mode.ROOM, Mode.FOSSIL, Mode.NOSAVE])
def test_a_kept_take_has_its_bytes_under_its_own_key_and_no_tombstone(node, mode):
    kept = node.keep(mode)
    row = node.row(kept.artifact.id)
    folder = "ephemeral" if mode is Mode.NOSAVE else "raw"
    assert row.raw_key == f"{folder}/{row.public_id}/audio.wav"
    assert node.stored() == [row.raw_key]
    with node.store.inner.open(row.raw_key) as file:
        assert file.read() == SHORT_TAKE
    assert row.sha256 == hashlib.sha256(SHORT_TAKE).hexdigest()
    assert node.counts()["tombstone"] == 0


def test_a_kept_take_is_as_long_as_its_bytes_say(node):
    assert node.keep(data=wavs.take(1.5, sample_rate_hz=16_000)).artifact.duration_ms == 1500


def test_a_kept_take_carries_the_outline_of_its_sound(node):
    samples = wavs.sine(0.25, sample_rate_hz=8000)
    expected = outline(samples, 8000)
    found = node.keep().artifact.outline
    assert len(found) == 64
    assert (
        max(abs(a - b) for left, right in zip(found, expected, strict=True) for a, b in zip(left, right, strict=True))
        < 0.01
    )


def test_the_key_is_reserved_before_its_bytes_are_put(node):
    seen = []
    node.store.before["put"] = lambda key: seen.extend(node.rows("SELECT key, reason, artifact_id FROM tombstone"))
    kept = node.keep()
    assert [tuple(row) for row in seen] == [(kept.artifact.raw_key, "reserved", None)]


def test_the_reservation_ends_an_hour_ahead(make_node, clock):
    node = make_node(RESERVATION_SECONDS=3600)
    node.store.refuses.add("put")
    due = []
    node.store.before["put"] = lambda _key: due.extend(row.due_at for row in node.table("tombstone"))
    with pytest.raises(Unavailable):
        node.keep()
    assert due == [clock.now() + timedelta(hours=1)]


def test_a_manifest_holds_every_figure_of_the_promise(node):
    node.keep(Mode.FOSSIL)
    (row,) = node.table("consent")
    manifest = Manifest.from_json(row.manifest)
    assert manifest.raw_until == START + timedelta(hours=48)
    assert manifest.derivative_until == START + timedelta(days=365)
    assert manifest.backup_days == 7


def test_the_code_is_stored_only_as_a_keyed_hash(node):
    kept = node.keep(client_key="a retry key of a kiosk")
    signs = codes.normalise(kept.secret)
    held = node.written()
    assert node.system.vault.code_hashes(signs)[0].encode() in held
    assert signs.encode() not in held
    assert kept.secret.encode() not in held
    assert hashlib.sha256(signs.encode()).hexdigest().encode() not in held


def test_the_one_time_token_is_stored_only_as_a_keyed_hash(node):
    kept = node.keep(Mode.NOSAVE)
    assert kept.secret not in str(node.row(kept.artifact.id))
    assert node.row(kept.artifact.id).once_hash


@pytest.mark.parametrize(
    "said",
    [{"effect": "sepia"}, {"topic": "x" * 65}, {"status": "x" * 33}, {"language": "xx"}, {"notice_version": "999"}],
)
def test_an_unknown_or_too_long_word_is_refused_and_leaves_nothing(node, said):
    with pytest.raises(BadField):
        node.keep(**said)
    assert nothing_left(node)


def test_a_damaged_take_is_refused_and_leaves_nothing(node):
    with pytest.raises(BadTake):
        node.keep(data=SHORT_TAKE[:-3])
    assert nothing_left(node)


def test_a_take_is_refused_while_intake_is_paused(node):
    node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
    with pytest.raises(Paused):
        node.keep()
    assert nothing_left(node)


def test_a_take_is_refused_during_maintenance(node):
    node.system.stewardship.change({"maintenance_mode": True}, actor="t", version=0)
    with pytest.raises(Paused):
        node.keep()


@pytest.mark.parametrize(("free", "total"), [(1_000_000_000, 10_000_000_000), (29_000_000_000, 1_000_000_000_000)])
def test_a_take_is_refused_where_the_larger_of_both_reserves_is_reached(node, free, total):
    node.disk.free, node.disk.total = free, total
    with pytest.raises(DiskReserve):
        node.keep()
    assert nothing_left(node)


def test_playback_and_revocation_go_on_where_the_disk_is_full(node):
    kept = node.keep()
    node.disk.free = 0
    assert node.system.pool.next(Wish(), node.rng) is not None
    assert node.system.revocation.revoke(kept.secret).verified_gone_at is not None


def test_a_store_that_refuses_the_bytes_leaves_nothing_once_swept(node):
    node.store.refuses.add("put")
    with pytest.raises(Unavailable):
        node.keep()
    reservations_come_due(node)
    assert nothing_left(node)


def test_a_put_that_broke_midway_leaves_nothing_once_swept(node):
    torn = offering(data=wavs.take(2))
    original = node.store.inner.put

    def put_half(key, stream, size_bytes):
        original(key, io.BytesIO(stream.read(size_bytes // 2)), size_bytes)

    node.store.inner.put = put_half
    with pytest.raises(Unavailable):
        node.system.intake.keep(torn, lambda _a, _s: {})
    reservations_come_due(node)
    assert nothing_left(node)


def test_an_answer_that_cannot_be_described_rolls_everything_back(node):
    def broken(_artifact, _secret):
        raise Unavailable

    with pytest.raises(Unavailable):
        node.system.intake.keep(offering(), broken)
    reservations_come_due(node)
    assert nothing_left(node)


def test_a_crash_between_put_and_adoption_is_cleared_when_the_reservation_comes_due(node):
    def crash(_artifact, _secret):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        node.system.intake.keep(offering(), crash)
    node.system.retention.sweep()
    assert len(node.stored()) == 1, "a reservation protects the bytes of a put that may still be adopted"
    node.clock.advance(hours=1, seconds=1)
    assert nothing_left(node)


def test_a_reservation_that_was_swept_meanwhile_makes_the_intake_start_over(node):
    node.store.before["put"] = swept_in_the_meantime(node, times=1)
    kept = node.keep()
    assert node.row(kept.artifact.id).state == State.ACTIVE
    assert kept.artifact.raw_key in node.stored()


def test_a_put_that_outlasted_its_reservation_leaves_no_forgotten_key(node):
    node.store.before["put"] = swept_in_the_meantime(node, times=1)
    kept = node.keep()
    node.system.retention.sweep()
    assert node.stored() == [kept.artifact.raw_key]


def test_an_intake_whose_every_reservation_is_swept_gives_up_and_leaves_nothing(node):
    node.store.before["put"] = swept_in_the_meantime(node, times=99)
    with pytest.raises(Unavailable):
        node.keep()
    assert nothing_left(node)


def test_a_put_that_ends_between_a_sweeps_look_and_its_last_word_leaves_no_forgotten_key(node):
    """The sweep sees the key absent; the put ends and its adoption fails; only then the sweep drops the tombstone."""
    looked, adoption_failed = threading.Event(), threading.Event()
    look = node.store.inner.size
    sweep = threading.Thread(target=node.system.retention.sweep)

    def slow_look(key):
        found = look(key)
        looked.set()
        adoption_failed.wait(5)
        return found

    def second_put(_key):
        node.store.inner.size = look
        adoption_failed.set()
        sweep.join(5)

    def first_put(_key):
        node.clock.advance(hours=2)
        node.store.inner.size = slow_look
        node.store.before["put"] = second_put
        sweep.start()
        looked.wait(5)

    node.store.before["put"] = first_put
    kept = node.keep()
    node.clock.advance(minutes=30)
    node.system.retention.sweep()
    assert node.stored() == [kept.artifact.raw_key]


class TestTurns:
    """What is heavy about large takes is done one after the other; see `Intake._in_turn`."""

    def test_large_takes_are_stored_one_after_the_other(self, node, monkeypatch):
        monkeypatch.setattr("core.services.intake.LARGE_BYTES", len(SHORT_TAKE))
        inside, most = [], []

        def put(key):
            inside.append(key)
            most.append(len(inside))
            time.sleep(0.05)
            inside.remove(key)

        node.store.before["put"] = put
        kept = at_once(*[node.keep] * 4)
        assert [one.artifact.sha256 for one in kept] == [hashlib.sha256(SHORT_TAKE).hexdigest()] * 4
        assert most == [1] * 4

    def test_a_small_take_waits_for_nobody(self, node):
        meeting = threading.Barrier(2, timeout=20)
        node.store.before["put"] = lambda _key: meeting.wait()
        assert [one.artifact.id for one in at_once(node.keep, node.keep)]

    def test_a_store_that_hangs_holds_the_next_up_for_a_moment_only(self, node, monkeypatch):
        monkeypatch.setattr("core.services.intake.LARGE_BYTES", len(SHORT_TAKE))
        monkeypatch.setattr("core.services.intake.TURN_S", 0.1)
        hangs, answers = [threading.Event()], threading.Event()

        def put(_key):
            if hangs:
                hangs.pop().set()
                answers.wait(20)

        hanging = hangs[0]
        node.store.before["put"] = put
        first = threading.Thread(target=node.keep)
        first.start()
        hanging.wait(20)
        second = node.keep()
        assert node.stored() == [second.artifact.raw_key]
        answers.set()
        first.join()
        assert len(node.stored()) == 2

    def test_a_refused_take_gives_its_turn_back(self, node, monkeypatch):
        monkeypatch.setattr("core.services.intake.LARGE_BYTES", 1)
        with pytest.raises(BadTake):
            node.keep(data=SHORT_TAKE[:100])
        node.store.refuses.add("put")
        with pytest.raises(Unavailable):
            node.keep()
        node.store.refuses.clear()
        assert self._put_by(node).startswith("take")

    @pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's own on Linux only")
    def test_a_large_take_comes_behind_what_others_wait_for_and_a_small_one_does_not(self, node, monkeypatch):
        nice = []
        node.store.before["put"] = lambda _key: nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        node.keep()
        monkeypatch.setattr("core.services.intake.LARGE_BYTES", 1)
        node.keep()
        assert nice[0] == os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        assert nice[1] == max(nice[0], NICENESS)
        assert nice[1] > nice[0] or nice[0] >= NICENESS

    def test_a_large_take_is_kept_where_no_thread_may_come_behind(self, node, monkeypatch):
        def refused(*_given):
            raise PermissionError

        monkeypatch.setattr("os.setpriority", refused)
        monkeypatch.setattr("core.services.intake.LARGE_BYTES", 1)
        assert self._put_by(node).startswith("take")

    @staticmethod
    def _put_by(node):
        """The name of the thread that puts a take."""
        names = []
        node.store.before["put"] = lambda _key: names.append(threading.current_thread().name)
        node.keep()
        return names[0]


class TestIdempotency:
    def test_the_same_key_and_bytes_give_the_same_answer_and_store_once(self, node):
        first, again = (node.keep(client_key="k1") for _ in range(2))
        assert first.answer == again.answer
        assert len(node.stored()) == node.counts()["artifact"] == 1

    def test_the_same_key_with_other_bytes_is_a_conflict(self, node):
        node.keep(client_key="k1")
        with pytest.raises(Conflict):
            node.keep(data=OTHER_TAKE, client_key="k1")
        assert node.counts()["artifact"] == 1

    def test_the_same_key_with_another_promise_is_a_conflict(self, node):
        node.keep(client_key="k1")
        with pytest.raises(Conflict):
            node.keep(Mode.FOSSIL, client_key="k1")

    def test_the_key_of_a_removed_take_is_gone(self, node):
        kept = node.keep(client_key="k1")
        node.system.revocation.revoke(kept.secret)
        with pytest.raises(Gone):
            node.keep(client_key="k1")
        assert node.stored() == []

    def test_the_key_of_a_heard_one_time_take_is_gone(self, node):
        kept = node.keep(Mode.NOSAVE, client_key="k1")
        node.system.once.dispose(kept.artifact.id, kept.secret)
        with pytest.raises(Gone):
            node.keep(Mode.NOSAVE, client_key="k1")

    def test_a_retry_is_answered_while_intake_is_paused(self, node):
        first = node.keep(client_key="k1")
        node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        assert node.keep(client_key="k1").answer == first.answer

    def test_a_retry_is_answered_while_the_disk_is_full(self, node):
        first = node.keep(client_key="k1")
        node.disk.free = 0
        assert node.keep(client_key="k1").answer == first.answer

    def test_a_key_is_forgotten_after_its_day(self, node):
        node.keep(client_key="k1")
        node.clock.advance(hours=24, seconds=1)
        node.keep(data=OTHER_TAKE, client_key="k1")
        assert node.counts()["artifact"] == 2

    def test_a_key_is_remembered_until_the_end_of_its_day(self, node):
        node.keep(client_key="k1")
        node.clock.advance(hours=23, minutes=59)
        assert node.system.intake.knows("k1")

    def test_a_key_survives_a_restart(self, make_node):
        first = make_node().keep(client_key="k1")
        assert make_node().keep(client_key="k1").answer == first.answer

    def test_two_at_once_store_one_take_and_give_one_answer(self, node):
        results = at_once(*[lambda: node.keep(client_key="k1")] * 4)
        assert len({str(kept.answer) for kept in results}) == 1
        node.system.retention.sweep()
        assert len(node.stored()) == node.counts()["artifact"] == 1
        assert node.counts()["tombstone"] == 0

    def test_the_answer_is_sealed_under_the_clients_own_key(self, node):
        kept = node.keep(client_key="k1")
        (row,) = node.rows("SELECT * FROM idempotency")
        assert kept.secret not in str(row)
        assert "k1" not in (row.key_hash, row.sealed_answer)
        assert node.system.vault.unseal("another key", row.sealed_answer) is None

    def test_a_refused_take_does_not_use_its_key_up(self, node):
        with pytest.raises(BadTake):
            node.keep(data=SHORT_TAKE[:-1], client_key="k1")
        assert node.keep(client_key="k1").artifact.state is State.ACTIVE


def test_acknowledged_is_durable_across_a_restart(make_node, clock: FrozenClock):
    kept = make_node().keep()
    again = make_node()
    assert again.system.revocation.receipt(kept.secret).held
    assert again.stored() == [kept.artifact.raw_key]
