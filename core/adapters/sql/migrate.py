"""Bringing a database to the schema of this version, and telling which schema it has."""

import logging
import re
from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.errors import Misconfigured

log = logging.getLogger(__name__)

LOCK = 7_305_019_242
"""Any number, the same in every process: of several that start at once, one migrates and the others wait."""

_REVISION = re.compile(r"\d{4}", re.ASCII)
"""Revisions are numbers of four digits, counted up: which of two is newer can be told without knowing both."""


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
def head() -> str:
    """The schema of this version; the same for as long as the process runs."""
    return ScriptDirectory.from_config(_scripts()).get_current_head() or ""


def revision_of(engine: Engine) -> str:
    """The schema a database has, empty where it has none yet. Raises `Misconfigured` where it has several."""
    no_such_table = ProgrammingError if engine.dialect.name == "postgresql" else OperationalError
    try:
        with engine.connect() as connection:
            found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    except no_such_table:
        return ""
    if len(found) > 1:
        raise Misconfigured([f"The database says that it has several schemas at once: {', '.join(sorted(found))}."])
    return str(found[0]) if found else ""


def is_ahead(revision: str, of: str) -> bool:
    """Whether a database's schema is newer than that of this version. Raises `Misconfigured` where it is none of ours.

    Migrations only expand, so a version runs on every schema that is newer than its own: that is what going back
    after an update rests on.
    """
    if revision and not _REVISION.fullmatch(revision):
        raise Misconfigured(
            [f"The database has the schema {revision!r}, which no version of Memory Engine has: is it another's?"]
        )
    return revision > of


def upgrade(engine: Engine) -> None:
    """Apply every migration that is missing; a schema that is newer than this version is left as it is."""
    found = revision_of(engine)
    if found == head():
        return
    if is_ahead(found, head()):
        _tell_newer(found)
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
            # A newer version may have migrated while this one waited.
            if not is_ahead(revision_of(patient), head()):
                command.upgrade(config(patient), "head")
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


@cache
def _tell_newer(revision: str) -> None:
    """Once a process, however often it opens its database."""
    log.warning("schema.newer", extra={"database": revision, "this_version": head()})
