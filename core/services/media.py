"""Serving stored sound to whoever holds a grant, for as long as the right lasts."""

from dataclasses import dataclass
from typing import BinaryIO

from core.errors import NotFound, StoreMissing
from core.ports.outside import ByteStore, Clock
from core.ports.work import UnitOfWork
from core.services.grants import Grants

_NOTHING = "There is nothing here to hear, or no longer."


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A stored object that may be served now; `open` may be asked for any part of it."""

    key: str
    size_bytes: int
    store: ByteStore

    def open(self, start: int, length: int) -> BinaryIO:
        """A stream over `length` bytes from `start`."""
        return self.store.open(self.key, start=start, length=length)


class MediaService:
    """Resolves grants to bytes: the raw while its right lasts, else what a fossil left."""

    def __init__(self, work: UnitOfWork, store: ByteStore, grants: Grants, clock: Clock) -> None:
        self._work = work
        self._store = store
        self._grants = grants
        self._clock = clock

    def sound(self, token: str) -> Media:
        """The sound behind a media token. Raises `NotFound` the moment its artifact may no longer play."""
        artifact_id = self._grants.media_artifact(token)
        if artifact_id is None:
            raise NotFound(_NOTHING)
        now = self._clock.now()
        with self._work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
            if artifact is None or not artifact.playable(now):
                raise NotFound(_NOTHING)
            key = artifact.raw_key if artifact.raw_lasts(now) else None
            if key is None:
                key = next(
                    (
                        derivative.key
                        for derivative in tx.derivatives.of(artifact_id)
                        if derivative.kind == "essence_wav" and now < derivative.until
                    ),
                    None,
                )
        size_bytes = self._store.size(key) if key is not None else None
        if key is None or size_bytes is None:
            raise NotFound(_NOTHING) from StoreMissing()
        return Media(key=key, size_bytes=size_bytes, store=self._store)
