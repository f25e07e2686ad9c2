"""Small maintenance commands on a node's data."""

import typer


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("sweep")(sweep)


def sweep() -> None:
    """End every right that is over and delete what is due, now."""
    from core.bootstrap import build
    from core.settings import load_settings

    system = build(load_settings())
    expired = system.retention.expire()
    gone = system.retention.sweep()
    waiting = system.stewardship.posture().tombstones
    print(f"ended {expired}, deleted {gone}, still waiting {waiting.due}")
    system.close()
    if waiting.failing:
        raise typer.Exit(1)
