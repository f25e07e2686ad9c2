"""Audits as a node carries them out: with progress, a report, and repair where it was asked for."""

from collections import Counter
from typing import Any

from core.domain.auditing import LEFT_TO_A_STEWARD, Finding
from core.domain.custody import Care
from core.services.audit import Audit, AuditReport, Step
from core.services.care import CareService
from core.services.ledger import NODE
from core.services.repair import Repair

ROUNDS = 3
"""What one round of repair uncovers the next one mends; what three have not mended is told."""

TOLD = 20


class AuditService:
    """One audit at a time, and what came of it kept for whoever looks later."""

    def __init__(self, audit: Audit, repair: Repair, care: CareService) -> None:
        self._audit = audit
        self._repair = repair
        self._care = care

    def run(self, actor: str = NODE, *, repair: bool = False, hashes: bool = True) -> AuditReport:
        """Audit, mend what may be mended where that is asked for, and audit again; reported unless it is a quick one.

        Raises `Unavailable`, and `Conflict` where another is under way.
        """
        if not hashes:
            return self._run(actor, repair, hashes, _unwatched)
        with self._care.reporting(Care.AUDIT, actor=actor) as progress:
            report = self._run(actor, repair, hashes, progress.step)
            progress.summary = summary(report)
            progress.ok = report.ok
        return report

    def _run(self, actor: str, repair: bool, hashes: bool, step: Step) -> AuditReport:
        report = self._audit.run(hashes=hashes, step=step)
        tried: list[Finding] = []
        for _ in range(ROUNDS if repair else 0):
            mended = self._repair.mend(report.findings, actor=actor)
            if not mended:
                break
            tried += mended
            report = self._audit.run(hashes=hashes, step=step)
        left = {(found.kind, found.subject) for found in report.findings}
        report.repaired = [found for found in tried if (found.kind, found.subject) not in left]
        return report


def summary(report: AuditReport) -> dict[str, Any]:
    """A report as it is kept: counts, and the first of what was found."""
    return {
        "artifacts": report.artifacts,
        "objects": report.objects,
        "tombstones": report.tombstones,
        "hashes": report.hashes,
        "entries": report.entries,
        "findings": len(report.findings),
        "kinds": _counted(report.findings),
        "first": [
            {
                "kind": found.kind.value,
                "name": found.kind.name.lower(),
                "subject": found.subject,
                "detail": found.detail,
            }
            for found in report.findings[:TOLD]
        ],
        "repaired": _counted(report.repaired),
        "mendable": any(found.kind not in LEFT_TO_A_STEWARD for found in report.findings),
        "notes": report.notes,
        "ok": report.ok,
    }


def _counted(findings: list[Finding]) -> dict[str, int]:
    return dict(Counter(found.kind.value for found in findings))


def _unwatched(_done: int, _total: int) -> None:
    return None
