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


class ReceiptDays(BaseModel):
    """The same times as the participant reads them, in their language and by the site's clock; "" for none."""

    room_until: str
    fossil_until: str
    copies_gone_by: str


class KeptReceipt(BaseModel):
    """What belongs on a receipt: the address behind the code, the same as a square to scan, and when it all ends."""

    url: str
    qr: str
    room_until: Instant
    fossil_until: Instant | None
    copies_gone_by: Instant
    words: ReceiptDays


class KeptAnswer(BaseModel):
    """A take is stored. The code is said once, here, and is nowhere else to be had."""

    artifact: OwnTake
    revocation_token: str
    revocation_url: str
    receipt: KeptReceipt


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
    """A promise and its present state: `given` as it was made, `promise` as it holds since it was narrowed.

    `deleted` names what has no right to exist any more, as far as it was made; `deletion_retried` says that the absence
    of some of it is not verified yet. `copies_gone_by` is the outermost date of the last backup copy.
    """

    promise: Promise
    given: Promise
    narrowed_at: Instant | None
    standing: Literal["waiting", "room", "fossil", "expired", "revoked", "narrowed", "removed"]
    ended_at: Instant | None
    room_until: Instant
    fossil_until: Instant | None
    copies_gone_by: Instant | None
    narrowable: bool
    deleted: list[str]
    deletion_retried: bool
    last_copy_until: Instant | None
    withdrawn_at: Instant | None
    verified_gone_at: Instant | None
    artifacts: list[OwnTake]


class RecordHeader(BaseModel):
    """Names the record, and nobody."""

    schema_version: str
    record_id: str
    pii_principal_id: str


class RecordNotice(BaseModel):
    """What was shown; without words where that version is not kept here."""

    version: str
    language: str
    choice: str | None
    text: str | None


class RecordType(BaseModel):
    """One kind of what is kept."""

    pii_type: str


class RecordPeriod(BaseModel):
    """For how long: until a time, or for so many days after the end of everything else."""

    since: Instant
    until: Instant | None
    ended_at: Instant | None
    days_after_end: float | None = None


class RecordPurpose(BaseModel):
    """One thing that was consented to."""

    purpose: str
    purpose_type: Literal["room", "fossil", "backup", "evidence"]
    lawful_basis: str
    pii_information: list[RecordType]
    pii_controllers: list[str]
    collection_method: str
    processing_method: str
    storage_locations: list[str]
    retention_period: RecordPeriod
    processing_locations: list[str]
    jurisdiction: str
    recipient_third_parties: list[str]
    withdrawal_method: str
    privacy_rights: list[str]


class RecordProcessing(BaseModel):
    """What is done, and what was said of it."""

    privacy_notice: RecordNotice
    language: str
    purposes: list[RecordPurpose]


class RecordParty(BaseModel):
    """Who keeps the promise."""

    party_id: str
    party_role: str
    party_name: str
    party_address: str
    party_contact: str
    party_type: str


class RecordEvent(BaseModel):
    """One thing that happened to the consent, in the order of time."""

    event_time: Instant
    event_type: Literal["explicit", "deletion"]
    event_state: Literal["given", "narrowed", "withdrawn", "expired", "terminated", "absence_verified"]
    validity_duration: str | None
    entity_id: str


class RecordState(BaseModel):
    """Where it stands, as the receipt says it."""

    mode: Literal["ROOM", "FOSSIL", "NOSAVE"]
    mode_now: Literal["ROOM", "FOSSIL", "NOSAVE"]
    standing: str
    heard: int
    duration_ms: int
    deleted: list[str]
    deletion_retried: bool
    copies_gone_by: Instant | None


class RecordAnswer(BaseModel):
    """A consent record in the shape of ISO/IEC TS 27560."""

    header: RecordHeader
    pii_processing: RecordProcessing
    party_identification: list[RecordParty]
    events: list[RecordEvent]
    state: RecordState


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
    kiosk_topics: str
    kiosk_closed_words: str
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
