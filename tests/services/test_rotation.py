"""Codes given out under a former key: they open, narrow and take back what they did, and the ledger still fits."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from core.adapters.archive import open_archive
from core.domain.artifact import State
from core.domain.consent import Kind, Mode
from core.domain.custody import Early, Entry
from core.errors import NotFound
from tests.engines import Engine, Ground
from tests.fakes import OTHER_TAKE, Node
from tests.faults.lives import IDENTITY, SETTINGS

KEYS_FILE = "keys.json"
Rotate = Callable[..., Node]


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    return make_node(**SETTINGS)


@pytest.fixture
def rotate(ground: Ground, make_node: Callable[..., Node]) -> Rotate:
    """The node started anew under a new key; the former one is named, unless it is forgotten."""

    def turn(*, forgotten: bool = False) -> Node:
        given: dict[str, Any] = dict(SETTINGS)
        new = secrets.token_hex(32)
        if ground.engine is Engine.STACK:
            given |= {"CODE_KEY": new, "PREVIOUS_CODE_KEYS": "" if forgotten else ground.settings["CODE_KEY"]}
            return make_node(**given)
        path = ground.folder / KEYS_FILE
        said = json.loads(path.read_text())
        former = [] if forgotten else [said["code_key"]]
        path.write_text(json.dumps({**said, "code_key": new, "previous_code_keys": former}))
        return make_node(**given)

    return turn


def test_old_codes_open_narrow_and_take_back_and_new_ones_do_too(node: Node, rotate: Rotate) -> None:
    room, fossil = node.keep(), node.keep(Mode.FOSSIL, OTHER_TAKE)
    for kind in Kind:
        node.system.derive.derive(fossil.artifact.id, kind.value)
    after = rotate()
    assert after.system.vault.code_key_id != node.system.vault.code_key_id
    assert after.system.revocation.receipt(room.secret).held
    narrowed = after.system.revocation.narrow(fossil.secret)
    assert (narrowed.held, narrowed.manifest.mode) == (True, Mode.ROOM)
    assert after.system.revocation.revoke(room.secret).verified_gone_at is not None
    assert len(after.stored()) == 1
    new = after.keep()
    assert after.system.revocation.revoke(new.secret).revoked_artifacts == 1
    with pytest.raises(NotFound):
        node.system.revocation.receipt(new.secret)


def test_without_the_former_key_an_old_code_opens_nothing(node: Node, rotate: Rotate) -> None:
    kept = node.keep()
    with pytest.raises(NotFound):
        rotate(forgotten=True).system.revocation.receipt(kept.secret)


def test_what_the_ledger_named_under_the_former_key_ends_at_the_next_start(node: Node, rotate: Rotate) -> None:
    kept, narrowed = node.keep(), node.keep(Mode.FOSSIL, OTHER_TAKE)
    for one, kind in ((kept, Early.REVOKE), (narrowed, Early.NARROW)):
        subject = node.system.vault.subject_hashes(one.artifact.public_id)[0]
        # Written down, and its transaction lost.
        node.system.outside.ledger.append([Entry(kind=kind, subject=subject, at=node.clock.now())])
    after = rotate()
    assert after.row(kept.artifact.id).state == State.REVOKED
    assert after.system.revocation.receipt(narrowed.secret).manifest.mode is Mode.ROOM
    after.system.retention.sweep()
    assert after.stored() == [narrowed.artifact.raw_key]


def test_a_copy_made_under_the_former_key_brings_nothing_back_that_ended_under_the_new_one(
    node: Node, rotate: Rotate
) -> None:
    gone, stays = node.keep(), node.keep(data=OTHER_TAKE)
    made = node.system.backup.make(actor="a test")
    after = rotate()
    after.system.revocation.revoke(gone.secret)
    opened = open_archive(made.path, made.path.parent, identity=IDENTITY)
    assert after.system.restore.restore(opened, actor="a test").report.ok
    assert after.stored() == [stays.artifact.raw_key]
    assert not after.system.revocation.receipt(gone.secret).held
    assert after.system.revocation.receipt(stays.secret).held
