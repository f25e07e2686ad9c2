"""The ledger of rights that ended early: written before the commit, in two places, and compared at every start."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from core.adapters.ledger import LEDGER_FILE, FileLedger, parse
from core.adapters.stores.files import FileStore
from core.domain.artifact import State
from core.domain.consent import Mode
from core.domain.custody import LEDGER_PREFIX, Closed, Early, Entry
from core.errors import Unavailable
from jobs.keeping import AGAIN_EVERY, Keeper
from tests.fakes import OTHER_TAKE, MoodyStore, Node

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(number: int = 1, kind: Early = Early.REVOKE) -> Entry:
    return Entry(kind=kind, subject=f"{number:064x}", at=AT)


def kinds(node: Node) -> list[Early]:
    return [one.kind for one in node.system.outside.ledger.entries()]


def test_every_right_that_ends_early_is_written_down_and_one_that_expires_is_not(node: Node) -> None:
    system = node.system
    revoked, removed, fossil = node.keep(), node.keep(data=OTHER_TAKE), node.keep(Mode.FOSSIL)
    heard, disposed, expired = node.keep(Mode.NOSAVE), node.keep(Mode.NOSAVE), node.keep()
    system.revocation.revoke(revoked.secret)
    system.archive.remove(removed.artifact.id, actor="a test")
    system.revocation.narrow(fossil.secret)
    system.once.play(system.once.play_token(heard.artifact.id, heard.secret)).closed()
    system.once.dispose(disposed.artifact.id, disposed.secret)
    node.clock.advance(days=3)
    system.retention.expire()
    assert node.row(expired.artifact.id).state == State.EXPIRED.value
    assert sorted(kinds(node)) == sorted([Early.REVOKE, Early.REMOVE, Early.NARROW, Early.ONCE, Early.ONCE])


def test_an_entry_names_nobody(node: Node) -> None:
    kept = node.keep()
    node.system.revocation.revoke(kept.secret)
    node.system.outside.ledger.publish()
    written = (node.system.outside.data_dir / LEDGER_FILE).read_text()
    (key,) = [key for key in node.store.keys("") if key.startswith(LEDGER_PREFIX)]
    for secret in (kept.artifact.public_id, kept.secret, kept.secret.replace("-", "")):
        assert secret not in written + key


def test_nothing_is_revoked_that_could_not_be_written_down(node: Node) -> None:
    kept = node.keep()
    ledger = node.system.outside.ledger
    (ledger._path).mkdir()
    ledger._store = MoodyStore(ledger._store)
    ledger._store.refuses = {"put"}
    with pytest.raises(Unavailable):
        node.system.revocation.revoke(kept.secret)
    assert node.row(kept.artifact.id).state == State.ACTIVE.value
    # A disk that takes nothing is no reason to refuse where the store does.
    ledger._store.refuses = set()
    assert node.system.revocation.revoke(kept.secret).revoked_artifacts == 1
    assert ledger.owed == 0


def test_an_end_that_was_written_down_and_not_committed_is_made_good_at_the_next_start(
    make_node: Callable[..., Node],
) -> None:
    node = make_node()
    kept, fossil = node.keep(), node.keep(Mode.FOSSIL)
    hashes = [node.system.vault.subject_hashes(one.artifact.public_id)[0] for one in (kept, fossil)]
    node.system.outside.ledger.append(
        [Entry(kind=Early.REVOKE, subject=hashes[0], at=AT), Entry(kind=Early.NARROW, subject=hashes[1], at=AT)]
    )
    again = make_node()
    assert again.row(kept.artifact.id).state == State.REVOKED.value
    assert again.system.revocation.receipt(fossil.secret).manifest.mode is Mode.ROOM
    again.system.retention.sweep()
    assert len(again.stored()) == 1


def test_a_node_whose_ledger_is_shorter_than_it_remembers_stays_closed(make_node: Callable[..., Node]) -> None:
    node = make_node()
    gone, stays = node.keep(), node.keep(data=OTHER_TAKE)
    node.system.revocation.revoke(gone.secret)
    node.system.ledger.remember()
    (node.system.outside.data_dir / LEDGER_FILE).unlink()
    again = make_node()
    state = again.system.stewardship.state()
    assert state.closed is Closed.LEDGER_SHORT
    assert not state.plays
    # Taking back goes on.
    assert again.system.revocation.revoke(stays.secret).revoked_artifacts == 1
    assert make_node().system.stewardship.state().closed is Closed.LEDGER_SHORT


def test_a_lost_file_is_made_up_for_by_the_store(make_node: Callable[..., Node]) -> None:
    node = make_node()
    node.system.revocation.revoke(node.keep().secret)
    node.system.ledger.remember()
    assert node.system.outside.ledger.publish() == 0
    (node.system.outside.data_dir / LEDGER_FILE).unlink()
    again = make_node()
    assert again.system.stewardship.state().closed is Closed.OPEN
    assert len(parse((again.system.outside.data_dir / LEDGER_FILE).read_text())) == 1


def test_what_the_store_lacks_closes_no_other_machine(make_node: Callable[..., Node], tmp_path: Path) -> None:
    node = make_node()
    ledger = node.system.outside.ledger
    keeper = Keeper(node.system)
    ledger._store = MoodyStore(ledger._store)
    ledger._store.refuses = {"put"}
    node.system.revocation.revoke(node.keep().secret)
    keeper.look()
    assert ledger.owed == 1
    another = make_node(LEDGER_DIR=tmp_path / "another-machine")
    assert another.system.stewardship.state().closed is Closed.OPEN
    ledger._store.refuses = set()
    for _ in range(AGAIN_EVERY + 1):
        keeper.look()
    assert ledger.owed == 0
    third = make_node(LEDGER_DIR=tmp_path / "a-third")
    assert len(third.system.outside.ledger.entries()) == 1


def test_a_torn_line_is_no_entry_and_spoils_no_other(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "sounds")
    FileLedger(tmp_path, store).append([entry(1)])
    with (tmp_path / LEDGER_FILE).open("a") as file:
        file.write('{"kind": "rev')
    ledger = FileLedger(tmp_path, store)
    ledger.append([entry(2)])
    assert [one.subject[-1] for one in FileLedger(tmp_path, store).entries()] == ["1", "2"]


def test_what_the_store_refuses_is_owed_until_it_takes_it(tmp_path: Path) -> None:
    store = MoodyStore(FileStore(tmp_path / "sounds"))
    ledger = FileLedger(tmp_path, store)
    ledger.append([entry(1), entry(2)])
    store.refuses = {"put"}
    assert ledger.publish() == 2
    store.refuses = set()
    assert ledger.publish() == 0
    other = tmp_path / "another machine"
    other.mkdir()
    assert FileLedger(other, store).entries() == ledger.entries()


def test_the_same_entry_twice_is_one(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path, FileStore(tmp_path / "sounds"))
    ledger.append([entry(1)])
    ledger.append([entry(1), entry(1, Early.NARROW)])
    assert ledger.length == 2


def test_a_store_that_hangs_keeps_nobody_waiting_who_writes_or_looks(tmp_path: Path) -> None:
    store, release, reached = MoodyStore(FileStore(tmp_path / "sounds")), Event(), Event()

    def hang(_key: str) -> None:
        reached.set()
        release.wait(10)

    ledger = FileLedger(tmp_path, store)
    ledger.append([entry(1)])
    store.before["put"] = hang
    with ThreadPoolExecutor(2) as pool:
        publishing = pool.submit(ledger.publish)
        assert reached.wait(10)
        try:
            pool.submit(ledger.append, [entry(2)]).result(5)
            assert ledger.owed == 2
        finally:
            release.set()
        publishing.result(10)
    assert ledger.publish() == 0
