"""Making this node the one of a copy: its keys first, then proof, a copy of what is here, and only then the change."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.adapters.archive import FolderArchive, open_archive
from core.adapters.certificates import FolderAuthority
from core.adapters.folder import using
from core.adapters.ledger import parse
from core.adapters.sql.engine import DATABASE_FILE
from core.adapters.vault import write_keys, write_secret
from core.bootstrap import System, build
from core.bootstrap.custody import backup_dir
from core.domain.archiving import Manifest
from core.domain.custody import Entry
from core.errors import BadArchive, Conflict, Misconfigured
from core.services.restore import Restored
from core.settings import Settings, prepare_data_dir

RECOVERED_KEYS = "recovered-keys.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A copy and what opens it: a passphrase, or the text of an identity file; `ledger` another node's, where given."""

    path: Path
    phrase: str = ""
    identity: str = ""
    ledger: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is about to happen, for whoever has to agree: what is held now and will not be there any more."""

    manifest: Manifest
    held_now: int


def opened_from(source: Source, settings: Settings) -> FolderArchive:
    """The copy, opened. Raises `BadArchive`."""
    spool = backup_dir(settings, prepare_data_dir(settings.MEMORY_DATA_DIR))
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = source.path.expanduser().resolve()
    return open_archive(path, spool, phrase=source.phrase, identity=source.identity)


def restore_node(settings: Settings, source: Source, *, actor: str, agreed: Callable[[Plan], bool]) -> Restored | None:
    """Prove the copy, ask, copy what is here, restore; None where nobody agreed.

    Raises `BadArchive`, `Conflict` where a node runs or holds takes of another installation, and `Misconfigured` where
    the settings of the stack could not read the codes in the copy.
    """
    data_dir = prepare_data_dir(settings.MEMORY_DATA_DIR)
    with ExitStack() as held:
        if not settings.DATABASE_URL:
            held.enter_context(using(data_dir, alone=True))
        opened = opened_from(source, settings)
        entries = _entries(source)
        with _with_keys_of(opened, settings, data_dir) as system:
            _nobody_works(system)
            findings = system.backup.verify(opened, source.path, actor=actor)
            if findings:
                raise BadArchive(f"This copy would make a node with {len(findings)} faults: {findings[0]}")
            plan = Plan(manifest=opened.manifest, held_now=system.rows.held())
            if not agreed(plan):
                return None
            if plan.held_now:
                system.backup.make(actor=actor, mark="before-restore")
            if not settings.DATABASE_URL:
                _heal_authority(data_dir, opened.secrets())
            return system.restore.restore(opened, actor=actor, more=entries, knows_all=source.ledger is not None)


def _entries(source: Source) -> list[Entry]:
    if source.ledger is None:
        return []
    try:
        return parse(source.ledger.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadArchive(f"The ledger {source.ledger} cannot be read.") from error


@contextmanager
def _with_keys_of(opened: FolderArchive, settings: Settings, data_dir: Path) -> Iterator[System]:
    """This node, able to read what is in the copy. A fresh one takes its keys over; another must know them already."""
    secrets = opened.secrets()
    if not settings.DATABASE_URL and not (data_dir / DATABASE_FILE).exists():
        _take_over(data_dir, secrets)
    with closing(build(settings)) as system:
        if _knows(system, secrets):
            yield system
            return
        if settings.DATABASE_URL:
            write_secret(data_dir / RECOVERED_KEYS, json.dumps(secrets))
            raise Misconfigured(
                [
                    "CODE_KEY, TOKEN_KEY: receipt codes in this copy would not work. Its keys were written to "
                    f"{RECOVERED_KEYS} in the data folder, for its owner alone: name them in the settings, delete the "
                    "file, and restore again"
                ]
            )
        if not system.restore.blank():
            raise Conflict("This node holds takes of another installation. Restore onto a fresh data folder.")
    _take_over(data_dir, secrets)
    with closing(build(settings)) as system:
        yield system


def _take_over(data_dir: Path, secrets: dict[str, Any]) -> None:
    """Be the node of a copy, by its keys: of codes and grants, and of the authority its kiosks trust."""
    write_keys(data_dir, secrets)
    FolderAuthority(data_dir).take_over(secrets)


def _heal_authority(data_dir: Path, secrets: dict[str, Any]) -> None:
    """Where the authority of this very node was lost, or damaged, the copy's takes its place; a newer one stays."""
    authority = FolderAuthority(data_dir)
    if not authority.secrets():
        authority.take_over(secrets)


def _knows(system: System, secrets: dict[str, object]) -> bool:
    own = system.vault.secrets()
    codes = {own["code_key"], *own["previous_code_keys"]}
    return secrets.get("code_key") in codes and secrets.get("token_key") == own["token_key"]


def _nobody_works(system: System) -> None:
    """On the stack no lock tells who is running: signs of life do."""
    since = system.clock.now() - timedelta(seconds=system.settings.HEARTBEAT_STALE_SECONDS)
    alive = system.jobs.alive(since) if system.settings.DATABASE_URL else []
    if alive:
        raise Conflict(f"{alive[0].name} was heard of lately. Stop web, workers and schedulers, then wait a little.")
