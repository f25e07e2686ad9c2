"""Which schema a database has, against the one of this version; asked without changing it."""

from dataclasses import dataclass
from enum import StrEnum

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from core.adapters.sql.engine import answering
from core.adapters.sql.migrate import config


class Standing(StrEnum):
    """How it stands to this version: behind it, or made by one that is newer."""

    HEAD = "head"
    BEHIND = "behind"
    AHEAD = "ahead"


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """The revision a database has, empty where it has none, and the one this version would bring it to."""

    present: str
    head: str
    standing: Standing


def schema_of(engine: Engine) -> Schema:
    """What the database says of itself. Raises `Unavailable` where it does not answer."""
    scripts = ScriptDirectory.from_config(config(engine))
    head = scripts.get_current_head() or ""
    with answering(), engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision() or ""
    known = {script.revision for script in scripts.walk_revisions()}
    if present == head:
        standing = Standing.HEAD
    else:
        standing = Standing.AHEAD if present and present not in known else Standing.BEHIND
    return Schema(present=present, head=head, standing=standing)
