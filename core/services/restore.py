"""A node from a copy of one: proven before anything is touched, and never with what has ended since.

Bytes first, under keys that are reserved; then one transaction in which the rows change places and the ledger has the
last word. A death before its commit leaves the old node and keys that come due; one after it the new node.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from core.domain.archiving import ArchiveKind, Sound, ended_since
from core.domain.custody import Care, Closed, Early, Entry
from core.ports.archiving import Opened, Rows
from core.ports.custody import Ledger
from core.ports.outside import ByteStore, NodeClock, Vault
from core.ports.work import StewardAction, Transaction, UnitOfWork
from core.services.audit import Audit, AuditReport
from core.services.care import CareService, Progress
from core.services.ledger import PAGE, by_subject, enforce, kinds_of
from core.services.retention import Retention

log = logging.getLogger(__name__)

HELD_FOR = timedelta(hours=24)
"""How long keys stay reserved for a restore that is under way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a node was made of: artifacts and sounds put back, those the ledger kept from coming back, what an audit
    says of the result, and why the node is closed, if it is."""

    artifacts: int
    objects: int
    kept_out: int
    closed: Closed
    report: AuditReport


class RestoreService:
    """Puts the content of a copy in the place of what a node holds."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        ledger: Ledger,
        vault: Vault,
        clock: NodeClock,
        care: CareService,
        *,
        rows: Rows,
        retention: Retention,
        audit: Audit,
    ) -> None:
        self._work = work
        self._store = store
        self._ledger = ledger
        self._vault = vault
        self._clock = clock
        self._care = care
        self._rows = rows
        self._retention = retention
        self._audit = audit

    def blank(self) -> bool:
        """Whether this node holds nothing and knows of nothing that ended early: a fresh one."""
        return self._rows.held() == 0 and self._ledger.length == 0

    def restore(self, opened: Opened, *, actor: str, more: Iterable[Entry] = (), knows_all: bool = False) -> Restored:
        """Make this node the one of the copy. Nothing else may be running on it.

        `more` are entries of another ledger; `knows_all` says that nothing can have ended early that neither it nor
        the one here names. Without that a fresh node stays closed: nobody can say what was taken back since the copy.
        """
        unsure = self.blank() and not knows_all and opened.manifest.kind is ArchiveKind.BACKUP
        closed = Closed.LEDGER_UNKNOWN if unsure else Closed.OPEN
        with self._care.reporting(Care.RESTORE, actor=actor) as progress:
            # A grow-only set: what any of them names has ended. Kept here before a row comes back.
            entries = {(one.kind, one.subject): one for one in [*opened.ledger(), *self._ledger.entries(), *more]}
            self._ledger.append(list(entries.values()))
            named = by_subject(entries.values())
            kept_out = self._put_all(opened, named, progress)
            now = self._clock.now()
            self._rows.replace(
                opened.rows(), lambda tx: self._finish(tx, named, opened, actor, closed, len(entries)), now
            )
            self._ledger.publish()
            self._retention.expire()
            self._retention.prune_derivatives()
            self._retention.sweep()
            report = self._audit.run()
            manifest = opened.manifest
            progress.summary.update({"as_of": manifest.as_of.isoformat(), "artifacts": manifest.artifacts})
            progress.summary.update({"kept_out": kept_out, "findings": len(report.findings), "closed": closed.value})
            progress.ok = report.ok
        return Restored(
            artifacts=opened.manifest.artifacts,
            objects=opened.manifest.objects - kept_out,
            kept_out=kept_out,
            closed=closed,
            report=report,
        )

    def _put_all(self, opened: Opened, named: dict[str, set[Early]], progress: Progress) -> int:
        """Store every sound that may come back; how many may not, or were taken out of the copy."""
        sounds, kept_out = opened.sounds(), 0
        for number, sound in enumerate(sounds, 1):
            if ended_since(sound.name, named) or not opened.holds(sound):
                kept_out += 1
            else:
                self._put(opened, sound)
            progress.step(number, len(sounds))
        return kept_out

    def _put(self, opened: Opened, sound: Sound) -> None:
        with self._work.write() as tx:
            # What a row holds now is not reserved: a death here must not cost the old node its sounds.
            if not tx.artifacts.names_key(sound.key):
                tx.tombstones.hold(sound.key, until=self._clock.now() + HELD_FOR)
        with opened.sound(sound) as stream:
            size_bytes = stream.seek(0, 2)
            stream.seek(0)
            self._store.put(sound.key, stream, size_bytes)

    def _finish(
        self, tx: Transaction, named: dict[str, set[Early]], opened: Opened, actor: str, closed: Closed, length: int
    ) -> None:
        now = self._clock.now()
        self._enforce_all(tx, named)
        node = tx.nodes.read()
        doubt = self._clock.doubt()
        believed = now if doubt is None else doubt.believed_now
        tx.nodes.mark_clock(believed, unless_not=node.clock_mark if node is not None else None)
        tx.nodes.remember_ledger(length)
        tx.nodes.close(closed)
        tx.steward.record(
            StewardAction(
                at=now,
                actor=actor,
                action="restore",
                before={},
                after={"as_of": opened.manifest.as_of.isoformat(), "closed": closed.value},
            )
        )

    def _enforce_all(self, tx: Transaction, named: dict[str, set[Early]]) -> None:
        after = 0
        while page := tx.artifacts.holdings(after=after, limit=PAGE):
            after = page[-1].artifact_id
            for holding in page:
                kinds = kinds_of(named, self._vault.subject_hashes(holding.public_id))
                if kinds and holding.state.held:
                    enforce(tx, holding.artifact_id, kinds, self._clock.now(), self._clock.earlier())
