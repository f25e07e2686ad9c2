"""What the campaigns have found, one by one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.adapters import archive
from core.adapters.ledger import LEDGER_FILE
from core.domain.consent import Kind, Mode
from core.domain.custody import LEDGER_PREFIX, Closed
from core.errors import Unavailable
from tests.engines import Engine
from tests.fakes import Node
from tests.faults.lives import IDENTITY, SETTINGS


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node(**SETTINGS)


@pytest.mark.engine(Engine.EMBEDDED)
def test_an_entry_of_the_ledger_that_was_half_written_is_written_anew(
    node: Node, make_node: Callable[..., Node], tmp_path: Path
) -> None:
    kept = node.keep()
    node.system.revocation.revoke(kept.secret)
    node.system.outside.ledger.publish()
    (entry,) = (node.system.outside.data_dir / "sounds" / LEDGER_PREFIX).iterdir()
    entry.rename(entry.with_name(entry.name + ".partial")).write_text("{")
    again = make_node(**SETTINGS)
    assert again.system.outside.ledger.publish() == 0
    (again.system.outside.data_dir / LEDGER_FILE).unlink()
    assert len(make_node(**SETTINGS).system.outside.ledger.entries()) == 1


def test_a_restore_that_dies_at_its_commit_leaves_a_node_that_takes_in(node: Node) -> None:
    node.keep()
    made = node.system.backup.make(actor="a test")
    for _ in range(2):
        node.keep()

    def die(*_args: object, **_said: object) -> None:
        raise Unavailable

    opened = archive.open_archive(made.path, made.path.parent, identity=IDENTITY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sqlalchemy.orm.Session.commit", die)
        with pytest.raises(Unavailable):
            node.system.restore._rows.replace(opened.rows(), lambda _tx: None, node.clock.now())
    # What a sequence was set to is not undone with its transaction.
    assert node.keep().artifact.id == 4


def test_a_take_that_was_narrowed_and_then_taken_back_is_both_after_a_restore(node: Node) -> None:
    kept = node.keep(Mode.FOSSIL)
    node.system.derive.derive(kept.artifact.id, Kind.ESSENCE.value)
    made = node.system.backup.make(actor="a test")
    node.system.revocation.narrow(kept.secret)
    node.system.revocation.revoke(kept.secret)
    opened = archive.open_archive(made.path, made.path.parent, identity=IDENTITY)
    assert node.system.restore.restore(opened, actor="a test").closed is Closed.OPEN
    receipt = node.system.revocation.receipt(kept.secret)
    assert not receipt.held
    assert receipt.narrowed_at is not None
    assert receipt.manifest.derivatives == ()
