import pytest

from core.domain.artifact import State
from core.domain.consent import Mode
from core.errors import Forbidden, NotFound, Unavailable
from tests.fakes import SHORT_TAKE, at_once


@pytest.fixture
def kept(node):
    """A one-time take that waits."""
    return node.keep(Mode.NOSAVE)


@pytest.fixture
def token(node, kept):
    """What stands in its play address."""
    return node.system.once.play_token(kept.artifact.id, kept.secret)


def heard(node, token):
    """The bytes of the one hearing."""
    once = node.system.once.play(token)
    try:
        return once.stream.read()
    finally:
        once.closed()


def test_it_is_heard_whole_and_once(node, token):
    assert heard(node, token) == SHORT_TAKE
    with pytest.raises(NotFound):
        node.system.once.play(token)


def test_its_bytes_go_with_the_sweep_after_its_answer_has_closed(node, kept, token):
    heard(node, token)
    node.system.retention.sweep()
    assert node.files() == []
    assert node.row(kept.artifact.id).gone_at is not None
    assert node.counts()["tombstone"] == 0


def test_its_bytes_go_within_a_minute_where_the_answer_never_closes(node, token):
    once = node.system.once.play(token)
    once.stream.close()
    node.clock.advance(seconds=59)
    node.system.retention.sweep()
    assert len(node.stored()) == 1
    node.clock.advance(seconds=1)
    node.system.retention.sweep()
    assert node.files() == []


def test_what_remains_is_a_husk_without_outline_hash_or_key(node, kept, token):
    heard(node, token)
    row = node.row(kept.artifact.id)
    assert row.state == State.REVOKED
    assert (row.raw_key, row.sha256, row.outline, row.once_hash, row.topic) == (None, None, None, None, "")
    assert row.ended_at is not None


def test_of_many_at_once_exactly_one_hears_it(node, token):
    results = at_once(*[lambda: heard(node, token)] * 8)
    assert [result for result in results if isinstance(result, bytes)] == [SHORT_TAKE]
    assert sum(isinstance(result, NotFound) for result in results) == 7


def test_asking_whether_it_waits_consumes_nothing(node, token):
    assert all(node.system.once.waits(token) for _ in range(3))
    assert heard(node, token) == SHORT_TAKE
    assert not node.system.once.waits(token)


@pytest.mark.parametrize("operation", ["open", "size"])
def test_a_store_that_fails_before_the_claim_consumes_nothing(node, token, operation):
    node.store.refuses.add(operation)
    with pytest.raises(Unavailable):
        node.system.once.play(token)
    node.store.refuses.clear()
    assert heard(node, token) == SHORT_TAKE


def test_it_is_heard_until_the_last_second_of_its_five_minutes(node, token):
    node.clock.advance(minutes=4, seconds=59)
    assert heard(node, token) == SHORT_TAKE


def test_it_is_not_heard_after_its_five_minutes_though_no_sweep_ran(node, token):
    node.clock.advance(minutes=5)
    assert not node.system.once.waits(token)
    with pytest.raises(NotFound):
        node.system.once.play(token)


def test_time_that_ends_while_the_store_is_asked_ends_the_right(node, token):
    node.store.before["open"] = lambda _key: node.clock.advance(minutes=6)
    with pytest.raises(NotFound):
        node.system.once.play(token)


def test_an_unheard_one_is_gone_after_expiry_and_sweep(node, kept):
    node.clock.advance(minutes=5)
    node.system.retention.expire()
    node.system.retention.sweep()
    assert node.files() == []
    assert node.row(kept.artifact.id).gone_at is not None


def test_a_take_that_expired_while_being_claimed_is_not_served(node, token):
    def end(_key):
        node.store.before.clear()
        node.clock.advance(minutes=5)
        node.system.retention.expire()

    node.store.before["open"] = end
    with pytest.raises(NotFound):
        node.system.once.play(token)


def test_it_never_enters_the_room(node, kept):
    from core.domain.pool.facts import Wish

    assert node.system.pool.next(Wish(), node.rng) is None


@pytest.mark.parametrize("damage", [lambda t: t + "x", lambda t: t[1:], lambda _t: "", lambda _t: "\udcff"])
def test_a_token_that_is_not_genuine_opens_nothing(node, token, damage):
    with pytest.raises(NotFound):
        node.system.once.play(damage(token))
    assert node.system.once.waits(token)


def test_a_genuine_token_with_a_wrong_secret_opens_nothing(node, kept, token):
    forged = node.system.once.play_token(kept.artifact.id, "another secret")
    with pytest.raises(NotFound):
        node.system.once.play(forged)
    assert node.system.once.waits(token)


def test_disposing_of_it_ends_it_unheard(node, kept, token):
    node.system.once.dispose(kept.artifact.id, kept.secret)
    node.system.retention.sweep()
    assert node.files() == []
    with pytest.raises(NotFound):
        node.system.once.play(token)


def test_disposing_twice_finds_nothing(node, kept):
    node.system.once.dispose(kept.artifact.id, kept.secret)
    with pytest.raises(NotFound):
        node.system.once.dispose(kept.artifact.id, kept.secret)


def test_disposing_with_another_takes_secret_is_forbidden(node, kept, token):
    other = node.keep(Mode.NOSAVE)
    with pytest.raises(Forbidden):
        node.system.once.dispose(kept.artifact.id, other.secret)
    assert node.system.once.waits(token)


def test_disposing_of_a_room_take_finds_nothing(node):
    room = node.keep()
    with pytest.raises(NotFound):
        node.system.once.dispose(room.artifact.id, room.secret)
    assert node.row(room.artifact.id).state == State.ACTIVE


def test_disposing_while_it_is_being_heard_lets_one_of_both_win(node, kept, token):
    results = at_once(lambda: heard(node, token), lambda: node.system.once.dispose(kept.artifact.id, kept.secret))
    assert sum(isinstance(result, NotFound) for result in results) == 1
    node.system.retention.sweep()
    assert node.files() == []
