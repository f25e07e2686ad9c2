"""Copies of a node: whole, sealed, without what ended meanwhile, gone in time; and nodes made of them."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from core.adapters.archive import open_archive
from core.bootstrap.custody import PASSPHRASE_FILE
from core.domain.artifact import State
from core.domain.consent import Kind, Mode
from core.domain.custody import Care, CareState, Closed
from core.errors import BadArchive, DiskReserve
from tests.engines import Engine
from tests.fakes import OTHER_TAKE, SHORT_TAKE, Node

IDENTITY, OTHER_IDENTITY = x25519.Identity.generate(), x25519.Identity.generate()
TO = str(IDENTITY.to_public())
"""Recipients rather than a passphrase, which takes a second on purpose each time it is tried."""


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node(BACKUP_RECIPIENTS=TO)


def opened(path: Path, identity: Any = IDENTITY) -> Any:
    return open_archive(path, path.parent, identity=str(identity))


def fossil(node: Node) -> Any:
    kept = node.keep(Mode.FOSSIL)
    for kind in Kind:
        node.system.derive.derive(kept.artifact.id, kind.value)
    return kept


def test_a_copy_brings_back_takes_codes_and_what_fossils_left(node: Node) -> None:
    kept, left = node.keep(), fossil(node)
    made = node.system.backup.make(actor="a test")
    before = node.stored()
    node.clock.advance(minutes=1)
    lost = node.keep(data=OTHER_TAKE)
    restored = node.system.restore.restore(opened(made.path), actor="a test")
    assert restored.report.ok
    assert restored.closed is Closed.OPEN
    assert node.stored() == before
    assert node.system.revocation.receipt(kept.secret).held
    assert node.system.revocation.receipt(left.secret).artifacts[0].mode is Mode.FOSSIL
    with pytest.raises(Exception, match="No offering"):
        node.system.revocation.receipt(lost.secret)
    # New numbers go on after the restored ones.
    assert node.keep(data=OTHER_TAKE).artifact.id > left.artifact.id


def test_a_voice_taken_back_after_the_backup_does_not_come_back(node: Node) -> None:
    stays, gone = node.keep(), node.keep(data=OTHER_TAKE)
    made = node.system.backup.make(actor="a test")
    node.clock.advance(minutes=1)
    node.system.revocation.revoke(gone.secret)
    restored = node.system.restore.restore(opened(made.path), actor="a test")
    assert restored.kept_out == 1
    assert restored.report.ok
    assert len(node.stored()) == 1
    receipt = node.system.revocation.receipt(gone.secret)
    assert receipt.artifacts[0].state is State.REVOKED
    assert receipt.withdrawn_at is not None
    assert receipt.verified_gone_at is not None
    assert node.system.revocation.receipt(stays.secret).held


def test_a_removed_take_and_a_narrowed_fossil_stay_so(node: Node) -> None:
    removed, narrowed = node.keep(), fossil(node)
    made = node.system.backup.make(actor="a test")
    node.system.archive.remove(removed.artifact.id, actor="a test")
    node.system.revocation.narrow(narrowed.secret)
    restored = node.system.restore.restore(opened(made.path), actor="a test")
    assert restored.kept_out == 3
    assert node.row(removed.artifact.id).state == "REVOKED"
    receipt = node.system.revocation.receipt(narrowed.secret)
    assert receipt.held
    assert receipt.manifest.mode is Mode.ROOM
    assert node.rows("SELECT count(*) FROM derivative")[0][0] == 0
    assert len(node.stored()) == 1


def test_one_time_takes_are_in_no_copy(node: Node) -> None:
    node.keep(Mode.NOSAVE, client_key="a key")
    made = node.system.backup.make(actor="a test")
    assert made.manifest.objects == 0
    assert made.manifest.rows["artifact"] == made.manifest.rows["consent"] == made.manifest.rows["idempotency"] == 0


def test_what_ends_while_a_copy_is_made_is_not_in_it(node: Node) -> None:
    kept, other = node.keep(), node.keep(data=OTHER_TAKE)
    keys = {node.row(one.artifact.id).raw_key for one in (kept, other)}

    def take_back(key: str) -> None:
        node.store.before.clear()
        node.system.revocation.revoke(kept.secret)

    # The first sound is copied by then, whichever it is; one of the two has ended when the last look is taken.
    node.store.before["open"] = lambda key: node.store.before.update(open=take_back) if key in keys else None
    made = node.system.backup.make(actor="a test")
    copy = opened(made.path)
    assert made.lacking == 0
    assert [one.artifact_id for one in copy.sounds()] == [other.artifact.id]
    assert len(list((made.path / "sounds").iterdir())) == 1


def test_takes_given_while_a_copy_is_made_are_in_it_with_their_bytes(node: Node) -> None:
    node.keep()

    def another(_key: str) -> None:
        node.store.before.clear()
        node.keep(data=OTHER_TAKE)

    node.store.before["open"] = another
    made = node.system.backup.make(actor="a test")
    assert made.manifest.artifacts == 2
    assert node.system.backup.verify(opened(made.path), made.path, actor="a test") == []


def test_nothing_in_a_copy_can_be_read_without_its_key(node: Node) -> None:
    node.keep(topic="a blue door")
    made = node.system.backup.make(actor="a test")
    whole = b"".join(path.read_bytes() for path in made.path.rglob("*") if path.is_file())
    for secret in (b"a blue door", SHORT_TAKE[44:200], node.system.vault.secrets()["code_key"].encode()):
        assert secret not in whole
    with pytest.raises(BadArchive):
        opened(made.path, OTHER_IDENTITY)


@pytest.mark.parametrize("part", ["rows.jsonl.gz.age", "secrets.json.age", "ledger.jsonl.age", "sounds"])
def test_a_damaged_copy_is_refused_before_anything_is_touched(node: Node, part: str) -> None:
    kept = node.keep()
    made = node.system.backup.make(actor="a test")
    path = next((made.path / part).iterdir()) if part == "sounds" else made.path / part
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    findings = [""]
    with suppress(BadArchive):
        findings = node.system.backup.verify(opened(made.path), made.path, actor="a test")
    assert findings
    assert node.system.revocation.receipt(kept.secret).held
    assert not list(node.system.backup.shelf.place.glob(".*"))


def test_a_copy_is_proven_and_its_report_says_so(node: Node) -> None:
    node.keep()
    fossil(node)
    node.system.backup.run("a test")
    verified = node.system.care.last(Care.VERIFY)
    backup = node.system.care.last(Care.BACKUP)
    assert verified is not None
    assert verified.state is CareState.OK
    assert backup is not None
    assert verified.summary["path"] == backup.summary["path"]
    assert backup.summary["artifacts"] == 2
    assert not list(node.system.backup.shelf.place.glob(".*"))


def test_bytes_that_are_lost_or_wrong_make_a_copy_that_says_so(node: Node) -> None:
    lost, wrong = node.keep(), node.keep(data=OTHER_TAKE)
    node.store.inner.delete(node.row(lost.artifact.id).raw_key)
    made = node.system.backup.make(actor="a test")
    assert made.lacking == 1
    report = node.system.care.last(Care.BACKUP)
    assert report is not None
    assert report.state is CareState.FAILED
    node.change(wrong.artifact.id, sha256="0" * 64)
    again = node.system.backup.make(actor="a test", mark="again")
    assert node.system.backup.verify(opened(again.path), again.path, actor="a test")


def test_copies_go_before_their_last_hour_and_the_trail_says_so(node: Node) -> None:
    node.keep()
    made = node.system.backup.make(actor="a test")
    assert (made.manifest.gone_by - made.manifest.as_of).days == 7
    node.clock.advance(days=6.9)
    assert node.system.backup.prune() == 0
    node.clock.advance(days=0.05)
    assert node.system.backup.prune() == 1
    assert not made.path.exists()
    assert node.rows("SELECT count(*) FROM steward_action WHERE action = 'remove_copy'")[0][0] == 1


def test_a_promise_made_before_the_setting_grew_shortens_the_life_of_a_copy(make_node: Callable[..., Node]) -> None:
    make_node(BACKUP_RECIPIENTS=TO, BACKUP_DAYS=2).keep()
    made = make_node(BACKUP_RECIPIENTS=TO, BACKUP_DAYS=30).system.backup.make(actor="a test")
    assert (made.manifest.gone_by - made.manifest.as_of).days == 2


def test_a_voice_taken_back_leaves_the_copies_at_hand_too(node: Node) -> None:
    kept, other = fossil(node), node.keep(data=OTHER_TAKE)
    made = node.system.backup.make(actor="a test")
    node.system.revocation.revoke(kept.secret)
    node.system.backup.prune()
    assert len(list((made.path / "sounds").iterdir())) == 1
    assert node.system.backup.verify(opened(made.path), made.path, actor="a test") == []
    restored = node.system.restore.restore(opened(made.path), actor="a test")
    assert restored.report.ok
    assert node.system.revocation.receipt(other.secret).held


def test_a_full_disk_keeps_backups_from_being_made_and_leaves_nothing_behind(node: Node) -> None:
    kept = node.keep()
    node.disk.free = node.system.reserve.bytes() + 1000
    with pytest.raises(DiskReserve):
        node.system.backup.make(actor="a test")
    assert not list(node.system.backup.shelf.place.iterdir())
    report = node.system.care.last(Care.BACKUP)
    assert report is not None
    assert report.state is CareState.FAILED
    assert node.system.revocation.revoke(kept.secret).verified_gone_at is not None


def test_a_fresh_node_restored_without_its_ledger_stays_closed(node: Node, elsewhere: Node) -> None:
    node.keep()
    made = node.system.backup.make(actor="a test")
    restored = elsewhere.system.restore.restore(opened(made.path), actor="a test")
    assert restored.closed is Closed.LEDGER_UNKNOWN
    state = elsewhere.system.stewardship.state()
    assert not state.plays
    assert not state.takes_in


@pytest.mark.engine(Engine.EMBEDDED)
def test_a_node_that_was_given_no_passphrase_makes_one_for_its_owner_alone(
    make_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = make_node()
    node.keep()
    made = node.system.backup.make(actor="a test")
    path = node.system.outside.data_dir / PASSPHRASE_FILE
    assert path.stat().st_mode & 0o077 == 0
    assert open_archive(made.path, tmp_path, phrase=path.read_text().strip()).manifest.artifacts == 1
    with pytest.raises(BadArchive):
        open_archive(made.path, tmp_path, phrase="another sentence")


@pytest.mark.engine(Engine.STACK)
def test_the_stack_makes_no_backup_without_a_passphrase_or_recipients(make_node: Callable[..., Node]) -> None:
    with pytest.raises(Exception, match="BACKUP_PASSPHRASE"):
        make_node().system.backup.make(actor="a test")


def test_a_manifest_names_nobody_and_says_when_the_copy_must_be_gone(node: Node) -> None:
    kept = node.keep(topic="a blue door")
    made = node.system.backup.make(actor="a test")
    said = json.loads((made.path / "manifest.json").read_text())
    assert kept.artifact.public_id not in json.dumps(said)
    assert said["gone_by"][:10] in (made.path / "README.txt").read_text()
