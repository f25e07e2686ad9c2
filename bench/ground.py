"""Nodes to measure: processes of their own, on the embedded engine or on a private stack that syncs to its disk."""

import os
import platform
import re
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from bench.memory import memory_mb
from core.adapters.sql.engine import open_engine, sqlite_url
from tests.browser.conftest import free_port
from tests.servers import private_postgres, private_redis, private_s3

ROOT = str(Path(__file__).parents[1])
PROGRAM = (sys.executable, "-c", f"import sys; sys.path.insert(0, {ROOT!r}); from memory_ui.cli import main; main()")
BEHIND = ("nice", "-n", "10")
"""How a worker is run, by its unit."""
START_S = 60.0
KEPT_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One process of a node."""

    process: subprocess.Popen[bytes]
    log: Path

    def memory_mb(self, line: str = "VmRSS") -> float:
        """See `bench.memory`."""
        return memory_mb(self.process.pid, line=line)

    def cores_s(self) -> tuple[float, float]:
        """How long its threads have run, and how long they were ready and waited for a core, in s.

        Of those that are there now: what others ran before they ended is lost (proc(5): schedstat).
        """
        ran_ns, waited_ns = 0, 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(OSError):
                ran, waited, _ = (thread / "schedstat").read_text().split()
                ran_ns, waited_ns = ran_ns + int(ran), waited_ns + int(waited)
        return ran_ns / 1e9, waited_ns / 1e9

    def stands_still(self) -> bool:
        """Whether each of its threads has been stopped (proc(5): stat)."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return all(task.joinpath("stat").read_text().rpartition(")")[2].split()[0] in "tT" for task in tasks)

    def handles(self) -> int:
        """How many files and sockets it has open."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance(Member):
    """One web process of a node."""

    url: str
    folder: Path

    def served_ms(self, path: str, *, since: int = 0) -> list[float]:
        """How long each request to an address kept it busy, by its own log, from that byte on, in ms."""
        with self.log.open("rb") as file:
            file.seek(since)
            said = file.read().decode(errors="replace")
        return [float(ms) for ms in re.findall(rf' request .*path="{re.escape(path)}" .*ms=([0-9.]+)', said)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A node: its instances, its workers and schedulers by name, and the secret that opens ops.

    `settings` are what all of its processes were given, `started_s` how long each instance took from its start to its
    first answer; the embedded engine does everything in its one instance.
    """

    instances: list[Instance]
    jobs: dict[str, Member]
    secret: str
    settings: dict[str, str]
    started_s: list[float]

    @property
    def members(self) -> dict[str, Member]:
        """Every process, by name."""
        return {**{f"web {number}": one for number, one in enumerate(self.instances, 1)}, **self.jobs}

    @contextmanager
    def resting(self) -> Iterator[None]:
        """While its processes stand still, at a moment in which none of them is writing."""
        with self.database() as engine, ExitStack() as stack:
            while True:
                for member in self.members.values():
                    member.process.send_signal(signal.SIGSTOP)
                    stack.callback(member.process.send_signal, signal.SIGCONT)
                # A thread that is at the disk goes on until it is back, and may take a lock on its way.
                while not all(member.stands_still() for member in self.members.values()):
                    time.sleep(0.01)
                if free_to_write(engine):
                    break
                stack.pop_all().close()
                time.sleep(0.2)
            yield

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """Its database, for whatever has to be there before something is measured."""
        engine = open_engine(self.settings.get("DATABASE_URL") or sqlite_url(self.instances[0].folder / "data"))
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def embedded(*, under: Sequence[str] = (), **settings: Any) -> Iterator[Measured]:
    """One process, SQLite, files; run by the command `under`, where there is one."""
    with ExitStack() as stack:
        yield _start(stack, 1, settings, under=under)


@contextmanager
def stacked(count: int, **settings: Any) -> Iterator[Measured]:
    """`count` web processes, a worker and a scheduler, on PostgreSQL, Redis and an S3 server of their own."""
    with ExitStack() as stack:
        postgres = stack.enter_context(private_postgres(durable=True))
        redis, store = stack.enter_context(private_redis()), stack.enter_context(private_s3())
        place = store.fresh_place()
        shared = {
            "DATABASE_URL": stack.enter_context(postgres.fresh_database()),
            "REDIS_URL": redis.fresh_url(),
            "MINIO_ENDPOINT": f"http://{place.endpoint}",
            "MINIO_BUCKET": place.bucket,
            "MINIO_ACCESS_KEY": place.access_key,
            "MINIO_SECRET_KEY": place.secret_key,
            "CODE_KEY": secrets.token_hex(32),
            "TOKEN_KEY": secrets.token_hex(32),
        }
        yield _start(stack, count, {**shared, **settings}, jobs=("worker", "scheduler"))


@contextmanager
def on(engine: str, **settings: Any) -> Iterator[Measured]:
    """A node of one instance on `embedded` or `stack`."""
    with embedded(**settings) if engine == "embedded" else stacked(1, **settings) as node:
        yield node


def _start(
    stack: ExitStack, count: int, settings: dict[str, Any], *, jobs: Sequence[str] = (), under: Sequence[str] = ()
) -> Measured:
    secret = secrets.token_urlsafe(18)
    given = {name: str(value) for name, value in {**settings, "OPS_SHARED_SECRET": secret}.items()}

    def run(command: str, under: Sequence[str]) -> tuple[subprocess.Popen[bytes], Path, int]:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        own = {**os.environ, **given, "MEMORY_DATA_DIR": str(folder / "data"), "PORT": str(port)}
        with (folder / "log").open("wb") as file:
            process = subprocess.Popen([*under, *PROGRAM, command], cwd=folder, env=own, stdout=file, stderr=file)
        stack.callback(end, process)
        return process, folder, port

    instances: list[Instance] = []
    started_s: list[float] = []
    for _ in range(count):
        began = time.monotonic()
        process, folder, port = run("serve", under)
        url = f"http://127.0.0.1:{port}"
        instance = Instance(url=url, process=process, log=folder / "log", folder=folder)
        await_start(instance)
        started_s.append(time.monotonic() - began)
        instances.append(instance)
    others = {}
    for command in jobs:
        process, folder, _ = run(command, BEHIND if command == "worker" else ())
        others[command] = Member(process=process, log=folder / "log")
    return Measured(instances=instances, jobs=others, secret=secret, settings=given, started_s=started_s)


def await_start(instance: Instance) -> None:
    """Wait until it answers."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{instance.url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"an instance did not start: {instance.log.read_text()}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and see that it does."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_to_write(engine: Engine) -> bool:
    """Whether nobody holds the database for writing; servers let many do so at once."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA busy_timeout=100")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            return False
        return True


def client_of(url: str) -> httpx.Client:
    """Somebody at a server. A connection that rested is not used again: the server closes it after five seconds."""
    return httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(keepalive_expiry=KEPT_S))


def sign_in(instance: Instance, secret: str) -> httpx.Client:
    """A steward's client."""
    return sign_in_at(instance.url, secret)


def sign_in_at(url: str, secret: str) -> httpx.Client:
    """The same, of whatever server is there. RuntimeError where it refuses."""
    client = client_of(url)
    answer = client.post("/ops/", data={"secret": secret})
    if answer.status_code != 303:
        raise RuntimeError(f"signing in was answered with {answer.status_code}")
    return client


def summary(values_ms: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum, in ms."""
    p95 = statistics.quantiles(values_ms, n=20, method="inclusive")[-1] if len(values_ms) > 1 else values_ms[0]
    return {
        "median_ms": round(statistics.median(values_ms), 1),
        "p95_ms": round(p95, 1),
        "max_ms": round(max(values_ms), 1),
        "count": len(values_ms),
    }


def machine() -> dict[str, Any]:
    """What was measured on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in ("nicegui", "fastapi", "sqlalchemy", "uvicorn")},
    }
