"""Copies of a node: backup, restore, export; and the end of an exhibition."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memory_ui.cli.serve import DataDir

if TYPE_CHECKING:
    from core.bootstrap.restoring import Plan, Source
    from core.settings import Settings

Copy = Annotated[Path, typer.Argument(help="Folder of the copy.")]
Identity = Annotated[Path | None, typer.Option(help="File with the identity (AGE-SECRET-KEY-1...) of a recipient.")]
Phrase = Annotated[
    Path | None, typer.Option(help="File with the passphrase; else the setting, the data folder's, or asked.")
]
To = Annotated[Path | None, typer.Option(help="Folder to write into (setting BACKUP_DIR).")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree without being asked.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("export")(export)
    app.command("close-exhibition")(close_exhibition)


def backup(
    data_dir: DataDir = None,
    to: To = None,
    verify: Annotated[Path | None, typer.Option(help="Prove this copy instead of making one.")] = None,
    identity: Identity = None,
    passphrase_file: Phrase = None,
    as_json: AsJson = False,
) -> None:
    """Copy the node, running or not: database, sounds, ledger and keys, encrypted; then prove the copy."""
    from contextlib import closing

    from core.bootstrap import build
    from core.bootstrap.restoring import opened_from
    from core.settings import load_settings

    settings = load_settings(MEMORY_DATA_DIR=data_dir, BACKUP_DIR=to)
    with closing(build(settings)) as system:
        if verify is None:
            made = system.backup.make(actor="command line")
            path, opened = made.path, system.backup.shelf.just_made(made.path)
            told = {"path": str(path), "bytes": made.size_bytes, **made.manifest.to_json(), "lacking": made.lacking}
        else:
            path, opened = verify, opened_from(_source(verify, settings, identity, passphrase_file, None), settings)
            told = {"path": str(path), **opened.manifest.to_json()}
        findings = system.backup.verify(opened, path, actor="command line") if opened is not None else []
        if verify is None:
            system.backup.prune()
    whole = not findings and not told.get("lacking")
    if as_json:
        print(json.dumps({**told, "findings": findings, "ok": whole}))
    else:
        print(f"{path}: {told['artifacts']} takes, {told['objects']} sounds and pictures as of {told['as_of']}")
        print(f"encrypted ({told['sealed']}); must be gone by {told['gone_by']}, with every copy of it")
        for finding in findings:
            print(f"found: {finding}")
        print("proven: it would make a whole node" if whole else "NOT WHOLE")
    if not whole:
        raise typer.Exit(1)


def restore(
    copy: Copy,
    data_dir: DataDir = None,
    identity: Identity = None,
    passphrase_file: Phrase = None,
    ledger: Annotated[Path | None, typer.Option(help="Newest ledger.jsonl of the node the copy was made of.")] = None,
    yes: Yes = False,
) -> None:
    """Make this node, which must not be running, the one of a copy: proven first, and what is here copied before."""
    from core.bootstrap.restoring import restore_node
    from core.domain.custody import Closed
    from core.settings import load_settings

    settings = load_settings(MEMORY_DATA_DIR=data_dir)
    source = _source(copy, settings, identity, passphrase_file, ledger)

    def agreed(plan: "Plan") -> bool:
        print(f"The copy is whole. It is of {plan.manifest.node_name}, as of {plan.manifest.as_of:%Y-%m-%d %H:%M} UTC.")
        print(f"It holds {plan.manifest.artifacts} takes. This node holds {plan.held_now} now.")
        if plan.held_now:
            print("What was left here since the copy was made will be gone; a copy of it is made first.")
        return yes or typer.confirm("Restore it?", default=False)

    restored = restore_node(settings, source, actor="command line", agreed=agreed)
    if restored is None:
        print("Nothing was changed.")
        raise typer.Exit(1)
    print(f"restored {restored.artifacts} takes, {restored.objects} sounds and pictures")
    print(f"kept out by the ledger: {restored.kept_out}")
    for finding in restored.report.findings:
        print(f"{finding.kind}: {finding.subject}: {finding.detail}")
    if restored.closed is Closed.LEDGER_UNKNOWN:
        print(
            "This node is CLOSED: nobody can say what was taken back since the copy was made. Restore again with "
            "--ledger, if there is a newer ledger; else a steward opens it under /ops/."
        )
    if not restored.report.ok:
        raise typer.Exit(1)


def export(
    data_dir: DataDir = None,
    to: To = None,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="Everything, encrypted, for another node of the same steward.")
    ] = False,
    check: Annotated[Path | None, typer.Option(help="Say which files of this export must be deleted now.")] = None,
) -> None:
    """Write a folder of what may leave: figures, and what fossils left where that may be shown."""
    from contextlib import closing

    from core.bootstrap import build
    from core.domain.archiving import ArchiveKind
    from core.settings import load_settings

    settings = load_settings(MEMORY_DATA_DIR=data_dir, BACKUP_DIR=to if hand_over else None)
    with closing(build(settings)) as system:
        if check is not None:
            over = system.export.over(check)
            print("\n".join(over) if over else "nothing in it has to go yet")
            if over:
                raise typer.Exit(1)
        elif hand_over:
            made = system.backup.make(actor="command line", kind=ArchiveKind.HANDOVER)
            print(
                f"{made.path}: {made.manifest.artifacts} takes; to be taken in by {made.manifest.gone_by.isoformat()}"
            )
        else:
            print(system.export.make("command line", to=to))


def close_exhibition(
    data_dir: DataDir = None,
    hand_over: Annotated[Path | None, typer.Option(help="Folder to hand everything over in, for another node.")] = None,
    yes: Annotated[str, typer.Option(help="The node's name, to agree without being asked.")] = "",
) -> None:
    """End an exhibition: take nothing in any more, end or hand over everything, look, and write a certificate."""
    from contextlib import closing

    from core.adapters.copy import load_copy
    from core.bootstrap import build
    from core.bootstrap.custody import handover_shelf
    from core.services.closing import write_certificate
    from core.settings import load_settings

    settings = load_settings(MEMORY_DATA_DIR=data_dir)
    with closing(build(settings)) as system:
        print(
            f"{settings.NODE_NAME} holds {system.rows.held()} takes. All of them end now, for good, and every backup."
        )
        print("They are handed over first." if hand_over is not None else "Nothing is handed over.")
        if (yes or typer.prompt("Type the name of this node to go on")) != settings.NODE_NAME:
            print("Nothing was changed.")
            raise typer.Exit(1)
        shelf = handover_shelf(hand_over, settings, system.outside, system.reserve.bytes) if hand_over else None
        certificate = system.closing.close(actor="command line", hand_over_to=shelf)
        path = write_certificate(certificate, system.outside.data_dir, load_copy("en").t)
        print(path.read_text("utf-8"))
        print(path)
    if certificate.left:
        raise typer.Exit(1)


def _source(
    copy: Path, settings: "Settings", identity: Path | None, passphrase_file: Path | None, ledger: Path | None
) -> "Source":
    from core.adapters.archive import read_manifest
    from core.bootstrap.custody import known_phrase
    from core.bootstrap.restoring import Source
    from core.errors import BadArchive

    try:
        key = identity.read_text("utf-8") if identity is not None else ""
        phrase = passphrase_file.read_text("utf-8").strip() if passphrase_file is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadArchive("The file with the passphrase or identity cannot be read.") from error
    if not key and not phrase and read_manifest(copy).sealed == "passphrase":
        phrase = known_phrase(settings) or typer.prompt("Passphrase of the copy", hide_input=True)
    return Source(path=copy, phrase=phrase, identity=key, ledger=ledger)
