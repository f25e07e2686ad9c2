"""The steward's hand on held takes: found, described, taken out; and what the trail keeps of it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from core.adapters.sql.tables import DerivativeRow
from core.adapters.sql.words import FORGOTTEN
from core.bootstrap.figures import archive_figures
from core.domain.artifact import Review, State
from core.domain.consent import Kind, Mode
from core.domain.pool.facts import Wish
from core.errors import BadField, Conflict, NotFound
from core.ports.stewarding import ArchiveQuery
from core.ports.work import TrailQuery
from core.services.archive import Archive, NotRemoved
from core.services.grants import Grants
from tests import wavs
from tests.fakes import START, at_once

TEN_SECONDS = wavs.take(10, sample_rate_hz=8000)


def found(node, **query):
    return [artifact.id for artifact in node.system.archive.search(ArchiveQuery(**query))]


def describe(node, artifact_id, **said):
    return node.system.archive.describe(artifact_id, actor="Ana", **said)


def remove(node, artifact_id):
    return node.system.archive.remove(artifact_id, actor="Ana")


def grants(node):
    """Grants as the node itself gives them."""
    return Grants(node.system.vault, node.clock, valid_s=900)


def trail(node, **query):
    return node.system.stewardship.trail(TrailQuery(**query))


@pytest.fixture
def kept(node):
    """A take with words on it."""
    return node.keep(Mode.ROOM, topic="the river", status="open", station="hall")


@pytest.fixture
def fossil(node):
    """A fossil with everything that is made of one."""
    kept = node.keep(Mode.FOSSIL, TEN_SECONDS, topic="the river")
    for kind in Kind:
        node.system.derive.derive(kept.artifact.id, kind)
    return kept


class TestSearch:
    @pytest.fixture
    def three(self, node):
        """Takes of three hours, stations and words."""
        for station, topic, status in (("hall", "The River", "open"), ("attic", "bread", ""), ("", "", "held back")):
            node.keep(station=station, topic=topic, status=status)
            node.clock.advance(hours=1)

    @pytest.mark.parametrize(
        ("query", "ids"),
        [
            ({}, [3, 2, 1]),
            ({"since": START + timedelta(minutes=30)}, [3, 2]),
            ({"until": START + timedelta(minutes=90)}, [2, 1]),
            ({"since": START + timedelta(hours=1), "until": START + timedelta(hours=1)}, [2]),
            ({"station": "hall"}, [1]),
            ({"topic": "river"}, [1]),
            ({"topic": "%"}, []),
            ({"status": "held back"}, [3]),
            ({"deployment": "memory"}, [3, 2, 1]),
            ({"deployment": "oracle"}, []),
            ({"before": 3}, [2, 1]),
            ({"limit": 2}, [3, 2]),
        ],
    )
    def test_it_finds_what_was_asked_newest_first(self, node, three, query, ids):
        assert found(node, **query) == ids

    def test_it_finds_takes_under_review_and_those_a_listener_asked_about(self, node, three):
        node.system.review.hold(2, actor="Ana")
        node.change(3, flagged_at=node.clock.now())
        assert found(node, waiting=True) == [3, 2]
        assert found(node, review=Review.HELD) == [2]
        assert found(node, review=Review.NONE) == [3, 1]

    def test_it_finds_nothing_whose_time_is_over_and_nothing_that_is_heard_once(self, node, three):
        node.keep(Mode.NOSAVE)
        node.clock.advance(hours=46)
        assert found(node) == [3]

    def test_the_choices_are_what_is_there_and_what_the_deployment_proposes(self, node, three):
        choices = node.system.archive.choices()
        assert choices.stations == ["attic", "hall"]
        assert choices.statuses == ["open", "resolved", "held back"]


class TestRecent:
    def test_it_says_where_a_take_stands(self, node, kept):
        node.keep()
        node.clock.advance(hours=13)
        newest, oldest = node.system.archive.recent(12)
        assert (newest.stack_position, oldest.stack_position) == (2, 1)
        assert (oldest.standing.lane, oldest.standing.density, oldest.standing.mood) == ("mid", "light", "suspended")
        assert (oldest.standing.age_hours, oldest.standing.unheard_hours) == (13, 13)

    def test_absence_counts_from_the_last_hearing(self, node, kept):
        node.change(kept.artifact.id, heard_at=START + timedelta(hours=3))
        node.clock.advance(hours=5)
        (recent,) = node.system.archive.recent(1)
        assert (recent.standing.age_hours, recent.standing.unheard_hours) == (5, 2)

    def test_the_quick_statuses_are_the_deployments_other_ones(self, node, kept):
        assert node.system.archive.recent(1)[0].quick_statuses == ("resolved",)

    def test_it_shows_the_active_deployment_only(self, node, kept):
        node.change(kept.artifact.id, deployment="oracle")
        assert node.system.archive.recent(12) == []


class TestDescribe:
    def test_it_changes_topic_and_status(self, node, kept):
        after = describe(node, kept.artifact.id, topic="  the \n sea ", status="resolved")
        row = node.row(kept.artifact.id)
        assert (row.topic, row.status, row.version) == ("the sea", "resolved", 2)
        assert (after.topic, after.status, after.version) == ("the sea", "resolved", 2)

    def test_it_is_noted_with_who_and_from_what_to_what(self, node, kept):
        describe(node, kept.artifact.id, topic="the sea", status="resolved")
        (action,) = trail(node)
        assert (action.actor, action.action, action.subject) == ("Ana", "metadata", f"artifact {kept.artifact.id}")
        assert action.before == {"topic_tag": "the river", "lifecycle_status": "open"}
        assert action.after == {"topic_tag": "the sea", "lifecycle_status": "resolved"}

    def test_what_is_not_given_stays(self, node, kept):
        assert describe(node, kept.artifact.id, topic="").status == "open"
        assert describe(node, kept.artifact.id, status="").topic == ""

    def test_what_changes_nothing_leaves_no_trace(self, node, kept):
        describe(node, kept.artifact.id, topic="the river", status="open")
        assert trail(node) == []
        assert node.row(kept.artifact.id).version == 1

    @pytest.mark.parametrize(
        ("said", "name"),
        [
            ({"topic": "x" * 65}, "topic_tag"),
            ({"topic": "a\0b"}, "topic_tag"),
            ({"topic": "\ud800"}, "topic_tag"),
            ({"status": "x" * 33}, "lifecycle_status"),
            ({"status": "answered"}, "lifecycle_status"),
        ],
    )
    def test_what_it_does_not_take_is_refused_by_name(self, node, kept, said, name):
        with pytest.raises(BadField, match=name):
            describe(node, kept.artifact.id, **said)
        assert node.row(kept.artifact.id).version == 1

    def test_a_status_somebody_brought_along_stays_and_may_be_given_to_others(self, node, kept):
        custom = node.keep(status="for Mira").artifact
        assert describe(node, custom.id, topic="new").status == "for Mira"
        assert describe(node, kept.artifact.id, status="for Mira").status == "for Mira"

    def test_a_take_keeps_the_statuses_of_its_own_deployment(self, node, kept):
        node.change(kept.artifact.id, deployment="repair")
        assert describe(node, kept.artifact.id, status="fixed").status == "fixed"

    def test_of_two_stewards_at_once_one_is_told_to_look_again(self, node, kept):
        results = at_once(
            lambda: describe(node, kept.artifact.id, topic="one", version=1),
            lambda: describe(node, kept.artifact.id, topic="two", version=1),
        )
        assert sum(isinstance(result, Conflict) for result in results) == 1
        assert len(trail(node)) == 1

    def test_a_hearing_meanwhile_does_not_make_an_edit_stale(self, node, kept):
        token = node.system.pool.next(Wish(), node.rng).heard_token
        node.clock.advance(seconds=1)
        node.system.pool.heard(token)
        assert describe(node, kept.artifact.id, topic="heard", version=1).version == 2

    def test_an_unknown_take_is_not_found(self, node):
        with pytest.raises(NotFound):
            describe(node, 7, topic="x")

    def test_a_take_whose_time_is_over_is_a_conflict(self, node, kept):
        node.clock.advance(hours=48)
        with pytest.raises(Conflict):
            describe(node, kept.artifact.id, topic="late")
        assert node.row(kept.artifact.id).topic == "the river"

    def test_a_take_that_is_heard_once_cannot_be_described(self, node):
        once = node.keep(Mode.NOSAVE).artifact
        with pytest.raises(Conflict):
            describe(node, once.id, topic="x")

    def test_it_lengthens_no_right(self, node, fossil):
        before = node.row(fossil.artifact.id)
        describe(node, fossil.artifact.id, topic="new", status="open")
        assert rights(node.row(fossil.artifact.id)) == rights(before)


def rights(row):
    return (row.raw_until, row.derivative_until, row.playable_until)


class TestRemove:
    def test_it_is_out_of_the_room_at_once_and_its_bytes_are_gone(self, node, fossil):
        removed = remove(node, fossil.artifact.id)
        assert (removed.deleted_derivatives, removed.removed_stack_position) == (2, 1)
        assert removed.verified_gone_at == START
        assert (node.files(), node.counts()["derivative"], node.counts()["tombstone"]) == ([], 0, 0)
        assert node.system.pool.next(Wish(), node.rng) is None

    def test_what_remains_is_a_husk(self, node, fossil):
        remove(node, fossil.artifact.id)
        row = node.row(fossil.artifact.id)
        assert (row.state, row.raw_key, row.sha256, row.outline, row.topic) == (State.REVOKED, None, None, None, "")
        assert rights(row)[2] is None

    def test_it_says_where_in_the_stack_it_stood(self, node):
        for _ in range(3):
            node.keep()
        assert [remove(node, number).removed_stack_position for number in (2, 3, 1)] == [2, 2, 1]

    def test_a_grant_given_before_opens_nothing_though_the_store_refuses(self, node, kept):
        token = node.system.pool.next(Wish(), node.rng).media_token
        node.store.refuses.add("delete")
        remove(node, kept.artifact.id)
        with pytest.raises(NotFound):
            node.system.media.sound(token)

    @pytest.mark.parametrize("operation", ["delete", "size"])
    def test_a_store_that_refuses_is_told_and_finished_by_a_later_sweep(self, node, kept, operation):
        node.store.refuses.add(operation)
        assert remove(node, kept.artifact.id).verified_gone_at is None
        (tombstone,) = node.table("tombstone")
        assert (tombstone.attempts, tombstone.reason) == (1, "removed")
        node.store.refuses.clear()
        node.clock.advance(minutes=20)
        node.system.retention.sweep()
        assert node.files() == []
        assert node.row(kept.artifact.id).gone_at == node.clock.now()

    def test_a_store_that_only_claims_to_delete_is_found_out(self, node, kept):
        node.store.loses.add("delete")
        assert remove(node, kept.artifact.id).verified_gone_at is None

    def test_the_right_ends_before_the_store_is_asked(self, node, kept):
        seen = []
        node.store.before["delete"] = lambda _key: seen.append(node.row(kept.artifact.id).state)
        remove(node, kept.artifact.id)
        assert seen == [State.REVOKED]

    def test_it_deletes_nothing_of_another_take(self, node, kept):
        other = node.keep().artifact
        remove(node, kept.artifact.id)
        assert node.stored() == [other.raw_key]

    def test_its_participant_finds_it_gone_by_the_code(self, node, kept):
        remove(node, kept.artifact.id)
        receipt = node.system.revocation.receipt(kept.secret)
        assert (receipt.held, receipt.verified_gone_at, receipt.withdrawn_at) == (False, START, None)
        assert node.system.revocation.revoke(kept.secret).revoked_artifacts == 0

    def test_it_is_noted_without_a_word_of_the_voice(self, node, kept):
        remove(node, kept.artifact.id)
        (action,) = trail(node)
        assert (action.actor, action.action, action.subject) == ("Ana", "remove", f"artifact {kept.artifact.id}")
        assert "river" not in json.dumps([action.before, action.after])

    def test_of_many_at_once_one_removes_it(self, node, kept):
        results = at_once(*[lambda: remove(node, kept.artifact.id)] * 4)
        assert sum(isinstance(result, Conflict) for result in results) == 3
        assert node.files() == []

    def test_a_derivative_that_is_made_meanwhile_comes_too_late(self, node):
        fossil = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        node.store.before["put"] = lambda _key: remove(node, fossil.id)
        node.system.derive.derive(fossil.id, Kind.ESSENCE)
        node.system.retention.sweep()
        assert node.files() == []
        assert node.row(fossil.id).gone_at is not None

    def test_an_unknown_take_is_not_found(self, node):
        with pytest.raises(NotFound):
            remove(node, 7)

    @pytest.mark.parametrize("state", [State.EXPIRED, State.REVOKED, State.EPHEMERAL])
    def test_what_is_not_in_the_room_is_a_conflict(self, node, kept, state):
        node.change(kept.artifact.id, state=state.value)
        with pytest.raises(Conflict):
            remove(node, kept.artifact.id)
        assert node.row(kept.artifact.id).state == state

    def test_a_take_whose_hour_is_over_and_that_no_sweep_has_met_may_be_removed(self, node, kept):
        node.clock.advance(hours=49)
        assert remove(node, kept.artifact.id).verified_gone_at == node.clock.now()


class TestRemoveMany:
    def test_each_is_told_for_itself(self, node):
        for _ in range(3):
            node.keep()
        remove(node, 2)
        results = node.system.archive.remove_many([1, 2, 3, 9, 1], actor="Ana")
        assert [(one.artifact_id, isinstance(one, NotRemoved)) for one in results] == [
            (1, False),
            (2, True),
            (3, False),
            (9, True),
        ]
        assert [one.verified_gone_at for one in results if not isinstance(one, NotRemoved)] == [START, START]
        assert node.files() == []

    def test_a_store_that_hangs_does_not_keep_the_answer(self, node):
        for _ in range(6):
            node.keep()
        node.store.before["delete"] = lambda _key: node.clock.advance(seconds=3)
        results = node.system.archive.remove_many(range(1, 7), actor="Ana")
        assert {node.row(one.artifact_id).state for one in results} == {State.REVOKED}
        assert sum(one.verified_gone_at is not None for one in results) == 2
        node.store.before.clear()
        node.system.retention.sweep()
        assert node.files() == []


def expire(node, kept):
    node.clock.advance(hours=49)
    node.system.retention.expire()


ENDS = {
    "expiry": expire,
    "revocation": lambda node, kept: node.system.revocation.revoke(kept.secret),
    "removal": lambda node, kept: remove(node, kept.artifact.id),
}


@pytest.mark.parametrize("way", ENDS)
def test_topic_words_leave_the_trail_with_the_voice(node, kept, way):
    describe(node, kept.artifact.id, topic="my brother", status="resolved")
    other = node.keep().artifact
    describe(node, other.id, topic="bread")
    node.clock.advance(seconds=1)
    ENDS[way](node, kept)
    words = {action.subject: action for action in trail(node, action="metadata")}
    mine = words[f"artifact {kept.artifact.id}"]
    assert mine.before == {"topic_tag": FORGOTTEN, "lifecycle_status": "open"}
    assert mine.after == {"topic_tag": FORGOTTEN, "lifecycle_status": "resolved"}
    if way != "expiry":
        assert words[f"artifact {other.id}"].after["topic_tag"] == "bread"


@pytest.mark.engine("embedded")
@pytest.mark.parametrize("way", ENDS)
def test_they_cannot_be_read_from_the_database_file_either(node, kept, way):
    describe(node, kept.artifact.id, topic="my brother")
    ENDS[way](node, kept)
    node.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    node.system.outside.engine.dispose()
    held = (node.system.outside.data_dir / "memory.db").read_bytes()
    assert b"my brother" not in held
    assert b"the river" not in held


class TestPictures:
    def test_the_inventory_shows_each_fossil_with_a_token_that_opens_it(self, node, fossil):
        node.keep()
        (one,) = node.system.archive.spectrograms()
        assert (one.picture.artifact_id, one.picture.publishable) == (fossil.artifact.id, True)
        assert node.system.media.picture(one.token).size_bytes > 0

    def test_a_stewards_token_opens_the_picture_of_a_held_take_and_a_rooms_does_not(self, node, fossil):
        public = grants(node).picture(fossil.artifact.id)
        assert node.system.media.picture(public).size_bytes > 0
        node.system.review.hold(fossil.artifact.id, actor="Ana")
        (one,) = node.system.archive.spectrograms()
        assert node.system.media.picture(one.token).size_bytes > 0
        with pytest.raises(NotFound):
            node.system.media.picture(public)

    @pytest.mark.parametrize("steward", [True, False])
    @pytest.mark.parametrize("way", ["revocation", "removal"])
    def test_no_token_opens_the_picture_of_a_take_that_is_over(self, node, fossil, way, steward):
        token = grants(node).picture(fossil.artifact.id, steward=steward)
        node.store.refuses.add("delete")
        ENDS[way](node, fossil)
        with pytest.raises(NotFound):
            node.system.media.picture(token)

    @pytest.mark.parametrize("steward", [True, False])
    def test_a_picture_is_over_by_its_own_hour_though_no_sweep_ran(self, node, fossil, steward):
        node.clock.advance(days=365)
        token = grants(node).picture(fossil.artifact.id, steward=steward)
        node.change(fossil.artifact.id, playable_until=node.clock.now() + timedelta(days=1))
        with pytest.raises(NotFound):
            node.system.media.picture(token)
        assert node.system.archive.spectrograms() == []

    def test_a_picture_is_over_when_nothing_of_its_take_sounds_any_more(self, node):
        artifact = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        node.system.derive.derive(artifact.id, Kind.SPECTROGRAM)
        node.clock.advance(hours=48)
        token = grants(node).picture(artifact.id, steward=True)
        assert node.system.archive.spectrograms() == []
        with pytest.raises(NotFound):
            node.system.media.picture(token)

    def test_a_picture_token_opens_no_sound_and_no_other_way_round(self, node, fossil):
        playback = node.system.pool.next(Wish(), node.rng)
        with pytest.raises(NotFound):
            node.system.media.picture(playback.media_token)
        with pytest.raises(NotFound):
            node.system.media.sound(grants(node).picture(fossil.artifact.id))

    def test_a_picture_token_is_good_for_a_quarter_of_an_hour(self, node, fossil):
        (one,) = node.system.archive.spectrograms()
        node.clock.advance(seconds=901)
        with pytest.raises(NotFound):
            node.system.media.picture(one.token)


class TestFossils:
    @pytest.fixture
    def room(self, make_node):
        """A node that shows fossils."""
        return make_node(ROOM_FOSSIL_VISUALS=True)

    @pytest.fixture
    def shown(self, room):
        """A fossil of it."""
        artifact = room.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        room.system.derive.derive(artifact.id, Kind.SPECTROGRAM)
        return artifact

    def feed(self, room):
        return room.system.fossils.feed(room.system.fossils.feed_token())

    def test_the_feed_shows_what_may_be_shown(self, room, shown):
        (one,) = self.feed(room)
        assert one.created_at == START
        assert room.system.media.picture(one.token).size_bytes > 0

    def test_it_shows_nothing_under_review(self, room, shown):
        room.system.review.hold(shown.id, actor="Ana")
        assert self.feed(room) == []

    def test_it_shows_nothing_whose_promise_does_not_say_so(self, room, shown):
        with room.system.outside.engine.begin() as connection:
            connection.execute(update(DerivativeRow).values(publishable=False))
        assert self.feed(room) == []

    def test_it_shows_twelve_at_most_the_newest_first(self, room):
        for _ in range(13):
            artifact = room.keep(Mode.FOSSIL).artifact
            room.clock.advance(minutes=1)
            room.system.derive.derive(artifact.id, Kind.SPECTROGRAM)
        times = [one.created_at for one in self.feed(room)]
        assert len(times) == 12
        assert times == sorted(times, reverse=True)

    def test_its_address_is_good_for_a_day(self, room, shown):
        token = room.system.fossils.feed_token()
        room.clock.advance(seconds=86_400)
        room.system.fossils.feed(token)
        room.clock.advance(seconds=1)
        with pytest.raises(NotFound):
            room.system.fossils.feed(token)

    def test_a_room_that_shows_none_gives_no_address_and_answers_none(self, room, shown, make_node):
        token = room.system.fossils.feed_token()
        plain = make_node()
        assert plain.system.fossils.feed_token() == ""
        with pytest.raises(NotFound):
            plain.system.fossils.feed(token)


def counting(node, most):
    """The node's archive, counting no more takes than that."""
    figures = archive_figures(node.system.settings, node.system.deployment)
    return Archive(
        node.system.work,
        node.clock,
        node.system.retention,
        grants(node),
        figures=replace(figures, counted_most=most),
    )


class TestSummary:
    def test_it_counts_the_archive(self, node, kept, fossil):
        node.keep(effect="warm")
        remove(node, 3)
        node.system.review.hold(1, actor="Ana")
        summary = node.system.archive.summary()
        assert summary["artifacts"] == {"active": 2, "expired": 0, "revoked": 1, "waiting": 1, "playable": 1}
        assert (summary["counted"], summary["exact"], summary["deployment"]) == (1, True, "memory")
        assert (summary["topics"], summary["intake_by_day"]) == ({"the river": 1}, {"2026-03-01": 1})
        assert summary["retention"]["fossil_retained"] == 1

    def test_it_names_no_public_id_and_no_code(self, node, kept, fossil):
        said = json.dumps(node.system.archive.summary())
        for secret in (kept.artifact.public_id, kept.secret, fossil.artifact.public_id, fossil.secret):
            assert secret not in said

    def test_of_more_than_it_counts_it_says_that_it_is_a_sample(self, node):
        for _ in range(4):
            node.keep()
        summary = counting(node, 3).summary()
        assert (summary["counted"], summary["exact"], summary["artifacts"]["playable"]) == (3, False, 4)
        assert sum(summary["lanes"].values()) == 3

    def test_of_exactly_as_many_it_is_exact(self, node):
        for _ in range(3):
            node.keep()
        assert counting(node, 3).summary()["exact"] is True
