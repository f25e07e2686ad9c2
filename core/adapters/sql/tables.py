"""The tables, as SQLAlchemy models. Rows never leave the adapter; repositories map them to frozen values."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    literal_column,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out; a naive value is refused, because a guess about a time zone is a broken promise."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Key = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite only counts upwards by itself in a plain INTEGER primary key."""


ACTIVE, EPHEMERAL, NOTHING = (literal_column(f"'{word}'", String) for word in ("ACTIVE", "EPHEMERAL", ""))
"""States, and no word, as queries write them out: only so a database knows that a partial index is enough."""


class Base(DeclarativeBase):
    """Declarative base with a naming convention, so that every constraint can be migrated by name."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, str: String(255)}  # noqa: RUF012


class NodeRow(Base):
    """The one installation this database belongs to."""

    __tablename__ = "node"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime]
    clock_mark: Mapped[datetime | None]
    ledger_id: Mapped[str] = mapped_column(String(32), server_default="")
    ledger_length: Mapped[int] = mapped_column(Integer, server_default="0")
    closed_reason: Mapped[str] = mapped_column(Text, server_default="")


class ConsentRow(Base):
    """A promise as it was made."""

    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    mode: Mapped[str] = mapped_column(String(16))
    manifest: Mapped[dict[str, Any]]
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    key_id: Mapped[str] = mapped_column(String(16), server_default="")
    notice_version: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(16))
    narrowed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ArtifactRow(Base):
    """The main unit of stored sound; what remains of an ended one is a husk."""

    __tablename__ = "artifact"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    consent_id: Mapped[int] = mapped_column(Key, ForeignKey("consent.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    raw_key: Mapped[str | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    duration_ms: Mapped[int] = mapped_column(Integer)
    draw: Mapped[int] = mapped_column(BigInteger)
    plays: Mapped[int] = mapped_column(Integer, server_default="0")
    wear: Mapped[float] = mapped_column(Float, server_default="0")
    heard_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    raw_until: Mapped[datetime | None]
    derivative_until: Mapped[datetime | None]
    playable_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    once_hash: Mapped[str | None] = mapped_column(String(64))
    review: Mapped[str] = mapped_column(String(16), server_default="")
    deployment: Mapped[str] = mapped_column(String(32))
    topic: Mapped[str] = mapped_column(String(64), server_default="")
    status: Mapped[str] = mapped_column(String(32), server_default="")
    effect: Mapped[str] = mapped_column(String(32), server_default="")
    loudness_lufs: Mapped[float | None] = mapped_column(Float)
    peak_dbtp: Mapped[float | None] = mapped_column(Float)
    measured_at: Mapped[datetime | None]
    outline: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    demo: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    station: Mapped[str] = mapped_column(String(64), server_default="")
    flagged_at: Mapped[datetime | None]
    passed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")

    __table_args__ = (
        Index(
            "ix_artifact_active_draw",
            "draw",
            "playable_until",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        Index(
            "ix_artifact_active_raw_until",
            "raw_until",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        Index(
            # Most of an old archive is residue: of that no sound is left to end, or to work on.
            "ix_artifact_active_raw_held",
            "raw_until",
            sqlite_where=text("state = 'ACTIVE' AND raw_key IS NOT NULL"),
            postgresql_where=text("state = 'ACTIVE' AND raw_key IS NOT NULL"),
        ),
        Index(
            "ix_artifact_active_playable_until",
            "playable_until",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        Index(
            "ix_artifact_active_heard_at",
            "heard_at",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        Index(
            "ix_artifact_ephemeral_raw_until",
            "raw_until",
            sqlite_where=text("state = 'EPHEMERAL'"),
            postgresql_where=text("state = 'EPHEMERAL'"),
        ),
        Index(
            "ix_artifact_active_deployment",
            "deployment",
            "id",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        Index(
            "ix_artifact_active_review",
            "review",
            "id",
            sqlite_where=text("state = 'ACTIVE' AND review <> ''"),
            postgresql_where=text("state = 'ACTIVE' AND review <> ''"),
        ),
        Index(
            # With the number, so that a place is found without reading the rows before it.
            "ix_artifact_active_draw_id",
            "draw",
            "playable_until",
            "id",
            sqlite_where=text("state = 'ACTIVE'"),
            postgresql_where=text("state = 'ACTIVE'"),
        ),
        *(
            Index(
                f"ix_artifact_active_{name}",
                name,
                sqlite_where=text(f"state = 'ACTIVE'{unless}"),
                postgresql_where=text(f"state = 'ACTIVE'{unless}"),
            )
            for name, unless in (
                ("created_at", ""),
                ("duration_ms", ""),
                ("topic", " AND topic <> ''"),
                ("status", " AND status <> ''"),
                ("flagged_at", " AND flagged_at IS NOT NULL"),
            )
        ),
        # Of what has ended only: an index of every state would be taken for those of the active.
        Index(
            "ix_artifact_ended_state",
            "state",
            sqlite_where=text("ended_at IS NOT NULL"),
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
        Index("ix_artifact_ended_at", "ended_at"),
    )


class DerivativeRow(Base):
    """A spectrogram or essence of a fossil."""

    __tablename__ = "derivative"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    artifact_id: Mapped[int] = mapped_column(Key, ForeignKey("artifact.id"))
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str]
    publishable: Mapped[bool] = mapped_column(Boolean)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    loudness_lufs: Mapped[float | None] = mapped_column(Float)
    peak_dbtp: Mapped[float | None] = mapped_column(Float)
    until: Mapped[datetime]
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_derivative_artifact_kind", "artifact_id", "kind", unique=True),
        Index("ix_derivative_until", "until"),
    )


class TombstoneRow(Base):
    """A key that may not outlive its due time."""

    __tablename__ = "tombstone"
    key: Mapped[str] = mapped_column(primary_key=True)
    # No foreign key: a tombstone must survive the pruning of the husk it belonged to.
    artifact_id: Mapped[int | None] = mapped_column(Key, index=True)
    reason: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[str] = mapped_column(Text, server_default="")


class IdempotencyRow(Base):
    """An answer remembered for 24 hours under the hash of a client's key."""

    __tablename__ = "idempotency"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    artifact_id: Mapped[int] = mapped_column(Key)
    sealed_answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AccessEventRow(Base):
    """One acknowledged playback."""

    __tablename__ = "access_event"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    artifact_id: Mapped[int] = mapped_column(Key, index=True)
    nonce: Mapped[str] = mapped_column(String(64), unique=True)
    context: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class StewardStateRow(Base):
    """The live posture; one row."""

    __tablename__ = "steward_state"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    fields: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer)


class StewardActionRow(Base):
    """The audit trail."""

    __tablename__ = "steward_action"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(64), server_default="", index=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]


class StewardRow(Base):
    """A named steward; what they sign in with is kept as a keyed hash only."""

    __tablename__ = "steward"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]


class StewardSessionRow(Base):
    """A signed-in browser; `id` is a keyed hash of its cookie, `made_with` one of the secret it signed in with."""

    __tablename__ = "steward_session"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), index=True)
    role: Mapped[str] = mapped_column(String(16))
    bound: Mapped[str] = mapped_column(String(64))
    made_with: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SensorWordRow(Base):
    """The last word of a sensor about one subject."""

    __tablename__ = "sensor_word"
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime]
    at: Mapped[datetime]
    until: Mapped[datetime]
    overruled: Mapped[bool] = mapped_column(Boolean)


class PromptRow(Base):
    """A prompt a steward wrote for the kiosk."""

    __tablename__ = "prompt"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    text: Mapped[str]
    language: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class TakeKeyRow(Base):
    """What a kiosk's disk can be read with, for as long as a take there is nobody else's yet."""

    __tablename__ = "take_key"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    station: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class DeviceRow(Base):
    """An open kiosk or room page, as it last reported itself."""

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    surface: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64), server_default="")
    station: Mapped[str] = mapped_column(String(64), server_default="")
    report: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    contact_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    closed_at: Mapped[datetime | None]


class SampleRow(Base):
    """Counts of the node at one moment, for charts and for what is too large to count when asked."""

    __tablename__ = "sample"
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    counts: Mapped[dict[str, Any]]


class WarningRow(Base):
    """A warning that stands, since when, and what stewards were told of it; kept a while after it is over."""

    __tablename__ = "warning"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    level: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    told_level: Mapped[str] = mapped_column(String(16), server_default="")
    over_at: Mapped[datetime | None]


class ScheduleRow(Base):
    """The last claimed slot of each periodic job."""

    __tablename__ = "schedule"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    slot_at: Mapped[datetime]


class JobRunRow(Base):
    """How one job on one subject has fared; attempts are counted before the work begins, for it may kill its worker."""

    __tablename__ = "job_run"
    job: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    wanted_at: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    error: Mapped[str] = mapped_column(Text, server_default="")
    done: Mapped[int] = mapped_column(BigInteger, server_default="0")
    failures: Mapped[int] = mapped_column(BigInteger, server_default="0")


class PresenceRow(Base):
    """The last sign of life of a process of this node."""

    __tablename__ = "presence"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[datetime]


class DecisionRow(Base):
    """Why a voice was played when it was: figures and numbers of takes, and not one of their words."""

    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_id: Mapped[str] = mapped_column(String(64))
    # No foreign key: what was decided outlasts the husk it was decided for, for as long as it is kept.
    artifact_id: Mapped[int] = mapped_column(Key)
    why: Mapped[dict[str, Any]] = mapped_column(JSON)
    noted: Mapped[bytes] = mapped_column(LargeBinary)


class ReportRow(Base):
    """An audit, a backup, a restore: long work done for the sake of the promise, and how it ended."""

    __tablename__ = "report"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    state: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(64))
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    summary: Mapped[dict[str, Any]]
