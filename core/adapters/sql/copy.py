"""Copying a whole database into another, empty one of the same schema."""

from sqlalchemy import Connection, Engine, delete, func, insert, select, text

from core.adapters.sql.engine import WRITER
from core.adapters.sql.tables import Base, NodeRow
from core.errors import Conflict

CHUNK_ROWS = 500


def copy_rows(source: Engine, target: Engine) -> dict[str, int]:
    """Copy every row of every table in one transaction; how many of each. Raises `Conflict` for a used target.

    The source is held still meanwhile: its writers' lock is taken for as long as the copy lasts.
    """
    copied: dict[str, int] = {}
    with source.execution_options(**WRITER).begin() as reading, target.execution_options(**WRITER).begin() as writing:
        _refuse_used(writing)
        writing.execute(delete(NodeRow))
        for table in Base.metadata.sorted_tables:
            rows = reading.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            copied[table.name] = 0
            while chunk := rows.fetchmany(CHUNK_ROWS):
                writing.execute(insert(table), [dict(row) for row in chunk])
                copied[table.name] += len(chunk)
        if writing.dialect.name == "postgresql":
            continue_sequences(writing)
    return copied


def refuse_used(target: Engine) -> None:
    """Raise `Conflict` for a database that holds a row of any table."""
    with target.connect() as connection:
        _refuse_used(connection)


def _refuse_used(connection: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        # A node that has only been started has a row of its own, and nothing else.
        if table.name == NodeRow.__tablename__:
            continue
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise Conflict(f"The target database is not empty: {table.name} holds rows.")


def continue_sequences(connection: Connection) -> None:
    """Ids were given, not drawn: the sequences go on after the largest. None goes back: that would not be undone."""
    for table in Base.metadata.sorted_tables:
        column = table.primary_key.columns[0]
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        ).scalar_one()
        if sequence is not None:
            largest = connection.execute(select(func.max(column))).scalar_one()
            if largest is not None:
                connection.execute(_GO_ON, {"sequence": sequence, "value": largest})


_GO_ON = text(
    "SELECT setval(known, greatest(CAST(:value AS bigint), pg_sequence_last_value(known))) "
    "FROM (SELECT CAST(CAST(:sequence AS text) AS regclass) AS known) AS sequences"
)
