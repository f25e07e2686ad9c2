"""Restoring as a command does it: keys, proof, consent, a copy of what is here, and only then the change."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pyrage import x25519

from core.adapters.folder import using
from core.bootstrap import System, build
from core.bootstrap.restoring import RECOVERED_KEYS, Plan, Source, restore_node
from core.domain.certificates import names_of
from core.domain.custody import Closed
from core.errors import BadArchive, Conflict, Misconfigured
from core.settings import Settings
from tests.engines import Engine, Ground, Grounds
from tests.fakes import OTHER_TAKE, offering

IDENTITY = x25519.Identity.generate()
TO = str(IDENTITY.to_public())
ROOM = names_of(["room.test"])


def settings_of(ground: Ground, **given: object) -> Settings:
    values = {"MEMORY_DATA_DIR": ground.folder, "BACKUP_RECIPIENTS": TO, **ground.settings, **given}
    return Settings(_env_file=None, **values)  # type: ignore[call-arg]


@contextmanager
def running(settings: Settings) -> Iterator[System]:
    with closing(build(settings)) as system:
        yield system


def keep(system: System, data: bytes = OTHER_TAKE) -> str:
    return system.intake.keep(offering(data=data), lambda _artifact, secret: {"secret": secret}).secret


def source(path: Path, ledger: Path | None = None) -> Source:
    return Source(path=path, identity=str(IDENTITY), ledger=ledger)


def yes(_plan: Plan) -> bool:
    return True


@pytest.fixture
def copy(ground: Ground) -> tuple[Path, str]:
    """A copy of a node with one take, and its code."""
    with running(settings_of(ground)) as system:
        code = keep(system)
        return system.backup.make(actor="a test").path, code


@pytest.fixture
def fresh(grounds: Grounds, engine: Engine, ground: Ground, tmp_path: Path) -> Iterator[Ground]:
    """A node nobody has touched, of an installation that has the same keys where keys are settings."""
    with grounds.fresh(engine, tmp_path / "fresh") as other:
        if engine is Engine.STACK:
            yield Ground(
                engine=engine,
                folder=other.folder,
                settings={**other.settings, **{name: ground.settings[name] for name in ("CODE_KEY", "TOKEN_KEY")}},
            )
        else:
            yield other


def test_codes_of_a_lost_machine_work_on_a_new_one_once_a_steward_has_decided(
    copy: tuple[Path, str], fresh: Ground
) -> None:
    restored = restore_node(settings_of(fresh), source(copy[0]), actor="a test", agreed=yes)
    assert restored is not None
    assert restored.closed is Closed.LEDGER_UNKNOWN
    with running(settings_of(fresh)) as system:
        assert system.revocation.receipt(copy[1]).held
        assert not system.stewardship.state().takes_in
        assert system.revocation.revoke(copy[1]).verified_gone_at is not None


def test_a_newer_ledger_keeps_out_what_was_taken_back_and_the_node_opens(
    copy: tuple[Path, str], ground: Ground, fresh: Ground
) -> None:
    with running(settings_of(ground)) as system:
        system.revocation.revoke(copy[1])
    ledger = ground.folder / "ledger.jsonl"
    restored = restore_node(settings_of(fresh), source(copy[0], ledger), actor="a test", agreed=yes)
    assert restored is not None
    assert (restored.closed, restored.kept_out) == (Closed.OPEN, 1)
    with running(settings_of(fresh)) as system:
        assert not system.revocation.receipt(copy[1]).held
        assert list(system.outside.store.keys("raw/")) == []


def test_what_was_left_since_is_copied_before_it_goes(copy: tuple[Path, str], ground: Ground) -> None:
    settings = settings_of(ground)
    with running(settings) as system:
        later = keep(system)
    plans: list[Plan] = []
    restore_node(settings, source(copy[0]), actor="a test", agreed=lambda plan: not plans.append(plan))
    assert plans[0].held_now == 2
    (before,) = [path for path in copy[0].parent.iterdir() if path.name.endswith("before-restore")]
    restore_node(settings, source(before), actor="a test", agreed=yes)
    with running(settings) as system:
        assert system.revocation.receipt(copy[1]).held
        assert system.revocation.receipt(later).held
        assert system.audit.run().ok


def test_nothing_changes_where_nobody_agrees_or_the_copy_is_damaged(copy: tuple[Path, str], ground: Ground) -> None:
    settings = settings_of(ground)
    with running(settings) as system:
        later = keep(system)
    assert restore_node(settings, source(copy[0]), actor="a test", agreed=lambda _plan: False) is None
    sound = next((copy[0] / "sounds").iterdir())
    sound.write_bytes(sound.read_bytes()[:-1])
    with pytest.raises(BadArchive):
        restore_node(settings, source(copy[0]), actor="a test", agreed=yes)
    with running(settings) as system:
        assert system.revocation.receipt(later).held
        assert system.audit.run().ok


@pytest.mark.engine(Engine.EMBEDDED)
def test_a_running_node_and_one_of_another_installation_are_left_alone(
    copy: tuple[Path, str], ground: Ground, fresh: Ground
) -> None:
    with using(ground.folder, alone=False), pytest.raises(Conflict, match="running"):
        restore_node(settings_of(ground), source(copy[0]), actor="a test", agreed=yes)
    with running(settings_of(fresh)) as system:
        other = keep(system)
    with pytest.raises(Conflict, match="another installation"):
        restore_node(settings_of(fresh), source(copy[0]), actor="a test", agreed=yes)
    with running(settings_of(fresh)) as system:
        assert system.revocation.receipt(other).held


def trusted(settings: Settings) -> str:
    """Makes sure that a node can serve HTTPS; the fingerprint of the root it is trusted by."""
    with running(settings) as system:
        system.certificates.keep(ROOM)
        return system.certificates.standing().root.fingerprint


@pytest.mark.engine(Engine.EMBEDDED)
def test_whoever_trusts_a_lost_machine_trusts_the_new_one(ground: Ground, fresh: Ground) -> None:
    before = trusted(settings_of(ground, TLS="internal"))
    with running(settings_of(ground)) as system:
        made = system.backup.make(actor="a test")
    # The new machine has been started once, and so has an authority already.
    assert trusted(settings_of(fresh, TLS="internal")) != before
    assert restore_node(settings_of(fresh), source(made.path), actor="a test", agreed=yes) is not None
    assert trusted(settings_of(fresh, TLS="internal")) == before
    root = fresh.folder / "certificates" / "root.pem"
    assert root.stat().st_mode & 0o077 == 0


@pytest.mark.engine(Engine.EMBEDDED)
@pytest.mark.parametrize("damage", [None, b"", b"rubbish"], ids=["lost", "empty", "rubbish"])
def test_a_root_that_is_lost_comes_back_with_a_copy_of_the_same_node(ground: Ground, damage: bytes | None) -> None:
    settings = settings_of(ground, TLS="internal")
    before, root = trusted(settings), ground.folder / "certificates" / "root.pem"
    with running(settings) as system:
        made = system.backup.make(actor="a test")
    root.unlink()
    if damage is not None:
        root.write_bytes(damage)
    with pytest.raises(Misconfigured, match="restore it from a backup"):
        trusted(settings)
    assert restore_node(settings, source(made.path), actor="a test", agreed=lambda _plan: False) is None
    assert not root.exists() or root.read_bytes() == damage
    assert restore_node(settings, source(made.path), actor="a test", agreed=yes) is not None
    assert trusted(settings) == before


@pytest.mark.engine(Engine.EMBEDDED)
def test_a_newer_root_of_the_same_node_stays(ground: Ground) -> None:
    settings = settings_of(ground, TLS="internal")
    trusted(settings)
    with running(settings) as system:
        made = system.backup.make(actor="a test")
        newer = system.certificates.new_root(ROOM).fingerprint
    assert restore_node(settings, source(made.path), actor="a test", agreed=yes) is not None
    assert trusted(settings) == newer


@pytest.mark.engine(Engine.STACK)
def test_the_stack_is_told_which_keys_to_name_and_whom_to_stop(copy: tuple[Path, str], ground: Ground) -> None:
    other = settings_of(ground, CODE_KEY="5e" * 32 + "77")
    with pytest.raises(Misconfigured, match="CODE_KEY"):
        restore_node(other, source(copy[0]), actor="a test", agreed=yes)
    written = ground.folder / RECOVERED_KEYS
    assert written.stat().st_mode & 0o077 == 0
    assert json.loads(written.read_text())["code_key"] == ground.settings["CODE_KEY"]
    with running(settings_of(ground)) as system:
        system.jobs.beat("worker-1", "worker")
    with pytest.raises(Conflict, match="worker-1"):
        restore_node(settings_of(ground), source(copy[0]), actor="a test", agreed=yes)


@pytest.mark.engine(Engine.STACK)
def test_a_copy_of_either_engine_becomes_a_node_of_the_other(grounds: Grounds, ground: Ground, tmp_path: Path) -> None:
    with grounds.fresh(Engine.EMBEDDED, tmp_path / "small") as small, running(settings_of(small)) as system:
        code, keys = keep(system), system.vault.secrets()
        made = system.backup.make(actor="a test")
    large = settings_of(ground, CODE_KEY=keys["code_key"], TOKEN_KEY=keys["token_key"])
    assert restore_node(large, source(made.path), actor="a test", agreed=yes) is not None
    with running(large) as system:
        assert system.revocation.receipt(code).held
        again = system.backup.make(actor="a test")
    with grounds.fresh(Engine.EMBEDDED, tmp_path / "small again") as small:
        assert restore_node(settings_of(small), source(again.path), actor="a test", agreed=yes) is not None
        with running(settings_of(small)) as system:
            assert system.revocation.revoke(code).verified_gone_at is not None
