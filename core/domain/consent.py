"""Consent as data: what a participant was promised, fixed at the moment of giving.

A manifest carries every retention figure in it, so that a later change of settings cannot change an old promise.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

MANIFEST_VERSION = 1


class Mode(StrEnum):
    """ROOM: plays for hours. FOSSIL: leaves a residue. NOSAVE: heard once."""

    ROOM = "ROOM"
    FOSSIL = "FOSSIL"
    NOSAVE = "NOSAVE"


class Kind(StrEnum):
    """What a fossil leaves, by the name it has in a promise; `<what>_<suffix>` is stored as `<what>.<suffix>`.

    A kind that is added here is granted by every promise made from then on, and by none that was made before.
    """

    SPECTROGRAM = "spectrogram_png"
    ESSENCE = "essence_wav"

    @property
    def file(self) -> str:
        """The name of its file."""
        return ".".join(self.value.rsplit("_", 1))


SOUNDING = Kind.ESSENCE
"""The one that is heard once the take is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionPolicy:
    """Today's retention settings, in the units people configure them in."""

    raw_room_hours: float
    raw_fossil_hours: float
    derivative_fossil_days: float
    once_fetch_minutes: float
    once_sweep_minutes: float
    backup_days: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """The wording the participant was shown."""

    language: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """One promise. Times are UTC; `None` means the manifest grants no such right."""

    version: int
    mode: Mode
    given_at: datetime
    raw_until: datetime
    swept_by: datetime
    derivative_until: datetime | None
    derivatives: tuple[str, ...]
    publishable: bool
    revocable: bool
    backup_days: float
    notice_language: str
    notice_version: str

    @property
    def playable_until(self) -> datetime:
        """When the last thing that could sound loses its right to."""
        return max(self.raw_until, self.derivative_until or self.raw_until)

    @property
    def last_copy_until(self) -> datetime:
        """The outermost date on which the last backup copy is gone, if nothing ends it earlier."""
        return self.copies_gone_by(self.playable_until)

    def copies_gone_by(self, ended_at: datetime) -> datetime:
        """The outermost date on which a backup made just before `ended_at` is gone."""
        return ended_at + timedelta(days=self.backup_days)

    def narrowed(self) -> "Manifest":
        """The same without what a fossil would leave: only ever less than was promised."""
        if self.mode is not Mode.FOSSIL:
            return self
        return replace(self, mode=Mode.ROOM, derivative_until=None, derivatives=(), publishable=False)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, times as ISO 8601."""
        plain = asdict(self)
        plain["mode"] = self.mode.value
        plain["derivatives"] = list(self.derivatives)
        for name in ("given_at", "raw_until", "swept_by", "derivative_until"):
            value = plain[name]
            plain[name] = value.isoformat() if value is not None else None
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Manifest":
        """The inverse of `to_json`; a manifest from an unknown version is refused with ValueError."""
        if plain["version"] != MANIFEST_VERSION:
            raise ValueError(f"consent manifest version {plain['version']} is not known here")
        until = plain["derivative_until"]
        return cls(
            version=MANIFEST_VERSION,
            mode=Mode(plain["mode"]),
            given_at=datetime.fromisoformat(plain["given_at"]),
            raw_until=datetime.fromisoformat(plain["raw_until"]),
            swept_by=datetime.fromisoformat(plain["swept_by"]),
            derivative_until=datetime.fromisoformat(until) if until is not None else None,
            derivatives=tuple(plain["derivatives"]),
            publishable=bool(plain["publishable"]),
            revocable=bool(plain["revocable"]),
            backup_days=float(plain["backup_days"]),
            notice_language=plain["notice_language"],
            notice_version=plain["notice_version"],
        )


def promise(mode: Mode, policy: RetentionPolicy, notice: Notice, now: datetime) -> Manifest:
    """Turn a chosen mode into a promise, with today's retention settings written into it."""
    raw_until, derivative_until, derivatives = _rights(mode, policy, now)
    swept_by = now + timedelta(minutes=policy.once_sweep_minutes) if mode is Mode.NOSAVE else raw_until
    return Manifest(
        version=MANIFEST_VERSION,
        mode=mode,
        given_at=now,
        raw_until=raw_until,
        swept_by=swept_by,
        derivative_until=derivative_until,
        derivatives=derivatives,
        publishable=mode is Mode.FOSSIL,
        revocable=mode is not Mode.NOSAVE,
        backup_days=0 if mode is Mode.NOSAVE else policy.backup_days,
        notice_language=notice.language,
        notice_version=notice.version,
    )


def _rights(mode: Mode, policy: RetentionPolicy, now: datetime) -> tuple[datetime, datetime | None, tuple[str, ...]]:
    match mode:
        case Mode.ROOM:
            return now + timedelta(hours=policy.raw_room_hours), None, ()
        case Mode.FOSSIL:
            return (
                now + timedelta(hours=policy.raw_fossil_hours),
                now + timedelta(days=policy.derivative_fossil_days),
                tuple(kind.value for kind in Kind),
            )
        case Mode.NOSAVE:
            return now + timedelta(minutes=policy.once_fetch_minutes), None, ()
