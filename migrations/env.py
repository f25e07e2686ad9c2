"""Alembic's entry: runs migrations over the engine it is handed."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, Engine

from core.adapters.sql.engine import WRITER
from core.adapters.sql.tables import Base, UtcDateTime


def _render(kind: str, item: Any, autogen: Any) -> str | bool:
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen.imports.add("from core.adapters.sql.tables import UtcDateTime")
        return "UtcDateTime()"
    return False


def _run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A batch rebuild drops the old table, and with foreign keys on that would cascade. Said to the driver
        # itself: inside a transaction SQLite ignores it.
        _foreign_keys(connection, "OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=_render,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if sqlite:
        _foreign_keys(connection, "ON")


def _foreign_keys(connection: Connection, state: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA foreign_keys={state}")


_engine: Engine = context.config.attributes["engine"]
with _engine.execution_options(**WRITER).connect() as _connection:
    _run(_connection)
