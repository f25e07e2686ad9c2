from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from core.domain.pool.facts import Mood
from core.domain.room.state import RoomState, resumed
from tests import wavs


def compose(node, state=None):
    return node.system.room.compose(state or RoomState(), node.rng)


def test_an_empty_room_rests_and_asks_again(node):
    program, state = compose(node)
    assert (program.playback, program.cue, program.rest_ms) == (None, None, 4000)
    assert state.seq == program.seq == 1


def test_a_program_carries_a_granted_playback_and_the_gap_before_it(node):
    kept = node.keep()
    program, state = compose(node)
    assert program.playback.artifact.id == kept.artifact.id
    assert program.cue.gap.ms >= 300
    assert (state.seq, state.recent_ids) == (program.seq, (kept.artifact.id,))


def test_quieter_lowers_tone_and_output(node):
    node.keep()
    loud = node.system.room.levels(node.system.stewardship.state())
    quiet = node.system.room.levels(node.system.stewardship.change({"quieter_mode": True}, actor="t").state)
    assert quiet.output == pytest.approx(0.74 * loud.output)
    assert quiet.tone == pytest.approx(0.72 * loud.tone)


def test_quiet_hours_of_the_site_lower_tone_and_output(make_node):
    zone = "Pacific/Kiritimati"
    by_day = make_node(TIME_ZONE=zone, ROOM_QUIET_HOURS=False, ROOM_INTENSITY="balanced")
    here = by_day.clock.now().astimezone(ZoneInfo(zone)).hour
    hours = {"ROOM_QUIET_HOURS_START": here, "ROOM_QUIET_HOURS_END": (here + 1) % 24}
    node = make_node(TIME_ZONE=zone, ROOM_QUIET_HOURS=True, ROOM_INTENSITY="balanced", **hours)
    loud, quiet = (one.system.room.levels(one.system.stewardship.state()) for one in (by_day, node))
    assert (loud.output, loud.tone) == (1.0, 1.0)
    assert (quiet.output, quiet.tone) == (pytest.approx(0.72), pytest.approx(0.78))
    node.clock.advance(hours=1)
    assert node.system.room.levels(node.system.stewardship.state()).output == 1.0


def test_a_room_that_is_short_of_voices_has_more_air(node):
    empty, _ = compose(node)
    node.keep()
    severe, _ = compose(node)
    for _ in range(8):
        node.keep()
    enough, _ = compose(node)
    assert [(one.tone, one.sparse) for one in (empty, severe, enough)] == [(1.45, True), (1.45, True), (1.0, False)]


@pytest.mark.parametrize("name", ["playback_paused", "maintenance_mode"])
def test_a_paused_room_rests(node, name):
    node.keep()
    node.system.stewardship.change({name: True}, actor="t", version=0)
    assert compose(node)[0].playback is None


@pytest.mark.parametrize(("takes", "window"), [(2, 1), (4, 2), (20, 12), (30, 12)])
def test_a_room_does_not_repeat_itself_within_its_window(node, takes, window):
    for _ in range(takes):
        node.keep()
    state, played = RoomState(pool_size=takes), []
    for _ in range(40):
        program, state = compose(node, state)
        played.append([playback.artifact.id for playback in program.playbacks])
    for at, sounding in enumerate(played):
        before = [number for earlier in reversed(played[:at]) for number in reversed(earlier)][:window]
        assert not set(sounding) & set(before), (at, sounding, before)


def test_the_order_of_a_small_room_does_not_freeze(node):
    for _ in range(5):
        node.keep()
    state, played = RoomState(), []
    for _ in range(60):
        program, state = compose(node, state)
        played.append(program.playback.artifact.id)
    turns = {tuple(played[at : at + 5]) for at in range(10, 55, 5)}
    assert len(turns) > 1


def test_what_a_browser_says_it_played_is_avoided_after_a_restart(node):
    first, second = node.keep().artifact.id, node.keep().artifact.id
    for _ in range(5):
        program, _ = compose(node, resumed(RoomState(), [first], 50))
        assert program.playback.artifact.id == second


def test_one_voice_alone_plays_again_and_again(node):
    kept = node.keep()
    state = RoomState()
    for _ in range(3):
        program, state = compose(node, state)
        assert program.playback.artifact.id == kept.artifact.id


def test_a_program_is_never_good_for_longer_than_its_grant(make_node):
    node = make_node(MEDIA_TOKEN_SECONDS=60)
    node.keep()
    assert compose(node)[0].good_until == node.clock.now() + timedelta(seconds=60)


def test_a_program_is_good_for_ten_minutes(node):
    node.keep()
    assert compose(node)[0].good_until == node.clock.now() + timedelta(minutes=10)


def test_the_strata_are_what_was_heard_today_and_is_still_held_newest_first(node):
    kept = [node.keep(data=wavs.take(1, sample_rate_hz=8000)) for _ in range(3)]
    for one in kept:
        node.change(one.artifact.id, heard_at=node.clock.now())
        node.clock.advance(minutes=1)
    node.system.revocation.revoke(kept[1].secret)
    assert [layer.id for layer in node.system.room.strata()] == [kept[2].artifact.id, kept[0].artifact.id]


def test_what_was_heard_yesterday_is_no_stratum(node):
    kept = node.keep()
    node.change(kept.artifact.id, heard_at=node.clock.now())
    node.clock.advance(hours=24)
    assert node.system.room.strata() == []


class TestLeaning:
    @pytest.fixture
    def wishes(self, node, monkeypatch):
        """What the room asks the pool for."""
        asked = []
        draw = node.system.outside.pool.draw
        monkeypatch.setattr(
            node.system.outside.pool, "draw", lambda tx, wish, *rest: asked.append(wish) or draw(tx, wish, *rest)
        )
        return asked

    def play(self, node, count):
        state = RoomState()
        for _ in range(count):
            _, state = compose(node, state)

    def test_a_room_left_alone_wishes_for_no_topic_and_no_status(self, node, wishes):
        node.keep()
        self.play(node, 6)
        assert {(wish.preferred_topic, wish.preferred_status) for wish in wishes} == {("", "")}

    def test_it_leans_to_topic_and_status_a_steward_set(self, node, wishes):
        node.keep()
        wanted = {"deployment_focus_topic": " Rain ", "deployment_focus_status": "open"}
        node.system.stewardship.change(wanted, actor="t")
        self.play(node, 3)
        assert {(wish.preferred_topic, wish.preferred_status) for wish in wishes} == {("rain", "open")}

    def test_it_always_leans_to_a_mood_that_stands_nowhere(self, node, wishes):
        node.keep()
        node.system.stewardship.change({"mood_bias": "weathered"}, actor="t")
        self.play(node, 12)
        assert {wish.mood for wish in wishes} == {Mood.WEATHERED}

    def test_a_mood_that_stands_often_is_wished_for_by_chance(self, node, wishes):
        node.keep()
        node.system.stewardship.change({"mood_bias": "clear"}, actor="t")
        self.play(node, 202)
        held = sum(wish.mood is Mood.CLEAR for wish in wishes[2:])
        assert [wish.mood for wish in wishes[:2]] == [Mood.CLEAR] * 2
        # Where it is not held, the scene itself may ask for it.
        assert 110 < held < 190, "0.72 of 200 or a little more, within five standard deviations"
