"""A take under review is out of the room, everywhere and at once; its promise goes on as it was made."""

import random

import pytest

from core.domain.artifact import Review, State
from core.domain.consent import Kind, Mode
from core.domain.pool.facts import Wish
from core.errors import Conflict, NotFound
from core.ports.stewarding import ArchiveQuery
from core.ports.work import TrailQuery
from core.services.derive import Outcome
from core.services.pool import Heard
from tests import wavs
from tests.fakes import at_once
from tests.services.test_pool_sql import pool_of, stock

TEN_SECONDS = wavs.take(10, sample_rate_hz=8000)


@pytest.fixture
def kept(node):
    """A take the room may have."""
    return node.keep(station="hall")


def chosen(node):
    return node.system.pool.next(Wish(), node.rng)


def flag(node, playback):
    node.system.review.flag(playback.heard_token)


def hold(node, artifact_id):
    return node.system.review.hold(artifact_id, actor="Ana")


def let_in(node, artifact_id):
    return node.system.review.let_in(artifact_id, actor="Ana")


def trail(node, **query):
    return node.system.stewardship.trail(TrailQuery(**query))


def waiting(node):
    return [artifact.id for artifact in node.system.archive.search(ArchiveQuery(waiting=True))]


def rights(row):
    return (row.raw_until, row.derivative_until, row.playable_until)


REVIEWS = {
    "held": hold,
    "flagged": lambda node, artifact_id: node.change(
        artifact_id, review=Review.FLAGGED.value, flagged_at=node.clock.now()
    ),
}


@pytest.fixture(params=REVIEWS)
def take_out(request, node):
    """Holds a take, or has it flagged."""
    return lambda artifact_id: REVIEWS[request.param](node, artifact_id)


class TestUnderReview:
    def test_it_is_never_chosen(self, node, kept, take_out):
        other = node.keep().artifact
        take_out(kept.artifact.id)
        drawn = {chosen(node).artifact.id for _ in range(20)}
        assert drawn == {other.id}

    def test_no_probe_of_a_large_pool_meets_it(self, node, take_out):
        numbers = [facts.artifact_id for facts in stock(node, 200)]
        for number in numbers[::2]:
            take_out(number)
        pool, rng = pool_of(node, scan_most=0), random.Random(3)
        answers = [pool.draw(Wish(), node.clock.now(), rng) for _ in range(60)]
        assert {answer.choice.facts.artifact_id for answer in answers} <= set(numbers[1::2])
        assert {answer.pool_size for answer in answers} == {100}

    def test_where_it_is_the_only_one_the_room_rests(self, node, kept, take_out):
        take_out(kept.artifact.id)
        assert chosen(node) is None

    def test_between_choice_and_start_its_sound_is_refused(self, node, kept, take_out):
        playback = chosen(node)
        take_out(kept.artifact.id)
        with pytest.raises(NotFound):
            node.system.media.sound(playback.media_token)

    def test_a_hearing_of_it_is_not_counted_and_its_grant_not_spent(self, node, kept, take_out):
        playback = chosen(node)
        node.clock.advance(seconds=1)
        take_out(kept.artifact.id)
        assert node.system.pool.heard(playback.heard_token) is Heard.IGNORED
        row = node.row(kept.artifact.id)
        assert (row.plays, row.wear, node.counts()["access_event"]) == (0, 0, 0)

    def test_it_leaves_the_strata_of_the_wall(self, node, kept, take_out):
        playback = chosen(node)
        node.clock.advance(seconds=1)
        node.system.pool.heard(playback.heard_token)
        assert [artifact.id for artifact in node.system.room.strata()] == [kept.artifact.id]
        take_out(kept.artifact.id)
        assert node.system.room.strata() == []
        assert node.system.room.over([kept.artifact.id]) == [kept.artifact.id]

    def test_it_does_not_count_as_playable(self, node, kept, take_out):
        take_out(kept.artifact.id)
        with node.system.work.read() as tx:
            assert tx.artifacts.count_playable(node.clock.now()) == 0

    def test_a_steward_hears_it(self, node, kept, take_out):
        take_out(kept.artifact.id)
        assert node.system.media.sound_for_steward(kept.artifact.id).key == kept.artifact.raw_key

    def test_it_expires_on_time(self, node, kept, take_out):
        take_out(kept.artifact.id)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        row = node.row(kept.artifact.id)
        assert (row.state, row.gone_at, row.review) == (State.EXPIRED, node.clock.now(), "")
        assert node.files() == []

    def test_past_its_hour_a_steward_hears_it_no_more_though_no_sweep_ran(self, node, kept, take_out):
        take_out(kept.artifact.id)
        node.clock.advance(hours=48)
        with pytest.raises(NotFound):
            node.system.media.sound_for_steward(kept.artifact.id)
        with pytest.raises(Conflict):
            let_in(node, kept.artifact.id)

    def test_its_code_takes_it_back(self, node, kept, take_out):
        take_out(kept.artifact.id)
        revoked = node.system.revocation.revoke(kept.secret)
        assert (revoked.revoked_artifacts, revoked.verified_gone_at) == (1, node.clock.now())
        assert node.files() == []

    def test_a_steward_removes_it(self, node, kept, take_out):
        take_out(kept.artifact.id)
        assert node.system.archive.remove(kept.artifact.id, actor="Ana").verified_gone_at == node.clock.now()

    def test_what_its_promise_leaves_is_made_all_the_same(self, node, take_out):
        fossil = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        take_out(fossil.id)
        assert [node.system.derive.derive(fossil.id, kind) for kind in Kind] == [Outcome.PUBLISHED] * 2
        assert node.system.derive.measure(fossil.id) is Outcome.PUBLISHED
        node.clock.advance(hours=48)
        node.system.retention.expire()
        row = node.row(fossil.id)
        assert (row.state, row.raw_key, row.playable_until) == (State.ACTIVE, None, fossil.derivative_until)
        assert row.review != ""
        assert chosen(node) is None

    def test_a_steward_hears_what_is_left_of_it(self, node, take_out):
        fossil = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        node.system.derive.derive(fossil.id, Kind.ESSENCE)
        take_out(fossil.id)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        assert node.system.media.sound_for_steward(fossil.id).key.endswith("essence.wav")

    def test_passed_it_is_in_the_room_again(self, node, kept, take_out):
        take_out(kept.artifact.id)
        after = let_in(node, kept.artifact.id)
        assert (after.review, after.passed_at) == (Review.NONE, node.clock.now())
        assert chosen(node).artifact.id == kept.artifact.id
        assert waiting(node) == []


class TestListening:
    def test_a_steward_leaves_no_trace_on_what_is_heard(self, node, kept):
        before = node.row(kept.artifact.id), node.counts()
        for _ in range(3):
            node.system.media.sound_for_steward(kept.artifact.id)
        assert (node.row(kept.artifact.id), node.counts()) == before

    def test_a_take_that_is_heard_once_is_not_heard_by_stewards(self, node):
        once = node.keep(Mode.NOSAVE).artifact
        with pytest.raises(NotFound):
            node.system.media.sound_for_steward(once.id)

    @pytest.mark.parametrize("state", [State.EXPIRED, State.REVOKED])
    def test_a_take_that_has_ended_is_not_heard(self, node, kept, state):
        node.change(kept.artifact.id, state=state.value)
        with pytest.raises(NotFound):
            node.system.media.sound_for_steward(kept.artifact.id)


class TestFlag:
    def test_it_takes_the_take_out_until_a_steward_has_looked(self, node, kept):
        flag(node, chosen(node))
        row = node.row(kept.artifact.id)
        assert (row.review, row.flagged_at, row.passed_at) == (Review.FLAGGED, node.clock.now(), None)
        assert waiting(node) == [kept.artifact.id]
        assert chosen(node) is None

    def test_where_flags_do_not_hold_it_only_asks(self, make_node):
        node = make_node(FLAG_HOLDS=False)
        kept = node.keep()
        flag(node, chosen(node))
        row = node.row(kept.artifact.id)
        assert (row.review, row.flagged_at) == (Review.NONE, node.clock.now())
        assert waiting(node) == [kept.artifact.id]
        assert chosen(node) is not None

    def test_again_it_is_harmless(self, node, kept):
        first, second = chosen(node), chosen(node)
        flag(node, first)
        before = node.row(kept.artifact.id)
        node.clock.advance(minutes=1)
        flag(node, first)
        flag(node, second)
        assert node.row(kept.artifact.id) == before
        assert len(trail(node)) == 1

    def test_many_times_at_once_it_is_noted_once(self, node, kept):
        playback = chosen(node)
        assert at_once(*[lambda: flag(node, playback)] * 5) == [None] * 5
        assert len(trail(node)) == 1

    def test_it_is_noted_without_who_or_where(self, node, kept):
        flag(node, chosen(node))
        (action,) = trail(node)
        assert (action.actor, action.action, action.subject) == ("listener", "flag", f"artifact {kept.artifact.id}")
        assert action.before == {"review": "", "flagged_at": None, "passed_at": None}
        assert action.after == {"review": "flagged", "flagged_at": node.clock.now().isoformat(), "passed_at": None}

    def test_two_hundred_of_them_do_not_take_out_what_a_steward_has_passed(self, node, kept):
        flag(node, chosen(node))
        let_in(node, kept.artifact.id)
        for _ in range(200):
            node.clock.advance(seconds=1)
            flag(node, chosen(node))
        row = node.row(kept.artifact.id)
        assert row.review == Review.NONE
        assert chosen(node).artifact.id == kept.artifact.id
        assert len(trail(node)) == 3

    def test_one_after_a_pass_asks_a_steward_to_look_again(self, node, kept):
        let_in(node, kept.artifact.id)
        node.clock.advance(minutes=1)
        flag(node, chosen(node))
        assert waiting(node) == [kept.artifact.id]
        node.clock.advance(minutes=1)
        let_in(node, kept.artifact.id)
        assert waiting(node) == []

    def test_of_a_take_a_steward_holds_it_stays_the_stewards(self, node, kept):
        playback = chosen(node)
        hold(node, kept.artifact.id)
        flag(node, playback)
        assert node.row(kept.artifact.id).review == Review.HELD

    @pytest.mark.parametrize("token", ["", "x", "é", "\udcff", "WzEsMiwzXQ.abc"])
    def test_what_is_no_token_is_not_found(self, node, kept, token):
        with pytest.raises(NotFound):
            node.system.review.flag(token)
        assert node.row(kept.artifact.id).flagged_at is None

    def test_a_media_token_flags_nothing(self, node, kept):
        with pytest.raises(NotFound):
            node.system.review.flag(chosen(node).media_token)

    def test_a_stale_one_is_not_found(self, node, kept):
        playback = chosen(node)
        node.clock.advance(seconds=901)
        with pytest.raises(NotFound):
            flag(node, playback)

    def test_of_a_take_that_was_taken_back_it_is_not_found(self, node, kept):
        playback = chosen(node)
        node.system.revocation.revoke(kept.secret)
        with pytest.raises(NotFound):
            flag(node, playback)
        assert node.row(kept.artifact.id).review == ""

    def test_of_one_that_is_over_though_no_sweep_ran_it_is_not_found(self, node, kept):
        node.clock.advance(hours=47, minutes=55)
        playback = chosen(node)
        node.clock.advance(minutes=5)
        with pytest.raises(NotFound):
            flag(node, playback)


class TestHoldAndPass:
    def test_each_is_noted_with_who(self, node, kept):
        hold(node, kept.artifact.id)
        let_in(node, kept.artifact.id)
        assert [(action.actor, action.action) for action in trail(node)] == [("Ana", "pass"), ("Ana", "hold")]

    def test_again_they_leave_no_trace(self, node, kept):
        for _ in range(2):
            hold(node, kept.artifact.id)
        for _ in range(2):
            let_in(node, kept.artifact.id)
        assert len(trail(node)) == 2

    def test_what_was_passed_may_be_held_again(self, node, kept):
        let_in(node, kept.artifact.id)
        assert hold(node, kept.artifact.id).review is Review.HELD
        assert chosen(node) is None

    def test_none_of_it_lengthens_a_right(self, node):
        fossil = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        before = rights(node.row(fossil.id))
        flag(node, chosen(node))
        node.clock.advance(hours=1)
        hold(node, fossil.id)
        node.clock.advance(hours=1)
        let_in(node, fossil.id)
        assert rights(node.row(fossil.id)) == before

    def test_of_two_stewards_at_once_one_is_told_to_look_again(self, node, kept):
        review = node.system.review
        results = at_once(
            lambda: review.hold(kept.artifact.id, actor="Ana", version=1),
            lambda: review.let_in(kept.artifact.id, actor="Ben", version=1),
        )
        assert sum(isinstance(result, Conflict) for result in results) == 1
        assert len(trail(node)) == 1

    def test_a_flag_meanwhile_makes_a_pass_stale(self, node, kept):
        flag(node, chosen(node))
        with pytest.raises(Conflict):
            node.system.review.let_in(kept.artifact.id, actor="Ana", version=1)
        assert node.row(kept.artifact.id).review == Review.FLAGGED

    @pytest.mark.parametrize("act", [hold, let_in])
    def test_an_unknown_take_is_not_found(self, node, act):
        with pytest.raises(NotFound):
            act(node, 7)

    @pytest.mark.parametrize("act", [hold, let_in])
    def test_one_that_was_taken_back_does_not_return(self, node, kept, act):
        node.system.revocation.revoke(kept.secret)
        with pytest.raises(Conflict):
            act(node, kept.artifact.id)
        assert node.row(kept.artifact.id).state == State.REVOKED

    def test_a_node_that_holds_new_takes_plays_them_once_they_are_passed(self, make_node):
        node = make_node(HOLD_NEW_TAKES=True)
        kept = node.keep()
        assert chosen(node) is None
        assert waiting(node) == [kept.artifact.id]
        let_in(node, kept.artifact.id)
        assert chosen(node).artifact.id == kept.artifact.id
