"""`memory-engine certificate`: what a node that serves HTTPS itself is trusted by."""

import sys
from typing import Annotated

import typer

from memory_ui.cli.serve import DataDir

Pem = Annotated[bool, typer.Option("--pem", help="Print the root certificate itself, to be put into a file.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree without being asked.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    named = typer.Typer(no_args_is_help=True, help="The certificate of a node that serves HTTPS itself.")
    named.command("show")(show)
    named.command("renew")(renew)
    named.command("new-root")(new_root)
    app.add_typer(named, name="certificate")


def show(data_dir: DataDir = None, pem: Pem = False) -> None:
    """Print the fingerprint of the root, to compare with what a device shows, and until when all of it is good."""
    from memory_ui.cli.stewards import opened

    with opened(data_dir) as system:
        standing = system.certificates.standing()
    if pem:
        sys.stdout.write(standing.root.pem)
        return
    print(f"fingerprint  {standing.root.grouped}  (SHA-256)")
    print(f"root         good until {standing.root.span.ends:%Y-%m-%d}")
    if standing.leaf is None:
        print("certificate  none that is good; the next start makes one")
        return
    print(f"certificate  good until {standing.leaf.span.ends:%Y-%m-%d}, renewed by itself")
    for name in (*sorted(standing.leaf.names.hosts), *sorted(standing.leaf.names.addresses)):
        print(f"             {name}")


def renew(data_dir: DataDir = None) -> None:
    """Make a new certificate of the same root; a node that runs shows it within seconds."""
    from memory_ui.addresses import certified
    from memory_ui.cli.stewards import opened

    with opened(data_dir) as system:
        system.certificates.keep(certified(system.settings), asked=True)
        leaf = system.certificates.standing().leaf
    assert leaf is not None, "it was made a moment ago"
    print(f"A new certificate is good until {leaf.span.ends:%Y-%m-%d}. Whoever trusts the root trusts it.")


def new_root(data_dir: DataDir = None, yes: Yes = False) -> None:
    """Make another certificate authority. Every device has to be told to trust it."""
    from memory_ui.addresses import certified
    from memory_ui.cli.stewards import opened

    if not yes:
        typer.confirm("Every device that trusts this node stops doing so. Make another authority?", abort=True)
    with opened(data_dir) as system:
        root = system.certificates.new_root(certified(system.settings))
    print(f"fingerprint  {root.grouped}  (SHA-256)")
    print("Tell every device to trust it: /certificate/ says how.")
