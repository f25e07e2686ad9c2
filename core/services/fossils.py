"""The pictures of fossils a room may show: a feed for whoever was given its address."""

from dataclasses import dataclass
from datetime import datetime

from core.errors import NotFound
from core.ports.outside import Clock
from core.ports.work import UnitOfWork
from core.services.grants import Grants

SHOWN_MOST = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Fossil:
    """A picture and the token it is fetched by; nothing says which take it was made from."""

    created_at: datetime
    token: str


class Fossils:
    """Gives the feed's address out and answers it; `shown` False gives none out and answers none."""

    def __init__(self, work: UnitOfWork, clock: Clock, grants: Grants, *, shown: bool, feed_s: int) -> None:
        self._work = work
        self._clock = clock
        self._grants = grants
        self._shown = shown
        self._feed_s = feed_s

    def feed_token(self) -> str:
        """A token for the feed; empty where this room shows no fossils."""
        return self._grants.feed(valid_s=self._feed_s) if self._shown else ""

    def feed(self, token: str) -> list[Fossil]:
        """The newest pictures that may be shown. Raises `NotFound` for a stale or foreign token."""
        if not self._shown or not self._grants.feed_lasts(token):
            raise NotFound("There are no pictures at this address, or no longer.")
        with self._work.read() as tx:
            found = tx.archive.pictures(self._clock.now(), limit=SHOWN_MOST, publishable_only=True)
        return [Fossil(created_at=one.created_at, token=self._grants.picture(one.artifact_id)) for one in found]
