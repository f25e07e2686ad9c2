"""Alarms of a node that serves HTTPS itself: certificates that end, are lost, and cannot be made anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.adapters.certificates import FOLDER, LEAF_FILE, ROOT_FILE, FolderAuthority
from core.domain.certificates import Names, Span
from core.domain.warnings import Name
from tests.alarms.case import CRITICAL, EMBEDDED, WARNING, Cases
from tests.alarms.node import Node

CASES = Cases()

SOON_DAYS, OVER_DAYS = 20, -1
NAMES = Names(hosts=frozenset({"localhost"}), addresses=frozenset({"127.0.0.1"}))


def secured(_node: Node) -> dict[str, Any]:
    """Nobody here needs a second port."""
    return {"TLS": "internal", "CERTIFICATE_PORT": 0}


@CASES.add(
    (Name.CERTIFICATE_LATE, WARNING),
    (Name.CERTIFICATE_LATE, CRITICAL),
    cause=f"a folder lies where a new certificate is written, and the one there has {SOON_DAYS} days left; then none",
    remedy="the folder is removed, and `memory-engine certificate renew` makes another",
    engines=EMBEDDED,
    settings=secured,
)
def certificate_not_renewed(node: Node) -> Iterator[None]:
    authority = FolderAuthority(node.web.disk / "data")
    authority.make_leaf(ending(SOON_DAYS), NAMES)
    with nothing_written(authority.chain):
        yield
        with something_written(authority.chain):
            authority.make_leaf(ending(OVER_DAYS), NAMES)
        yield
    node.web.run("certificate", "renew").check_returncode()


@CASES.add(
    (Name.CERTIFICATE_LOST, WARNING),
    cause="the certificate is overwritten, and a folder lies where another is written",
    remedy="the folder is removed, and `memory-engine certificate renew` makes another",
    engines=EMBEDDED,
    settings=secured,
)
def certificate_damaged(node: Node) -> Iterator[None]:
    own = node.web.disk / "data" / FOLDER / LEAF_FILE
    with nothing_written(own):
        own.write_text("no certificate at all")
        yield
    node.web.run("certificate", "renew").check_returncode()


@CASES.add(
    (Name.CERTIFICATE_LOST, CRITICAL),
    cause="the root is moved away",
    remedy="it is put back",
    engines=EMBEDDED,
    settings=secured,
)
def root_lost(node: Node) -> Iterator[None]:
    root = node.web.disk / "data" / FOLDER / ROOT_FILE
    away = root.rename(root.with_suffix(".away"))
    yield
    away.rename(root)


@CASES.add(
    (Name.CERTIFICATE_ROOT, WARNING),
    (Name.CERTIFICATE_ROOT, CRITICAL),
    cause=f"the root has {SOON_DAYS} days left; then none, and a folder lies where another is written",
    remedy="the folder is removed, and `memory-engine certificate new-root` makes another",
    engines=EMBEDDED,
    settings=secured,
)
def root_ends(node: Node) -> Iterator[None]:
    authority = FolderAuthority(node.web.disk / "data")
    root = node.web.disk / "data" / FOLDER / ROOT_FILE
    _authority_ending(authority, SOON_DAYS)
    yield
    with nothing_written(root):
        with something_written(root):
            _authority_ending(authority, OVER_DAYS)
        yield
    node.web.run("certificate", "new-root", "--yes").check_returncode()


def _authority_ending(authority: FolderAuthority, days: int) -> None:
    authority.make_root(ending(days), "The Long Room")
    authority.make_leaf(ending(days), NAMES)


def ending(days: int) -> Span:
    """Dates that began long ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Span(begins=now - timedelta(days=300), ends=now + timedelta(days=days))


@contextmanager
def nothing_written(file: Path) -> Iterator[None]:
    """A folder lies where this file would be written before it takes its place."""
    _partial(file).mkdir()
    yield
    _partial(file).rmdir()


@contextmanager
def something_written(file: Path) -> Iterator[None]:
    """The folder is away for a moment."""
    _partial(file).rmdir()
    yield
    _partial(file).mkdir()


def _partial(file: Path) -> Path:
    return file.with_name(file.name + ".partial")
