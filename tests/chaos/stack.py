"""The topology of the stack as plain processes on loopback: servers, web instances, workers, schedulers, Caddy.

Every process has a folder of its own, as though it ran on a machine of its own: its settings, its log, its spool.
"""

import http.client
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psycopg

from core.bootstrap import System, build
from core.settings import load_settings
from tests.processes import LOOPBACK, Opened, PrivateServer
from tests.proxy import FaultyProxy
from tests.servers import private_postgres, private_redis, private_s3

START_S = 60.0
LOOK_S = 0.1
ANSWER_S = 2.0
INSTANCE_COOKIE = "memory_engine_instance"
CLIENTS = 8
"""New clients that are asked for in one look; each meets one instance or the other."""
WEB, WORKERS, SCHEDULERS = ("web-1", "web-2"), ("worker-1", "worker-2"), ("scheduler-1", "scheduler-2")
KINDS = (WEB, WORKERS, SCHEDULERS)
ROOT = str(Path(__file__).parents[2])
# Of this tree, wherever the process runs and whatever is installed.
PROGRAM = (sys.executable, "-c", f"import sys; sys.path.insert(0, {ROOT!r}); from memory_ui.cli import main; main()")

SHORT: dict[str, Any] = {
    "SWEEP_INTERVAL_SECONDS": 2,
    "EXPIRE_INTERVAL_SECONDS": 4,
    "PRUNE_INTERVAL_SECONDS": 5,
    "FIND_WORK_INTERVAL_SECONDS": 2,
    "FIND_WORK_GRACE_SECONDS": 2,
    "FIND_WORK_AGAIN_SECONDS": 6,
    "HEARTBEAT_INTERVAL_SECONDS": 2,
    "HEARTBEAT_STALE_SECONDS": 10,
    "JOB_IDLE_SECONDS": 5,
    # One-time takes that nobody fetches must outlast the campaign, for they are asked for at its end.
    "ONCE_FETCH_MINUTES": 30,
    "ONCE_SWEEP_MINUTES": 35,
    # Every client here has the same address.
    "INGEST_PER_STATION_HOUR": 1_000_000,
    "INGEST_PER_ADDRESS_HOUR": 1_000_000,
    "REVOKE_PER_STATION_HOUR": 1_000_000,
    "REVOKE_PER_ADDRESS_HOUR": 1_000_000,
    "DISK_RESERVE_GB": 0.1,
    "DISK_RESERVE_SHARE": 0.001,
    "TRUSTED_PROXIES": LOOPBACK,
}
"""Figures of minutes brought down to seconds, so that two minutes hold what otherwise takes an hour."""


def pid_of(presence: str) -> int:
    """Of the process that goes by a name; the name holds it before something of its own."""
    return int(presence.split("-")[-2])


class Member(PrivateServer):
    """One process of the node: `memory-engine` with a command, its settings in a file."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.name = name  # type: ignore[misc]
        super().__init__()
        self.ended_at: dict[int, float] = {}
        self.command = {"web": "serve"}.get(kind := name.split("-", maxsplit=1)[0], kind)
        self.configure(settings)

    def configure(self, settings: dict[str, Any]) -> None:
        """The settings it is launched with from now on; where its data lies and its port are its own."""
        own = {"MEMORY_DATA_DIR": self.folder / "data", **settings, "PORT": self.port}
        (self.folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in own.items()))

    def tell_to_end(self) -> None:
        """SIGTERM, without waiting for what comes of it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def end_in_order(self, patience_s: float) -> int | None:
        """SIGTERM; the exit status, None where it had to be killed after `patience_s`."""
        process = self._process
        if process is None:
            return None
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + patience_s
        while process.poll() is None and time.monotonic() < end:
            time.sleep(LOOK_S)
        status = process.poll()
        self.kill()
        return status

    def log_lines(self) -> list[str]:
        """Everything it and its predecessors have logged."""
        return self._log().read_text().splitlines() if self._log().exists() else []

    def answers(self) -> bool:
        """Whether a web instance answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=ANSWER_S)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Another command of the same node, to its end."""
        return subprocess.run([*PROGRAM, *command], cwd=self.folder, capture_output=True, text=True, check=False)

    def _end(self, by: signal.Signals) -> None:
        if self.pid:
            self.ended_at[self.pid] = time.time()
        super()._end(by)

    def _command(self) -> list[str]:
        return [*PROGRAM, self.command]

    def _answers(self) -> bool:
        return self.command != "serve" or self.answers()


class Caddy(PrivateServer):
    """The one address in front of the web instances; a client stays with its instance while that lives."""

    name = "caddy"

    def __init__(self, upstreams: list[int]) -> None:
        super().__init__()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.verify: ssl.SSLContext | bool = True
        targets = " ".join(f"{LOOPBACK}:{port}" for port in upstreams)
        (self.folder / "Caddyfile").write_text(CADDYFILE.format(port=self.port, folder=self.folder, targets=targets))

    def _command(self) -> list[str]:
        return ["caddy", "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), ANSWER_S):
            return True
        return False


CADDYFILE = """
{{
  admin off
  auto_https off
  storage file_system {folder}/storage
}}
http://127.0.0.1:{port} {{
  bind 127.0.0.1
  reverse_proxy {targets} {{
    lb_policy cookie memory_engine_instance
    lb_try_duration 2s
    lb_try_interval 100ms
    fail_duration 1s
    health_uri /livez
    health_interval 1s
    health_timeout 2s
  }}
}}
"""


class Stack(Opened):
    """Everything, by name. The store is reached through `proxy`, which misbehaves when it is told to."""

    figures: ClassVar[dict[str, Any]] = SHORT
    member: ClassVar[type[Member]] = Member
    front: ClassVar[type[Any]] = Caddy

    def __init__(self, **given: Any) -> None:
        self._given = given
        super().__init__()
        self._said: dict[str, Any] = {}
        self.members: dict[str, Member] = {}

    def _start(self) -> None:
        self.postgres = self._open.enter_context(private_postgres())
        self.redis = self._open.enter_context(private_redis())
        self.s3 = self._open.enter_context(private_s3())
        # Not migrated: whichever process comes first does it, while the others wait.
        self.database_url = self._open.enter_context(self.postgres.fresh_database(migrated=False))
        self.proxy = self._open.enter_context(FaultyProxy(self.s3.port))
        self.settings = {**self.figures, **self._addresses(), **self._given}
        for name in (name for kind in KINDS for name in kind):
            self.members[name] = self.member(name, self.settings)
            self._open.callback(self.members[name].remove)
            self._open.callback(self.members[name].kill)
        self.caddy = self.front([self.members[name].port for name in WEB])
        self._open.callback(self.caddy.remove)
        self.url = self.caddy.url
        self.caddy.start()
        for member in self.members.values():
            member.launch()
        self.wait_until_ready()

    def _addresses(self) -> dict[str, Any]:
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "MINIO_ENDPOINT": f"http://{self.proxy.endpoint}",
            "MINIO_BUCKET": "voices",
            "MINIO_ACCESS_KEY": self.s3.access_key,
            "MINIO_SECRET_KEY": self.s3.secret_key,
            "CODE_KEY": secrets.token_hex(32),
            "TOKEN_KEY": secrets.token_hex(32),
            "OPS_SHARED_SECRET": secrets.token_hex(16),
        }

    def wait_until_ready(self, most_s: float = START_S) -> None:
        """Every process lives and has said so, both web instances serve clients, and the node says that it is ready."""
        end = time.monotonic() + most_s
        while not self._ready():
            if time.monotonic() > end:
                raise RuntimeError(f"the stack is not ready: {self._said}\n{self.ends_of_logs()}")
            self.relaunch_the_dead()
            time.sleep(LOOK_S)

    def _ready(self) -> bool:
        if not all(member.running for member in self.members.values()):
            return False
        if not all(self.members[name].answers() for name in WEB) or not self._shown():
            return False
        with suppress(httpx.HTTPError):
            # The proxy says who is served by whom; what is ready is asked of an instance, as its steward would.
            if len(self._instances()) < len(WEB):
                return False
            asked = f"http://{LOOPBACK}:{self.members[WEB[0]].port}/readyz"
            self._said = httpx.get(asked, timeout=ANSWER_S * 5).json()
            components = self._said.get("components", {})
            # What is queued, and what failed and was not yet done again, is asked for elsewhere.
            return {state for name, state in components.items() if name != "jobs"} in ({"ok"}, {"ok", "full"})
        return False

    def _instances(self) -> set[str]:
        """Whom the proxy sends new clients to. It takes in an instance that came later than its last look only then."""
        verify, seen = self.caddy.verify, set[str]()
        for _ in range(CLIENTS):
            answer = httpx.get(f"{self.url}/livez", timeout=ANSWER_S * 5, verify=verify)
            if answer.status_code == 200:
                seen.add(answer.cookies[INSTANCE_COOKIE])
            if len(seen) == len(WEB):
                break
        return seen

    def _shown(self) -> bool:
        """Whether every worker and scheduler has given a sign of life; a process that has not may still be starting."""
        with suppress(psycopg.Error), psycopg.connect(self.database_url.replace("+psycopg", "")) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM presence")]
            pids = {pid_of(name) for name in names}
            return pids.issuperset(self.members[name].pid for name in (*WORKERS, *SCHEDULERS))
        return False

    def relaunch_the_dead(self, *, but: frozenset[str] = frozenset()) -> list[str]:
        """What a supervisor does; who was relaunched."""
        dead = [name for name, member in self.members.items() if name not in but and not member.running]
        for name in dead:
            self.members[name].kill()  # clears away what belonged to the dead one
            self.members[name].launch()
        return dead

    @contextmanager
    def system(self, data_dir: Path, **wraps: Any) -> Iterator[System]:
        """The node's services in this process, past the proxy: for asking and for granting, not for serving."""
        direct = {**self.settings, "MINIO_ENDPOINT": f"http://{self.s3.endpoint}", "MEMORY_DATA_DIR": data_dir}
        system = build(load_settings(**direct), **wraps)
        try:
            yield system
        finally:
            system.outside.store.close()  # type: ignore[attr-defined]
            system.close()

    def ends_of_logs(self, lines: int = 15) -> str:
        """For a person who has to find out why."""
        return "\n".join(
            "\n".join((f"== {name}", *member.log_lines()[-lines:])) for name, member in self.members.items()
        )
