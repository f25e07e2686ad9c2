"""Bytes against rows: what is stored, what should be, and what should not."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.custody import LEDGER_PREFIX
from core.errors import StoreMissing
from core.ports.outside import ByteStore, NodeClock
from core.ports.work import Holding, UnitOfWork

READ_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that contradicts a promise."""

    kind: str
    subject: str
    detail: str


@dataclass(kw_only=True, slots=True)
class AuditReport:
    """What was looked at and what was found; `ok` only where nothing was."""

    artifacts: int = 0
    objects: int = 0
    tombstones: int = 0
    hashes: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every law the audit can see holds."""
        return not self.findings


class Audit:
    """Compares database and store. Reads only; safe beside a running node, whose movements it allows for."""

    def __init__(self, work: UnitOfWork, store: ByteStore, clock: NodeClock, *, overdue_s: float) -> None:
        self._work = work
        self._store = store
        self._clock = clock
        self._overdue_s = overdue_s

    def run(self, *, hashes: bool = True) -> AuditReport:
        """The whole comparison; `hashes` reads every raw take again."""
        report = AuditReport()
        # The store is listed first: a key that is in neither of two later looks at the database was never named.
        stored = {key for key in self._store.keys("") if not key.startswith(LEDGER_PREFIX)}
        report.objects = len(stored)
        now = self._clock.earlier()
        held: set[str] = set()
        for holding in self._holdings():
            report.artifacts += 1
            held |= {key for key in (holding.raw_key, *holding.derivative_keys) if key is not None}
            if holding.state.held and self._outlived(holding, now):
                report.findings.append(_finding("past its promise", holding, "still held after its hour"))
            self._presence(report, holding)
            if hashes and holding.raw_key is not None and holding.sha256 is not None:
                self._hash(report, holding, holding.raw_key)
        with self._work.read() as tx:
            named = tx.tombstones.named_keys()
            late = tx.tombstones.overdue(now - timedelta(seconds=self._overdue_s))
        report.tombstones = len(named)
        for key in sorted(stored - held - named):
            if not self._known_meanwhile(key) and self._store.size(key) is not None:
                report.findings.append(Finding(kind="orphan", subject=key, detail="no row and no tombstone names it"))
        for key in late:
            report.findings.append(Finding(kind="overdue", subject=key, detail="should have been deleted by now"))
        return report

    def _holdings(self) -> Iterator[Holding]:
        after = 0
        while True:
            with self._work.read() as tx:
                page = tx.artifacts.holdings(after=after, limit=500)
            yield from page
            if not page:
                return
            after = page[-1].artifact_id

    def _outlived(self, holding: Holding, now: datetime) -> bool:
        """Whether anything of a held artifact is past its own end by more than a sweep may be late."""
        ends = [holding.playable_until, holding.raw_until if holding.raw_key is not None else None]
        latest = now - timedelta(seconds=self._overdue_s)
        return any(end is not None and end < latest for end in ends)

    def _presence(self, report: AuditReport, holding: Holding) -> None:
        if not holding.state.held and (holding.raw_key is not None or holding.derivative_keys or holding.outline):
            report.findings.append(_finding("husk with remains", holding, "an ended artifact still names what it was"))
        for key in (holding.raw_key, *holding.derivative_keys):
            if key is not None and self._store.size(key) is None and self._still_named(holding.artifact_id, key):
                report.findings.append(_finding("missing", holding, f"{key} is not in the store"))

    def _hash(self, report: AuditReport, holding: Holding, key: str) -> None:
        digest = hashlib.sha256()
        try:
            stream = self._store.open(key)
        except StoreMissing:
            return
        try:
            while chunk := stream.read(READ_BYTES):
                digest.update(chunk)
        finally:
            stream.close()
        report.hashes += 1
        if digest.hexdigest() != holding.sha256 and self._still_named(holding.artifact_id, key):
            report.findings.append(_finding("wrong hash", holding, f"{key} is not what was given"))

    def _still_named(self, artifact_id: int, key: str) -> bool:
        """Whether the row still names a key: it may have ended since it was read."""
        with self._work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
            derived = {derivative.key for derivative in tx.derivatives.of(artifact_id)}
        return artifact is not None and (artifact.raw_key == key or key in derived)

    def _known_meanwhile(self, key: str) -> bool:
        with self._work.read() as tx:
            return key in tx.tombstones.named_keys() or tx.artifacts.names_key(key)


def _finding(kind: str, holding: Holding, detail: str) -> Finding:
    return Finding(kind=kind, subject=f"artifact {holding.artifact_id}", detail=detail)
