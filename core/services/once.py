"""One-time takes: heard once, by one listener, and gone.

The bytes are opened before the claim, so that a store that fails consumes nothing; the claim is one atomic
update; the tombstone is committed with it and comes due when the answer closes, at most a minute later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from core.domain.artifact import State
from core.domain.custody import Early
from core.domain.pool.facts import LARGEST_ID
from core.domain.work import Job
from core.errors import Forbidden, NotFound, StoreMissing
from core.ports.outside import ByteStore, NodeClock, Vault
from core.ports.work import UnitOfWork

CLOSE_WITHIN_S = 60
_NOTHING = "There is nothing here to hear, or no longer."


@dataclass(frozen=True, kw_only=True, slots=True)
class OnceStream:
    """The one hearing: bytes to send, and what to call when the answer has closed, however it closed."""

    stream: BinaryIO
    size_bytes: int
    closed: Callable[[], None]


class OneTime:
    """Plays and disposes of one-time takes."""

    def __init__(self, work: UnitOfWork, store: ByteStore, vault: Vault, clock: NodeClock) -> None:
        self._work = work
        self._store = store
        self._vault = vault
        self._clock = clock

    def play_token(self, artifact_id: int, secret: str) -> str:
        """What stands in the play address: the id and the one-time secret, signed."""
        return self._vault.sign("once", artifact_id, secret)

    def waits(self, token: str) -> bool:
        """Whether the take behind a play token can still be heard; consumes nothing."""
        try:
            self._waiting(*self._parse(token))
        except NotFound:
            return False
        return True

    def play(self, token: str) -> OnceStream:
        """Claim the one hearing. Raises `NotFound` for everyone but the first, and after its five minutes."""
        artifact_id, secret = self._parse(token)
        key, once_hash = self._waiting(artifact_id, secret)
        try:
            size_bytes = self._store.size(key)
            stream = self._store.open(key)
        except StoreMissing as error:
            raise NotFound(_NOTHING) from error
        try:
            claimed = size_bytes is not None and self._claim(artifact_id, once_hash, key)
        except BaseException:
            stream.close()
            raise
        if not claimed or size_bytes is None:
            stream.close()
            raise NotFound(_NOTHING)
        return OnceStream(stream=stream, size_bytes=size_bytes, closed=lambda: self._closed(stream, key))

    def dispose(self, artifact_id: int, secret: str) -> None:
        """Dispose of an unplayed take. Raises `NotFound` where none waits, `Forbidden` for a wrong secret."""
        if not 0 < artifact_id <= LARGEST_ID:
            raise NotFound(_NOTHING)
        now = self._clock.now()
        once_hash = self._vault.digest("once", secret)
        with self._work.write() as tx:
            tx.artifacts.lock(artifact_id)
            waiting = tx.artifacts.once_waiting(artifact_id)
            if waiting is None:
                raise NotFound(_NOTHING)
            if waiting[1] != once_hash:
                raise Forbidden("This token does not belong to that take.")
            key = waiting[0].raw_key
            tx.artifacts.end(artifact_id, State.REVOKED, now)
            tx.ended_early(Early.ONCE, waiting[0], now)
            if key is not None:
                tx.tombstones.bury(key, artifact_id=artifact_id, reason="consumed", due_at=self._clock.earlier())
            tx.want(Job.SWEEP_TOMBSTONES)

    def _parse(self, token: str) -> tuple[int, str]:
        values = self._vault.read("once", token)
        match values:
            case [int(artifact_id), str(secret)]:
                return artifact_id, secret
        raise NotFound(_NOTHING)

    def _waiting(self, artifact_id: int, secret: str) -> tuple[str, str]:
        once_hash = self._vault.digest("once", secret)
        with self._work.read() as tx:
            waiting = tx.artifacts.once_waiting(artifact_id)
        if waiting is None or waiting[1] != once_hash:
            raise NotFound(_NOTHING)
        artifact = waiting[0]
        if artifact.raw_key is None or artifact.raw_until is None or artifact.raw_until <= self._clock.now():
            raise NotFound(_NOTHING)
        return artifact.raw_key, once_hash

    def _claim(self, artifact_id: int, once_hash: str, key: str) -> bool:
        now = self._clock.now()
        with self._work.write() as tx:
            claimed = tx.artifacts.claim_once(artifact_id, once_hash, now)
            if claimed is None:
                return False
            tx.ended_early(Early.ONCE, claimed, now)
            due_at = self._clock.earlier() + timedelta(seconds=CLOSE_WITHIN_S)
            tx.tombstones.bury(key, artifact_id=artifact_id, reason="heard once", due_at=due_at)
        return True

    def _closed(self, stream: BinaryIO, key: str) -> None:
        stream.close()
        with self._work.write() as tx:
            tx.tombstones.hasten(key, self._clock.earlier())
            tx.want(Job.SWEEP_TOMBSTONES)
