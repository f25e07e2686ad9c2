"""What may leave, and the end of an exhibition."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from core.adapters.archive import FolderShelf
from core.adapters.sealing import Sealing
from core.domain.archiving import ArchiveKind
from core.domain.artifact import Review, State
from core.domain.consent import Kind, Mode
from core.domain.custody import PROBE_KEY, Care, Closed
from core.errors import BadArchive
from core.services.probing import SAID
from tests.fakes import OTHER_TAKE, Node

IDENTITY = x25519.Identity.generate()
TO = str(IDENTITY.to_public())


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node(BACKUP_RECIPIENTS=TO)


def fossil(node: Node, **said: Any) -> Any:
    kept = node.keep(Mode.FOSSIL, **said)
    for kind in Kind:
        node.system.derive.derive(kept.artifact.id, kind.value)
    return kept


def away(node: Node, folder: Path) -> FolderShelf:
    return FolderShelf(folder, lambda: Sealing(recipients=(TO,)), node.disk, node.system.reserve.bytes)


def test_an_export_holds_figures_and_what_may_be_shown_and_nothing_else(node: Node) -> None:
    shown, held = fossil(node, topic="a blue door"), fossil(node, data=OTHER_TAKE)
    node.keep()
    node.change(held.artifact.id, review=Review.HELD.value)
    bundle = node.system.export.make("a test")
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    fossils = {name: data for name, data in files.items() if name.startswith("fossils/")}
    assert sorted(name.rpartition(".")[2] for name in fossils) == ["png", "wav"]
    said = b"".join(data for name, data in files.items() if name not in fossils)
    for secret in (shown.artifact.public_id, shown.secret, "a blue door", f'"id": {shown.artifact.id}'):
        assert secret.encode() not in said
    listed = json.loads(files["manifest.json"])["fossils"]
    assert {one["file"] for one in listed} == set(fossils)
    assert {one["until"][:4] for one in listed} == {"2027"}
    assert files["SHA256SUMS"].decode().count("\n") == len(files) - 1


def test_an_export_says_what_must_go_and_the_node_deletes_its_own(node: Node) -> None:
    kept = fossil(node)
    bundle = node.system.export.make("a test")
    assert node.system.export.over(bundle) == []
    node.system.revocation.narrow(kept.secret)
    assert len(node.system.export.over(bundle)) == 2
    node.system.export.prune()
    assert not list((bundle / "fossils").iterdir())
    node.clock.advance(days=8)
    assert node.system.export.prune() == 1
    assert not bundle.exists()
    with pytest.raises(BadArchive):
        node.system.export.over(bundle)


def test_closing_leaves_nothing_and_says_so(node: Node) -> None:
    kept, left, once = node.keep(), fossil(node), node.keep(Mode.NOSAVE)
    node.system.backup.run("a test")
    node.system.export.make("a test")
    node.clock.advance(minutes=1)
    certificate = node.system.closing.close(actor="a test")
    assert certificate.left == ()
    assert certificate.by_mode == {"ROOM": 1, "FOSSIL": 1, "NOSAVE": 1}
    assert certificate.objects_deleted == 5
    assert (certificate.copies_deleted, certificate.exports_deleted) == (1, 1)
    assert node.files() == []
    assert not list(node.system.backup.shelf.place.iterdir())
    assert {node.row(one.artifact.id).state for one in (kept, left)} == {State.EXPIRED.value}
    assert not node.system.once.waits(node.system.once.play_token(once.artifact.id, once.secret))
    state = node.system.stewardship.state()
    assert state.closed is Closed.EXHIBITION
    assert not state.takes_in
    # Codes go on telling what became of it.
    assert node.system.revocation.receipt(kept.secret).verified_gone_at is not None


def test_a_closing_that_meets_a_store_that_refuses_says_what_is_left_and_can_be_run_again(node: Node) -> None:
    node.keep()
    node.store.refuses = {"delete"}
    certificate = node.system.closing.close(actor="a test")
    assert certificate.left
    node.store.refuses = set()
    node.clock.advance(hours=1)
    assert node.system.closing.close(actor="a test").left == ()


def test_what_a_doctor_tried_the_store_with_is_nobodys_sound(node: Node) -> None:
    node.store.put(PROBE_KEY, io.BytesIO(SAID), len(SAID))
    assert node.system.closing.close(actor="a test").left == ()


def test_what_is_handed_over_goes_on_at_another_node_under_the_same_promises(
    node: Node, elsewhere: Node, tmp_path: Path
) -> None:
    kept, left = node.keep(), fossil(node)
    shelf = away(node, tmp_path / "handed over")
    certificate = node.system.closing.close(actor="a test", hand_over_to=shelf)
    assert certificate.left == ()
    assert certificate.handed_over is not None
    assert certificate.handed_over["artifacts"] == 2
    (archive,) = shelf.archives()
    assert archive.manifest.kind is ArchiveKind.HANDOVER
    opened = shelf.just_made(archive.path)
    assert opened is not None
    restored = elsewhere.system.restore.restore(opened, actor="a test")
    assert restored.closed is Closed.OPEN
    assert restored.report.ok
    before, after = node.row(left.artifact.id), elsewhere.row(left.artifact.id)
    assert (after.raw_until, after.derivative_until) == (before.raw_until, before.derivative_until)
    assert len(elsewhere.stored()) == 4
    assert node.row(kept.artifact.id).state == State.EXPIRED.value


def test_nothing_ends_where_what_is_handed_over_is_not_whole(node: Node, tmp_path: Path) -> None:
    kept = node.keep()
    node.store.inner.delete(node.row(kept.artifact.id).raw_key)
    with pytest.raises(BadArchive):
        node.system.closing.close(actor="a test", hand_over_to=away(node, tmp_path / "handed over"))
    assert node.row(kept.artifact.id).state == State.ACTIVE.value
    report = node.system.care.last(Care.CLOSING)
    assert report is not None
    assert report.summary["error"]
