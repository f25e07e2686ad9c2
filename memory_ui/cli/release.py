"""The version of a node: migrate, look whether it works, update, and go back."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import Refused
from memory_ui.cli.serve import DataDir

if TYPE_CHECKING:
    from memory_ui.appliance.tools import Supervisor
    from memory_ui.appliance.updating import Updater

Root = Annotated[Path, typer.Option("--root", help="Folder of the releases.")]
Service = Annotated[
    list[str] | None,
    typer.Option("--service", help="Service of the system to stop and start; may be repeated. Else all that run here."),
]
Start = Annotated[str, typer.Option("--start", help="Command that starts the node, where systemd does not.")]
Stop = Annotated[str, typer.Option("--stop", help="Command that stops it, and returns once it has ended.")]
Url = Annotated[str, typer.Option("--url", help="Where the node answers; else this machine, at the setting PORT.")]
Environment = Annotated[
    Path | None, typer.Option("--environment", help="File with the services' settings; else /etc's, where it is.")
]
Wait = Annotated[float, typer.Option("--wait", help="Seconds a started node is given until it is ready.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look.")]

ROOT = Path("/srv/memory-engine")
SETTINGS_FILE = Path("/etc/memory-engine/environment")
SERVICE_DATA = Path("/var/lib/memory-engine")
READY_S = 120.0


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("migrate")(migrate)
    app.command("smoke")(smoke)
    app.command("update")(update)
    app.command("rollback")(rollback)


def migrate(data_dir: DataDir = None, dry_run: DryRun = False) -> None:
    """Bring the database to the schema of this version, and do nothing else; an embedded node must not be running."""
    from core.bootstrap.migrating import look
    from core.bootstrap.migrating import migrate as carry_out
    from core.settings import load_settings

    settings = load_settings(MEMORY_DATA_DIR=data_dir)
    found = look(settings) if dry_run else carry_out(settings)
    before = found.before or "none"
    if found.ahead:
        print(f"the schema is {before}, newer than this version's {found.own}, which runs on it as it is")
    elif dry_run or found.before == found.after:
        more = "nothing is missing" if found.before == found.own else f"would be brought to {found.own}"
        print(f"the schema is {before}: {more}")
    else:
        print(f"the schema was {before} and is {found.after}")


def smoke(url: Url = "") -> None:
    """See whether the running node records, plays and takes back; what it records is taken back again."""
    from core.settings import load_settings
    from memory_ui.appliance.smoke import Smoke

    Smoke(url or _own_url(load_settings().PORT), print).run()
    print("the node does what it is there for")


def update(
    archive: Annotated[Path | None, typer.Argument(help="Release archive; its .sha256 lies beside it.")] = None,
    root: Root = ROOT,
    service: Service = None,
    start: Start = "",
    stop: Stop = "",
    url: Url = "",
    environment: Environment = None,
    data_dir: DataDir = None,
    sha256: Annotated[str, typer.Option(help="Checksum of the archive, where no file beside it says it.")] = "",
    allow_older: Annotated[bool, typer.Option("--allow-older", help="The archive may be of an older version.")] = False,
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Make no copy of the node before.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an update that was interrupted.")] = False,
    dry_run: DryRun = False,
    wait: Wait = READY_S,
) -> None:
    """Update the node to the version of a release archive, without network; it goes back by itself where that fails.

    Exit status 0 where the node is on the new version, 1 where it is on the old one and well, 2 where somebody has to
    look.
    """
    from memory_ui.appliance.steps import Wanted

    if resume == (archive is not None):
        raise Refused("Give the archive to update to, or --resume.")
    updater = _updater(root, service, start, stop, url, environment, data_dir, wait)
    if archive is None:
        raise typer.Exit(updater.resume())
    wanted = Wanted(
        archive=archive.absolute(), sha256=sha256, allow_older=allow_older, backup=not no_backup, dry_run=dry_run
    )
    raise typer.Exit(updater.update(wanted))


def rollback(
    root: Root = ROOT,
    service: Service = None,
    start: Start = "",
    stop: Stop = "",
    url: Url = "",
    environment: Environment = None,
    data_dir: DataDir = None,
    wait: Wait = READY_S,
) -> None:
    """Go back to the version before; the database stays as it is, and no take is given up. Exit status as of update."""
    raise typer.Exit(_updater(root, service, start, stop, url, environment, data_dir, wait).rollback())


def _updater(
    root: Path,
    service: list[str] | None,
    start: str,
    stop: str,
    url: str,
    environment: Path | None,
    data_dir: Path | None,
    wait: float,
) -> "Updater":
    from core.adapters.outside import DataDisk
    from core.bootstrap.figures import reserve_of
    from core.settings import load_settings
    from memory_ui.appliance.releases import Releases
    from memory_ui.appliance.tools import HttpLook, ReleaseCommands, read_environment
    from memory_ui.appliance.updating import Updater

    file = environment or (SETTINGS_FILE if SETTINGS_FILE.exists() else None)
    if file is not None:
        # What the services are given counts before what this shell happens to have.
        os.environ.update(read_environment(file))
    if data_dir is None and not start and "MEMORY_DATA_DIR" not in os.environ:
        data_dir = SERVICE_DATA  # as the units say it
    settings = load_settings(MEMORY_DATA_DIR=data_dir)
    root = root.absolute()
    if not root.is_dir():
        raise Refused(f"There is no folder {root}: begin with the archive's own install.py.")
    releases, say = Releases(root), _lasting(print)
    folder = settings.MEMORY_DATA_DIR.expanduser().absolute()
    return Updater(
        releases,
        _supervisor(service, start, stop, stack=bool(settings.DATABASE_URL), say=say),
        ReleaseCommands(releases, os.environ, folder),
        HttpLook(
            url or _own_url(settings.PORT),
            wait_s=wait,
            now=lambda: datetime.now(UTC),
            say=lambda line: say(f"    {line}"),
        ),
        reserve_of(settings, DataDisk(root)),
        say,
    )


def _supervisor(
    service: list[str] | None, start: str, stop: str, *, stack: bool, say: Callable[[str], None]
) -> "Supervisor":
    from memory_ui.appliance.tools import SERVICE, ByCommands, Systemd, enabled_services

    if bool(start) != bool(stop) or (start and service):
        raise Refused("Give --start and --stop together, or --service, or none of them.")
    if start:
        return ByCommands(start, stop)
    if not service and stack:
        # A worker that is left running would be of the version before, whatever the node says of itself.
        service = enabled_services()
        say(f"Services of this machine: {', '.join(service)}.")
    return Systemd(service or [SERVICE])


def _own_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _lasting(show: Callable[..., Any]) -> Callable[[str], None]:
    """Say a line, and go on where nobody listens any more: a terminal that is closed stops no update halfway."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def say(line: str) -> None:
        try:
            show(line, flush=True)
        except OSError:
            return

    return say
