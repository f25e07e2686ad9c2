from datetime import timedelta

import pytest

from core.domain.room.compose import RoomState, resumed
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
    assert 950 <= program.cue.gap_ms <= 2500
    assert (state.seq, state.recent_ids) == (program.seq, (kept.artifact.id,))


def test_every_third_gap_is_a_held_pause(node):
    for _ in range(4):
        node.keep()
    state, gaps = RoomState(), []
    for _ in range(6):
        program, state = compose(node, state)
        gaps.append(program.cue.gap_ms)
    assert all(950 <= gap <= 2500 for gap in gaps[0:2] + gaps[3:5])
    assert all(2200 <= gap <= 3600 for gap in (gaps[2], gaps[5]))


def test_quieter_lengthens_gaps_and_lowers_tone_and_output(node):
    node.keep()
    quiet = node.system.stewardship.change({"quieter_mode": True}, actor="t", version=0).state
    program, _ = compose(node)
    levels = node.system.room.levels(quiet)
    assert 950 * 1.18 <= program.cue.gap_ms <= 2500 * 1.18 + 1
    assert (levels.output, levels.tone) == (pytest.approx(0.74), pytest.approx(0.72))


@pytest.mark.parametrize("name", ["playback_paused", "maintenance_mode"])
def test_a_paused_room_rests(node, name):
    node.keep()
    node.system.stewardship.change({name: True}, actor="t", version=0)
    assert compose(node)[0].playback is None


def test_a_room_does_not_repeat_itself_while_there_is_another_voice(node):
    for _ in range(4):
        node.keep()
    state, played = RoomState(), []
    for _ in range(4):
        program, state = compose(node, state)
        played.append(program.playback.artifact.id)
    assert len(set(played)) == 4


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
