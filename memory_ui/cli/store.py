"""Maintenance of a node's data: sweep, audit, and the move to the stack."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from memory_ui.cli.serve import DataDir

if TYPE_CHECKING:
    from core.services.audit import AuditReport

AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Quick = Annotated[bool, typer.Option("--quick", help="Leave out the hashes: no take is read again.")]
Mend = Annotated[bool, typer.Option("--repair", help="Mend what is safe to mend, then look again.")]
COMMAND_LINE = "command line"
"""Who has done it, for the trail and for reports."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("sweep")(sweep)
    app.command("audit")(audit)
    app.command("move")(move)


def sweep(data_dir: DataDir = None) -> None:
    """End every right that is over and delete what is due, now."""
    from core.bootstrap import build
    from core.settings import load_settings

    system = build(load_settings(MEMORY_DATA_DIR=data_dir))
    expired = system.retention.expire()
    pruned = system.retention.prune_derivatives()
    gone = system.retention.sweep()
    waiting = system.retention.waiting()
    print(f"ended {expired}, derivatives ended {pruned}, deleted {gone}, still waiting {waiting.due}")
    system.close()
    if waiting.failing:
        raise typer.Exit(1)


def audit(data_dir: DataDir = None, as_json: AsJson = False, quick: Quick = False, repair: Mend = False) -> None:
    """Compare database, store and ledger: orphans, missing bytes, wrong hashes, overdue deletions, broken promises.

    Exit status 0 where nothing is wrong, 1 where something is, or is left after a repair.
    """
    from contextlib import closing

    from core.bootstrap import build
    from core.errors import Conflict
    from core.settings import load_settings

    with closing(build(load_settings(MEMORY_DATA_DIR=data_dir))) as system:
        try:
            report = system.audits.run(actor=COMMAND_LINE, repair=repair, hashes=not quick)
        except Conflict:
            # Looking on is always possible; it is only reported once.
            if repair:
                raise
            report = system.audit.run()
    if as_json:
        print(json.dumps({**asdict(report), "ok": report.ok}))
    else:
        _tell(report)
    if not report.ok:
        raise typer.Exit(1)


def _tell(report: "AuditReport") -> None:
    """What was looked at, mended and found, and what to do about each kind of finding."""
    from core.adapters.copy import load_copy
    from core.domain.auditing import Wrong

    copy = load_copy("en")
    print(
        f"{report.artifacts} artifacts, {report.objects} objects, {report.tombstones} tombstones, "
        f"{report.hashes} hashes compared, {report.entries} entries of the ledger"
    )
    for found in report.repaired:
        print(f"mended: {found.kind}: {found.subject}")
    for finding in report.findings:
        print(f"{finding.kind}: {finding.subject}: {finding.detail}")
    for note in report.notes:
        print(f"note: {note}")
    kinds = {finding.kind for finding in report.findings}
    for kind in (kind for kind in Wrong if kind in kinds):
        todo = copy.t(f"ops.wrong_{kind.name.lower()}_todo")
        print(f"what to do, {kind}: {todo}")
    print("nothing is wrong" if report.ok else f"{len(report.findings)} findings")


def move(data_dir: DataDir = None) -> None:
    """Move the embedded node of a data folder to the stack the settings name; it must not be running."""
    from core.bootstrap import build
    from core.bootstrap.move import move_to
    from core.errors import Misconfigured
    from core.settings import load_settings

    settings = load_settings()
    if not settings.DATABASE_URL:
        raise Misconfigured(["DATABASE_URL: the settings name no stack to move to"])
    source = (data_dir or settings.MEMORY_DATA_DIR).expanduser().resolve()
    system = build(settings)
    moved = move_to(system, source)
    system.close()
    for table, count in moved.rows.items():
        print(f"{table:16} {count:8} rows")
    print(f"{'sounds':16} {moved.objects:8} objects")
    if moved.findings:
        print(f"the audit of the stack has {moved.findings} findings; the old node was left as it is")
        raise typer.Exit(1)
    print("the audit of the stack found nothing wrong; the old copy was deleted")
