import io
from datetime import timedelta

import pytest

from core.domain.artifact import State
from core.domain.consent import Mode
from core.domain.pool.facts import Wish
from core.domain.warnings import Name
from core.errors import Conflict, NotFound, Paused
from core.ports.work import Derivative, QueueDepth, TrailQuery
from core.services.access import Visitor
from tests.fakes import START

YEARS = 730
WAYS = pytest.mark.parametrize("days", [YEARS, -YEARS], ids=["ahead", "back"])


@pytest.fixture(params=["at a restart", "while it runs"])
def doubting(request, make_node, clock):
    """A node nobody keeps right, with something left in it, before and after its clock is set wrong."""

    def begin(days, **settings):
        node = make_node(synchronised=False, **settings)
        left = [node.keep(), node.keep(Mode.FOSSIL)]
        key = "derived/essence.wav"
        node.store.inner.put(key, io.BytesIO(b"murmur"), 6)
        with node.system.work.write() as tx:
            until = START + timedelta(days=365)
            made = Derivative(artifact_id=left[1].artifact.id, kind="essence_wav", key=key, until=until)
            tx.derivatives.add(made, publishable=True, now=START)
            tx.artifacts.extend(made.artifact_id, until)
        clock.advance(days=days)
        if request.param == "at a restart":
            node.close()
            node = make_node(synchronised=False, **settings)
        return node, left

    return begin


def later(node, **by):
    """Time passes on both clocks, and the node notes it."""
    node.clock.advance(**by)
    node.drift.up += timedelta(**by).total_seconds()
    node.system.guard.look()


def everything_due(node):
    """What a schedule would do."""
    retention = node.system.retention
    return retention.expire() + retention.prune_derivatives() + retention.sweep() + retention.prune()


def held(node, left):
    return [node.row(kept.artifact.id).state for kept in left]


def warned(node):
    queue = QueueDepth(waiting=0, running=0, oldest_waiting_s=0.0)
    return {one.warning.name for one in node.system.status.status(queue).warnings}


@WAYS
class TestInDoubt:
    def test_nothing_ends_and_nothing_is_destroyed_too_soon(self, doubting, days):
        node, left = doubting(days)
        stored = node.stored()
        later(node, hours=47)
        assert everything_due(node) == 0
        assert (held(node, left), node.stored()) == ([State.ACTIVE] * 2, stored)

    def test_time_that_passes_by_the_believed_clock_ends_rights(self, doubting, days):
        node, _ = doubting(days)
        assert (node.system.pool.next(Wish(), node.rng) is None) == (days > 0)
        later(node, days=366)
        assert node.system.pool.next(Wish(), node.rng) is None

    def test_intake_says_politely_that_it_waits(self, doubting, days):
        node, _ = doubting(days)
        with pytest.raises(Paused, match="not sure of the time"):
            node.keep()

    def test_what_is_taken_back_is_gone_at_once(self, doubting, days):
        node, left = doubting(days)
        revoked = node.system.revocation.revoke(left[0].secret)
        assert revoked.verified_gone_at is not None
        node.system.archive.remove(left[1].artifact.id, actor="steward")
        assert node.stored() == []

    def test_a_fossil_that_is_narrowed_loses_what_it_leaves_and_nothing_else(self, doubting, days):
        node, left = doubting(days)
        node.system.revocation.narrow(left[1].secret)
        assert len(node.stored()) == 2
        assert held(node, left) == [State.ACTIVE] * 2

    def test_stewards_are_warned_of_the_clock_and_of_no_deletion(self, doubting, days):
        node, _ = doubting(days)
        later(node, hours=40)
        found = warned(node)
        assert Name.CLOCK_DOUBT in found
        assert found.isdisjoint({Name.DELETIONS_OVERDUE, Name.CLOCK_MOVED})
        assert node.system.audit.run().ok

    def test_it_outlasts_a_restart(self, doubting, make_node, days):
        node, left = doubting(days)
        later(node, hours=1)
        node.close()
        again = make_node(synchronised=False)
        assert again.system.guard.doubt().believed_now == START + timedelta(hours=1)
        assert everything_due(again) == 0
        assert held(again, left) == [State.ACTIVE] * 2

    def test_a_stewards_word_ends_it_and_is_written_down(self, doubting, days):
        node, _ = doubting(days)
        node.system.guard.confirm(actor="Ada")
        assert node.system.guard.doubt() is None
        node.keep()
        [entry] = node.system.stewardship.trail(TrailQuery(action="confirm_clock"))
        assert (entry.actor, entry.before["clock"], entry.after["clock"]) == (
            "Ada",
            START.isoformat(),
            (START + timedelta(days=days)).isoformat(),
        )
        with pytest.raises(Conflict):
            node.system.guard.confirm(actor="Ada")

    def test_synchronised_time_ends_it(self, doubting, days):
        node, _ = doubting(days)
        node.system.guard.look()
        node.source.right = True
        node.system.guard.look()
        node.keep()
        assert [entry.actor for entry in node.system.stewardship.trail(TrailQuery(action="confirm_clock"))] == [
            "the node"
        ]

    def test_the_word_of_one_process_is_heard_by_the_others(self, make_node, clock, days):
        first, second = make_node(synchronised=False), make_node(synchronised=False)
        clock.advance(days=days)
        for node in (first, second):
            node.system.guard.look()
        first.system.guard.confirm(actor="Ada")
        assert second.system.guard.doubt() is not None
        second.system.guard.look()
        assert second.system.guard.doubt() is None


class TestAfterwards:
    def test_what_was_over_by_the_clock_that_proved_right_ends(self, doubting):
        node, left = doubting(YEARS)
        node.system.guard.confirm(actor="Ada")
        everything_due(node)
        assert held(node, left) == [State.EXPIRED] * 2
        assert node.stored() == []

    @WAYS
    def test_a_deletion_a_store_refused_waits_for_no_other_clock(self, make_node, clock, days):
        node = make_node(synchronised=False)
        kept = node.keep()
        clock.advance(days=days)
        node.store.refuses.add("delete")
        assert node.system.revocation.revoke(kept.secret).verified_gone_at is None
        node.store.refuses.clear()
        clock.advance(days=-days, hours=1)
        node.drift.up += 3600
        assert node.system.guard.doubt() is None
        node.system.retention.sweep()
        assert node.stored() == []

    @WAYS
    def test_one_refused_before_is_tried_again_whatever_the_clock_says(self, make_node, clock, days):
        node = make_node(synchronised=False)
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        node.store.refuses.clear()
        clock.advance(days=days)
        later(node, hours=1)
        node.system.retention.sweep()
        assert node.stored() == []

    def test_a_key_reserved_by_a_clock_that_was_ahead_is_not_kept_for_years(self, make_node, clock):
        clock.advance(days=YEARS)
        node = make_node(synchronised=False)
        with node.system.work.write() as tx:
            tx.tombstones.reserve("raw/left", until=clock.now() + timedelta(hours=1), reason="reserved")
        node.store.inner.put("raw/left", io.BytesIO(b"murmur"), 6)
        clock.advance(days=-YEARS)
        later(node, hours=2)
        node.system.retention.sweep()
        assert node.stored() == ["raw/left"]
        node.system.guard.confirm(actor="Ada")
        node.system.retention.sweep()
        assert node.stored() == ["raw/left"]
        later(node, hours=1)
        node.system.retention.sweep()
        assert node.stored() == []


def test_a_one_time_take_is_heard_and_gone_in_doubt(make_node, clock):
    node = make_node(synchronised=False)
    kept = node.keep(Mode.NOSAVE)
    clock.advance(days=-YEARS)
    token = node.system.once.play_token(kept.artifact.id, kept.secret)
    heard = node.system.once.play(token)
    assert heard.stream.read()
    heard.closed()
    node.system.retention.sweep()
    assert node.stored() == []
    with pytest.raises(NotFound):
        node.system.once.play(token)


def test_a_node_that_was_off_for_months_waits_for_somebodys_word(make_node, clock):
    make_node(synchronised=False).close()
    clock.advance(days=60)
    assert make_node(synchronised=False).system.guard.doubt() is not None


@pytest.mark.parametrize("word", ["a steward's", "set right", "synchronised"])
def test_a_session_opened_by_a_clock_that_was_ahead_lasts_no_longer_than_any(make_node, clock, word):
    if word == "a steward's":
        clock.advance(days=YEARS)
    node = make_node(synchronised=False, OPS_SHARED_SECRET="a secret that opens it")
    clock.advance(days=-YEARS if word == "a steward's" else YEARS)
    visitor = Visitor(user_agent="", address="192.0.2.1")
    token, _ = node.system.access.sign_in("a secret that opens it", visitor)
    if word == "a steward's":
        node.system.guard.confirm(actor="Ada")
    else:
        node.source.right = word == "synchronised"
        clock.advance(days=-YEARS)
        node.system.guard.look()
    assert node.system.access.session(token, visitor) is not None
    later(node, hours=12)
    assert node.system.access.session(token, visitor) is None
