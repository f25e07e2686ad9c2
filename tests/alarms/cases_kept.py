"""Every alarm of what is kept safe, produced for real: audits, backups, the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.custody import LEDGER_PREFIX
from core.domain.warnings import Name
from tests.alarms.case import CRITICAL, EMBEDDED, STACK, WARNING, Cases
from tests.alarms.cases import just_under_what_is_free
from tests.alarms.node import Node
from tests.engines import Engine
from tests.proxy import Fault

CASES = Cases()

Act = Iterator[None]
ORPHAN = "raw/nobody/audio.wav"
OFTEN_H = 0.002
SELDOM_H = 0.004
BEHIND_S = 5
AGAIN_S = 90
"""Longer than a process rests after a store has refused its ledger."""

FULL = frozenset({Name.DISK_LOW, Name.DISK_RESERVE, Name.JOBS_FAILED})


@CASES.add(
    (Name.AUDIT_FAILED, CRITICAL),
    cause="bytes that nothing names are put into the store, and a steward asks for an audit",
    remedy="they are deleted, and a steward asks again",
)
def audit_finds(node: Node) -> Act:
    node.overwrite(ORPHAN, b"This was a voice.")
    node.act("care/audit")
    yield
    node.remove(ORPHAN)
    node.act("care/audit")


@CASES.add(
    (Name.AUDIT_OLD, WARNING),
    cause=f"an audit is due every {OFTEN_H * 3600:g} s, and the store is away",
    remedy="it is back, and the next audit comes to its end",
    settings=lambda _node: {"AUDIT_INTERVAL_HOURS": OFTEN_H},
    beside=frozenset({Name.STORE_DOWN, Name.JOBS_FAILED}),
)
def audits_end_early(node: Node) -> Act:
    node.wait(lambda: Name.AUDIT_OLD.value not in node.standing(), 30)
    with store_away(node):
        yield


@CASES.add(
    (Name.BACKUP_FAILED, WARNING),
    cause="the disk is full but for its reserve, and a steward asks for a backup",
    remedy="there is room again, and a steward asks again",
    settings=lambda node: {**just_under_what_is_free(node), "BACKUP_PASSPHRASE": "seven quiet words"},
    beside=FULL,
)
def backup_has_no_room(node: Node) -> Act:
    with no_room(node):
        node.act("care/backup")
        yield
    node.act("care/backup")


@CASES.add(
    (Name.BACKUP_OLD, WARNING),
    cause=f"a backup is due every {SELDOM_H * 3600:g} s, and the disk is full but for its reserve",
    remedy="there is room again, and the next backup is made and read back",
    settings=lambda node: {
        **just_under_what_is_free(node),
        "BACKUP_PASSPHRASE": "seven quiet words",
        "BACKUP_INTERVAL_HOURS": SELDOM_H,
    },
    beside=FULL | {Name.BACKUP_FAILED},
)
def backups_have_no_room(node: Node) -> Act:
    node.wait(lambda: Name.BACKUP_OLD.value not in node.standing(), 60)
    with no_room(node):
        yield


@CASES.add(
    (Name.LEDGER_BEHIND, WARNING),
    cause="a file lies where the store keeps the ledger, a take is taken back",
    remedy="the folder is put back",
    engines=EMBEDDED,
    settings=lambda _node: {"LEDGER_BEHIND_SECONDS": BEHIND_S},
)
def ledger_folder_away(node: Node) -> Act:
    folder, away = node.sounds / LEDGER_PREFIX, node.sounds / "away"
    node.take_back([node.leave()])
    node.wait(folder.exists, AGAIN_S)
    folder.rename(away)
    folder.touch()
    node.take_back([node.leave()])
    yield
    folder.unlink()
    away.rename(folder)
    node.wait(lambda: Name.LEDGER_BEHIND.value not in node.standing(), AGAIN_S)


@CASES.add(
    (Name.LEDGER_BEHIND, WARNING),
    cause="the store refuses bytes, a take is taken back; seen at the process that wrote the entry",
    remedy="it takes them again",
    engines=STACK,
    settings=lambda _node: {"LEDGER_BEHIND_SECONDS": BEHIND_S},
    told=False,
)
def store_takes_nothing(node: Node) -> Act:
    left = node.leave()
    with node.proxy.fault(Fault.ERROR, "PUT"):
        node.take_back([left])
        yield
    node.wait(lambda: Name.LEDGER_BEHIND.value not in node.standing(), AGAIN_S)


@contextmanager
def store_away(node: Node) -> Iterator[None]:
    """For the length of a block."""
    if node.engine is Engine.STACK:
        node.s3.stop()
        yield
        node.s3.start()
        return
    away = node.sounds.rename(node.sounds.with_name("away"))
    yield
    away.rename(node.sounds)


@contextmanager
def no_room(node: Node) -> Iterator[None]:
    """On the disk of the process that makes copies, for the length of a block."""
    machine = node.worker if node.engine is Engine.STACK else node.web
    machine.fill_disk(3)
    yield
    machine.clear_disk()
