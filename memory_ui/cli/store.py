"""Maintenance of a node's data: sweep, audit, and the move to the stack."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from memory_ui.cli.serve import DataDir

AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Quick = Annotated[bool, typer.Option("--quick", help="Leave out the hashes: no take is read again.")]


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


def audit(data_dir: DataDir = None, as_json: AsJson = False, quick: Quick = False) -> None:
    """Compare database and store: orphans, missing bytes, wrong hashes, overdue deletions, broken promises."""
    from core.bootstrap import build
    from core.settings import load_settings

    system = build(load_settings(MEMORY_DATA_DIR=data_dir))
    report = system.audit.run(hashes=not quick)
    system.close()
    if as_json:
        print(json.dumps({**asdict(report), "ok": report.ok}))
    else:
        print(
            f"{report.artifacts} artifacts, {report.objects} objects, {report.tombstones} tombstones, "
            f"{report.hashes} hashes compared"
        )
        for finding in report.findings:
            print(f"{finding.kind}: {finding.subject}: {finding.detail}")
        print("nothing is wrong" if report.ok else f"{len(report.findings)} findings")
    if not report.ok:
        raise typer.Exit(1)


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
