"""What `compose.yaml` describes, as plain processes: the same proxy before the same commands, on the product's figures.

The proxy runs the project's own Caddyfile and certifies itself; every process of the node is started by the command of
its unit file.
"""

import os
import shlex
import signal
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.chaos.stack import Member, Stack
from tests.processes import LOOPBACK, PrivateServer, free_port

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
CADDYFILE = ROOT / "deploy" / "caddy" / "Caddyfile"
PUBLIC_NAME = "room.test"
"""A name of no machine, so that only the certificate makes it a place where a browser gives a microphone."""
KINDS = {"web": "memory-engine", "worker": "memory-engine-worker", "scheduler": "memory-engine-scheduler"}
ANSWER_S, LOOK_S = 2.0, 0.1
UNBOUNDED = {
    f"{budget}_PER_{whom}_HOUR": 1_000_000 for budget in ("INGEST", "REVOKE") for whom in ("STATION", "ADDRESS")
}
"""Every client here has the same address."""


def unit_command(unit: str) -> list[str]:
    """What follows the program in a unit's `ExecStart`."""
    lines = (UNITS / f"{unit}.service").read_text().splitlines()
    (line,) = (line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart="))
    program, *arguments = shlex.split(line)
    assert Path(program).name == "memory-engine", line
    return arguments


class UnitMember(Member):
    """A process of the node, started as its unit starts it."""

    def _command(self) -> list[str]:
        return [*super()._command()[:-1], *unit_command(KINDS[self.name.split("-", maxsplit=1)[0]])]


class Front(PrivateServer):
    """The project's Caddyfile, with a certificate authority of its own that `root` vouches for."""

    name = "caddy"

    def __init__(self, upstreams: list[int]) -> None:
        super().__init__()
        self._upstreams = upstreams
        self._plain_port, self._health_port = free_port(), free_port()
        self.url = f"https://{PUBLIC_NAME}:{self.port}"
        self.plain_url = f"http://{PUBLIC_NAME}:{self._plain_port}"

    @property
    def root(self) -> Path:
        """The certificate its clients have to trust."""
        return self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    @property
    def verify(self) -> ssl.SSLContext:
        """Trusts its authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.root)
        return context

    def _environment(self) -> dict[str, str]:
        return {
            "XDG_DATA_HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "CADDY_DATA": str(self.folder / "caddy"),
            "PUBLIC_HOST": PUBLIC_NAME,
            "TLS_BY": "internal",
            "APP_UPSTREAMS": " ".join(f"{LOOPBACK}:{port}" for port in self._upstreams),
            "HTTP_PORT": str(self._plain_port),
            "HTTPS_PORT": str(self.port),
            "HEALTH_PORT": str(self._health_port),
        }

    def _command(self) -> list[str]:
        return ["caddy", "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]

    def _answers(self) -> bool:
        if not self.root.exists():
            return False
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), ANSWER_S):
            return True
        return False


class SecureStack(Stack):
    """Two web instances, two workers and two schedulers behind HTTPS."""

    figures = UNBOUNDED | {"TRUSTED_PROXIES": LOOPBACK, "ALLOWED_HOSTS": PUBLIC_NAME, "NODE_NAME": "The Long Room"}
    member, front = UnitMember, Front

    def _start(self) -> None:
        found = partial(_address, socket.getaddrinfo)
        self._open.enter_context(patch("socket.getaddrinfo", found))
        super()._start()

    def servers(self) -> dict[str, PrivateServer]:
        """Every process, by name."""
        return {"postgres": self.postgres, "redis": self.redis, "s3": self.s3, "caddy": self.caddy, **self.members}

    def cut(self) -> int:
        """Kill every process, and what it has begun, at once and without a warning; how many there were."""
        pids = [pid for server in self.servers().values() for pid in _family(server.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for server in self.servers().values():
            server.kill()
        return len(pids)

    def power(self) -> float:
        """Start everything by its command, in no order; the seconds until the node says that it is ready."""
        began = time.monotonic()
        for server in self.servers().values():
            server.launch()
        self.wait_until_ready()
        return time.monotonic() - began

    def relaunch_the_dead(self, *, but: frozenset[str] = frozenset()) -> list[str]:
        """What a supervisor does: for the node's processes and for the servers alike."""
        dead = [name for name, server in self.servers().items() if name not in but and not server.running]
        for name in dead:
            self.servers()[name].kill()
            self.servers()[name].launch()
        return dead


def _address(known: Callable[..., Any], host: Any, *rest: Any, **named: Any) -> Any:
    """What the house's name server would say."""
    return known(LOOPBACK if host == PUBLIC_NAME else host, *rest, **named)


def _family(pid: int) -> list[int]:
    """A process and everything it has begun, the youngest last."""
    found = [pid] if pid else []
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += _family(int(child))
    return found
