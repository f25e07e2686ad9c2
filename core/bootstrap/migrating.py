"""Migrating a node without starting it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from core.adapters.folder import using
from core.adapters.sql.engine import DATABASE_FILE, open_engine, sqlite_url
from core.adapters.sql.migrate import head, is_ahead, revision_of, upgrade
from core.adapters.vault import open_vault
from core.settings import Settings, prepare_data_dir


@dataclass(frozen=True, kw_only=True, slots=True)
class Schemas:
    """The schema a database had, the one it has now, and the one of this version; empty is a database without one."""

    before: str
    after: str
    own: str

    @property
    def ahead(self) -> bool:
        """Whether the database is newer than this version, which runs on it all the same."""
        return is_ahead(self.after, self.own)


def look(settings: Settings) -> Schemas:
    """What a migration would find. Changes nothing; the node may be running."""
    if not settings.DATABASE_URL and not (settings.MEMORY_DATA_DIR.expanduser() / DATABASE_FILE).exists():
        return Schemas(before="", after="", own=head())
    with _opened(settings) as engine:
        found = revision_of(engine)
        is_ahead(found, head())
        return Schemas(before=found, after=found, own=head())


def migrate(settings: Settings) -> Schemas:
    """Bring the database to the schema of this version. Raises `Conflict` where an embedded node is running."""
    with ExitStack() as held:
        if not settings.DATABASE_URL:
            data_dir = prepare_data_dir(settings.MEMORY_DATA_DIR)
            held.enter_context(using(data_dir, alone=True))
            # The keys first: a database without them is a database whose keys were lost.
            open_vault(data_dir)
        engine = held.enter_context(_opened(settings))
        before = revision_of(engine)
        upgrade(engine)
        return Schemas(before=before, after=revision_of(engine), own=head())


@contextmanager
def _opened(settings: Settings) -> Iterator[Engine]:
    url = settings.DATABASE_URL or sqlite_url(settings.MEMORY_DATA_DIR.expanduser().resolve())
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
