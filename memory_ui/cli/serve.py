"""`memory-engine serve`: the embedded engine in one process."""

import errno
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import Misconfigured

if TYPE_CHECKING:
    from core.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on (setting HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (setting PORT).")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the node (setting MEMORY_DATA_DIR).")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve")(serve)


def serve(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Serve kiosk, room and ops until stopped; with the stack's settings, as one of its web instances."""
    from core.adapters.folder import using
    from core.settings import load_settings, prepare_data_dir
    from memory_ui.cli.logs import set_up

    settings = load_settings(HOST=host, PORT=port, MEMORY_DATA_DIR=data_dir)
    set_up(settings.LOG_LEVEL)
    # Bound before anything is opened: a second node on the same port must not touch the first one's data.
    listener = _bind(settings.HOST, settings.PORT)
    data_dir = prepare_data_dir(settings.MEMORY_DATA_DIR)
    with ExitStack() as held:
        if not settings.DATABASE_URL:
            held.enter_context(using(data_dir, alone=False))
        _serve(settings, listener)


def _serve(settings: "Settings", listener: socket.socket) -> None:
    import uvicorn

    from core.bootstrap import STEWARD_SECRET_FILE, build
    from jobs.inprocess import running
    from jobs.stack import kicking
    from memory_ui.app import create_app

    system = build(settings)
    # The stack's workers and schedulers are processes of their own.
    app = create_app(system, kicking if settings.DATABASE_URL else running)
    secret = (
        "the setting OPS_SHARED_SECRET"
        if settings.OPS_SHARED_SECRET
        else str(system.outside.data_dir / STEWARD_SECRET_FILE)
    )
    print(_welcome(settings.NODE_NAME, settings.HOST, settings.PORT, secret), flush=True)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        **forwarding(settings),
        timeout_graceful_shutdown=5,
        ws_max_size=1 << 20,
    )
    uvicorn.Server(config).run(sockets=[listener])


def forwarding(settings: "Settings") -> dict[str, Any]:
    """The server's options of whose word about a visitor's address and scheme it takes.

    Proxies named in the settings, and nobody else: budgets, lockouts and the networks of stewards rest on addresses.
    """
    from core.domain.access import networks

    trusted = [str(network) for network in networks(settings.TRUSTED_PROXIES)]
    return {"proxy_headers": bool(trusted), "forwarded_allow_ips": trusted}


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except socket.gaierror as error:
        raise Misconfigured([f"HOST: {host} is not an address of this machine"]) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured([f"PORT: port {port} on {host} is taken by another program"]) from error
        reason = error.strerror or "it cannot be used"
        raise Misconfigured([f"HOST, PORT: cannot listen on {host} port {port}: {reason}"]) from error
    return listener


def _welcome(name: str, host: str, port: int, secret: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}"  # noqa: S104 -- compared, not bound
    return "\n".join(
        (
            "",
            f"  {name} is open.",
            "",
            f"  kiosk    {base}/kiosk/",
            f"  room     {base}/room/",
            f"  ops      {base}/ops/",
            f"  secret   {secret}",
            "",
        )
    )
