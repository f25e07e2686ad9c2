"""Bringing a database to the schema of this version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def config(engine: Engine) -> Config:
    """Alembic's configuration for an open engine; no ini file is needed."""
    made = Config()
    made.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing."""
    command.upgrade(config(engine), "head")
