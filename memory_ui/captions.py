"""One small line of words for those who cannot hear: what kind of memory, how old, how worn, how long."""

from datetime import datetime

from core.domain.artifact import Artifact
from core.domain.consent import Mode
from memory_ui.copy import Copy

WEAR = ((0.02, "fresh"), (0.25, "light"), (0.6, "mid"))


def caption(artifact: Artifact, now: datetime, copy: Copy, *, heard_ms: int) -> str:
    """The caption of one playback of `heard_ms`; it reveals nothing of who spoke."""
    return copy.t(
        "room.caption",
        kind=copy.t(f"room.kind_{_kind(artifact, now)}"),
        age=_age(artifact.created_at, now, copy),
        wear=copy.t(f"room.wear_{_wear(artifact.wear)}"),
        length=copy.t("room.length_seconds", count=max(1, round(heard_ms / 1000))),
    )


def fossil_title(created_at: datetime, now: datetime, copy: Copy) -> str:
    """The title of a fossil's picture."""
    return copy.t("room.fossil_title", kind=copy.t("room.kind_residue"), age=_age(created_at, now, copy))


def _kind(artifact: Artifact, now: datetime) -> str:
    if artifact.mode is not Mode.FOSSIL:
        return "room"
    return "fossil" if artifact.raw_lasts(now) else "residue"


def _age(created_at: datetime, now: datetime, copy: Copy) -> str:
    minutes = max(0, int((now - created_at).total_seconds() // 60))
    hours, days = minutes // 60, minutes // (60 * 24)
    if days >= 1:
        return copy.t("room.age_one_day") if days == 1 else copy.t("room.age_days", count=days)
    if hours >= 1:
        return copy.t("room.age_one_hour") if hours == 1 else copy.t("room.age_hours", count=hours)
    return copy.t("room.age_minutes", count=minutes) if minutes >= 2 else copy.t("room.age_now")


def _wear(wear: float) -> str:
    return next((name for most, name in WEAR if wear <= most), "deep")
