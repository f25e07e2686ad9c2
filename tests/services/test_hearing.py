import pytest

from core.domain.pool.facts import Wish
from core.errors import NotFound
from core.services.pool import Heard
from tests import wavs
from tests.fakes import at_once

FOUR_SECONDS = wavs.take(4, sample_rate_hz=8000)


@pytest.fixture
def kept(node):
    """A take of four seconds."""
    return node.keep(data=FOUR_SECONDS)


def granted(node):
    """The acknowledgement token of a new playback."""
    return node.system.pool.next(Wish(), node.rng).heard_token


def hear(node, *, after_s=4.0):
    """Play once and say so after a while."""
    token = granted(node)
    node.clock.advance(seconds=after_s)
    return node.system.pool.heard(token)


def test_a_hearing_counts_once_and_wears(node, kept):
    assert hear(node) is Heard.COUNTED
    row = node.row(kept.artifact.id)
    assert (row.plays, row.wear) == (1, pytest.approx(0.003))
    assert row.heard_at is not None


def test_a_hearing_is_noted_as_heard_in_the_room(node, kept):
    hear(node)
    (event,) = node.rows("SELECT * FROM access_event")
    assert (event.artifact_id, event.context, event.action) == (kept.artifact.id, "room", "heard")


def test_the_same_grant_again_is_a_duplicate(node, kept):
    token = granted(node)
    node.clock.advance(seconds=4)
    assert [node.system.pool.heard(token) for _ in range(3)] == [Heard.COUNTED, Heard.DUPLICATE, Heard.DUPLICATE]
    assert node.row(kept.artifact.id).plays == 1


def test_the_same_grant_many_times_at_once_counts_once(node, kept):
    token = granted(node)
    node.clock.advance(seconds=4)
    results = at_once(*[lambda: node.system.pool.heard(token)] * 6)
    assert sorted(results) == [Heard.COUNTED, *[Heard.DUPLICATE] * 5]
    assert node.row(kept.artifact.id).plays == 1


def test_many_grants_at_once_lose_no_hearing(node, kept):
    tokens = [granted(node) for _ in range(8)]
    node.clock.advance(seconds=4)
    at_once(*[lambda token=token: node.system.pool.heard(token) for token in tokens])
    row = node.row(kept.artifact.id)
    assert (row.plays, row.wear) == (8, pytest.approx(8 * 0.003))


def test_sooner_than_half_of_it_nobody_can_have_heard_it(node, kept):
    assert hear(node, after_s=1.9) is Heard.IGNORED
    assert node.row(kept.artifact.id).plays == 0


def test_half_of_it_is_enough(node, kept):
    assert hear(node, after_s=2.0) is Heard.COUNTED


def test_a_grant_acknowledged_too_early_is_not_spent(node, kept):
    token = granted(node)
    assert node.system.pool.heard(token) is Heard.IGNORED
    node.clock.advance(seconds=4)
    assert node.system.pool.heard(token) is Heard.COUNTED


def test_of_a_slice_half_of_the_slice_is_enough(node):
    node.keep(data=wavs.take(100, sample_rate_hz=8000))
    assert hear(node, after_s=23) is Heard.COUNTED


def test_a_take_revoked_meanwhile_is_ignored(node, kept):
    token = granted(node)
    node.system.revocation.revoke(kept.secret)
    node.clock.advance(seconds=4)
    assert node.system.pool.heard(token) is Heard.IGNORED
    row = node.row(kept.artifact.id)
    assert (row.plays, row.wear, node.counts()["access_event"]) == (0, 0, 0)


def test_a_grant_is_good_until_its_last_second(node, kept):
    assert hear(node, after_s=900) is Heard.COUNTED


def test_a_stale_grant_is_not_found(node, kept):
    with pytest.raises(NotFound):
        hear(node, after_s=901)
    assert node.row(kept.artifact.id).plays == 0


@pytest.mark.parametrize("token", ["", "x", "é", "\udcff", "WzEsMiwzXQ.abc"])
def test_what_is_no_token_is_not_found(node, kept, token):
    with pytest.raises(NotFound):
        node.system.pool.heard(token)


def test_a_media_token_acknowledges_nothing(node, kept):
    playback = node.system.pool.next(Wish(), node.rng)
    node.clock.advance(seconds=4)
    with pytest.raises(NotFound):
        node.system.pool.heard(playback.media_token)


def test_an_acknowledgement_opens_no_sound(node, kept):
    with pytest.raises(NotFound):
        node.system.media.sound(granted(node))


def test_wear_never_passes_one(make_node):
    node = make_node(WEAR_EPSILON_PER_PLAY=0.4)
    kept = node.keep(data=FOUR_SECONDS)
    for _ in range(4):
        hear(node)
    row = node.row(kept.artifact.id)
    assert (row.plays, row.wear) == (4, 1.0)


def test_wear_follows_the_deployment(make_node):
    node = make_node(ENGINE_DEPLOYMENT="oracle")
    kept = node.keep(data=FOUR_SECONDS)
    hear(node)
    assert node.row(kept.artifact.id).wear == pytest.approx(0.003 * 0.18)


def test_asking_what_plays_next_changes_nothing(node, kept):
    before = node.row(kept.artifact.id), node.counts()
    for _ in range(5):
        granted(node)
    assert (node.row(kept.artifact.id), node.counts()) == before


def test_nothing_is_chosen_while_playback_is_paused(node, kept):
    node.system.stewardship.change({"playback_paused": True}, actor="t", version=0)
    assert node.system.pool.next(Wish(), node.rng) is None
