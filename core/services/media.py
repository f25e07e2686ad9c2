"""Serving what is stored to whoever holds a grant, for as long as the right lasts, and to stewards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from core.domain.artifact import Artifact
from core.domain.consent import SOUNDING, Kind
from core.errors import NotFound, StoreMissing
from core.ports.outside import ByteStore, Clock
from core.ports.work import Transaction, UnitOfWork
from core.services.grants import Grants

_NOTHING = "There is nothing here to hear, or no longer."
_NO_PICTURE = "There is no picture here, or no longer."


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
        return self._stored(artifact_id, Artifact.playable, _sound_key, _NOTHING)

    def may_play(self, token: str) -> bool:
        """Whether `sound` would still allow it: asked of the database alone, shortly before a voice is played."""
        artifact_id = self._grants.media_artifact(token)
        return artifact_id is not None and self._key(artifact_id, Artifact.playable, _sound_key) is not None

    def sound_for_steward(self, artifact_id: int) -> Media:
        """The same for a steward, whatever a review says; no hearing is counted. Raises `NotFound`."""
        return self._stored(artifact_id, Artifact.lasts, _sound_key, _NOTHING)

    def picture(self, token: str) -> Media:
        """The picture behind a token. Raises `NotFound` once its right is over; for a room, also under review."""
        grant = self._grants.pictured(token)
        if grant is None:
            raise NotFound(_NO_PICTURE)
        allowed = Artifact.lasts if grant.steward else Artifact.playable
        return self._stored(grant.artifact_id, allowed, _picture_key, _NO_PICTURE)

    def _stored(
        self,
        artifact_id: int,
        allowed: Callable[[Artifact, datetime], bool],
        key_of: Callable[[Transaction, Artifact, datetime], str | None],
        sentence: str,
    ) -> Media:
        key = self._key(artifact_id, allowed, key_of)
        if key is None:
            raise NotFound(sentence)
        size_bytes = self._store.size(key)
        if size_bytes is None:
            raise NotFound(sentence) from StoreMissing()
        return Media(key=key, size_bytes=size_bytes, store=self._store)

    def _key(
        self,
        artifact_id: int,
        allowed: Callable[[Artifact, datetime], bool],
        key_of: Callable[[Transaction, Artifact, datetime], str | None],
    ) -> str | None:
        """Where what may be served lies; None where nothing may."""
        now = self._clock.now()
        with self._work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
            return key_of(tx, artifact, now) if artifact is not None and allowed(artifact, now) else None


def _sound_key(tx: Transaction, artifact: Artifact, now: datetime) -> str | None:
    return artifact.raw_key if artifact.raw_lasts(now) else _made(tx, artifact, SOUNDING, now)


def _picture_key(tx: Transaction, artifact: Artifact, now: datetime) -> str | None:
    return _made(tx, artifact, Kind.SPECTROGRAM, now)


def _made(tx: Transaction, artifact: Artifact, kind: Kind, now: datetime) -> str | None:
    found = (made.key for made in tx.derivatives.of(artifact.id) if made.kind == kind and now < made.until)
    return next(found, None)
