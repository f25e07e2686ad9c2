"""The live posture of a node: what a steward may change while the room runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.domain.custody import Closed
from core.domain.pool.facts import Mood
from core.domain.sensor import NOTHING_SENSED, Sensed, Subject
from core.errors import BadField

SWITCHES = ("intake_paused", "playback_paused", "quieter_mode", "maintenance_mode")
"""The fields a steward turns on and off, for good or until a time."""

LONGEST_FOR = timedelta(hours=24)
"""A switch that should stay on longer than this is turned on without a time."""

SESSION = (
    "session_theme_title",
    "session_theme_prompt",
    "mood_bias",
    "deployment_focus_topic",
    "deployment_focus_status",
)
"""What frames one session, and is cleared with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StewardState:
    """One row for the whole node; `version` grows with every change. A `*_until` ends its switch by time itself."""

    intake_paused: bool = False
    intake_paused_until: datetime | None = None
    playback_paused: bool = False
    playback_paused_until: datetime | None = None
    quieter_mode: bool = False
    quieter_mode_until: datetime | None = None
    maintenance_mode: bool = False
    maintenance_mode_until: datetime | None = None
    mood_bias: str = ""
    kiosk_language_code: str = ""
    kiosk_accessibility_mode: str = ""
    kiosk_force_reduced_motion: bool = False
    kiosk_max_recording_seconds: int
    session_theme_title: str = ""
    session_theme_prompt: str = ""
    kiosk_topics: str = ""
    kiosk_closed_words: str = ""
    deployment_focus_topic: str = ""
    deployment_focus_status: str = ""
    updated_at: datetime
    version: int = 1
    closed: Closed = Closed.OPEN
    """Why the node itself is closed, whatever its switches say; no control of a steward's."""
    sensed: Sensed = NOTHING_SENSED
    """What a sensor has said; no control of a steward's either."""

    @property
    def takes_in(self) -> bool:
        """Whether a new take may be accepted."""
        return not (self.intake_paused or self.maintenance_mode or self.closed)

    @property
    def plays(self) -> bool:
        """Whether the room may sound."""
        return not (self.pauses or self.maintenance_mode or self.closed)

    @property
    def pauses(self) -> bool:
        """Whether playback is paused, by a steward or because a sensor asks for it."""
        return self.playback_paused or self.sensed.asks(Subject.PLAYBACK_PAUSED)

    @property
    def hushes(self) -> bool:
        """Whether the room is to be quieter, by a steward or because a sensor asks for it."""
        return self.quieter_mode or self.sensed.asks(Subject.QUIETER_MODE)

    @property
    def next_end(self) -> datetime | None:
        """When the first timed switch turns itself off, or what a sensor asks for is over."""
        timed = [until for name in SWITCHES if (until := getattr(self, f"{name}_until")) is not None]
        return min([*timed, *self.sensed.ends], default=None)

    def at(self, now: datetime) -> "StewardState":
        """The posture in force at `now`: a switch whose time is over is off, whether or not anybody has cleared it."""
        ended = {name: value for each in lapsed(self, now) for name, value in _off(each).items()}
        sensed = self.sensed.at(now)
        return replace(self, **ended, sensed=sensed) if ended or sensed is not self.sensed else self


def lapsed(state: StewardState, now: datetime) -> tuple[str, ...]:
    """Switches that are stored as on and whose time is over."""
    return tuple(
        name
        for name in SWITCHES
        if getattr(state, name) and (until := getattr(state, f"{name}_until")) is not None and until <= now
    )


def _off(switch: str) -> dict[str, Any]:
    return {switch: False, f"{switch}_until": None}


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlLimits:
    """What a control may be set to on this node: the languages it speaks, its longest recording."""

    languages: frozenset[str]
    shortest_recording_s: int = 30
    longest_recording_s: int = 300


ACCESSIBILITY_MODES = ("", "large", "high_contrast", "large_high_contrast")
TOPIC_SIGNS, TOPICS_MOST = 64, 8
"""A topic is as long as a take may carry it; of more than so many nobody chooses standing."""

TEXTS = {
    "session_theme_title": 80,
    "session_theme_prompt": 240,
    "kiosk_closed_words": 240,
    "deployment_focus_topic": TOPIC_SIGNS,
    "deployment_focus_status": 32,
}
FLAGS = (*SWITCHES, "kiosk_force_reduced_motion")
TIMES = tuple(f"{name}_until" for name in SWITCHES)
CONTROLS = (
    *FLAGS,
    *TIMES,
    *TEXTS,
    "kiosk_topics",
    "mood_bias",
    "kiosk_language_code",
    "kiosk_accessibility_mode",
    "kiosk_max_recording_seconds",
)
"""Every field that may be changed."""


def changed(state: StewardState, wanted: Mapping[str, Any], now: datetime, limits: ControlLimits) -> StewardState:
    """`state` as in force at `now`, with `wanted` in it; the version and time are left to the caller.

    Turning a switch on without a time turns it on for good, turning it off forgets its time. Raises `BadField`, naming
    the field, for whatever is unknown, of another type, or out of range.
    """
    values = {name: _checked(name, value, now, limits) for name, value in wanted.items()}
    for name in SWITCHES:
        until = f"{name}_until"
        if name in values and until not in values:
            values[until] = None
        if values.get(until) is not None and not values.get(name, getattr(state, name)):
            raise BadField(f"{until} needs {name} to be on.")
        if values.get(name) is False:
            values[until] = None
    return replace(state.at(now), **values)


def _checked(name: str, value: Any, now: datetime, limits: ControlLimits) -> Any:
    if name in FLAGS:
        return _of(bool, name, value, "true or false")
    if name in TIMES:
        return _time(name, value, now)
    if name in TEXTS:
        return plain_text(name, value, TEXTS[name])
    if name == "kiosk_topics":
        return ", ".join(_topics(name, value))
    if name == "kiosk_max_recording_seconds":
        shortest, longest = limits.shortest_recording_s, limits.longest_recording_s
        if type(value) is not int or not shortest <= value <= longest:
            raise BadField(f"{name} must be a whole number from {shortest} to {longest}.")
        return value
    choices = {
        "mood_bias": ("", *(mood.value for mood in Mood)),
        "kiosk_language_code": ("", *sorted(limits.languages)),
        "kiosk_accessibility_mode": ACCESSIBILITY_MODES,
    }.get(name)
    if choices is None:
        shown = name if name.isascii() and name.isidentifier() and len(name) <= 64 else "This"
        raise BadField(f"{shown} is not a control of this room.")
    if value not in choices or not isinstance(value, str):
        raise BadField(f"{name} must be one of: {', '.join(choice or '(empty)' for choice in choices)}.")
    return value


def topics_of(listed: str) -> tuple[str, ...]:
    """The topics of a list, each once, in its order; a comma of any script stands between two."""
    words = (" ".join(part.split()) for part in re.split("[,،、，]", listed))
    return tuple(dict.fromkeys(word for word in words if word))


def _topics(name: str, value: Any) -> tuple[str, ...]:
    found = topics_of(plain_text(name, value, TOPICS_MOST * (TOPIC_SIGNS + 2)))
    if len(found) > TOPICS_MOST or any(len(topic) > TOPIC_SIGNS for topic in found):
        raise BadField(f"{name} must be at most {TOPICS_MOST} topics of at most {TOPIC_SIGNS} characters each.")
    return found


def _of(kind: type, name: str, value: Any, words: str) -> Any:
    if type(value) is not kind:
        raise BadField(f"{name} must be {words}.")
    return value


def _time(name: str, value: Any, now: datetime) -> datetime | None:
    if value is None:
        return None
    try:
        until = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadField(f"{name} must be a time as ISO 8601, or null.") from None
    if until.tzinfo is None or not now < until <= now + LONGEST_FOR:
        raise BadField(f"{name} must be a time with its zone, within the next 24 hours.")
    return until


def plain_text(name: str, value: Any, signs: int) -> str:
    """What somebody wrote, in single spaces. `BadField`, naming the field, for too much or for control signs."""
    text = " ".join(_of(str, name, value, "text").split())
    if len(text) > signs or any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise BadField(f"{name} must be plain text of at most {signs} characters.")
    return text
