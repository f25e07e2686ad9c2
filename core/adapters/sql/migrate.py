"""Bringing a database to the schema of this version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, NullPool, create_engine, text

LOCK = 7_305_019_242
"""Any number, the same in every process: of several that start at once, one migrates and the others wait."""


def config(engine: Engine) -> Config:
    """Alembic's configuration for an open engine; no ini file is needed."""
    made = Config()
    made.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing."""
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
