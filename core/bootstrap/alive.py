"""Whether a background process of this machine has shown a sign of life: what a container is asked."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.adapters.sql.engine import answering, open_engine
from core.adapters.sql.running import SqlPresences
from core.settings import Settings


def alive(settings: Settings, *, role: str, host: str, now: datetime | None = None) -> bool:
    """Whether a process of `role` on `host` was heard of lately; raises `Unavailable` where the database is away.

    Nothing else is opened: the check is made every minute, and a store that hangs is no fault of a worker.
    """
    since = (now or datetime.now(UTC)) - timedelta(seconds=settings.HEARTBEAT_STALE_SECONDS)
    engine = open_engine(settings.DATABASE_URL)
    try:
        with answering(), Session(engine) as session:
            heard = SqlPresences(session).since(since)
    finally:
        engine.dispose()
    return any(presence.role == role and host[:40] in presence.name for presence in heard)
