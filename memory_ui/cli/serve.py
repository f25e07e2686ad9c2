"""`memory-engine serve`: the embedded engine in one process."""

import errno
import socket
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import Misconfigured

if TYPE_CHECKING:
    from core.bootstrap import System
    from core.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on (setting HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (setting PORT).")]


class Tls(StrEnum):
    """As the setting TLS has it."""

    OFF = "off"
    INTERNAL = "internal"


AsTls = Annotated[Tls | None, typer.Option("--tls", help="Serve HTTPS by an authority of its own (setting TLS).")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the node (setting MEMORY_DATA_DIR).")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve")(serve)


def serve(host: Host = None, port: Port = None, data_dir: DataDir = None, tls: AsTls = None) -> None:
    """Serve kiosk, room and ops until stopped; with the stack's settings, as one of its web instances."""
    from core.adapters.folder import using
    from core.settings import load_settings, prepare_data_dir
    from memory_ui.cli.allocator import give_back
    from memory_ui.cli.logs import set_up

    settings = load_settings(HOST=host, PORT=port, MEMORY_DATA_DIR=data_dir, TLS=tls and tls.value)
    set_up(settings.LOG_LEVEL)
    give_back()
    # Bound before anything is opened: a second node on the same port must not touch the first one's data.
    listener = _bind(settings.HOST, settings.PORT)
    beside = settings.TLS != "off" and settings.CERTIFICATE_PORT
    plain = _bind(settings.HOST, settings.CERTIFICATE_PORT, "CERTIFICATE_PORT") if beside else None
    data_dir = prepare_data_dir(settings.MEMORY_DATA_DIR)
    with ExitStack() as held:
        if not settings.DATABASE_URL:
            held.enter_context(using(data_dir, alone=False))
        _serve(settings, listener, plain)


def _serve(settings: "Settings", listener: socket.socket, plain: socket.socket | None) -> None:
    import uvicorn

    from core.bootstrap import build
    from jobs.inprocess import running
    from jobs.stack import kicking
    from memory_ui.app import certificate_app, create_app
    from memory_ui.cli.allocator import settle
    from memory_ui.tls import Secured

    system = build(settings)
    # The stack's workers and schedulers are processes of their own.
    background = kicking if settings.DATABASE_URL else running
    secured = Secured(system, certificate_app(system), plain) if system.certificates.used else None
    app = create_app(system, background if secured is None else secured.beside(background))
    print(_welcome(settings, _secret(system)), flush=True)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        **forwarding(settings),
        timeout_graceful_shutdown=5,
        ws_max_size=1 << 20,
        ssl_context_factory=None if secured is None else lambda *_: secured.context,
    )
    settle()
    # Ctrl-C is how a person stops a node. It comes here again when everything has been closed, and nothing has failed.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _secret(system: "System") -> str:
    from core.bootstrap import STEWARD_SECRET_FILE

    if system.settings.OPS_SHARED_SECRET:
        return "the setting OPS_SHARED_SECRET"
    return str(system.outside.data_dir / STEWARD_SECRET_FILE)


def forwarding(settings: "Settings") -> dict[str, Any]:
    """The server's options of whose word about a visitor's address and scheme it takes.

    Proxies named in the settings, and nobody else: budgets, lockouts and the networks of stewards rest on addresses.
    """
    from core.domain.access import networks

    trusted = [str(network) for network in networks(settings.TRUSTED_PROXIES)]
    return {"proxy_headers": bool(trusted), "forwarded_allow_ips": trusted}


def _bind(host: str, port: int, setting: str = "PORT") -> socket.socket:
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
            raise Misconfigured([f"{setting}: port {port} on {host} is taken by another program"]) from error
        reason = error.strerror or "it cannot be used"
        raise Misconfigured([f"HOST, {setting}: cannot listen on {host} port {port}: {reason}"]) from error
    return listener


def _welcome(settings: "Settings", secret: str) -> str:
    host, secure = settings.HOST, settings.TLS != "off"
    shown = f"[{host}]" if ":" in host else host
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else shown  # noqa: S104 -- compared, not bound
    base = f"http{'s' if secure else ''}://{name}:{settings.PORT}"
    plain = f"http://{name}:{settings.CERTIFICATE_PORT}" if settings.CERTIFICATE_PORT else base
    trust = (f"  trust    {plain}/certificate/",) if secure else ()
    return "\n".join(
        (
            "",
            f"  {settings.NODE_NAME} is open.",
            "",
            f"  kiosk    {base}/kiosk/",
            f"  room     {base}/room/",
            f"  ops      {base}/ops/",
            *trust,
            f"  secret   {secret}",
            "",
        )
    )
