import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import pytest

from core.adapters.sql.tombstones import SqlTombstones
from core.domain import codes
from core.domain.artifact import State
from core.domain.consent import Mode
from core.domain.pool.facts import Wish
from core.errors import NotFound
from tests.fakes import START, at_once


@pytest.fixture
def kept(node):
    """A take with everything a take may carry."""
    return node.keep(Mode.FOSSIL, topic="the river", status="open", effect="warm")


def test_a_code_takes_its_take_back_and_says_what_was_deleted(node, kept):
    revoked = node.system.revocation.revoke(kept.secret)
    assert (revoked.revoked_artifacts, revoked.deleted, revoked.verified_gone_at) == (1, {"raw": 1}, START)
    assert node.files() == []


def test_what_remains_is_a_husk(node, kept):
    node.system.revocation.revoke(kept.secret)
    row = node.row(kept.artifact.id)
    assert row.state == State.REVOKED
    assert (row.raw_key, row.sha256, row.outline, row.topic, row.loudness_lufs) == (None, None, None, "", None)
    assert (row.ended_at is not None, row.gone_at is not None, row.playable_until) == (True, True, None)
    assert (row.duration_ms, row.plays) == (250, 0)


@pytest.mark.engine("embedded")
def test_nothing_of_the_husk_can_be_read_from_the_database_file(node, kept):
    (row,) = node.rows("SELECT outline, sha256 FROM artifact")
    node.system.revocation.revoke(kept.secret)
    node.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    node.system.outside.engine.dispose()
    held = (node.system.outside.data_dir / "memory.db").read_bytes()
    assert row.sha256.encode() not in held
    assert row.outline[:40].encode() not in held
    assert b"the river" not in held


@pytest.mark.parametrize(
    "write",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        " ".join,
        lambda code: f"\t{code.replace('-', ' – ')}\n",
        lambda code: code.replace("-", "‑").swapcase(),
    ],
)
def test_case_spaces_and_dashes_do_not_matter(node, kept, write):
    assert node.system.revocation.revoke(write(kept.secret)).revoked_artifacts == 1


def test_a_slip_of_the_pen_is_told_from_an_unknown_code(node, kept):
    wrong = next(sign for sign in codes.ALPHABET if sign != kept.secret[0]) + kept.secret[1:]
    unknown = codes.new_code(node.rng)
    with pytest.raises(NotFound, match="mistyped"):
        node.system.revocation.revoke(wrong)
    with pytest.raises(NotFound, match="belongs"):
        node.system.revocation.revoke(unknown)
    assert (node.system.revocation.is_typo(wrong), node.system.revocation.is_typo(unknown)) == (True, False)
    assert node.row(kept.artifact.id).state == State.ACTIVE


def test_a_code_takes_back_nothing_but_its_own(node, kept):
    other = node.keep()
    node.system.revocation.revoke(kept.secret)
    assert node.row(other.artifact.id).state == State.ACTIVE
    assert node.stored() == [other.artifact.raw_key]


def test_revoking_twice_is_harmless(node, kept):
    first = node.system.revocation.revoke(kept.secret)
    node.clock.advance(minutes=1)
    again = node.system.revocation.revoke(kept.secret)
    assert (again.revoked_artifacts, again.deleted) == (0, {})
    assert again.verified_gone_at == first.verified_gone_at


def test_revoking_many_times_at_once_counts_once(node, kept):
    results = at_once(*[lambda: node.system.revocation.revoke(kept.secret)] * 6)
    assert sorted(result.revoked_artifacts for result in results) == [0, 0, 0, 0, 0, 1]
    assert node.files() == []


def test_revoking_after_the_end_is_harmless(node, kept):
    node.clock.advance(hours=49)
    node.system.retention.expire()
    assert node.system.revocation.revoke(kept.secret).revoked_artifacts == 0
    assert node.row(kept.artifact.id).state == State.EXPIRED


@pytest.mark.parametrize("operation", ["delete", "size"])
def test_a_store_that_refuses_is_told_and_finished_by_a_later_sweep(node, kept, operation):
    node.store.refuses.add(operation)
    revoked = node.system.revocation.revoke(kept.secret)
    assert (revoked.revoked_artifacts, revoked.verified_gone_at) == (1, None)
    assert node.row(kept.artifact.id).gone_at is None
    node.store.refuses.clear()
    node.clock.advance(minutes=20)
    node.system.retention.sweep()
    assert node.files() == []
    assert node.system.revocation.receipt(kept.secret).verified_gone_at == node.clock.now()


def test_a_store_that_only_claims_to_delete_is_found_out(node, kept):
    node.store.loses.add("delete")
    assert node.system.revocation.revoke(kept.secret).verified_gone_at is None
    assert len(node.stored()) == 1
    node.store.loses.clear()
    node.clock.advance(minutes=20)
    node.system.retention.sweep()
    assert node.system.revocation.receipt(kept.secret).verified_gone_at is not None


def test_the_right_ends_before_the_store_is_asked(node, kept):
    seen = []
    node.store.before["delete"] = lambda _key: seen.append(node.row(kept.artifact.id).state)
    node.system.revocation.revoke(kept.secret)
    assert seen == [State.REVOKED]


def test_a_revoked_take_is_never_chosen_again(node, kept):
    node.store.refuses.add("delete")
    node.system.revocation.revoke(kept.secret)
    assert node.system.pool.next(Wish(), node.rng) is None


def test_a_grant_given_before_opens_nothing_afterwards(node, kept):
    playback = node.system.pool.next(Wish(), node.rng)
    assert node.system.media.sound(playback.media_token).size_bytes > 0
    node.store.refuses.add("delete")
    node.system.revocation.revoke(kept.secret)
    with pytest.raises(NotFound):
        node.system.media.sound(playback.media_token)


def test_a_revocation_survives_a_restart(make_node, clock):
    first = make_node()
    kept = first.keep()
    first.store.refuses.add("delete")
    first.system.revocation.revoke(kept.secret)
    again = make_node()
    assert again.row(kept.artifact.id).state == State.REVOKED
    clock.advance(minutes=20)
    again.system.retention.sweep()
    assert again.files() == []


def test_a_code_of_another_node_is_unknown_here(node, kept, elsewhere):
    code = elsewhere.keep().secret
    with pytest.raises(NotFound):
        node.system.revocation.revoke(code)


def test_a_receipt_shows_the_promise_and_changes_nothing(node, kept):
    before = node.row(kept.artifact.id)
    receipt = node.system.revocation.receipt(kept.secret)
    assert (receipt.manifest.mode, receipt.held, receipt.withdrawn_at) == (Mode.FOSSIL, True, None)
    assert receipt.artifacts[0].id == kept.artifact.id
    assert node.row(kept.artifact.id) == before


def test_a_receipt_of_a_withdrawn_promise_says_when(node, kept):
    node.clock.advance(hours=1)
    node.system.revocation.revoke(kept.secret)
    receipt = node.system.revocation.receipt(kept.secret)
    assert receipt.withdrawn_at == node.clock.now()
    assert not receipt.held
    assert receipt.open_deletions == 0


def test_the_tombstone_that_a_revocation_writes_is_claimed_by_one_sweep_only(node, kept):
    deletions = []
    node.store.before["delete"] = deletions.append
    at_once(
        lambda: node.system.revocation.revoke(kept.secret),
        node.system.retention.sweep,
        node.system.retention.sweep,
    )
    node.system.retention.sweep()
    assert deletions == [kept.artifact.raw_key]


@contextmanager
def behind_another(node, claimed):
    """Another sweep begins before the node's next one, and has `claimed` its keys when that one looks; that other."""
    sweep, first = node.system.retention.sweep, []

    def late(**given):
        if not first:
            first.append(threading.Thread(target=sweep))
            first[0].start()
            claimed.wait(10)
        return sweep(**given)

    with patch.object(node.system.retention, "sweep", late):
        yield first
    first[0].join()


def test_a_key_that_another_sweep_came_upon_first_is_waited_for(node, kept):
    """The answer says that all is gone as long as somebody is about to delete it."""
    claimed, go_on = threading.Event(), threading.Event()

    def hold(_key):
        claimed.set()
        go_on.wait(10)

    node.store.before["delete"] = hold
    threading.Timer(0.5, go_on.set).start()
    with behind_another(node, claimed):
        revoked = node.system.revocation.revoke(kept.secret)
    assert revoked.verified_gone_at == START


def test_a_key_that_another_sweep_is_just_claiming_is_waited_for(node, kept):
    """Its claim is not committed yet: this sweep passes the key over, and nobody can see why."""
    claim, claimed = SqlTombstones.claim, threading.Event()
    with behind_another(node, claimed) as first:

        def hold(tombstones, *args, **given):
            found = claim(tombstones, *args, **given)
            if threading.current_thread() in first:
                claimed.set()
                time.sleep(0.5)
            return found

        with patch.object(SqlTombstones, "claim", hold):
            revoked = node.system.revocation.revoke(kept.secret)
    assert revoked.verified_gone_at == START


def test_what_no_sweep_is_at_work_on_is_not_waited_for(node, kept):
    node.store.refuses.add("delete")
    with patch("core.services.revocation.time.sleep") as waited:
        assert node.system.revocation.revoke(kept.secret).verified_gone_at is None
    assert not waited.called


def test_a_sweep_that_died_is_not_waited_for_for_ever(node, kept):
    claimed = []

    def claim_and_die(**_given):
        now = node.clock.now()
        with node.system.work.write() as tx:
            until, ahead_at = now + timedelta(minutes=2), now + timedelta(hours=1)
            claimed.extend(tx.tombstones.claim(now, until=until, ahead_at=ahead_at, limit=9))
        return 0

    with (
        patch.object(node.system.retention, "sweep", claim_and_die),
        patch("core.services.revocation.WAIT_S", 0.2),
    ):
        assert node.system.revocation.revoke(kept.secret).verified_gone_at is None
    assert len(claimed) == 1
