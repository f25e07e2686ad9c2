import io
import itertools
from datetime import timedelta

import pytest

from core.domain.artifact import State
from core.domain.consent import Mode
from core.domain.pool.facts import Wish
from core.domain.work import DAILY, Job
from core.errors import NotFound
from core.ports.work import Derivative
from jobs.schedule import slot
from jobs.tasks import functions
from tests.fakes import START, at_once


def leave_essence(node, artifact_id, *, until):
    """What a derivation will leave behind: an essence in the store, and its row."""
    key = f"derived/{artifact_id}/essence.wav"
    node.store.inner.put(key, io.BytesIO(b"murmur"), 6)
    left = Derivative(artifact_id=artifact_id, kind="essence_wav", key=key, until=until)
    with node.system.work.write() as tx:
        tx.derivatives.add(left, publishable=True, now=START)
    return key


class TestTimeEndsARight:
    def test_nothing_is_chosen_past_its_hour_though_no_sweep_ran(self, node):
        node.keep()
        node.clock.advance(hours=48)
        assert node.system.pool.next(Wish(), node.rng) is None

    def test_nothing_is_served_past_its_hour_though_no_sweep_ran(self, make_node):
        node = make_node(RAW_TTL_HOURS_ROOM=0.1)
        node.keep()
        token = node.system.pool.next(Wish(), node.rng).media_token
        node.clock.advance(minutes=5, seconds=59)
        assert node.system.media.sound(token).size_bytes > 0
        node.clock.advance(seconds=1)
        with pytest.raises(NotFound):
            node.system.media.sound(token)

    def test_a_hearing_past_its_hour_is_not_counted(self, make_node):
        node = make_node(RAW_TTL_HOURS_ROOM=0.1)
        kept = node.keep()
        token = node.system.pool.next(Wish(), node.rng).heard_token
        node.clock.advance(minutes=6)
        assert node.system.pool.heard(token) == "ignored"
        assert node.row(kept.artifact.id).plays == 0

    def test_it_plays_until_the_last_second(self, node):
        node.keep()
        node.clock.advance(hours=47, minutes=59, seconds=59)
        assert node.system.pool.next(Wish(), node.rng) is not None


class TestThePromiseMadeIsThePromiseKept:
    def test_a_longer_retention_today_does_not_lengthen_an_old_promise(self, make_node, clock):
        kept = make_node(RAW_TTL_HOURS_ROOM=1).keep()
        later = make_node(RAW_TTL_HOURS_ROOM=500)
        clock.advance(hours=1)
        assert later.system.pool.next(Wish(), later.rng) is None
        later.system.retention.expire()
        later.system.retention.sweep()
        assert later.row(kept.artifact.id).state == State.EXPIRED
        assert later.files() == []

    def test_a_shorter_retention_today_does_not_shorten_an_old_promise(self, make_node, clock):
        kept = make_node(RAW_TTL_HOURS_ROOM=48).keep()
        later = make_node(RAW_TTL_HOURS_ROOM=1)
        clock.advance(hours=47)
        later.system.retention.expire()
        assert later.row(kept.artifact.id).state == State.ACTIVE
        assert later.system.pool.next(Wish(), later.rng).artifact.id == kept.artifact.id

    def test_a_receipt_shows_the_promise_as_it_was_made(self, make_node):
        kept = make_node(RAW_TTL_HOURS_FOSSIL=10, DERIVATIVE_TTL_DAYS_FOSSIL=20, BACKUP_DAYS=3).keep(Mode.FOSSIL)
        manifest = make_node().system.revocation.receipt(kept.secret).manifest
        assert manifest.raw_until == START + timedelta(hours=10)
        assert manifest.derivative_until == START + timedelta(days=20)
        assert manifest.last_copy_until == START + timedelta(days=23)

    def test_a_one_time_promise_keeps_its_minutes(self, make_node, clock):
        first = make_node(ONCE_FETCH_MINUTES=1)
        kept = first.keep(Mode.NOSAVE)
        token = first.system.once.play_token(kept.artifact.id, kept.secret)
        later = make_node(ONCE_FETCH_MINUTES=9)
        clock.advance(minutes=1)
        with pytest.raises(NotFound):
            later.system.once.play(token)


class TestExpire:
    def test_an_ended_take_becomes_a_husk_and_its_bytes_come_due(self, node):
        kept = node.keep(topic="the river")
        node.clock.advance(hours=48)
        assert node.system.retention.expire() == 1
        row = node.row(kept.artifact.id)
        assert (row.state, row.raw_key, row.sha256, row.outline, row.topic) == (State.EXPIRED, None, None, None, "")
        assert node.system.retention.waiting().due == 1

    def test_what_is_not_over_is_left_alone(self, node):
        kept = node.keep()
        node.clock.advance(hours=47, minutes=59)
        assert node.system.retention.expire() == 0
        assert node.row(kept.artifact.id).state == State.ACTIVE

    def test_running_it_twice_does_nothing_more(self, node):
        node.keep()
        node.clock.advance(hours=48)
        assert (node.system.retention.expire(), node.system.retention.expire()) == (1, 0)

    def test_running_it_many_times_at_once_ends_each_take_once(self, node):
        for _ in range(5):
            node.keep()
        node.clock.advance(hours=48)
        assert sum(at_once(*[node.system.retention.expire] * 4)) == 5

    def test_more_than_one_batch_ends_in_one_run(self, node, monkeypatch):
        monkeypatch.setattr("core.services.retention.BATCH", 3)
        for _ in range(8):
            node.keep()
        node.clock.advance(hours=48)
        assert node.system.retention.expire() == 8
        assert node.system.retention.sweep() == 8
        assert node.files() == []

    def test_a_fossil_loses_its_raw_and_goes_on_with_what_it_left(self, node):
        kept = node.keep(Mode.FOSSIL)
        until = START + timedelta(days=365)
        key = leave_essence(node, kept.artifact.id, until=until)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        row = node.row(kept.artifact.id)
        assert (row.state, row.raw_key, row.sha256) == (State.ACTIVE, None, None)
        assert node.stored() == [key]
        playback = node.system.pool.next(Wish(), node.rng)
        assert node.system.media.sound(playback.media_token).key == key

    def test_a_fossil_ends_with_what_it_left(self, node):
        kept = node.keep(Mode.FOSSIL)
        leave_essence(node, kept.artifact.id, until=START + timedelta(days=365))
        for hours in (48, 365 * 24):
            node.clock.advance(hours=hours)
            node.system.retention.expire()
        node.system.retention.sweep()
        assert node.row(kept.artifact.id).state == State.EXPIRED
        assert node.files() == []
        assert node.counts()["derivative"] == 0

    def test_revoking_a_fossil_takes_what_it_left_too(self, node):
        kept = node.keep(Mode.FOSSIL)
        leave_essence(node, kept.artifact.id, until=START + timedelta(days=365))
        revoked = node.system.revocation.revoke(kept.secret)
        assert revoked.deleted == {"raw": 1, "essence_wav": 1}
        assert revoked.verified_gone_at is not None
        assert node.files() == []


class TestSweep:
    def test_a_key_that_refuses_rests_longer_each_time_and_is_never_given_up(self, node):
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        tries = []
        for _ in range(800):
            node.clock.advance(seconds=5)
            before = len(node.store.calls)
            node.system.retention.sweep()
            if len(node.store.calls) > before:
                tries.append(node.clock.now())
        rests_s = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(tries)]
        assert rests_s == sorted(rests_s)
        assert rests_s[0] >= 5
        assert rests_s[-1] == 900
        node.store.refuses.clear()
        node.clock.advance(seconds=900)
        node.system.retention.sweep()
        assert node.files() == []

    def test_a_refusal_is_counted_and_shown(self, node):
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        counts = node.system.retention.waiting()
        assert (counts.due, counts.failing, counts.oldest_due_at) == (1, 1, START)

    def test_one_key_that_refuses_does_not_hold_up_the_others(self, node):
        first, second = node.keep(), node.keep()

        def only_the_first(key):
            if key == first.artifact.raw_key:
                node.store.refuses.add("delete")
            else:
                node.store.refuses.discard("delete")

        node.store.before["delete"] = only_the_first
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        assert node.stored() == [first.artifact.raw_key]
        assert node.row(second.artifact.id).gone_at is not None

    def test_a_sweep_that_died_after_its_claim_is_made_up_by_a_later_one(self, node):
        kept = node.keep()

        def die(_key):
            node.store.before.clear()
            raise KeyboardInterrupt

        node.store.before["delete"] = die
        with pytest.raises(KeyboardInterrupt):
            node.system.revocation.revoke(kept.secret)
        assert node.system.retention.sweep() == 0, "the claim holds for a while"
        node.clock.advance(minutes=3)
        assert node.system.retention.sweep() == 1
        assert node.files() == []

    def test_a_key_that_is_already_absent_is_only_verified(self, node):
        kept = node.keep()
        node.store.inner.delete(kept.artifact.raw_key)
        assert node.system.revocation.revoke(kept.secret).verified_gone_at is not None

    @pytest.mark.engine("embedded")
    def test_a_half_written_file_goes_with_its_key(self, node):
        kept = node.keep()
        partial = node.system.outside.data_dir / "sounds" / f"{kept.artifact.raw_key}.partial"
        partial.write_bytes(b"half")
        node.system.revocation.revoke(kept.secret)
        assert node.files() == []

    def test_nothing_that_is_held_is_ever_touched(self, node):
        kept = node.keep()
        node.clock.advance(hours=40)
        node.system.retention.sweep()
        node.system.retention.expire()
        assert node.stored() == [kept.artifact.raw_key]

    def test_an_artifact_is_stamped_gone_only_with_its_last_key(self, node):
        kept = node.keep(Mode.FOSSIL)
        essence = leave_essence(node, kept.artifact.id, until=START + timedelta(days=365))

        def keep_the_essence(key):
            (node.store.refuses.add if key == essence else node.store.refuses.discard)("delete")

        node.store.before["delete"] = keep_the_essence
        assert node.system.revocation.revoke(kept.secret).verified_gone_at is None
        assert node.stored() == [essence]
        node.store.before.clear()
        node.store.refuses.clear()
        node.clock.advance(minutes=20)
        node.system.retention.sweep()
        assert node.row(kept.artifact.id).gone_at is not None


class TestPrune:
    def test_rows_that_no_promise_needs_are_forgotten_in_their_time(self, node):
        kept = node.keep(client_key="k1")
        node.clock.advance(seconds=10)
        node.system.pool.heard(node.system.pool.next(Wish(), node.rng).heard_token)
        node.clock.advance(hours=25)
        node.system.retention.prune()
        assert node.counts()["idempotency"] == 0
        node.system.revocation.revoke(kept.secret)
        node.clock.advance(days=399)
        node.system.retention.prune()
        assert (node.counts()["artifact"], node.counts()["consent"]) == (1, 1)
        node.clock.advance(days=2)
        node.system.retention.prune()
        assert (node.counts()["artifact"], node.counts()["consent"], node.counts()["access_event"]) == (0, 0, 0)

    def test_access_events_are_kept_for_their_days(self, node):
        node.keep()
        token = node.system.pool.next(Wish(), node.rng).heard_token
        node.clock.advance(seconds=10)
        node.system.pool.heard(token)
        node.clock.advance(days=89)
        node.system.retention.prune()
        assert node.counts()["access_event"] == 1
        node.clock.advance(days=2)
        node.system.retention.prune()
        assert node.counts()["access_event"] == 0

    def test_a_husk_whose_absence_is_not_verified_is_never_forgotten(self, node):
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        node.clock.advance(days=1000)
        node.system.retention.prune()
        assert node.counts()["artifact"] == 1

    def test_the_code_of_a_forgotten_husk_is_unknown(self, node):
        kept = node.keep()
        node.system.revocation.revoke(kept.secret)
        node.clock.advance(days=401)
        node.system.retention.prune()
        with pytest.raises(NotFound):
            node.system.revocation.receipt(kept.secret)


@pytest.mark.parametrize("offset_s", [1, 150, 299, 301, 450, 599])
def test_an_unheard_one_time_take_is_gone_by_the_time_it_was_promised_to_be(node, offset_s):
    """Run the periodic jobs as the schedule would, whenever in its slots the take was left."""
    node.clock.advance(seconds=offset_s)
    kept = node.keep(Mode.NOSAVE)
    run, last = functions(node.system), dict.fromkeys(Job)
    promised = node.clock.now() + timedelta(minutes=node.system.settings.ONCE_SWEEP_MINUTES)
    while node.clock.now() < promised:
        for job in node.system.intervals_s.keys() - DAILY:
            every_s = node.system.intervals_s[job]
            due = slot(node.clock.now(), every_s)
            if last[job] != due:
                last[job] = due
                run[job]()
        node.clock.advance(seconds=5)
    assert node.files() == []
    assert node.row(kept.artifact.id).gone_at is not None
