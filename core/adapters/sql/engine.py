"""Engines and sessions: one code path for SQLite and PostgreSQL."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import Unavailable

log = logging.getLogger(__name__)

DATABASE_FILE = "memory.db"

_PATIENCE = "-c statement_timeout=15000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"

RESTED_S = 1.0
"""A connection that has not been used for so long is asked whether it lives."""
_RESTS_SINCE = "rests_since"

WRITER = {"memory_writer": True}
"""Execution option that marks a connection as about to write."""


@contextmanager
def answering() -> Iterator[None]:
    """Turn a database that does not answer, or not in time, into `Unavailable`."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, StaleDataError) as error:
        log.warning("database.unavailable", extra={"reason": str(getattr(error, "orig", error))})
        raise Unavailable("The memory of this room does not answer right now. Please try again.") from error


def sqlite_url(data_dir: Path) -> URL:
    """The embedded database inside the data folder."""
    return URL.create("sqlite", database=str(data_dir / DATABASE_FILE))


def open_engine(url: URL | str) -> Engine:
    """An engine with the pragmas and transaction discipline the laws of custody rest on."""
    url = make_url(url)
    if url.get_backend_name() != "sqlite":
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=10,
            max_overflow=20,
            pool_timeout=10,
            # The one used last has what is asked for prepared, and its server process has it in mind.
            pool_use_lifo=True,
            # A server that falls silent must not keep threads for ever.
            connect_args={"connect_timeout": 3, "options": _PATIENCE},
        )
        _try_what_rested(engine)
        return engine
    engine = create_engine(
        url,
        # A fault must not carry what was asked for into a log: it may be a code.
        hide_parameters=True,
        connect_args={"isolation_level": None, "check_same_thread": False},
        pool_size=10,
        max_overflow=20,
    )
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _try_what_rested(engine: Engine) -> None:
    """Ask whether a connection still lives that has not been used for a moment.

    As the pool's own question before each use does; of what was in use just now it costs an exchange and tells nothing.
    """

    def rests(_connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_RESTS_SINCE] = time.monotonic()

    def taken(connection: Any, entry: ConnectionPoolEntry, _fairy: Any) -> None:
        since = entry.info.get(_RESTS_SINCE)
        if since is None or time.monotonic() - since < RESTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # None that was opened before is believed any more: the pool opens another.
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", rests)
    event.listen(engine, "checkout", taken)


def _pragmas(connection: Any, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # FULL, not NORMAL: an acknowledged take must survive a power cut, not only a crash of this process.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "busy_timeout=15000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # Python's driver would start a deferred transaction at the first write; two of those that have both read
    # lose one another's update. Writers therefore take the lock before they read.
    writer = connection.get_execution_options().get("memory_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")
