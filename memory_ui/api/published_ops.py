"""Answers to stewards as they are published."""

from typing import Any

from pydantic import BaseModel, Field, JsonValue

from core.domain.pool.facts import Mood
from core.domain.steward import ACCESSIBILITY_MODES, FLAGS, TEXTS, TIMES, ControlLimits
from memory_ui.api.answers import Instant
from memory_ui.api.published import OperatorState

Counts = dict[str, int]

_LIMITS = ControlLimits(languages=frozenset())


class TimedState(OperatorState):
    """A steward's own controls with the ends of timed switches, and the version a change may name."""

    intake_paused_until: Instant | None
    playback_paused_until: Instant | None
    quieter_mode_until: Instant | None
    maintenance_mode_until: Instant | None
    version: int


class ChangeShape(BaseModel):
    """What a control was, and what it is."""

    before: JsonValue = Field(alias="from")
    after: JsonValue = Field(alias="to")


class TrailEntry(BaseModel):
    """One change: who, when, what, from what to what."""

    id: int
    at: Instant
    actor: str
    action: str
    subject: str
    before: dict[str, JsonValue]
    after: dict[str, JsonValue]


class ControlChoices(BaseModel):
    """What controls may be set to on this node."""

    deployment: str
    statuses: list[str]
    languages: list[str]
    shortest_recording_s: int
    longest_recording_s: int


class WordShape(BaseModel):
    """Who said it, since when it is so, when it was last said, and until when it counts."""

    source: str
    since: Instant
    at: Instant
    until: Instant


class PeopleShape(WordShape):
    """How many people are there."""

    people: int


class AskShape(WordShape):
    """Something that is asked for; `overruled` where a steward has decided against it."""

    overruled: bool


class SensorAnswer(BaseModel):
    """What a sensor has said and still counts; null about what it has not."""

    occupancy: PeopleShape | None
    playback_paused: AskShape | None
    quieter_mode: AskShape | None


class ControlsAnswer(BaseModel):
    """A steward's controls, what of them was changed, what a sensor has said, the newest of the trail, and what may be
    chosen from."""

    operator_state: TimedState
    sensor: SensorAnswer
    changes: dict[str, ChangeShape]
    recent_actions: list[TrailEntry]
    deployment_controls: ControlChoices


class TrailAnswer(BaseModel):
    """Entries of the trail, newest first."""

    actions: list[TrailEntry]


class PromptShape(BaseModel):
    """What the kiosk may ask a participant."""

    id: int
    text: str
    language: str
    active: bool
    updated_at: Instant
    version: int


class PromptAnswer(BaseModel):
    """One prompt."""

    prompt: PromptShape


class PackShape(BaseModel):
    """Prompts to begin with, in every language; `name` and `texts` are the English ones."""

    pack: str
    name: str
    texts: list[str]


class PromptsAnswer(BaseModel):
    """Every prompt, in the order they were written, and the packs there are."""

    prompts: list[PromptShape]
    packs: list[PackShape]


class PackAnswer(BaseModel):
    """What a pack has brought."""

    prompts: list[PromptShape]


class Figure(BaseModel):
    """A chart, as the charting library takes it."""

    title: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]


class FiguresAnswer(BaseModel):
    """Charts; none where too little was counted to draw one."""

    figures: list[Figure]


class PageReport(BaseModel):
    """What a page says of itself; `sound_ago_s` is null where it never sounded, `playing` the take heard now."""

    activity: str
    since_s: float
    audio: str
    sound_ago_s: float | None
    microphone: str
    permission: str
    microphone_silent: bool
    skew_s: float
    page_version: str
    visible: bool
    playing: int | None


class DeviceShape(BaseModel):
    """An open kiosk or room page, or one lately gone."""

    id: str
    surface: str
    name: str
    station: str
    standing: str
    troubles: list[str]
    opened_at: Instant
    contact_at: Instant
    closed_at: Instant | None
    report: PageReport


class StorageShape(BaseModel):
    """The disk; `level` is ok, warning, critical, or reserve where intake has stopped."""

    free_bytes: int
    total_bytes: int
    reserve_bytes: int
    level: str


class RetentionShape(BaseModel):
    """What is held under which right, and what ends next."""

    raw_held: int
    raw_expiring_soon: int
    fossil_retained: int
    fossil_residue_only: int
    next_raw_expiry_at: Instant | None
    next_fossil_expiry_at: Instant | None


class SoonRetention(RetentionShape):
    """The same with what is meant by soon."""

    soon_window_hours: float


class ThrottleShape(BaseModel):
    """A kind of budget, and how many were refused; never who."""

    per_station: int
    per_address: int
    window_seconds: int
    denied_last_hour: int


class WarningShape(BaseModel):
    """What stands, in words and in what machines tell it apart by."""

    level: str
    title: str
    detail: str
    name: str
    subject: str
    since: Instant


class Totals(BaseModel):
    """Artifacts by state; `waiting` are those under review, `playable` those the room may choose from."""

    active: int
    expired: int
    revoked: int
    waiting: int
    playable: int


class SummaryAnswer(BaseModel):
    """The archive's posture in counts; `exact` says whether every playable take was counted."""

    now: Instant
    counted_at: Instant
    deployment: str
    artifacts: Totals
    counted: int
    exact: bool
    intake_by_day: Counts
    lanes: Counts
    densities: Counts
    moods: Counts
    memory_colors: Counts
    deployments: Counts
    topics: Counts
    statuses: Counts
    retention: RetentionShape


class ReportShape(BaseModel):
    """One piece of long work; `state` is running, ok or failed, `summary` what came of it, by its kind."""

    kind: str
    state: str
    actor: str
    began_at: Instant
    seen_at: Instant
    ended_at: Instant | None
    done: int
    total: int
    summary: dict[str, JsonValue]


class CareAnswer(BaseModel):
    """What is under way, and the last of each kind that is over."""

    running: list[ReportShape]
    last: dict[str, ReportShape]


class WantedAnswer(BaseModel):
    """It has been asked for."""

    wanted: str


def controls_schema(schema: dict[str, Any]) -> None:
    """Put into `schema` what each control takes. The posture itself decides; languages are those of a node."""
    seconds = {"minimum": _LIMITS.shortest_recording_s, "maximum": _LIMITS.longest_recording_s}
    schema.update(
        additionalProperties=False,
        properties={
            **{name: {"type": "boolean"} for name in FLAGS},
            **{name: {"type": ["string", "null"], "format": "date-time"} for name in TIMES},
            **{name: {"type": "string", "maxLength": most} for name, most in TEXTS.items()},
            "mood_bias": {"enum": ["", *(mood.value for mood in Mood)]},
            "kiosk_language_code": {"type": "string"},
            "kiosk_accessibility_mode": {"enum": list(ACCESSIBILITY_MODES)},
            "kiosk_max_recording_seconds": {"type": "integer", **seconds},
            "version": {"type": ["integer", "null"]},
        },
    )
