"""Bringing a database to the schema of this version."""

from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

LOCK = 7_305_019_242
"""Any number, the same in every process: of several that start at once, one migrates and the others wait."""


def config(engine: Engine) -> Config:
    """Alembic's configuration for an open engine; no ini file is needed."""
    made = _scripts()
    made.attributes["engine"] = engine
    return made


def _scripts() -> Config:
    made = Config()
    made.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    return made


@cache
def _head() -> str | None:
    """The schema of this version; the same for as long as the process runs."""
    return ScriptDirectory.from_config(_scripts()).get_current_head()


def _is_current(engine: Engine) -> bool:
    """Whether nothing is missing: what nearly every start finds, and without reading every migration again."""
    no_such_table = ProgrammingError if engine.dialect.name == "postgresql" else OperationalError
    try:
        with engine.connect() as connection:
            return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [_head()]
    except no_such_table:
        return False


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing."""
    if _is_current(engine):
        return
    if engine.dialect.name != "postgresql":
        # A writer's transaction of SQLite is a lock already.
        command.upgrade(config(engine), "head")
        return
    # On connections of its own: a migration may take longer than any request should.
    patient = create_engine(engine.url, poolclass=NullPool, hide_parameters=True)
    with patient.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        try:
            command.upgrade(config(patient), "head")
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
