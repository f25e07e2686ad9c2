"""One line of words for those who cannot hear: what kind of memory, how it sounds, how old, how worn, how long."""

from datetime import datetime

from core.domain.artifact import Artifact
from core.domain.consent import Mode
from memory_ui.copy import Copy

WEAR = ((0.02, "fresh"), (0.25, "light"), (0.6, "mid"))


def caption(artifact: Artifact, now: datetime, copy: Copy, *, heard_ms: int) -> str:
    """The caption of one playback of `heard_ms`; it reveals nothing of who spoke, nor what about."""
    said = {
        "kind": _offering(artifact.deployment, _kind(artifact, now), copy),
        "age": _age(artifact.created_at, now, copy),
        "wear": copy.t(f"room.wear_{_wear(artifact.wear)}"),
        "length": copy.span(max(1, round(heard_ms / 1000)), "second"),
    }
    colour = _sounding(artifact.effect, copy)
    return copy.t("room.caption_coloured", colour=colour, **said) if colour else copy.t("room.caption", **said)


def fossil_title(created_at: datetime, now: datetime, copy: Copy) -> str:
    """The title of a fossil's picture."""
    return copy.t("room.fossil_title", kind=copy.t("room.kind_residue"), age=_age(created_at, now, copy))


def _offering(deployment: str, kind: str, copy: Copy) -> str:
    """What was left, by what its deployment calls it; where that has no word of its own, a memory."""
    key = f"room.{deployment}_{kind}"
    return copy.t(key) if key in copy.texts else copy.t(f"room.kind_{kind}")


def _kind(artifact: Artifact, now: datetime) -> str:
    if artifact.mode is not Mode.FOSSIL:
        return "room"
    return "fossil" if artifact.raw_lasts(now) else "residue"


def _sounding(colour: str, copy: Copy) -> str:
    """How a memory colour sounds; nothing for dry, and for a colour that nobody has put into words."""
    key = f"room.colour_{colour}"
    return copy.t(key) if key in copy.texts else ""


def _age(created_at: datetime, now: datetime, copy: Copy) -> str:
    minutes = max(0, int((now - created_at).total_seconds() // 60))
    hours, days = minutes // 60, minutes // (60 * 24)
    if days >= 1:
        return copy.t("room.age", ago=copy.ago(days, "day"))
    if hours >= 1:
        return copy.t("room.age", ago=copy.ago(hours, "hour"))
    return copy.t("room.age", ago=copy.ago(minutes, "minute")) if minutes >= 2 else copy.t("room.age_now")


def _wear(wear: float) -> str:
    return next((name for most, name in WEAR if wear <= most), "deep")
