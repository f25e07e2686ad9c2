"""`memory-engine doctor`, `status`, `support-bundle` and `config`: how a node is set, and how it stands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memory_ui.cli.serve import DataDir

if TYPE_CHECKING:
    from memory_ui.appliance.configuration import Explained
    from memory_ui.appliance.patient import Patient

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Url = Annotated[str, typer.Option("--url", help="Where the running node is asked; else at HOST and PORT.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write; else one with the time in its name, here.")]
EnvFile = Annotated[Path | None, typer.Option("--env", help="File of settings to check, in place of .env.")]
Name = Annotated[str, typer.Argument(help="Name of the setting.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("doctor")(doctor)
    app.command("status")(status)
    app.command("support-bundle")(support_bundle)
    config = typer.Typer(no_args_is_help=True, help="The settings of a node.")
    config.command("show")(show)
    config.command("check")(check)
    config.command("explain")(explain)
    app.add_typer(config, name="config")


def doctor(data_dir: DataDir = None, url: Url = "", as_json: AsJson = False) -> None:
    """Look at everything a node needs, running or not: PASS, WARN or FAIL, each with a remedy.

    Nothing of the node is changed; its store is given one small object, which is read back and deleted at once. Exit
    status 0 where nothing failed, 1 where something did.
    """
    from memory_ui.appliance.checking import check as checked
    from memory_ui.appliance.doctor import diagnose, refused
    from memory_ui.appliance.findings import lines, ok

    found = checked(None, MEMORY_DATA_DIR=data_dir)
    if found.settings is None:
        findings = refused(found.complaints)
    else:
        with _visited(data_dir, url, found.warnings) as patient:
            findings = diagnose(patient)
    if as_json:
        print(json.dumps({"ok": ok(findings), "findings": [finding.to_json() for finding in findings]}))
    else:
        print("\n".join(lines(findings)))
    if not ok(findings):
        raise typer.Exit(1)


def status(data_dir: DataDir = None, url: Url = "", as_json: AsJson = False) -> None:
    """Say in a dozen lines how a node stands, running or not."""
    from dataclasses import asdict

    from memory_ui.appliance.status import lines, standing_of

    with _visited(data_dir, url) as patient:
        standing = standing_of(patient)
    print(json.dumps(asdict(standing)) if as_json else "\n".join(lines(standing)))


def support_bundle(data_dir: DataDir = None, url: Url = "", out: Out = None) -> None:
    """Pack what somebody who helps needs to know of a node, with nothing of anybody in it, into one file."""
    from datetime import UTC, datetime

    from memory_ui.appliance.bundle import pack
    from memory_ui.appliance.packing import contents

    now = datetime.now(UTC)
    path = out or Path(f"memory-engine-support-{now:%Y%m%d-%H%M%S}.tar.gz")
    with _visited(data_dir, url) as patient:
        pack(path, contents(patient), now)
    print(f"{path}: look into it before you send it; manifest.json says what it holds and what was left out")


def show(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Print every setting, its value, and where that came from; secrets only by whether they are set."""
    from dataclasses import asdict

    from core.settings import load_settings
    from memory_ui.appliance.configuration import shown

    rows = shown(load_settings(MEMORY_DATA_DIR=data_dir), given={"MEMORY_DATA_DIR": data_dir})
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:{width}}  {row.origin:12} {row.value}".rstrip())


def check(env: EnvFile = None) -> None:
    """Load the settings as a node would, and say everything that is wrong with them.

    Exit status 0 where a node would start, 2 where it would not.
    """
    from core.errors import Misconfigured
    from memory_ui.appliance.checking import check as checked

    if env is not None and not env.is_file():
        raise Misconfigured([f"there is no file {env}"])
    found = checked(env)
    for line in found.warnings:
        print(f"warning: {line}")
    for line in found.complaints:
        print(f"wrong: {line}")
    if found.settings is None:
        raise typer.Exit(2)
    print("A node would start with these settings.")


def explain(name: Name) -> None:
    """Say what a setting does, what it takes, and where its present value came from."""
    from core.errors import Misconfigured
    from core.settings import load_settings
    from memory_ui.appliance.configuration import explain as explained

    try:
        settings = load_settings()
    except Misconfigured:
        settings = None
    print("\n".join(_said(explained(name, settings))))


def _said(one: "Explained") -> Iterator[str]:
    from memory_ui.appliance.configuration import DOCS

    yield one.name
    yield f"  {one.description}"
    yield f"  takes    {one.takes}"
    yield f"  default  {one.default}"
    if one.present is None:
        yield "  now      not known: some setting is wrong, see `memory-engine config check`"
    else:
        yield f"  now      {one.present.value or 'empty'} (from: {one.present.origin})"
    for kind, value in one.profiles.items():
        yield f"  profile  {kind}: {value}"
    yield f"  more     {DOCS}"


@contextmanager
def _visited(data_dir: Path | None, url: str, warnings: list[str] | None = None) -> Iterator["Patient"]:
    import logging

    from core.settings import load_settings
    from memory_ui.appliance.visiting import visiting

    # What is wrong is said in the findings.
    logging.getLogger("core").addHandler(logging.NullHandler())
    with visiting(
        load_settings(MEMORY_DATA_DIR=data_dir), url=url, chromium=_chromium(), warnings=warnings or []
    ) as patient:
        yield patient


def _chromium() -> str:
    import shutil

    from memory_ui.cli.browser import NAMES

    return next((path for name in NAMES if (path := shutil.which(name)) is not None), "")
