"""What a receipt says of a promise: where it stands now, until when, and what has gone already."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.artifact import Artifact, Review, State
from core.domain.consent import Manifest, Mode

RAW = "raw"
"""How the take itself is called among what was deleted, beside the kinds of derivatives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """A promise and its present state: `given` is what was promised, `manifest` what holds since it was narrowed."""

    given: Manifest
    manifest: Manifest
    artifacts: list[Artifact]
    narrowed_at: datetime | None
    withdrawn_at: datetime | None
    open_deletions: int

    @property
    def held(self) -> bool:
        """Whether anything can still be taken back."""
        return any(artifact.state.held for artifact in self.artifacts)

    @property
    def verified_gone_at(self) -> datetime | None:
        """When the absence of the last byte was verified, None where something is held or still retried."""
        return verified_gone_at(self.artifacts)


class Stand(StrEnum):
    """Where a promise stands. The last four are ends: by time, by the participant's word on all or on what was left,
    or by a steward's."""

    WAITING = "waiting"
    ROOM = "room"
    FOSSIL = "fossil"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NARROWED = "narrowed"
    REMOVED = "removed"

    @property
    def over(self) -> bool:
        """Whether nothing of it may be heard any more."""
        return self in (Stand.EXPIRED, Stand.REVOKED, Stand.NARROWED, Stand.REMOVED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A receipt read at one moment.

    `room_until` is when the take's own right ends, `fossil_until` that of what it leaves; `copies_until` the outermost
    date of the last backup copy, None where it is in none. `deleted` names what no longer has a right to exist:
    `raw`, and kinds of derivatives, as far as they were made. `retrying` says that the absence of some of it is not
    verified yet; `verified_gone_at` when that of everything was.
    """

    stand: Stand
    ended_at: datetime | None
    room_until: datetime
    fossil_until: datetime | None
    copies_until: datetime | None
    heard: int
    duration_ms: int
    deleted: tuple[str, ...]
    retrying: bool
    verified_gone_at: datetime | None
    narrowable: bool

    @property
    def ends_at(self) -> datetime:
        """When the last thing of it loses, or has lost, its right to be heard."""
        return self.ended_at or self.fossil_until or self.room_until


def standing(receipt: Receipt, now: datetime) -> Standing:
    """Where a promise stands at `now`; time itself ends a right, whether or not a sweep has run."""
    artifact = max(receipt.artifacts, key=lambda one: (one.lasts(now), one.id))
    stand = _stand(receipt, artifact, now)
    ended_at = _ended_at(receipt.given, artifact, stand, now) if stand.over else None
    return Standing(
        stand=stand,
        ended_at=ended_at,
        room_until=receipt.manifest.raw_until,
        fossil_until=receipt.manifest.derivative_until,
        copies_until=_copies_until(receipt.manifest, ended_at),
        heard=sum(one.plays for one in receipt.artifacts),
        duration_ms=artifact.duration_ms,
        deleted=_deleted(receipt, artifact, stand, now),
        retrying=_retrying(receipt, artifact, stand, now),
        verified_gone_at=receipt.verified_gone_at,
        narrowable=not stand.over and receipt.manifest.mode is Mode.FOSSIL,
    )


def verified_gone_at(artifacts: list[Artifact]) -> datetime | None:
    """The last of the times at which each artifact's absence was verified, None where one is missing."""
    stamps = [artifact.gone_at for artifact in artifacts]
    if not stamps or any(stamp is None for stamp in stamps):
        return None
    return max(stamp for stamp in stamps if stamp is not None)


def _stand(receipt: Receipt, artifact: Artifact, now: datetime) -> Stand:
    if artifact.lasts(now):
        if artifact.review is not Review.NONE:
            return Stand.WAITING
        return Stand.ROOM if artifact.raw_lasts(now) else Stand.FOSSIL
    ended_at = artifact.ended_at
    if artifact.state is State.REVOKED:
        # A code that is used after a steward's removal withdraws a promise that had ended before.
        own = receipt.withdrawn_at is not None and (ended_at is None or receipt.withdrawn_at <= ended_at)
        return Stand.REVOKED if own else Stand.REMOVED
    if ended_at is not None and receipt.narrowed_at == ended_at:
        return Stand.NARROWED
    return Stand.EXPIRED


def _ended_at(given: Manifest, artifact: Artifact, stand: Stand, now: datetime) -> datetime:
    at = artifact.ended_at or artifact.playable_until or now
    if stand is not Stand.EXPIRED:
        return at
    # A right ends at its hour; the row says when that was noticed.
    return max(
        (hour for hour in (given.raw_until, given.derivative_until) if hour is not None and hour <= at), default=at
    )


def _copies_until(manifest: Manifest, ended_at: datetime | None) -> datetime | None:
    if manifest.backup_days <= 0:
        return None
    last = manifest.last_copy_until
    # An end that was noticed late makes no copy older: what is over by time is in no backup made after it.
    return last if ended_at is None else min(last, manifest.copies_gone_by(ended_at))


def _deleted(receipt: Receipt, artifact: Artifact, stand: Stand, now: datetime) -> tuple[str, ...]:
    if stand.over:
        return (RAW, *receipt.given.derivatives)
    gone = () if artifact.raw_lasts(now) else (RAW,)
    return (*gone, *(receipt.given.derivatives if receipt.narrowed_at is not None else ()))


def _retrying(receipt: Receipt, artifact: Artifact, stand: Stand, now: datetime) -> bool:
    if stand.over:
        return receipt.verified_gone_at is None
    unnamed = artifact.raw_key is not None and not artifact.raw_lasts(now)
    return unnamed or (receipt.open_deletions > 0 and bool(_deleted(receipt, artifact, stand, now)))
