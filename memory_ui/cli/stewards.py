"""`memory-engine steward` and `memory-engine secret`: who may sign in under /ops/."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.domain.access import Role
from core.errors import Conflict
from memory_ui.cli.serve import DataDir

if TYPE_CHECKING:
    from core.bootstrap import System

Name = Annotated[str, typer.Argument(help="The steward's name, as the audit trail shows it.", show_default=False)]
AsRole = Annotated[
    Role, typer.Option("--role", help="`steward` may change everything, `curator` may look.", show_default=False)
]
Rotate = Annotated[bool, typer.Option("--rotate", help="Write a new one; whoever came with the old one is signed out.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    named = typer.Typer(no_args_is_help=True, help="Stewards with a name and a secret of their own.")
    named.command("add")(add)
    named.command("list")(list_)
    named.command("renew")(renew)
    named.command("remove")(remove)
    app.add_typer(named, name="steward")
    app.command("secret")(secret)


def add(name: Name, role: AsRole, data_dir: DataDir = None) -> None:
    """Name a steward, and print the secret they sign in with: once, for it is kept as a hash only."""
    from core.services.access import COMMAND_LINE

    with opened(data_dir) as system:
        made = system.access.add(name, role, actor=COMMAND_LINE)
    print(f"{name} may sign in as a {role}. This is the secret; it is not shown again:\n\n{made}")


def list_(data_dir: DataDir = None) -> None:
    """Print every named steward: name, role, since when."""
    with opened(data_dir) as system:
        stewards = system.access.stewards()
    if not stewards:
        print("Nobody has a secret of their own yet.")
    width = max((len(steward.name) for steward in stewards), default=0)
    for steward in stewards:
        print(f"{steward.name:{width}}  {steward.role:7}  since {steward.created_at:%Y-%m-%d}")


def renew(name: Name, data_dir: DataDir = None) -> None:
    """Give a steward a new secret, and print it once; they are signed out wherever they are signed in."""
    from core.services.access import COMMAND_LINE

    with opened(data_dir) as system:
        made = system.access.renew(name, actor=COMMAND_LINE)
    print(f"{name} is signed out, and signs in with this secret from now on; it is not shown again:\n\n{made}")


def remove(name: Name, data_dir: DataDir = None) -> None:
    """Forget a steward and end their sessions; what they did stays in the audit trail under their name."""
    from core.services.access import COMMAND_LINE

    with opened(data_dir) as system:
        system.access.remove(name, actor=COMMAND_LINE)
    print(f"{name} is signed out and cannot sign in any more.")


def secret(data_dir: DataDir = None, rotate: Rotate = False) -> None:
    """Print where the stewards' shared secret is, not the secret itself; or write a new one into the data folder."""
    from core.bootstrap import STEWARD_SECRET_FILE
    from core.settings import load_settings

    settings = load_settings(MEMORY_DATA_DIR=data_dir)
    path = settings.MEMORY_DATA_DIR.expanduser().resolve() / STEWARD_SECRET_FILE
    if settings.OPS_SHARED_SECRET:
        if rotate:
            raise Conflict("The setting OPS_SHARED_SECRET gives the shared secret; change it there and start again.")
        print("The shared secret is the setting OPS_SHARED_SECRET.")
    elif rotate:
        _rotate(data_dir, path)
        print(f"A new shared secret is in {path}. Whoever came with the old one is signed out.")
    else:
        print(_whereabouts(path))


def _rotate(data_dir: Path | None, path: Path) -> None:
    from core.adapters.vault import write_secret
    from core.services.access import COMMAND_LINE, new_secret

    with opened(data_dir) as system:
        # The file first: sessions made with the old secret end with it, whatever happens next.
        write_secret(path, new_secret() + "\n")
        system.access.shared_secret_changed(actor=COMMAND_LINE)


def _whereabouts(path: Path) -> str:
    from core.adapters.vault import read_secret

    if read_secret(path):
        return f"The shared secret is in {path}."
    if path.exists():
        return f"{path} holds no shared secret, so nobody can sign in with one; --rotate writes one."
    return f"There is no shared secret yet; the first start writes one into {path}."


@contextmanager
def opened(data_dir: Path | None) -> Iterator["System"]:
    """A node of a data folder, closed in the end."""
    from core.bootstrap import build
    from core.settings import load_settings

    system = build(load_settings(MEMORY_DATA_DIR=data_dir))
    try:
        yield system
    finally:
        system.close()
