"""A populated embedded node moves to the stack with nothing lost, and leaves no second copy behind."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.adapters.folder import using
from core.bootstrap import System, build
from core.bootstrap.move import move_to
from core.domain.consent import Mode
from core.errors import Conflict, Misconfigured
from core.settings import Settings
from tests.engines import Engine, Grounds
from tests.fakes import FrozenClock, new_node


@pytest.fixture
def old(tmp_path: Path) -> dict[str, Any]:
    """An embedded node that has lived a little, and is stopped; what it gave out."""
    node = new_node(tmp_path / "old", clock=FrozenClock(datetime.now(UTC)))
    kept = [node.keep(mode) for mode in (Mode.ROOM, Mode.FOSSIL, Mode.ROOM)]
    node.system.derive.derive(kept[1].artifact.id, "essence_wav")
    node.system.derive.derive(kept[1].artifact.id, "spectrogram_png")
    node.system.revocation.revoke(kept[2].secret)
    node.system.stewardship.change({"quieter_mode": True}, actor="steward", version=0)
    sounds = set(node.system.outside.store.keys())
    node.close()
    return {"folder": tmp_path / "old", "codes": [take.secret for take in kept], "sounds": sounds}


@pytest.fixture
def stack_settings(grounds: Grounds, tmp_path: Path, old: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A stack that knows the old node's code key."""
    with grounds.fresh(Engine.STACK, tmp_path / "new") as ground:
        keys = json.loads((old["folder"] / "keys.json").read_text())
        yield {
            **ground.settings,
            "MEMORY_DATA_DIR": tmp_path / "new",
            "TOKEN_KEY": keys["token_key"],
            "PREVIOUS_CODE_KEYS": keys["code_key"],
        }


def stack(settings: dict[str, Any]) -> System:
    return build(Settings(_env_file=None, **settings))  # type: ignore[call-arg]


def test_everything_arrives_and_the_old_copy_is_gone(old: dict[str, Any], stack_settings: dict[str, Any]) -> None:
    system = stack(stack_settings)
    moved = move_to(system, old["folder"])
    assert moved.findings == 0
    assert moved.rows["artifact"] == 3
    assert moved.rows["derivative"] == 2
    stored = set(system.outside.store.keys())
    # What was taken back early is known to the new store, too.
    assert {key for key in stored if not key.startswith("ledger/")} == old["sounds"]
    assert len(stored) == len(old["sounds"]) + 1
    assert system.stewardship.state().quieter_mode
    assert not (old["folder"] / "memory.db").exists()
    assert not (old["folder"] / "sounds").exists()
    # The codes still work, and new ids go on where the old ones ended.
    receipt = system.revocation.receipt(old["codes"][0])
    assert receipt.held
    assert system.revocation.revoke(old["codes"][1]).deleted == {"raw": 1, "essence_wav": 1, "spectrogram_png": 1}
    with system.work.write() as tx:
        consent = tx.consents.add(receipt.manifest, code_hash=None, key_id="")
    assert consent == 4
    system.close()


def test_a_running_node_is_not_moved(old: dict[str, Any], stack_settings: dict[str, Any]) -> None:
    system = stack(stack_settings)
    with using(old["folder"], alone=False), pytest.raises(Conflict, match="running"):
        move_to(system, old["folder"])
    assert (old["folder"] / "memory.db").exists()
    assert list(system.outside.store.keys()) == []
    system.close()


def test_a_stack_with_another_code_key_is_refused(old: dict[str, Any], stack_settings: dict[str, Any]) -> None:
    system = stack({**stack_settings, "PREVIOUS_CODE_KEYS": ""})
    with pytest.raises(Misconfigured, match="CODE_KEY"):
        move_to(system, old["folder"])
    assert (old["folder"] / "sounds").exists()
    system.close()


def test_a_stack_with_another_token_key_is_refused(old: dict[str, Any], stack_settings: dict[str, Any]) -> None:
    system = stack({**stack_settings, "TOKEN_KEY": "ab" * 32 + "01"})
    with pytest.raises(Misconfigured, match="TOKEN_KEY"):
        move_to(system, old["folder"])
    system.close()


def test_a_stack_that_is_in_use_is_refused(old: dict[str, Any], stack_settings: dict[str, Any]) -> None:
    system = stack(stack_settings)
    system.stewardship.change({"quieter_mode": True}, actor="steward", version=0)
    with pytest.raises(Conflict, match="not empty"):
        move_to(system, old["folder"])
    assert (old["folder"] / "memory.db").exists()
    assert list(system.outside.store.keys()) == []
    system.close()
