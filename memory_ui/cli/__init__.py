"""The command line: `memory-engine ...`. Commands import what they need when they run."""

import sys

import typer

from core.errors import MemoryEngineError, Misconfigured
from memory_ui.cli import (
    appliance,
    background,
    backup,
    browser,
    certificate,
    clips,
    containers,
    demo,
    first_boot,
    release,
    serve,
    simulate,
    stewards,
    store,
)

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="A local room memory."
)
for group in (
    serve,
    background,
    demo,
    simulate,
    store,
    backup,
    stewards,
    clips,
    browser,
    certificate,
    containers,
    first_boot,
    appliance,
    release,
):
    group.add_to(app)


def main() -> None:
    """Run a command; anything refused is one clear sentence and a non-zero exit."""
    try:
        app()
    except Misconfigured as error:
        for complaint in error.complaints:
            print(f"memory-engine: {complaint}", file=sys.stderr)
        sys.exit(2)
    except MemoryEngineError as error:
        print(f"memory-engine: {error.message}", file=sys.stderr)
        sys.exit(1)
