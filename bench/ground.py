"""Nodes to measure: web instances as processes of their own, on the embedded engine or on a private stack."""

import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from tests.browser.conftest import free_port
from tests.servers import private_postgres, private_redis, private_s3

ROOT = str(Path(__file__).parents[1])
PROGRAM = (sys.executable, "-c", f"import sys; sys.path.insert(0, {ROOT!r}); from memory_ui.cli import main; main()")
START_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One web process of a node."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def memory_mb(self) -> float:
        """What it holds in memory now (resident set), in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A node: its instances and the secret that opens ops."""

    instances: list[Instance]
    secret: str


@contextmanager
def embedded(**settings: Any) -> Iterator[Measured]:
    """One process, SQLite, files."""
    with ExitStack() as stack:
        yield _start(stack, 1, settings)


@contextmanager
def stacked(count: int, **settings: Any) -> Iterator[Measured]:
    """`count` web processes on PostgreSQL, Redis and an S3 server of their own, on loopback."""
    with ExitStack() as stack:
        postgres = stack.enter_context(private_postgres())
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
        yield _start(stack, count, {**shared, **settings})


def _start(stack: ExitStack, count: int, settings: dict[str, Any]) -> Measured:
    secret = secrets.token_urlsafe(18)
    instances = []
    for _ in range(count):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        given = {**settings, "OPS_SHARED_SECRET": secret, "MEMORY_DATA_DIR": folder / "data", "PORT": port}
        environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
        log = folder / "log"
        with log.open("wb") as file:
            process = subprocess.Popen([*PROGRAM, "serve"], cwd=folder, env=environment, stdout=file, stderr=file)
        stack.callback(end, process)
        instances.append(Instance(url=f"http://127.0.0.1:{port}", process=process, log=log))
    for instance in instances:
        await_start(instance)
    return Measured(instances=instances, secret=secret)


def await_start(instance: Instance) -> None:
    """Wait until it answers."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            if httpx.get(f"{instance.url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"an instance did not start: {instance.log.read_text()}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and see that it does."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()


def sign_in(instance: Instance, secret: str) -> httpx.Client:
    """A steward's client."""
    client = httpx.Client(base_url=instance.url, timeout=30)
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
