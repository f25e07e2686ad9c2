"""The unit of work: one transaction, its repositories, and what is to happen after it commits."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.artifact import Artifact, NewArtifact, State
from core.domain.consent import Kind, Manifest, Mode
from core.domain.custody import Early
from core.domain.steward import StewardState
from core.domain.work import Job, Signal
from core.ports.custody import Nodes, Reports
from core.ports.deciding import Decisions
from core.ports.stewarding import Archive, Devices, Prompts, Samples, SensorWords, Sessions, Stewards, Warnings


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """A stored promise and whether it still stands.

    `given` is what was promised; `manifest` what holds now: the same, or less since `narrowed_at`.
    """

    id: int
    mode: Mode
    given: Manifest
    manifest: Manifest
    narrowed_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tombstone:
    """A key that may not outlive `due_at`: a reservation while its take is being adopted, else a deletion."""

    key: str
    artifact_id: int | None
    reason: str
    due_at: datetime
    attempts: int
    error: str
    claimed_until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TombstoneCounts:
    """How many deletions wait, and since when the oldest is due."""

    due: int
    reserved: int
    failing: int
    oldest_due_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What an idempotency key led to: a digest of the request and the sealed answer."""

    request_digest: str
    artifact_id: int
    sealed_answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Derivative:
    """A stored derivative of an artifact; `duration_ms`, and the loudness, of one that sounds."""

    artifact_id: int
    kind: str
    key: str
    until: datetime
    duration_ms: int | None = None
    loudness_lufs: float | None = None
    peak_dbtp: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacking:
    """Work an artifact still lacks: a derivative its promise grants, or its measurement (`kind` is None)."""

    artifact_id: int
    kind: Kind | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """What one row says is stored, for the audit; `outline` whether a shadow of the voice is still there.

    `manifest` is the promise as it holds now.
    """

    artifact_id: int
    public_id: str
    state: State
    manifest: Manifest
    raw_key: str | None
    sha256: str | None
    derivatives: tuple[Derivative, ...]
    outline: bool
    raw_until: datetime | None
    playable_until: datetime | None

    @property
    def keys(self) -> list[str]:
        """Every key it is stored under."""
        return [*([self.raw_key] if self.raw_key is not None else []), *(made.key for made in self.derivatives)]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFailure:
    """A failure no later success has superseded."""

    job: str
    subject: str
    failed_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCount:
    """How often a job has ended well and badly."""

    job: str
    done: int
    failures: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueDepth:
    """Jobs no worker has read yet, jobs in a worker's hands (a dead one's too), and the age of the oldest unread."""

    waiting: int
    running: int
    oldest_waiting_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """The last sign of life of one process."""

    name: str
    role: str
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StewardAction:
    """One change: who, when, what, from what to what."""

    at: datetime
    actor: str
    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    subject: str = ""
    id: int = 0


def subject_of_artifact(artifact_id: int) -> str:
    """How the trail names an artifact; what it says of one is found, and forgotten, by this."""
    return f"artifact {artifact_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailQuery:
    """Which entries of the trail are looked for; `words` are looked for in all that is text, `before` is an id."""

    words: str = ""
    actor: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


class Consents(Protocol):
    """Promises, found by the keyed hash of their code."""

    def add(self, manifest: Manifest, *, code_hash: str | None, key_id: str) -> int: ...
    def by_code(self, code_hashes: Sequence[str]) -> Consent | None: ...
    def withdraw(self, consent_id: int, now: datetime) -> None: ...
    def narrow(self, consent_id: int, now: datetime) -> None: ...
    def manifest(self, consent_id: int) -> Manifest: ...


class Artifacts(Protocol):
    """Artifacts; every `lock*` takes the artifact row first, the one lock of the system."""

    def add(self, new: NewArtifact) -> int: ...
    def get(self, artifact_id: int) -> Artifact | None: ...
    def sounding(self, artifact_id: int) -> tuple[Artifact, Derivative | None] | None: ...
    def lock(self, artifact_id: int) -> Artifact | None: ...
    def of_consent(self, consent_id: int) -> list[Artifact]: ...
    def lock_consent(self, consent_id: int) -> list[Artifact]: ...
    def end(self, artifact_id: int, state: State, now: datetime) -> None: ...
    def drop_raw(self, artifact_id: int, playable_until: datetime) -> None: ...
    def claim_once(self, artifact_id: int, once_hash: str, now: datetime) -> Artifact | None: ...
    def once_waiting(self, artifact_id: int) -> tuple[Artifact, str] | None: ...
    def heard(self, artifact_id: int, *, wear_step: float, now: datetime) -> bool: ...
    def stamp_gone(self, artifact_id: int, now: datetime) -> None: ...
    def due(self, now: datetime, *, limit: int) -> list[int]: ...
    def measured(self, artifact_id: int, *, lufs: float | None, peak_dbtp: float | None, now: datetime) -> None: ...
    def extend(self, artifact_id: int, playable_until: datetime) -> None: ...
    def narrow(self, artifact_id: int, playable_until: datetime) -> None: ...
    def lacking(self, now: datetime, *, before: datetime, limit: int) -> list[Lacking]: ...
    def count(self) -> int: ...
    def holdings(self, *, after: int, limit: int) -> list[Holding]: ...
    def clear_remains(self, artifact_id: int, now: datetime) -> None: ...
    def names_key(self, key: str) -> bool: ...
    def demo_ids(self) -> list[int]: ...
    def recently_heard(self, since: datetime, now: datetime, *, limit: int) -> list[Artifact]: ...
    def playable_of(self, ids: Collection[int], now: datetime) -> set[int]: ...
    def count_playable(self, now: datetime, *, most: int | None = None) -> int: ...
    def prune_husks(self, before: datetime, *, limit: int) -> int: ...


class Derivatives(Protocol):
    """What a fossil leaves behind."""

    def add(self, derivative: Derivative, *, publishable: bool, now: datetime) -> None: ...
    def due(self, now: datetime, *, limit: int) -> list[Derivative]: ...
    def drop_one(self, derivative: Derivative) -> bool: ...
    def of(self, artifact_id: int) -> list[Derivative]: ...
    def drop(self, artifact_id: int) -> list[Derivative]: ...


class Tombstones(Protocol):
    """Reservations and deletions, one table."""

    def reserve(self, key: str, *, until: datetime, reason: str, artifact_id: int | None = None) -> None: ...
    def hold(self, key: str, *, until: datetime) -> None: ...
    def adopt(self, key: str) -> bool: ...
    def bury(self, key: str, *, artifact_id: int | None, reason: str, due_at: datetime) -> None: ...
    def hasten(self, key: str, due_at: datetime) -> None: ...
    def bound_reservations(self, until: datetime) -> None: ...
    def claim(
        self, now: datetime, *, until: datetime, ahead_at: datetime, limit: int, keys: Sequence[str] | None = None
    ) -> list[Tombstone]: ...
    def release(self, claimed: Sequence[Tombstone]) -> None: ...
    def clear(self, claimed: Tombstone) -> int | None: ...
    def failed(self, key: str, error: str, *, again_at: datetime) -> None: ...
    def named_keys(self) -> set[str]: ...
    def names(self, key: str) -> bool: ...
    def overdue(self, before: datetime) -> list[str]: ...
    def untried(self, keys: Sequence[str]) -> bool: ...
    def unclaim(self, keys: Sequence[str]) -> None: ...
    def open_for(self, artifact_ids: Sequence[int]) -> int: ...
    def counts(self, now: datetime) -> TombstoneCounts: ...


class Idempotency(Protocol):
    """Answers remembered under the hash of a client's key."""

    def find(self, key_hash: str, since: datetime) -> Remembered | None: ...
    def remember(self, key_hash: str, remembered: Remembered, now: datetime, *, since: datetime) -> bool: ...
    def prune(self, before: datetime) -> int: ...


class AccessEvents(Protocol):
    """Heard playbacks; a grant's nonce enters once."""

    def enter(self, artifact_id: int, *, nonce: str, context: str, action: str, now: datetime) -> bool: ...
    def count(self, since: datetime, until: datetime) -> int: ...
    def prune(self, before: datetime) -> int: ...


class Stewardship(Protocol):
    """The posture row and its trail."""

    def state(self) -> StewardState: ...
    def save(self, state: StewardState, *, expected_version: int) -> bool: ...
    def record(self, action: StewardAction) -> None: ...
    def search(self, query: TrailQuery) -> list[StewardAction]: ...
    def prune(self, before: datetime) -> int: ...


class Schedule(Protocol):
    """Slots claimed by whoever comes first; survives everything but the database."""

    def claim(self, name: str, slot_at: datetime, *, ahead_at: datetime, first_counts: bool = True) -> bool: ...


class JobRuns(Protocol):
    """How jobs fare."""

    def want(self, job: str, subject: str, now: datetime, *, unless_since: datetime, attempts_most: int) -> bool: ...
    def begin(self, job: str, subject: str, now: datetime) -> int: ...
    def end(self, job: str, subject: str, now: datetime, *, error: str | None, counts: bool = True) -> None: ...
    def failures(self, since: datetime) -> list[JobFailure]: ...
    def forgive(self, job: str, subject: str, now: datetime) -> bool: ...
    def counts(self) -> list[JobCount]: ...
    def prune(self, before: datetime) -> int: ...


class Presences(Protocol):
    """Heartbeats."""

    def beat(self, name: str, role: str, now: datetime) -> None: ...
    def since(self, since: datetime) -> list[Presence]: ...
    def forget(self, name: str, seen_at: datetime) -> bool: ...
    def prune(self, before: datetime) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeKey:
    """32 bytes that a take on a kiosk's disk is encrypted under; `id` is a digest of what the kiosk asks by."""

    id: str
    key: bytes
    station: str
    until: datetime


class TakeKeys(Protocol):
    """Keys of takes that are nobody else's yet. One that was dropped is nowhere any more."""

    def add(self, key: TakeKey) -> None: ...
    def get(self, key_id: str, now: datetime) -> TakeKey | None: ...
    def prolong(self, key_id: str, until: datetime) -> None: ...
    def drop(self, key_id: str) -> bool: ...
    def drop_of(self, station: str) -> int: ...
    def keep_newest(self, station: str, most: int) -> int: ...
    def prune(self, now: datetime) -> int: ...


class Transaction(Protocol):
    """One unit of work. Effects wanted in it are handed on after the commit, and dropped with a rollback."""

    @property
    def consents(self) -> Consents: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def derivatives(self) -> Derivatives: ...
    @property
    def tombstones(self) -> Tombstones: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def take_keys(self) -> TakeKeys: ...
    @property
    def events(self) -> AccessEvents: ...
    @property
    def steward(self) -> Stewardship: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def job_runs(self) -> JobRuns: ...
    @property
    def presences(self) -> Presences: ...
    @property
    def archive(self) -> Archive: ...
    @property
    def stewards(self) -> Stewards: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def prompts(self) -> Prompts: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def samples(self) -> Samples: ...
    @property
    def warnings(self) -> Warnings: ...
    @property
    def decisions(self) -> Decisions: ...
    @property
    def nodes(self) -> Nodes: ...
    @property
    def reports(self) -> Reports: ...
    @property
    def sensor(self) -> SensorWords: ...

    def ended_early(self, kind: Early, artifact: Artifact, at: datetime) -> None:
        """Write into the ledger that a right ended before its hour; durable before this transaction commits."""

    def want(self, job: Job, *args: Any) -> None:
        """Ask for a job once this transaction has committed."""

    def signal(self, signal: Signal, **detail: Any) -> None:
        """Tell pages to read again once this transaction has committed."""


class UnitOfWork(Protocol):
    """Opens transactions. Writers are serial on SQLite; a raised exception rolls back."""

    def write(self) -> AbstractContextManager[Transaction]: ...
    def read(self) -> AbstractContextManager[Transaction]: ...


class Dispatcher(Protocol):
    """Takes effects after a commit. Never waits and never raises: what is lost here the sweep finds."""

    def job(self, job: Job, args: tuple[Any, ...]) -> None: ...
    def signal(self, signal: Signal, detail: dict[str, Any]) -> None: ...
