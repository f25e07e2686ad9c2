"""Every setting of a node: read once, from the environment and `.env`, then frozen.

Names are those of the environment variables. Anything wrong is reported at once, all of it, and the node does not
start.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.adapters.catalogs import load
from core.domain.access import networks
from core.domain.room.rows import Intensity, Preset
from core.errors import Misconfigured

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A closed choice whose members stand elsewhere, in an enum that is read by more than the settings."""

    choices: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """As a literal of the same choices."""
        return core_schema.literal_schema(list(self.choices))


BY_DAYPART = "by_daypart"
"""Instead of a choice: as the hour of the site has it."""

Intensities = Annotated[str, OneOf((BY_DAYPART, *(one.value for one in Intensity)))]
Presets = Annotated[str, OneOf((BY_DAYPART, *(one.value for one in Preset)))]


def _one_line(value: str) -> str:
    if any(ord(sign) < 32 for sign in value):
        raise ValueError("must be one line of plain text")
    return value.strip()


def _networks(value: str) -> str:
    try:
        networks(value)
    except ValueError as error:
        raise ValueError(f"must be addresses or networks, separated by commas: {error}") from error
    return value


def _zone(value: str) -> str:
    if value:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("must be the name of a time zone, such as Europe/Berlin") from error
    return value


def _bearer(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9._~+/-]{16,}=*", value):
        raise ValueError("must be at least 16 letters, digits or signs of -._~+/ without spaces")
    return value


Line = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
Networks = Annotated[Line, AfterValidator(_networks)]
Zone = Annotated[Line, AfterValidator(_zone)]
Hour = Annotated[int, Field(ge=0, le=23)]
Chance = Annotated[float, Field(ge=0, le=1)]
Secret = Annotated[str, Field(max_length=2000, repr=False), AfterValidator(_one_line)]
SensorToken = Annotated[Secret, AfterValidator(_bearer)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Profiles:
    """`assets/catalogs/profiles.toml`: settings by the name of the profile."""

    profiles: dict[str, dict[str, Any]]


class _ProfileSource(PydanticBaseSettingsSource):
    """What the installation's profile says; the last to be asked, so that whatever is given beats it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One value, None where the profile says nothing."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every value of the profile that was asked for; of one there is not, nothing: the field itself complains."""
        name = self.current_state.get("INSTALLATION_PROFILE", "custom")
        return dict(load("profiles", Profiles).profiles.get(str(name), {}))


class Settings(BaseSettings):
    """The installation as configured. A field's description is its documentation (`docs/reference/settings.md`)."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_file=".env", env_ignore_empty=True, case_sensitive=True
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The usual sources in their usual order, and the profile after all of them."""
        return (*sources, *named.values(), _ProfileSource(settings_cls))

    HOST: Line = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 serves the local network.")
    PORT: int = Field(8080, ge=1, le=65535, description="Port to listen on.")
    TLS: Literal["off", "internal"] = Field(
        "off",
        description="Whether the node serves HTTPS itself, by a certificate authority of its own (`internal`).",
    )
    CERTIFICATE_PORT: int = Field(
        8081,
        ge=0,
        le=65535,
        description="Port that hands out the root certificate over plain http, and leads everybody else to https; 0 "
        "for none. With TLS only.",
    )
    MEMORY_DATA_DIR: Path = Field(
        Path("data"), description="Folder for the database, the sounds and the generated secrets."
    )
    NODE_NAME: Line = Field("This room", description="Name of this node, shown on the door, the wall and the receipt.")
    NODE_LOCATION: Line = Field("", description="Where this node stands, shown on the door and the receipt.")
    NODE_CONTACT: Line = Field("", description="Whom participants may turn to, shown on the door and the receipt.")
    ALLOWED_HOSTS: Line = Field(
        "",
        description="Further host names this node answers to, separated by commas. "
        "Its own addresses and names are always included; * allows all.",
    )
    OPS_SHARED_SECRET: Secret = Field(
        "", description="Secret of the stewards; empty uses the one generated into the data folder."
    )
    OPS_ALLOWED_NETWORKS: Networks = Field(
        "", description="Addresses or networks, separated by commas, stewards may come from; empty allows all."
    )
    OPS_SESSION_BINDING: Literal["user_agent", "strict", "none"] = Field(
        "user_agent",
        description="What a steward's session is bound to: the browser, the browser and its address (`strict`), or "
        "nothing.",
    )
    OPS_SESSION_HOURS: Positive = Field(12, description="Hours a steward's session lasts.")
    OPS_LOCKOUT_PER_BROWSER: Count = Field(
        6, description="Failed sign-ins from one address and browser before a lockout."
    )
    OPS_LOCKOUT_PER_ADDRESS: Count = Field(30, description="Failed sign-ins from one address before a lockout.")
    OPS_LOCKOUT_SECONDS: Count = Field(900, description="Seconds a lockout lasts.")
    SENSOR_TOKEN: SensorToken = Field(
        "", description="What a presence sensor or a show control shows to report; empty turns its address off."
    )
    SENSOR_HOLD_SECONDS: int = Field(
        120, ge=1, le=86_400, description="Seconds a report counts that does not say how long."
    )
    SENSOR_MAY_PAUSE: bool = Field(
        True, description="Whether a sensor may ask for a pause or for quiet; false lets it report people only."
    )
    SENSOR_CHANGES_PER_HOUR: Count = Field(
        120, description="How often in an hour a sensor may begin or end asking for something."
    )
    TIME_ZONE: Zone = Field(
        "",
        description="Time zone of the site, such as Europe/Berlin, for the room and receipts; empty: the machine's.",
    )
    INSTALLATION_PROFILE: Literal["custom", "quiet_gallery", "shared_lab", "active_exhibit"] = Field(
        "custom",
        description="Kind of place: sets what is not set otherwise (see `profiles.toml`); custom sets nothing.",
    )
    ENGINE_DEPLOYMENT: Line = Field(
        "memory", description="How the room behaves: memory, question, prompt, repair, witness or oracle."
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")

    PUBLIC_URL: Line = Field(
        "",
        description="http:// or https:// address participants reach this node at, for links and QR codes; empty "
        "uses the one the kiosk or the steward came by.",
    )
    HOLD_NEW_TAKES: bool = Field(False, description="Whether a new take waits until a steward has passed it.")
    FLAG_HOLDS: bool = Field(
        True, description="Whether a take a listener asks to have checked is out of the room until a steward has."
    )
    FLAG_PER_STATION_HOUR: Count = Field(6, description="Checks one station may ask for in an hour.")
    FLAG_PER_ADDRESS_HOUR: Count = Field(30, description="Checks one address may ask for in an hour.")

    DATABASE_URL: Secret = Field(
        "", description="postgresql+psycopg://user:password@host/name; empty keeps the embedded SQLite."
    )
    REDIS_URL: Secret = Field("", description="redis://host:port/0, for jobs, signals and budgets of the stack.")
    MINIO_ENDPOINT: Line = Field("", description="http:// or https:// address of the S3 server of the stack.")
    MINIO_BUCKET: Line = Field("", description="Bucket of this node; it must not keep versions.")
    MINIO_ACCESS_KEY: Secret = Field("", description="Access key of the S3 server.")
    MINIO_SECRET_KEY: Secret = Field("", description="Secret key of the S3 server.")
    MINIO_REGION: Line = Field("us-east-1", description="Region of the bucket.")
    MINIO_CA_FILE: Path | None = Field(None, description="Certificate authority of an S3 server with its own.")
    CODE_KEY: Secret = Field("", description="64 hex digits; receipt codes are hashed with it. For the stack.")
    TOKEN_KEY: Secret = Field("", description="64 hex digits; grants and sessions are signed with it. For the stack.")
    PREVIOUS_CODE_KEYS: Secret = Field("", description="Former code keys, separated by commas: old codes still work.")
    TRUSTED_PROXIES: Networks = Field(
        "", description="Addresses or networks, separated by commas, whose forwarded headers are believed."
    )
    METRICS: bool = Field(False, description="Whether /metrics answers.")

    RAW_TTL_HOURS_ROOM: Positive = Field(48, description="Hours a ROOM take is kept.")
    RAW_TTL_HOURS_FOSSIL: Positive = Field(48, description="Hours the raw sound of a FOSSIL take is kept.")
    DERIVATIVE_TTL_DAYS_FOSSIL: Positive = Field(365, description="Days the residue of a FOSSIL take is kept.")
    ONCE_FETCH_MINUTES: Positive = Field(5, description="Minutes in which a one-time take may be heard.")
    ONCE_SWEEP_MINUTES: Positive = Field(
        10, description="Minutes after which an unheard one-time take is gone at the latest."
    )
    LEDGER_DIR: Path | None = Field(
        None,
        description="Folder of the revocation ledger; empty keeps it in the data folder. On another disk it survives "
        "this one.",
    )
    BACKUP_DIR: Path | None = Field(
        None, description="Folder of backups and exports; empty keeps them in the data folder, on the same disk."
    )
    BACKUP_PASSPHRASE: Secret = Field(
        "",
        description="Passphrase of backups; empty uses the one generated into the data folder. The stack has none of "
        "its own.",
    )
    BACKUP_RECIPIENTS: Line = Field(
        "", description="age recipients (age1...), separated by commas, backups are encrypted for instead."
    )
    BACKUP_DAYS: Positive = Field(7, description="Days a backup may live; every promise names this outermost date.")

    UPLOAD_MAX_MIB: Positive = Field(32, description="Largest upload, in MiB.")
    TAKE_MAX_SECONDS: Positive = Field(300, description="Longest take the node accepts, in seconds.")
    TAKE_KEY_MINUTES: Positive = Field(
        15,
        description="How long a take on a kiosk's disk can be resumed after a reload or a crash, in minutes: its key "
        "is held for so long.",
    )
    TAKE_MAX_RATE_HZ: Count = Field(96_000, description="Highest sample rate the node accepts, in Hz.")
    KIOSK_MAX_RECORDING_SECONDS: int = Field(
        120, ge=30, le=300, description="Longest recording at the kiosk, in seconds, until a steward changes it."
    )
    KIOSK_MICROPHONE: Line = Field(
        "",
        description="The kiosk's microphone: a part of the name its machine gives it. Empty leaves it to the browser.",
    )
    KIOSK_LAYOUT: Literal["standing", "seated"] = Field(
        "standing", description="How people are before the kiosk: standing, or seated with all of it low on the screen."
    )
    KIOSK_PRINTS: bool = Field(
        False, description="Whether a kiosk prints every receipt by itself, on whatever its browser prints on."
    )
    INGEST_PER_STATION_HOUR: Count = Field(180, description="Takes one station may send in an hour.")
    INGEST_PER_ADDRESS_HOUR: Count = Field(600, description="Takes one address may send in an hour.")
    REVOKE_PER_STATION_HOUR: Count = Field(30, description="Receipt codes one station may try in an hour.")
    REVOKE_PER_ADDRESS_HOUR: Count = Field(120, description="Receipt codes one address may try in an hour.")
    BUDGET_LOW_SHARE: Share = Field(0.15, description="Share of a budget from which it counts as low.")
    MEDIA_TOKEN_SECONDS: Count = Field(900, description="Seconds a playback grant lasts.")

    POOL_FRESH_MAX_AGE_HOURS: Positive = Field(8, description="Oldest age, in hours, of a fresh take.")
    POOL_FRESH_MAX_WEAR: Share = Field(0.18, description="Most wear of a fresh take.")
    POOL_FRESH_MAX_PLAY_COUNT: int = Field(2, ge=0, description="Most plays of a fresh take.")
    POOL_WORN_MIN_AGE_HOURS: Positive = Field(18, description="Age, in hours, from which a take is worn.")
    POOL_WORN_MIN_WEAR: Share = Field(0.38, description="Wear from which a take is worn.")
    POOL_WORN_MIN_PLAY_COUNT: Count = Field(5, description="Plays from which a take is worn.")
    POOL_LIGHT_MAX_SECONDS: Positive = Field(5, description="Longest light take, in seconds.")
    POOL_DENSE_MIN_SECONDS: Positive = Field(18, description="Shortest dense take, in seconds.")
    POOL_SUSPENDED_MIN_AGE_HOURS: Positive = Field(12, description="Age, in hours, from which a mid take is suspended.")
    POOL_COOLDOWN_SECONDS: Positive = Field(90, description="Seconds a heard take rests.")
    POOL_SLICE_SECONDS: Positive = Field(45, description="Longest slice of a long take, in seconds.")
    POOL_SLICE_REVOLUTION_SECONDS: Count = Field(300, description="Seconds after which another slice is played.")
    POOL_SLICE_STEP_MS: Count = Field(250, description="Grid of slice starts, in milliseconds.")
    WEAR_EPSILON_PER_PLAY: Share = Field(0.003, description="Wear added by one hearing.")
    ROOM_INTENSITY: Intensities = Field(
        "by_daypart", description="How dense the room sounds: by the hour of the site, or always alike."
    )
    ROOM_MOVEMENT_PRESET: Presets = Field(
        "by_daypart", description="How long movements dwell: by the hour of the site, or always alike."
    )
    ROOM_QUIET_HOURS: bool = Field(False, description="Whether the room is quieter in some hours of the day.")
    ROOM_QUIET_HOURS_START: Hour = Field(22, description="Hour of the site at which quiet hours begin.")
    ROOM_QUIET_HOURS_END: Hour = Field(6, description="Hour of the site at which quiet hours are over.")
    ROOM_QUIET_HOURS_GAP: Positive = Field(1.2, description="Multiplier of gaps in quiet hours.")
    ROOM_QUIET_HOURS_TONE: Positive = Field(0.78, description="Multiplier of the room tone in quiet hours.")
    ROOM_QUIET_HOURS_OUTPUT: Positive = Field(0.72, description="Multiplier of everything that sounds in quiet hours.")
    ROOM_OVERLAP_CHANCE: Chance = Field(0.1, description="Chance that another voice sounds with one; 0 for never.")
    ROOM_OVERLAP_MIN_PLAYABLE: Count = Field(6, description="Playable takes from which voices may sound together.")
    ROOM_OVERLAP_LAYERS: int = Field(
        2, ge=1, le=3, description="Voices that may sound together at most; a chorus of questions may have one more."
    )
    ROOM_OVERLAP_MIN_DELAY_MS: int = Field(180, ge=0, description="Milliseconds the next voice comes later, at least.")
    ROOM_OVERLAP_MAX_DELAY_MS: int = Field(520, ge=0, description="Milliseconds the next voice comes later, at most.")
    ROOM_OVERLAP_GAIN: Share = Field(0.68, description="Loudness of the other voices beside the first.")
    ROOM_SCARCITY_LOW: Count = Field(6, description="Playable takes up to which the room has few voices.")
    ROOM_SCARCITY_SEVERE: Count = Field(3, description="Playable takes up to which it has hardly any.")
    ROOM_FOLLOWS_OCCUPANCY: bool = Field(
        False, description="Whether the room goes by how many people a sensor reports: it rests while nobody is there."
    )
    ROOM_TONE_PROFILE: Literal["soft_air", "warm_hiss", "low_vent", "site"] = Field(
        "soft_air", description="Voice of the room tone; site plays ROOM_TONE_FILE."
    )
    ROOM_TONE_FILE: Path | None = Field(
        None, description="Recording of the place (WAV, FLAC, MP3, Ogg, M4A; at most 32 MB), played in a loop."
    )
    ROOM_FOSSIL_VISUALS: bool = Field(False, description="Whether a room may show the pictures of fossils.")
    ROOM_FOSSIL_FEED_SECONDS: Count = Field(
        86_400, description="Seconds the address of the feed of those pictures is good for."
    )

    RESERVATION_SECONDS: int = Field(
        3600, ge=300, description="Seconds a store key stays reserved for a take that is being put."
    )
    SWEEP_INTERVAL_SECONDS: Count = Field(15, description="Seconds between sweeps of due deletions.")
    EXPIRE_INTERVAL_SECONDS: Count = Field(600, description="Seconds between sweeps of rights that have ended.")
    PRUNE_INTERVAL_SECONDS: Count = Field(3600, description="Seconds between prunings of rows nobody needs.")
    FIND_WORK_INTERVAL_SECONDS: Count = Field(60, description="Seconds between searches for missing work.")
    FIND_WORK_GRACE_SECONDS: Positive = Field(
        60, description="Age, in seconds, from which a take's missing work is looked for."
    )
    FIND_WORK_AGAIN_SECONDS: Positive = Field(
        300, description="Seconds after which work that was asked for and not done is asked for again."
    )
    JOB_ATTEMPTS: Count = Field(5, description="Failures in a row after which a job is left to a steward.")
    JOB_IDLE_SECONDS: Count = Field(
        300, description="Seconds after which a silent worker's job is given to another; above the longest job."
    )
    JOB_FAILURE_RECENT_SECONDS: Count = Field(1800, description="Seconds a failed job stays a warning.")
    HEARTBEAT_INTERVAL_SECONDS: Count = Field(60, description="Seconds between heartbeats.")
    HEARTBEAT_STALE_SECONDS: Count = Field(180, description="Seconds after which a heartbeat counts as missing.")
    QUEUE_WARNING: Count = Field(12, description="Waiting jobs from which the queue is a warning.")
    QUEUE_CRITICAL: Count = Field(40, description="Waiting jobs from which the queue is critical.")
    AUDIT_OVERDUE_SECONDS: Count = Field(
        3600, description="Seconds after its due time from which a deletion or an end is a finding of the audit."
    )
    AUDIT_INTERVAL_HOURS: Positive = Field(24, description="Hours between audits of bytes against rows and ledger.")
    BACKUP_INTERVAL_HOURS: NotNegative = Field(24, description="Hours between backups; 0 makes none by itself.")
    LEDGER_BEHIND_SECONDS: Count = Field(
        900, description="Seconds the store may lack an entry of the revocation ledger before stewards are warned."
    )
    CLOCK_DOUBT_DAYS: Positive = Field(
        7,
        description="Days by which a clock nobody keeps right must have jumped for this node to doubt it: intake then "
        "waits, and nothing is destroyed too soon.",
    )
    SAMPLE_INTERVAL_SECONDS: Count = Field(300, description="Seconds between counts for the charts.")
    WATCH_INTERVAL_SECONDS: Count = Field(60, description="Seconds between looks at what stewards are warned of.")
    CLEAR_TIMED_INTERVAL_SECONDS: Count = Field(
        30, description="Seconds between clearings of switches whose time is over; they are off by then anyway."
    )
    WARN_WEBHOOK_URL: Secret = Field("", description="http:// or https:// address warnings are posted to, as JSON.")
    WARN_EMAIL_TO: Line = Field("", description="E-mail addresses, separated by commas, warnings are sent to.")
    WARN_EMAIL_FROM: Line = Field("", description="Sender of those e-mails; empty uses the first recipient.")
    WARN_QUIET_MINUTES: Positive = Field(
        60, description="Minutes before stewards are told again of a warning that still stands."
    )
    SMTP_HOST: Line = Field("", description="Mail server warnings are handed to.")
    SMTP_PORT: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    SMTP_SECURITY: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to it is secured."
    )
    SMTP_USER: Line = Field("", description="Name to sign in to it with, where it asks for one.")
    SMTP_PASSWORD: Secret = Field("", description="Password to sign in to it with.")
    POOL_LOW_PLAYABLE: int = Field(6, ge=0, description="Playable takes up to which the pool counts as low.")
    POOL_DOMINANT_SHARE: Share = Field(0.72, description="Share from which one lane or mood counts as dominating.")
    RETENTION_SOON_HOURS: Positive = Field(24, description="Hours before its end in which a take expires soon.")
    TOMBSTONE_OVERDUE_SECONDS: Count = Field(
        900, description="Seconds after its due time from which a deletion is a warning."
    )
    CLOCK_SKEW_SECONDS: Positive = Field(
        60, description="Seconds a clock may be off before it is a warning: this machine's, a worker's, a page's."
    )
    DEVICE_OFFLINE_SECONDS: Count = Field(45, description="Seconds after which a page nobody has heard of is offline.")
    DEVICE_SILENT_SECONDS: Count = Field(
        15, description="Seconds of silence while something should sound from which a page counts as silent."
    )
    DEVICE_FORGET_HOURS: Positive = Field(72, description="Hours after which an offline page is forgotten.")
    KEEP_SAMPLES_DAYS: Positive = Field(8, description="Days the counts behind the charts are kept.")
    KEEP_REPORTS_DAYS: Positive = Field(400, description="Days reports of audits and backups are kept.")
    KEEP_TRAIL_DAYS: Positive = Field(730, description="Days the audit trail is kept.")
    KEEP_JOB_RUNS_DAYS: Positive = Field(30, description="Days the record of a job is kept.")
    KEEP_IDEMPOTENCY_HOURS: Positive = Field(24, description="Hours an Idempotency-Key is remembered.")
    KEEP_ACCESS_EVENTS_DAYS: Positive = Field(90, description="Days an access event is kept.")
    KEEP_HUSKS_DAYS: Positive = Field(400, description="Days the husk of an ended take is kept.")
    DISK_WARNING_GB: Positive = Field(8, description="Free disk space, in GB, under which stewards are warned.")
    DISK_WARNING_SHARE: Share = Field(0.15, description="The same as a share of the disk; either counts.")
    DISK_CRITICAL_GB: Positive = Field(3, description="Free disk space, in GB, under which it is critical.")
    DISK_CRITICAL_SHARE: Share = Field(0.08, description="The same as a share of the disk; either counts.")
    DISK_RESERVE_GB: Positive = Field(1, description="Disk space kept free for playback and revocation, in GB.")
    DISK_RESERVE_SHARE: Share = Field(0.03, description="The same as a share of the disk; the larger one counts.")

    @model_validator(mode="after")
    def _coherent(self) -> "Settings":
        complaints = [
            f"{larger} must {'not be below' if may_equal else 'be above'} {smaller}"
            for smaller, larger, may_equal in _ORDERED
            if getattr(self, larger) < getattr(self, smaller)
            or (not may_equal and getattr(self, larger) == getattr(self, smaller))
        ]
        complaints += [
            f"{name} must begin with http:// or https://"
            for name in ("PUBLIC_URL", "WARN_WEBHOOK_URL")
            if getattr(self, name) and not re.match("https?://[^/]", getattr(self, name))
        ]
        if bool(self.WARN_EMAIL_TO) != bool(self.SMTP_HOST):
            complaints.append("WARN_EMAIL_TO and SMTP_HOST are given together or not at all")
        complaints += _tls_complaints(self)
        complaints += _tone_complaints(self)
        complaints += _stack_complaints(self)
        if complaints:
            raise ValueError("; ".join(complaints))
        return self


_ORDERED = (
    ("ONCE_FETCH_MINUTES", "ONCE_SWEEP_MINUTES", False),
    ("POOL_FRESH_MAX_WEAR", "POOL_WORN_MIN_WEAR", False),
    ("POOL_FRESH_MAX_AGE_HOURS", "POOL_WORN_MIN_AGE_HOURS", False),
    ("POOL_FRESH_MAX_PLAY_COUNT", "POOL_WORN_MIN_PLAY_COUNT", False),
    ("POOL_LIGHT_MAX_SECONDS", "POOL_DENSE_MIN_SECONDS", False),
    ("KIOSK_MAX_RECORDING_SECONDS", "TAKE_MAX_SECONDS", True),
    ("ROOM_OVERLAP_MIN_DELAY_MS", "ROOM_OVERLAP_MAX_DELAY_MS", True),
    ("ROOM_SCARCITY_SEVERE", "ROOM_SCARCITY_LOW", False),
    ("HEARTBEAT_INTERVAL_SECONDS", "HEARTBEAT_STALE_SECONDS", False),
    ("QUEUE_WARNING", "QUEUE_CRITICAL", False),
    ("DISK_CRITICAL_GB", "DISK_WARNING_GB", False),
    ("DISK_CRITICAL_SHARE", "DISK_WARNING_SHARE", False),
)

STACK = (
    "DATABASE_URL",
    "REDIS_URL",
    "MINIO_ENDPOINT",
    "MINIO_BUCKET",
    "MINIO_ACCESS_KEY",
    "MINIO_SECRET_KEY",
    "CODE_KEY",
    "TOKEN_KEY",
    "OPS_SHARED_SECRET",
)
"""What the stack needs; `OPS_SHARED_SECRET` alone does not ask for it."""

_PLACEHOLDERS = (
    "changeme",
    "change-me",
    "change_me",
    "minioadmin",
    "password",
    "secret",
    "example",
    "placeholder",
    "xxx",
)
_KEY = re.compile("[0-9a-fA-F]{64,}")


TONE_TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
}
"""What a recording of the place may be, by its suffix."""

TONE_MOST_BYTES = 32 * 1_000_000


def _tls_complaints(settings: "Settings") -> list[str]:
    """Why this node could not serve HTTPS itself."""
    if settings.TLS == "off":
        return []
    complaints = []
    if settings.DATABASE_URL:
        complaints.append("TLS internal is of the embedded engine; the stack has a proxy before its web instances")
    if settings.CERTIFICATE_PORT == settings.PORT:
        complaints.append("CERTIFICATE_PORT and PORT must differ")
    return complaints


def _tone_complaints(settings: "Settings") -> list[str]:
    """A recording of the place that browsers could not be given."""
    path = settings.ROOM_TONE_FILE
    if path is None:
        return ["ROOM_TONE_PROFILE site needs ROOM_TONE_FILE"] if settings.ROOM_TONE_PROFILE == "site" else []
    path = path.expanduser()
    if path.suffix.lower() not in TONE_TYPES:
        return [f"ROOM_TONE_FILE must end in {', '.join(TONE_TYPES)}"]
    if not path.is_file() or not os.access(path, os.R_OK):
        return [f"ROOM_TONE_FILE: there is no file to read at {path}"]
    if path.stat().st_size > TONE_MOST_BYTES:
        return ["ROOM_TONE_FILE is larger than 32 MB"]
    return []


def is_placeholder(value: str) -> bool:
    """Whether a secret is one of those that examples are full of."""
    return value.lower() in _PLACEHOLDERS or len(set(value)) in (1, 2)


def _stack_complaints(settings: "Settings") -> list[str]:
    """What is missing or a placeholder; nothing while no part of the stack is asked for."""
    given = [name for name in STACK if getattr(settings, name)]
    if not set(given) - {"OPS_SHARED_SECRET"}:
        return []
    complaints = [
        f"{name} is missing: the stack needs all of {', '.join(STACK)}" for name in STACK if name not in given
    ]
    complaints += [
        f"{name} is a placeholder; give it a value of its own"
        for name in ("MINIO_SECRET_KEY", "CODE_KEY", "TOKEN_KEY", "OPS_SHARED_SECRET")
        if is_placeholder(getattr(settings, name))
    ]
    keys = [key for name in ("CODE_KEY", "TOKEN_KEY") if (key := getattr(settings, name))]
    keys += [key for key in settings.PREVIOUS_CODE_KEYS.split(",") if key]
    if any(not _KEY.fullmatch(key) or len(key) % 2 for key in keys):
        complaints.append("CODE_KEY, TOKEN_KEY and PREVIOUS_CODE_KEYS are hex digits, at least 64 each")
    if settings.DATABASE_URL and not settings.DATABASE_URL.startswith("postgresql+psycopg://"):
        complaints.append("DATABASE_URL must begin with postgresql+psycopg://")
    if settings.REDIS_URL and not settings.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        complaints.append("REDIS_URL must begin with redis://, rediss:// or unix://")
    if settings.MINIO_ENDPOINT and not re.fullmatch("https?://[^/]+/?", settings.MINIO_ENDPOINT):
        complaints.append("MINIO_ENDPOINT must be http:// or https:// and a host")
    return complaints


def load_settings(**given: object) -> Settings:
    """Settings from the environment, `.env` and explicit values; raises `Misconfigured` with everything wrong."""
    values = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]} & set(Settings.model_fields)
        defaults = {name: Settings.model_fields[name].default for name in wrong}
        hidden = _contradictions({**values, **defaults}) if wrong else []
        raise Misconfigured(_complaints(error) + hidden) from error


def _contradictions(values: dict[str, object]) -> list[str]:
    """What would still be wrong with the wrong values out of the way; contradictions are only looked for then."""
    try:
        Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        return [line for line in _complaints(error) if line.startswith(_TOGETHER)]
    return []


_TOGETHER = "settings: "


def _complaints(error: ValidationError) -> list[str]:
    return [
        (f"{'.'.join(str(part) for part in problem['loc'])}: " if problem["loc"] else _TOGETHER)
        + problem["msg"].removeprefix("Value error, ")
        for problem in error.errors()
    ]


def prepare_data_dir(path: Path) -> Path:
    """The data folder, made and proven writable; raises `Misconfigured` with one sentence."""
    try:
        path = path.expanduser().resolve()
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or "it cannot be used"
        raise Misconfigured([f"MEMORY_DATA_DIR: cannot write to {path}: {reason}"]) from error
    return path
