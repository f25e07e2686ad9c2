"""`memory-engine first-boot`: the environment of a new node, with secrets of its own, and the node started with it."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from core.errors import Unavailable
from memory_ui.appliance.first_boot import Engine, Tls

PLACES = {Engine.STACK: Path(".env"), Engine.EMBEDDED: Path("/etc/memory-engine/environment")}

PublicHost = Annotated[
    str, typer.Option("--public-host", help="Name or address browsers reach it by.", show_default=False)
]
AsTls = Annotated[Tls, typer.Option("--tls", help="Who vouches for it: its own authority, a public one, or a proxy's.")]
AsEngine = Annotated[Engine, typer.Option("--engine", help="Containers (compose.yaml), or one process.")]
Env = Annotated[Path | None, typer.Option("--env", help="The file; else .env, or /etc/memory-engine/environment.")]
Deploy = Annotated[bool, typer.Option("--deploy", help="Start the node when the file is written.")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("first-boot")(first_boot)


def first_boot(
    public_host: PublicHost,
    tls: AsTls = Tls.INTERNAL,
    engine: AsEngine = Engine.STACK,
    env: Env = None,
    deploy: Deploy = False,
) -> None:
    """Write what a new node needs, with fresh secrets, and say what to do next. What stands in the file is kept."""
    from memory_ui.appliance.first_boot import completed, deploying, next_steps, read, wish_of, write

    wish, place = wish_of(public_host, tls, engine), env or PLACES[engine]
    found = completed(read(place), wish)
    write(place, found.text)
    print(f"{place}: {len(found.added)} values written, {len(found.values) - len(found.added)} kept")
    if found.otherwise:
        print(f"kept, although asked otherwise: {', '.join(found.otherwise)}")
    if deploy:
        start(deploying(engine))
    for step in next_steps(wish, found.values, started=deploy):
        print(f"  {step}")


def start(
    command: Sequence[str],
    *,
    found: Callable[[str], str | None] = shutil.which,
    run: Callable[[Sequence[str]], int] = lambda command: subprocess.run(command, check=False).returncode,  # noqa: S603
) -> None:
    """Run a command with its output where it is seen; raises `Unavailable` where it is missing or fails."""
    if found(command[0]) is None:
        raise Unavailable(
            f"The file is written, but {command[0]} is missing here: install it, then run {' '.join(command)}"
        )
    print(f"running {' '.join(command)}", flush=True)
    if status := run(command):
        raise Unavailable(f"{' '.join(command)} ended with {status}; the file is written, so it can be run again.")
