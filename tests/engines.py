"""What a test's node stands on: the embedded engine's data folder, or one beside a stack of real servers.

A ground is a test's own. Building a second node on the same ground is a restart; on another, another installation.
"""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg

from core.adapters.sql.engine import DATABASE_FILE
from core.adapters.sql.migrate import head
from core.adapters.sql.tables import Base
from core.adapters.vault import open_vault
from core.bootstrap import System
from jobs.broker import make_kick
from jobs.inprocess import running
from jobs.schedule import run_schedule
from jobs.signs import Signs
from jobs.stack import kicking, stack_broker
from jobs.worker import run_worker
from tests.servers import shared_postgres, shared_redis, shared_s3

KEYS_FILE = "keys.json"


class Engine(StrEnum):
    """The two engines."""

    EMBEDDED = "embedded"
    STACK = "stack"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A data folder and the settings that name the rest: none for the embedded engine, all of the stack's else."""

    engine: Engine
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The same for a command line."""
        return {name: str(value) for name, value in self.settings.items()}

    def take_database_away(self, system: System) -> None:
        """From now on nobody can connect to it."""
        if self.engine is Engine.EMBEDDED:
            while not (self.folder / DATABASE_FILE).is_dir():
                for path in self.folder.glob(f"{DATABASE_FILE}*"):
                    path.unlink(missing_ok=True)
                # Whoever looks just now makes a new file where there was one.
                with suppress(FileExistsError):
                    (self.folder / DATABASE_FILE).mkdir()
            # Last, as below: a connection made a moment ago would else go on reading the file that nobody can find.
            system.outside.engine.dispose()
            return
        name = _name_of(self.settings["DATABASE_URL"])
        shared_postgres().run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        shared_postgres().run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        # Last: what another thread holds just now would else return unharmed to a pool that nobody closes any more.
        system.outside.engine.dispose()


class Grounds:
    """Hands out grounds; servers start with the first that needs them and end with the process."""

    def __init__(self, template: Path) -> None:
        self._template = template
        self._databases = _Databases()

    @contextmanager
    def fresh(self, engine: Engine, folder: Path) -> Iterator[Ground]:
        """A node nobody has touched, on a folder that does not exist yet."""
        if engine is Engine.EMBEDDED:
            folder.mkdir(parents=True)
            open_vault(folder)  # keys of its own, and before there is a database: without keys one is refused
            shutil.copytree(self._template, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(KEYS_FILE))
            yield Ground(engine=engine, folder=folder)
            return
        folder.mkdir(parents=True, exist_ok=True)
        server = shared_s3()
        place = server.fresh_place()
        with self._databases.empty() as database_url:
            yield Ground(
                engine=engine,
                folder=folder,
                settings={
                    "DATABASE_URL": database_url,
                    "REDIS_URL": shared_redis().fresh_url(),
                    "MINIO_ENDPOINT": f"http://{place.endpoint}",
                    "MINIO_BUCKET": place.bucket,
                    "MINIO_ACCESS_KEY": place.access_key,
                    "MINIO_SECRET_KEY": place.secret_key,
                    "CODE_KEY": secrets.token_hex(32),
                    "TOKEN_KEY": secrets.token_hex(32),
                    "OPS_SHARED_SECRET": secrets.token_urlsafe(12),
                },
            )
        shutil.rmtree(server.buckets / place.bucket, ignore_errors=True)

    def close(self) -> None:
        """Drop every database."""
        self._databases.close()


@asynccontextmanager
async def at_work(system: System) -> AsyncIterator[None]:
    """A node's whole background in this process, on either engine: queue, worker, scheduler."""
    if not system.settings.DATABASE_URL:
        async with running(system):
            yield
        return
    stop = asyncio.Event()
    scheduling = stack_broker(system)
    async with kicking(system):
        await scheduling.startup()
        signs = Signs(system, name="scheduler", role="scheduler")
        worker = asyncio.create_task(run_worker(system, stack_broker(system), stop=stop, name="worker"))
        scheduler = asyncio.create_task(run_schedule(system, make_kick(scheduling), signs))
        try:
            yield
        finally:
            stop.set()
            while not scheduler.done():
                scheduler.cancel()
                await asyncio.wait([scheduler], timeout=0.2)
            await asyncio.gather(scheduler, worker, return_exceptions=True)
            await scheduling.shutdown()


class _Databases:
    """Databases of the shared server. Copying a migrated one takes longer than most tests: they are emptied instead."""

    def __init__(self) -> None:
        self._free: list[str] = []
        self._all = ExitStack()

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of one nobody else uses, as a migration leaves it."""
        url = self._free.pop() if self._free else self._all.enter_context(shared_postgres().fresh_database())
        yield url
        try:
            as_migrated = _empty(url)
        except psycopg.Error:
            return  # a test took it away, or left a transaction open: it is not used again
        if as_migrated:
            self._free.append(url)

    def close(self) -> None:
        self._all.close()


def _empty(url: str) -> bool:
    """Whether it is as a migration leaves it: a test may have given it another schema."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True, options="-c lock_timeout=2s") as connection:
        connection.execute(_EMPTY)
        return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head(),)]


_EMPTY = "\n".join(
    (
        *(f"DELETE FROM {table.name};" for table in reversed(Base.metadata.sorted_tables)),
        "SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL;",
    )
)


def _name_of(url: str) -> str:
    return url.rsplit("/", 1)[1]
