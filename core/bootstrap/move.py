"""Moving a populated embedded node to the stack, with nothing lost and nothing that could be taken up twice."""

import hashlib
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.adapters.folder import using
from core.adapters.sql.copy import copy_rows, refuse_used
from core.adapters.sql.engine import DATABASE_FILE
from core.bootstrap import System, build
from core.errors import Conflict, Misconfigured
from core.ports.outside import ByteStore
from core.settings import STACK


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What was copied and compared."""

    rows: dict[str, int]
    objects: int
    findings: int


def move_to(stack: System, data_dir: Path) -> Moved:
    """Copy the embedded node in `data_dir` to `stack`, prove it whole by the audit, and delete the old copy.

    Raises `Misconfigured` where the stack could not read the codes already given out, `Conflict` where the node runs
    or the stack's database holds rows. Until the last step the old node is untouched; a move that failed may be
    repeated once the target's database has been emptied.
    """
    if not (data_dir / DATABASE_FILE).exists():
        raise Misconfigured([f"{data_dir} holds no embedded node"])
    with using(data_dir, alone=True), closing(_embedded(stack, data_dir)) as old:
        _same_keys(stack, old)
        # Nothing is given to a stack that turns out to be someone else's.
        refuse_used(stack.outside.engine)
        # What is over ends here: the stack would begin with it overdue.
        old.retention.expire()
        old.retention.prune_derivatives()
        old.retention.sweep()
        old.outside.ledger.publish()
        # Bytes before rows: what the rows will name is there before they name it.
        keys = list(old.outside.store.keys())
        objects = sum(_copy(old.outside.store, stack.outside.store, key, data_dir) for key in keys)
        rows = copy_rows(old.outside.engine, stack.outside.engine)
        report = stack.audit.run()
    if report.ok:
        _forget(data_dir)
        if data_dir != stack.outside.data_dir:
            # Nobody would delete them in time there.
            for copies in ("backups", "exports"):
                shutil.rmtree(data_dir / copies, ignore_errors=True)
    return Moved(rows=rows, objects=objects, findings=len(report.findings))


def _forget(data_dir: Path) -> None:
    """A copy nobody sweeps would outlive every promise: what has arrived is deleted here, bytes before rows."""
    shutil.rmtree(data_dir / "sounds")
    for name in (DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"):
        (data_dir / name).unlink(missing_ok=True)


def _embedded(stack: System, data_dir: Path) -> System:
    """The node in the folder, by the same settings but for the stack's."""
    without: dict[str, object] = dict.fromkeys((*STACK, "PREVIOUS_CODE_KEYS"), "")
    return build(stack.settings.model_copy(update={**without, "MEMORY_DATA_DIR": data_dir}))


def _same_keys(stack: System, old: System) -> None:
    probe = "A" * 15
    complaints = []
    if not set(old.vault.code_hashes(probe)) <= set(stack.vault.code_hashes(probe)):
        complaints.append(
            "CODE_KEY: receipt codes already given out would stop working; use code_key of the old keys.json, "
            "or name it in PREVIOUS_CODE_KEYS"
        )
    if old.vault.digest("move", probe) != stack.vault.digest("move", probe):
        complaints.append("TOKEN_KEY: one-time takes and retries under way would be lost; use token_key of keys.json")
    if complaints:
        raise Misconfigured(complaints)


def _copy(source: ByteStore, target: ByteStore, key: str, spool: Path) -> bool:
    size_bytes = source.size(key)
    if size_bytes is None:
        return False
    with tempfile.TemporaryFile(dir=spool) as local:
        stream = source.open(key)
        try:
            shutil.copyfileobj(stream, local)
        finally:
            stream.close()
        local.seek(0)
        digest = hashlib.file_digest(local, "sha256").hexdigest()
        local.seek(0)
        target.put(key, local, size_bytes)
        copy = target.open(key)
        try:
            arrived = hashlib.sha256()
            while chunk := copy.read(1 << 20):
                arrived.update(chunk)
        finally:
            copy.close()
    if arrived.hexdigest() != digest:
        raise Conflict(f"{key} did not arrive as it was; nothing was deleted.")
    return True
