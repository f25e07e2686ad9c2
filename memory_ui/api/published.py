"""Answers of the public API as they are published. Routes build them by hand; tests hold the two together."""

from typing import Literal

from pydantic import BaseModel

from core.domain.doors import Door
from memory_ui.api.answers import Instant

Word = dict[str, str]


class OwnTake(BaseModel):
    """A take as its own participant sees it; `effect_metadata` is empty for a dry one."""

    id: int
    kind: Literal["ROOM", "FOSSIL", "NOSAVE"]
    status: str
    created_at: Instant
    expires_at: Instant | None
    wear: float
    play_count: int
    duration_ms: int
    effect_profile: str
    effect_metadata: Word
    deployment_kind: str
    topic_tag: str
    lifecycle_status: str


class KeptAnswer(BaseModel):
    """A take is stored. The code is said once, here, and is nowhere else to be had."""

    artifact: OwnTake
    revocation_token: str
    revocation_url: str


class OnceAnswer(BaseModel):
    """A take for one hearing is stored."""

    artifact_id: int
    play_url: str
    consume_token: str


class RevokedAnswer(BaseModel):
    """What was taken back; `verified_gone_at` is null while its deletion is still being retried."""

    ok: bool
    revoked_artifacts: int
    deleted: dict[str, int]
    verified_gone_at: Instant | None


class Promise(BaseModel):
    """The stored manifest of a consent."""

    version: int
    mode: Literal["ROOM", "FOSSIL", "NOSAVE"]
    given_at: Instant
    raw_until: Instant
    swept_by: Instant
    derivative_until: Instant | None
    derivatives: list[str]
    publishable: bool
    revocable: bool
    backup_days: float
    notice_language: str
    notice_version: str


class ReceiptAnswer(BaseModel):
    """A promise and its present state."""

    promise: Promise
    last_copy_until: Instant | None
    withdrawn_at: Instant | None
    verified_gone_at: Instant | None
    artifacts: list[OwnTake]


class PlaybackAnswer(BaseModel):
    """One granted playback."""

    artifact_id: int
    requested_lane: str
    requested_density: str
    requested_mood: str
    lane: str
    density: str
    mood: str
    duration_ms: int
    effect_profile: str
    effect_metadata: Word
    playback_start_ms: int
    playback_duration_ms: int
    playback_windowed: bool
    playback_revolution_index: int
    playback_revolution_seconds: int
    age_hours: float
    wear: float
    featured_return: bool
    play_count: int
    deployment_kind: str
    topic_tag: str
    lifecycle_status: str
    thread_signal: Literal["", "question_chorus", "repair_bench"]
    pool_size: int
    playback_ack_url: str
    audio_url: str
    expires_at: Instant


class HeardAnswer(BaseModel):
    """Counted, unless it was counted before or nobody can have heard it."""

    ok: bool
    duplicate: bool = False
    ignored: bool = False


class OperatorState(BaseModel):
    """The live posture as every surface may know it."""

    intake_paused: bool
    playback_paused: bool
    quieter_mode: bool
    maintenance_mode: bool
    mood_bias: str
    kiosk_language_code: str
    kiosk_accessibility_mode: str
    kiosk_force_reduced_motion: bool
    kiosk_max_recording_seconds: int
    session_theme_title: str
    session_theme_prompt: str
    deployment_focus_topic: str
    deployment_focus_status: str
    updated_at: Instant


class BudgetShape(BaseModel):
    """What is left of one budget."""

    rate: str
    limit: int
    used: int
    remaining: int
    window_seconds: int
    reset_in_seconds: int
    low: bool
    exhausted: bool


class IngestBudget(BaseModel):
    """The station's budget and its address's, and the one that binds."""

    client: BudgetShape
    ip: BudgetShape
    effective_remaining: int
    effective_reset_in_seconds: int
    low: bool
    exhausted: bool


class SurfaceAnswer(BaseModel):
    """The live posture, how the way in stands, and how much the asker may still leave."""

    operator_state: OperatorState
    intake_door: Door
    ingest_budget: IngestBudget


class HealthAnswer(BaseModel):
    """Each component is `ok` or what is wrong in a word."""

    ok: bool
    components: Word
    now: Instant


class QueueShape(BaseModel):
    """Jobs that wait and that run."""

    waiting: int
    running: int
    oldest_waiting_s: float


class FailedJob(BaseModel):
    """A job that failed, and that no success has superseded."""

    job: str
    failed_at: Instant
    attempts: int


class ReadyAnswer(HealthAnswer):
    """The same with the node's background work; `queue` is null where it does not answer."""

    heartbeats: dict[str, Instant]
    queue: QueueShape | None
    failures: list[FailedJob]
