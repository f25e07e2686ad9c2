"""Bytes against rows against the ledger: what is stored, what should be, and what should not."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.auditing import Finding, Wrong
from core.domain.consent import Manifest, Mode
from core.domain.custody import LEDGER_PREFIX, PROBE_KEY, PROBE_MOST_BYTES, Early, NodeRecord
from core.errors import StoreMissing
from core.ports.custody import Ledger
from core.ports.outside import ByteStore, NodeClock, Vault
from core.ports.work import Derivative, Holding, UnitOfWork
from core.services.ledger import by_subject, kinds_of

READ_BYTES = 1 << 20
PAGE = 500

Step = Callable[[int, int], None]
"""Is told how many artifacts of how many were looked at."""

Named = Mapping[str, set[Early]]


@dataclass(kw_only=True, slots=True)
class AuditReport:
    """What was looked at, what was found and is so still, and what was mended; `ok` only where nothing is found.

    A note is nothing wrong, and worth knowing.
    """

    artifacts: int = 0
    objects: int = 0
    tombstones: int = 0
    hashes: int = 0
    entries: int = 0
    findings: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every law the audit can see holds."""
        return not self.findings


class Audit:
    """Compares database, store and ledger. Safe beside a running node, whose movements it allows for.

    Reads only, but that entries of the ledger on their way to the store are put there, as every process does.
    """

    def __init__(
        self, work: UnitOfWork, store: ByteStore, ledger: Ledger, vault: Vault, clock: NodeClock, *, overdue_s: float
    ) -> None:
        self._work = work
        self._store = store
        self._ledger = ledger
        self._vault = vault
        self._clock = clock
        self._overdue = timedelta(seconds=overdue_s)

    def run(self, *, hashes: bool = True, step: Step = lambda _done, _total: None) -> AuditReport:
        """The whole comparison; `hashes` reads every raw take again. Raises `Unavailable`."""
        report = AuditReport()
        # A disk that is not mounted looks like a store that has lost everything: it is asked before and after.
        self._store.check()
        # The store is listed first: a key that is in neither of two later looks at the database was never named.
        stored = {key for key in self._store.keys("") if not key.startswith(LEDGER_PREFIX)}
        report.objects = len(stored)
        with self._work.read() as tx:
            node, total = tx.nodes.read(), tx.artifacts.count()
        latest = self._clock.earlier() - self._overdue
        named = self._compared(report, node, latest)
        held: set[str] = set()
        for holding in self._holdings():
            report.artifacts += 1
            held.update(holding.keys)
            self._rights(report, holding, named, latest)
            self._presence(report, holding)
            if hashes and holding.raw_key is not None and holding.sha256 is not None:
                self._hash(report, holding, holding.raw_key)
            step(report.artifacts, max(total, report.artifacts))
        self._keys(report, stored - held, latest)
        self._store.check()
        return report

    def _compared(self, report: AuditReport, node: NodeRecord | None, latest: datetime) -> Named:
        """What the ledger says has ended; `node` was read before, for a ledger only grows."""
        entries = self._ledger.entries()
        self._ledger.publish()
        report.entries = len(entries)
        if node is not None and len(entries) < node.ledger_length:
            detail = f"it has {len(entries)} entries and has had {node.ledger_length}"
            report.findings.append(Finding(kind=Wrong.LEDGER_SHORT, subject="the ledger", detail=detail))
        owed, since = self._ledger.owed, self._ledger.owed_since
        if owed and since is not None and since < latest:
            detail = f"the store lacks {owed} entries, the oldest of {since.isoformat()}"
            report.findings.append(Finding(kind=Wrong.LEDGER_BEHIND, subject="the ledger", detail=detail))
        elif owed:
            report.notes.append(f"{owed} entries of the ledger are on their way to the store")
        if self._ledger.lacking:
            report.notes.append(
                f"{self._ledger.lacking} entries of the ledger are in the store and not in the file here"
            )
        return by_subject(entries)

    def _holdings(self) -> Iterator[Holding]:
        after = 0
        while True:
            with self._work.read() as tx:
                page = tx.artifacts.holdings(after=after, limit=PAGE)
            yield from page
            if not page:
                return
            after = page[-1].artifact_id

    def _rights(self, report: AuditReport, holding: Holding, named: Named, latest: datetime) -> None:
        """By what right anything of it is held; whatever ends all of it is found once."""
        if not holding.state.held:
            if holding.keys or holding.outline:
                report.findings.append(_of(holding, Wrong.REMAINS, "an ended artifact still names what it was"))
            return
        kinds = kinds_of(named, self._vault.subject_hashes(holding.public_id))
        against = _against(kinds, holding.manifest)
        if against is not None and self._still(holding, kinds):
            report.findings.append(_of(holding, against, f"the ledger says: {', '.join(sorted(kinds))}"))
        elif _outlived(holding, latest):
            report.findings.append(_of(holding, Wrong.PAST, "still held after its hour"))
        else:
            report.findings += [
                _of(holding, Wrong.NO_RIGHT, f"its promise grants no {made.kind} now", key=made.key)
                for made in holding.derivatives
                if not granted(made, holding.manifest, latest)
            ]

    def _still(self, holding: Holding, kinds: set[Early]) -> bool:
        """Whether it is so under the lock: an entry is written down a moment before the end it is about commits."""
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(holding.artifact_id)
            if artifact is None or not artifact.state.held:
                return False
            return _against(kinds, tx.consents.manifest(artifact.consent_id)) is not None

    def _presence(self, report: AuditReport, holding: Holding) -> None:
        for key in holding.keys:
            if self._store.size(key) is None and self._still_named(holding.artifact_id, key):
                report.findings.append(_of(holding, Wrong.MISSING, f"{key} is not in the store", key=key))

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
            report.findings.append(_of(holding, Wrong.WRONG_HASH, f"{key} is not what was given", key=key))

    def _keys(self, report: AuditReport, unheld: set[str], latest: datetime) -> None:
        """Keys nobody names, and those that should be gone."""
        with self._work.read() as tx:
            named = tx.tombstones.named_keys()
            late = tx.tombstones.overdue(latest)
        report.tombstones = len(named)
        for key in sorted(unheld - named):
            size_bytes = None if self._known_meanwhile(key) else self._store.size(key)
            if size_bytes is None:
                continue
            if key == PROBE_KEY and size_bytes <= PROBE_MOST_BYTES:
                report.notes.append("the object that a doctor tries the store with is there; its next look removes it")
            else:
                detail = "no row and no tombstone names it"
                report.findings.append(Finding(kind=Wrong.ORPHAN, subject=key, detail=detail, key=key))
        for key in late:
            detail = "should have been deleted by now"
            report.findings.append(Finding(kind=Wrong.OVERDUE, subject=key, detail=detail, key=key))

    def _still_named(self, artifact_id: int, key: str) -> bool:
        """Whether the row still names a key: it may have ended since it was read."""
        with self._work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
            derived = {derivative.key for derivative in tx.derivatives.of(artifact_id)}
        return artifact is not None and (artifact.raw_key == key or key in derived)

    def _known_meanwhile(self, key: str) -> bool:
        with self._work.read() as tx:
            return tx.tombstones.names(key) or tx.artifacts.names_key(key)


def granted(made: Derivative, manifest: Manifest, now: datetime) -> bool:
    """Whether a promise lets this derivative exist at `now`."""
    until = manifest.derivative_until
    return made.kind in manifest.derivatives and until is not None and min(made.until, until) > now


def _against(kinds: set[Early], manifest: Manifest) -> Wrong | None:
    """What of a held artifact contradicts what the ledger says of it."""
    if kinds - {Early.NARROW}:
        return Wrong.STILL_HELD
    return Wrong.STILL_WHOLE if kinds and manifest.mode is Mode.FOSSIL else None


def _outlived(holding: Holding, latest: datetime) -> bool:
    """Whether anything of a held artifact is past its own end, by its row or by its promise."""
    ends = [holding.playable_until, holding.manifest.playable_until]
    if holding.raw_key is not None:
        ends += [holding.raw_until, holding.manifest.raw_until]
    return any(end is not None and end < latest for end in ends)


def _of(holding: Holding, kind: Wrong, detail: str, *, key: str | None = None) -> Finding:
    number = holding.artifact_id
    return Finding(kind=kind, subject=f"artifact {number}", detail=detail, artifact_id=number, key=key)
