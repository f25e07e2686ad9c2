"""`memory-engine demo`: generated sounds for a room that has no voices yet."""

from typing import TYPE_CHECKING, Annotated

import typer

from memory_ui.cli.serve import DataDir

if TYPE_CHECKING:
    from core.services.demo import Cleared, Filled

Clear = Annotated[bool, typer.Option("--clear", help="Remove every demo sound instead.")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("demo")(demo)


def demo(data_dir: DataDir = None, clear: Clear = False) -> None:
    """Fill the room with a dozen generated sounds, or remove them; a running node need not stop."""
    from core.bootstrap import build
    from core.settings import load_settings

    system = build(load_settings(MEMORY_DATA_DIR=data_dir))
    try:
        if not clear:
            print(_filled(system.demo.fill()))
            return
        cleared = system.demo.clear()
        print(_cleared(cleared))
    finally:
        system.close()
    if cleared.waiting:
        raise typer.Exit(1)


def _filled(filled: "Filled") -> str:
    if not filled.added:
        return f"{filled.takes} demo sounds are in the room already. Nothing was done."
    minutes, seconds = divmod(round(filled.duration_ms / 1000), 60)
    return "\n".join(
        (
            f"{filled.takes} demo sounds are in the room now: {minutes} min {seconds} s in all, "
            f"the oldest {filled.oldest_age.total_seconds() / 3600:.0f} hours old.",
            f"Each ends by itself, the last at {filled.ends_by:%Y-%m-%d %H:%M} UTC; "
            "`memory-engine demo --clear` removes them now.",
        )
    )


def _cleared(cleared: "Cleared") -> str:
    if not cleared.takes:
        return "No demo sounds are in the room. Nothing was done."
    said = f"{cleared.takes} demo sounds taken out of the room, {cleared.keys - cleared.waiting} files deleted"
    if cleared.waiting:
        return f"{said}; {cleared.waiting} not verified gone yet: every sweep tries again (`memory-engine sweep`)."
    return f"{said} and verified gone."
