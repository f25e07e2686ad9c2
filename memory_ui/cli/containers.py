"""`memory-engine prepare` and `memory-engine alive`: what the containers of a stack are started and asked with."""

import socket
from typing import Annotated, Literal

import typer

from core.errors import Misconfigured

Role = Annotated[Literal["worker", "scheduler"], typer.Argument(help="Which process of this machine.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("prepare")(prepare)
    app.command("alive")(alive)


def prepare() -> None:
    """Make what a node needs where it is missing, tables and bucket, and end. Again, it changes nothing."""
    from core.bootstrap import build
    from core.settings import load_settings

    build(load_settings()).close()
    print("tables and store are there")


def alive(role: Role) -> None:
    """Ask whether a worker or scheduler of the stack on this machine lives: status 0, else 1."""
    from core.bootstrap.alive import alive as heard
    from core.settings import load_settings

    settings = load_settings()
    if not settings.DATABASE_URL:
        raise Misconfigured(["DATABASE_URL: without the stack's settings jobs run inside `memory-engine serve`"])
    if not heard(settings, role=role, host=socket.gethostname()):
        print(f"no {role} of {socket.gethostname()} was heard of in {settings.HEARTBEAT_STALE_SECONDS} s")
        raise typer.Exit(1)
