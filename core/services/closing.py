"""The end of an exhibition: every right ends or is handed over, nothing is left here, and a certificate says so."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.archiving import ArchiveKind
from core.domain.artifact import State
from core.domain.custody import Care, Closed, Early, may_sound
from core.domain.work import Signal
from core.errors import BadArchive, Conflict
from core.ports.archiving import Shelf
from core.ports.outside import ByteStore, NodeClock
from core.ports.work import UnitOfWork
from core.services.audit import Audit
from core.services.backup import BackupService, Made
from core.services.care import CareService
from core.services.export import ExportService
from core.services.ledger import shut
from core.services.retention import Retention, bury_all

PAGE = 500
CERTIFICATE = "certificate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What was deleted and what was handed over. `left` lists what could not be verified gone; empty where all is.

    `by_mode` counts artifacts that ended here by what had been promised; `copies_elsewhere_by` is the hour by which
    copies somebody took elsewhere must be gone; `handed_over` names the copy another node takes in, with the sum that
    tells it from every other.
    """

    node: str
    began_at: datetime
    ended_at: datetime
    by_mode: dict[str, int]
    objects_deleted: int
    copies_deleted: int
    exports_deleted: int
    copies_elsewhere_by: datetime | None
    handed_over: dict[str, Any] | None
    left: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "node": self.node,
            "began_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
            "by_mode": self.by_mode,
            "objects_deleted": self.objects_deleted,
            "copies_deleted": self.copies_deleted,
            "exports_deleted": self.exports_deleted,
            "copies_elsewhere_by": self.copies_elsewhere_by.isoformat() if self.copies_elsewhere_by else None,
            "handed_over": self.handed_over,
            "left": list(self.left),
            "complete": not self.left,
        }


class ClosingService:
    """Closes an exhibition for good. May be called again until nothing is left."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        clock: NodeClock,
        care: CareService,
        retention: Retention,
        audit: Audit,
        backup: BackupService,
        export: ExportService,
        *,
        node_name: str,
    ) -> None:
        self._work = work
        self._store = store
        self._clock = clock
        self._care = care
        self._retention = retention
        self._audit = audit
        self._backup = backup
        self._export = export
        self._node_name = node_name

    def close(self, *, actor: str, hand_over_to: Shelf | None = None) -> Certificate:
        """Take nothing in any more, hand over if asked, end and delete everything, look whether it is gone.

        What is handed over is proven before anything here ends. Raises `BadArchive` where that fails, `DiskReserve`.
        """
        began_at = self._clock.now()
        with self._care.reporting(Care.CLOSING, actor=actor) as progress:
            with self._work.write() as tx:
                shut(tx, Closed.EXHIBITION, actor, began_at)
            handed_over = self._hand_over(hand_over_to, actor) if hand_over_to is not None else None
            by_mode = self._end_all()
            objects = self._sweep()
            elsewhere = max((one.manifest.gone_by for one in self._backup.shelf.archives()), default=None)
            copies, exports = self._backup.remove_all(), self._export.remove_all()
            certificate = Certificate(
                node=self._node_name,
                began_at=began_at,
                ended_at=self._clock.now(),
                by_mode=by_mode,
                objects_deleted=objects,
                copies_deleted=copies,
                exports_deleted=exports,
                copies_elsewhere_by=elsewhere,
                handed_over=handed_over,
                left=tuple(self._left()),
            )
            progress.summary.update(certificate.to_json())
            progress.ok = not certificate.left
        return certificate

    def _hand_over(self, shelf: Shelf, actor: str) -> dict[str, Any]:
        made = self._backup.make(actor=actor, kind=ArchiveKind.HANDOVER, shelf=shelf)
        opened = shelf.just_made(made.path)
        if opened is None:
            raise Conflict("What is to be handed over could not be looked at.")
        findings = self._backup.verify(opened, made.path, actor=actor)
        if findings or made.lacking:
            raise BadArchive(f"What is to be handed over is not whole: {(findings or ['sounds are missing'])[0]}")
        return _handed(made)

    def _end_all(self) -> dict[str, int]:
        ended: Counter[str] = Counter()
        after = 0
        while True:
            with self._work.read() as tx:
                page = tx.artifacts.holdings(after=after, limit=PAGE)
            if not page:
                return dict(ended)
            after = page[-1].artifact_id
            ended.update(filter(None, (self._end(one.artifact_id) for one in page if one.state.held)))

    def _end(self, artifact_id: int) -> str:
        now = self._clock.now()
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(artifact_id)
            if artifact is None or not artifact.state.held:
                return ""
            bury_all(tx, artifact, "closing", self._clock.earlier())
            tx.artifacts.end(artifact_id, State.EXPIRED, now)
            # Before its hour: no copy of this node may bring it back here.
            tx.ended_early(Early.REMOVE, artifact, now)
            tx.signal(Signal.POOL, dropped=[artifact_id])
        return artifact.mode.value

    def _sweep(self) -> int:
        gone = 0
        while swept := self._retention.sweep():
            gone += swept
        return gone

    def _left(self) -> list[str]:
        left = [f"{one.kind}: {one.subject}" for one in self._audit.run(hashes=False).findings]
        waiting = self._retention.waiting()
        if waiting.due:
            left.append(f"{waiting.due} deletions are still being retried")
        stored = sum(1 for key in self._store.keys("") if may_sound(key))
        if stored:
            left.append(f"{stored} sounds or pictures are still in the store")
        return left


def certificate_text(certificate: Certificate, say: Callable[..., str]) -> str:
    """The certificate in words, for paper."""
    deleted = ", ".join(f"{count} {mode}" for mode, count in sorted(certificate.by_mode.items())) or "0"
    handed = certificate.handed_over
    over = say("certificate.handed", **handed) if handed is not None else say("certificate.not_handed")
    left = "\n".join(f"  {one}" for one in certificate.left)
    complete = say("certificate.complete") if not certificate.left else say("certificate.left", left=left)
    return say(
        "certificate.whole",
        node=certificate.node,
        began=_day(certificate.began_at),
        ended=_day(certificate.ended_at),
        deleted=deleted,
        objects=certificate.objects_deleted,
        copies=certificate.copies_deleted,
        exports=certificate.exports_deleted,
        elsewhere=_day(certificate.copies_elsewhere_by) or say("certificate.none"),
        handed=over,
        complete=complete,
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else ""


def write_certificate(certificate: Certificate, folder: Path, say: Callable[..., str]) -> Path:
    """Both forms of it, beside each other; the path of the readable one."""
    name = f"{CERTIFICATE}-{certificate.ended_at:%Y%m%dT%H%M%SZ}"
    (folder / f"{name}.json").write_text(json.dumps(certificate.to_json(), indent=2) + "\n", "utf-8")
    path = folder / f"{name}.txt"
    path.write_text(certificate_text(certificate, say) + "\n", "utf-8")
    return path


def _handed(made: Made) -> dict[str, Any]:
    manifest = made.manifest
    return {
        "path": made.path.name,
        "artifacts": manifest.artifacts,
        "objects": manifest.objects,
        "as_of": manifest.as_of.isoformat(),
        "gone_by": manifest.gone_by.isoformat(),
        "sum": made.sum,
    }
