"""What the node of a machine keeps its rows and sounds in, and of which services it consists, by its engine."""

import secrets
import sqlite3
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
import redis

from core.adapters.sql.engine import DATABASE_FILE
from tests.engines import Engine
from tests.servers import PrivatePostgres, PrivateRedis, PrivateS3
from tests.stack.topology import KINDS

SECRETS = ("CODE_KEY", "TOKEN_KEY", "OPS_SHARED_SECRET", "BACKUP_PASSPHRASE")


class Standing(Protocol):
    """See `Files` and `Servers`. `settings` name where everything is, `secret` is what nobody may read of it."""

    units: tuple[str, ...]
    settings: dict[str, Any]
    secret: frozenset[str]

    def query(self, sql: str) -> list[Any]:
        """What the database answers, whether the node runs or not."""

    def change(self, *statements: str) -> None:
        """Done to the database of a node that is stopped."""

    def tables(self) -> list[str]:
        """Of the database, in no order."""

    def versions(self) -> dict[str, str]:
        """Of what the node needs and does not start itself."""

    def power(self) -> None:
        """Start that."""

    def cut(self) -> None:
        """End it without a warning."""

    def remove(self) -> None:
        """End it and delete it."""


class Files:
    """The embedded engine: one service, and everything in its folder."""

    def __init__(self, data: Path) -> None:
        self.units: tuple[str, ...] = (KINDS["web"],)
        self.settings: dict[str, Any] = {}
        self.secret: frozenset[str] = frozenset()
        self._database = data / DATABASE_FILE

    def query(self, sql: str) -> list[Any]:
        """See `Standing`."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as opened:
            return opened.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        """See `Standing`."""
        with closing(sqlite3.connect(self._database)) as opened, opened:
            for statement in statements:
                opened.execute(statement)

    def tables(self) -> list[str]:
        """See `Standing`."""
        return [name for (name,) in self.query("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def versions(self) -> dict[str, str]:
        """See `Standing`."""
        return {}

    def power(self) -> None:
        """See `Standing`: it needs nothing."""

    def cut(self) -> None:
        """See `Standing`."""

    def remove(self) -> None:
        """See `Standing`: its folder is the machine's."""


class Servers:
    """The stack: three services, and PostgreSQL, Redis and an S3 server on the same machine."""

    def __init__(self) -> None:
        self.units: tuple[str, ...] = tuple(KINDS.values())
        self._open = ExitStack()
        postgres, cache, s3 = PrivatePostgres(), PrivateRedis(), PrivateS3()
        self._all, self._s3 = (postgres, cache, s3), s3
        for server in self._all:
            self._open.callback(server.remove)
        self.power()
        url = self._open.enter_context(postgres.fresh_database(migrated=False))
        self._plain_url = url.replace("+psycopg", "")
        self.settings: dict[str, Any] = {
            "DATABASE_URL": url,
            "REDIS_URL": cache.url,
            "MINIO_ENDPOINT": f"http://{s3.endpoint}",
            "MINIO_BUCKET": "voices",
            "MINIO_ACCESS_KEY": s3.access_key,
            "MINIO_SECRET_KEY": s3.secret_key,
            **{name: secrets.token_hex(32) for name in SECRETS},
        }
        passwords = (address.split("@")[0].rsplit(":", 1)[1] for address in (url, cache.url))
        self.secret = frozenset({*passwords, s3.secret_key, *(self.settings[name] for name in SECRETS)})

    def query(self, sql: str) -> list[Any]:
        """See `Standing`."""
        with psycopg.connect(self._plain_url) as connection:
            return connection.execute(sql.encode()).fetchall()

    def change(self, *statements: str) -> None:
        """See `Standing`."""
        with psycopg.connect(self._plain_url) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def tables(self) -> list[str]:
        """See `Standing`."""
        return [name for (name,) in self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    def versions(self) -> dict[str, str]:
        """See `Standing`."""
        with redis.Redis.from_url(self.settings["REDIS_URL"]) as client:
            redis_version = str(client.info("server")["redis_version"])
        store = subprocess.run([self._s3._command()[0], "version"], capture_output=True, text=True, check=True).stdout
        return {
            "PostgreSQL": str(self.query("SHOW server_version")[0][0]).split()[0],
            "Redis": redis_version,
            "rclone": store.split()[1].lstrip("v"),
        }

    def power(self) -> None:
        """See `Standing`: whoever is not killed is left alone."""
        for server in self._all:
            if not server.running:
                server.start()

    def cut(self) -> None:
        """See `Standing`."""
        for server in self._all:
            server.kill()

    def remove(self) -> None:
        """See `Standing`."""
        self._open.close()


def standing(engine: Engine, data: Path) -> Standing:
    """What a machine's node stands on."""
    return Files(data) if engine is Engine.EMBEDDED else Servers()
