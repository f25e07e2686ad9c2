"""What the room may play next, and the acknowledgement that it was heard."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.artifact import Artifact
from core.domain.deployment import Deployment
from core.domain.level import LevelFigures, playback_level
from core.domain.pool.choose import Choice
from core.domain.pool.facts import Wish
from core.domain.pool.looked import Looked
from core.domain.pool.windows import Slice, SliceFigures, slice_of
from core.domain.work import Signal
from core.errors import NotFound
from core.ports.outside import Clock, Pool
from core.ports.work import Derivative, Transaction, UnitOfWork
from core.services.grants import Grants

HEARD_SHARE = 0.5
"""Nobody can have heard a playback acknowledged before this share of its duration has passed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Playback:
    """One granted playback: the choice, its artifact, the slice, and the tokens that go with it.

    `level` is the linear gain that brings it to the room's level; None while its loudness is not known.
    """

    choice: Choice
    looked: Looked
    artifact: Artifact
    slice: Slice
    pool_size: int
    media_token: str
    heard_token: str
    expires_at: datetime
    chosen_at: datetime
    level: float | None

    @property
    def sounds_ms(self) -> int:
        """How long it sounds."""
        return self.slice.duration_ms


class Heard(StrEnum):
    """What became of an acknowledgement."""

    COUNTED = "counted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class PoolService:
    """Choosing and hearing."""

    def __init__(
        self,
        work: UnitOfWork,
        pool: Pool,
        grants: Grants,
        clock: Clock,
        *,
        slices: SliceFigures,
        level: LevelFigures,
        deployment: Deployment,
        wear_per_play: float,
    ) -> None:
        self._work = work
        self._pool = pool
        self._grants = grants
        self._clock = clock
        self._slices = slices
        self._level = level
        self._deployment = deployment
        self._wear_per_play = wear_per_play

    def next(self, wish: Wish, rng: random.Random) -> Playback | None:
        """Choose one playback; None when nothing is playable or playback is paused. Changes nothing."""
        now = self._clock.now()
        with self._work.read() as tx:
            return self.choose(tx, wish, now, rng) if tx.steward.state().at(now).plays else None

    def choose(self, tx: Transaction, wish: Wish, now: datetime, rng: random.Random) -> Playback | None:
        """The same within a transaction, for whoever has seen to it that the room plays."""
        answer = self._pool.draw(tx, wish, now, rng)
        if answer is None:
            return None
        found = tx.artifacts.sounding(answer.choice.facts.artifact_id)
        if found is None or not found[0].playable(now):
            return None
        artifact, left = found
        sound = _sound(artifact, left, now)
        part = slice_of(artifact.id, sound.duration_ms, wish.variant, now, self._slices)
        media_token, expires_at = self._grants.media(artifact.id)
        return Playback(
            choice=answer.choice,
            looked=answer.looked,
            artifact=artifact,
            slice=part,
            pool_size=answer.pool_size,
            media_token=media_token,
            heard_token=self._grants.heard(artifact.id, part.duration_ms),
            expires_at=expires_at,
            chosen_at=now,
            level=playback_level(sound.lufs, sound.peak_dbtp, self._level) if sound.measured else None,
        )

    def artifact(self, artifact_id: int) -> Artifact | None:
        """One artifact as it stands."""
        with self._work.read() as tx:
            return tx.artifacts.get(artifact_id)

    def heard(self, token: str) -> Heard:
        """Count one audible playback, once per grant. Raises `NotFound` for a bad or stale token."""
        grant = self._grants.heard_grant(token)
        if grant is None:
            raise NotFound("This acknowledgement is not, or no longer, valid.")
        now = self._clock.now()
        if now - grant.granted_at < timedelta(milliseconds=grant.playback_ms * HEARD_SHARE):
            return Heard.IGNORED
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(grant.artifact_id)
            if artifact is None or not artifact.playable(now):
                return Heard.IGNORED
            if not tx.events.enter(artifact.id, nonce=grant.nonce, context="room", action="heard", now=now):
                return Heard.DUPLICATE
            step = self._wear_per_play * self._deployment.row.wear
            tx.artifacts.heard(artifact.id, wear_step=step, now=now)
            tx.signal(Signal.POOL, heard=artifact.id)
        return Heard.COUNTED


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sound:
    """What sounds of an artifact now, and how loud it is; `measured` False where that is not known."""

    duration_ms: int
    measured: bool
    lufs: float | None
    peak_dbtp: float | None


def _sound(artifact: Artifact, left: Derivative | None, now: datetime) -> _Sound:
    """The take while it lasts; then what a fossil left, which is shorter and softer than the take it came from."""
    if left is not None and left.duration_ms and not artifact.raw_lasts(now):
        return _Sound(
            duration_ms=left.duration_ms,
            measured=left.loudness_lufs is not None,
            lufs=left.loudness_lufs,
            peak_dbtp=left.peak_dbtp,
        )
    return _Sound(
        duration_ms=artifact.duration_ms,
        measured=artifact.measured,
        lufs=artifact.lufs,
        peak_dbtp=artifact.peak_dbtp,
    )
