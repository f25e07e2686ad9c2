"""Open kiosk and room pages: what they report, and what a steward should make of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Surface(StrEnum):
    """The pages that report themselves."""

    KIOSK = "kiosk"
    ROOM = "room"


class Permission(StrEnum):
    """Whether a page may use the microphone."""

    GRANTED = "granted"
    DENIED = "denied"
    PROMPT = "prompt"
    UNKNOWN = "unknown"


class AudioState(StrEnum):
    """The page's audio context; NONE before there is one."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    INTERRUPTED = "interrupted"
    CLOSED = "closed"
    NONE = "none"


class Activity(StrEnum):
    """What a page is doing. Only SOUNDING promises that something comes out of the loudspeaker."""

    SOUNDING = "sounding"
    RESTING = "resting"
    PAUSED = "paused"
    BLOCKED = "blocked"
    IDLE = "idle"
    BUSY = "busy"


class Standing(StrEnum):
    """What a steward's tile shows."""

    ONLINE = "online"
    WAITING = "waiting"
    SILENT = "silent"
    OFFLINE = "offline"


class Command(StrEnum):
    """What a steward may ask of a page from afar."""

    IDENTIFY = "identify"
    TONE = "tone"
    RELOAD = "reload"
    WIPE = "wipe"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What one page says of itself. `sound_ago_s`: since its output last carried sound, None where it never did;
    `skew_s`: its clock ahead of the node's; `since_s`: how long it has been doing what it does; `playing`: the artifact
    heard now.
    """

    activity: Activity = Activity.IDLE
    since_s: float = 0.0
    audio: AudioState = AudioState.NONE
    sound_ago_s: float | None = None
    microphone: str = ""
    permission: Permission = Permission.UNKNOWN
    microphone_silent: bool = False
    skew_s: float = 0.0
    page_version: str = ""
    visible: bool = True
    playing: int | None = None

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Report":
        """From plain JSON values, as `dataclasses.asdict` makes them; ValueError for an unknown word."""
        said = dict(plain)
        return cls(
            activity=Activity(said.pop("activity")),
            audio=AudioState(said.pop("audio")),
            permission=Permission(said.pop("permission")),
            **said,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One page over its reloads. `name` is what stewards call it, `station` what its takes are counted under."""

    id: str
    surface: Surface
    name: str
    station: str
    opened_at: datetime
    contact_at: datetime
    closed_at: datetime | None = None
    report: Report = field(default_factory=Report)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceFigures:
    """When a page counts as gone, as silent, as wrong about the time; in seconds."""

    offline_s: float
    silent_s: float
    skew_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFigures:
    """How pages report themselves and obey: `catalogs/device.toml`, handed to them whole."""

    report_s: float
    look_ms: float
    rest_s: float
    blocked_s: float
    tap_ms: float
    tap_samples: int
    sound_floor_db: float
    microphone_floor_db: float
    microphone_silent_s: float
    identify_s: float

    def __post_init__(self) -> None:
        if min(self.report_s, self.look_ms, self.tap_ms, self.identify_s, self.microphone_silent_s) <= 0:
            raise ValueError("report_s, look_ms, tap_ms, identify_s and microphone_silent_s are above 0")
        if min(self.rest_s, self.blocked_s) < 0:
            raise ValueError("rest_s and blocked_s are 0 or more")
        if self.tap_samples not in _TAPS:
            raise ValueError("tap_samples is a power of two from 32 to 32768")
        if max(self.sound_floor_db, self.microphone_floor_db) >= 0:
            raise ValueError("sound_floor_db and microphone_floor_db lie below 0")


_TAPS = {2**power for power in range(5, 16)}
"""What a browser can listen to at once."""


class Trouble(StrEnum):
    """What is wrong with a page that can be reached."""

    SILENT = "silent"
    BLOCKED = "blocked"
    NO_MICROPHONE = "no_microphone"
    MICROPHONE_SILENT = "microphone_silent"
    SKEWED = "skewed"
    OLD_PAGE = "old_page"


def offline(device: Device, now: datetime, figures: DeviceFigures) -> bool:
    """Whether a page is closed, or has not been heard of for too long."""
    return device.closed_at is not None or now - device.contact_at > timedelta(seconds=figures.offline_s)


def troubles(device: Device, now: datetime, figures: DeviceFigures, *, page_version: str) -> tuple[Trouble, ...]:
    """Everything wrong with a reachable page, the gravest first; nothing of one that is offline.

    A composed pause is not silence: only a page that says it is sounding, and has said so for longer than `silent_s`
    while its output carried nothing, is silent against its will.
    """
    if offline(device, now, figures):
        return ()
    report = device.report
    found = []
    quiet_s = report.since_s if report.sound_ago_s is None else min(report.since_s, report.sound_ago_s)
    if report.activity is Activity.SOUNDING and quiet_s > figures.silent_s:
        found.append(Trouble.SILENT)
    if report.activity is Activity.BLOCKED:
        found.append(Trouble.BLOCKED)
    absent = report.permission is Permission.GRANTED and not report.microphone
    if device.surface is Surface.KIOSK and (absent or report.permission is Permission.DENIED):
        found.append(Trouble.NO_MICROPHONE)
    if device.surface is Surface.KIOSK and report.microphone_silent:
        found.append(Trouble.MICROPHONE_SILENT)
    if abs(report.skew_s) > figures.skew_s:
        found.append(Trouble.SKEWED)
    if report.page_version and report.page_version != page_version:
        found.append(Trouble.OLD_PAGE)
    return tuple(found)


_MUTE = {Trouble.SILENT, Trouble.BLOCKED, Trouble.NO_MICROPHONE, Trouble.MICROPHONE_SILENT}
_WAITING = {Activity.RESTING, Activity.PAUSED, Activity.IDLE}


def standing(device: Device, now: datetime, figures: DeviceFigures, *, page_version: str) -> Standing:
    """One word for a tile."""
    if offline(device, now, figures):
        return Standing.OFFLINE
    if _MUTE & set(troubles(device, now, figures, page_version=page_version)):
        return Standing.SILENT
    return Standing.WAITING if device.report.activity in _WAITING else Standing.ONLINE
