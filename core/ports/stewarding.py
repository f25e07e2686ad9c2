"""Repositories of stewardship: who signs in, what they wrote, which pages are open, what was counted and warned of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.domain.access import Role
from core.domain.artifact import Artifact, Review
from core.domain.device import Device
from core.domain.pool.facts import PoolFacts
from core.domain.pool.lanes import LaneFigures
from core.domain.sensor import Subject, Word


@dataclass(frozen=True, kw_only=True, slots=True)
class Steward:
    """Somebody who signs in with a secret of their own."""

    name: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A signed-in browser; `name` is empty for whoever came with the shared secret."""

    id: str
    name: str
    role: Role
    bound: str
    made_with: str
    opened_at: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What the kiosk may ask a participant; `version` grows with every change."""

    id: int
    text: str
    language: str
    active: bool
    updated_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Counts at one moment: plain JSON values."""

    at: datetime
    counts: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A warning that stands; `told_at` is when stewards were last told, None where they were not yet, and `told_level`
    how grave it was then. Both outlast the warning for a while: one that comes and goes is not told each time.
    """

    name: str
    subject: str
    level: str
    since: datetime
    told_at: datetime | None = None
    told_level: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveQuery:
    """Which held takes a steward looks for; what is None or empty asks nothing. Newest first, `before` an id."""

    since: datetime | None = None
    until: datetime | None = None
    station: str = ""
    topic: str = ""
    status: str = ""
    deployment: str = ""
    review: Review | None = None
    waiting: bool = False
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class FossilPicture:
    """A spectrogram that may still be shown."""

    artifact_id: int
    key: str
    until: datetime
    created_at: datetime
    publishable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishable:
    """Something a fossil left that may leave the building; `id` is the derivative's."""

    id: int
    public_id: str
    kind: str
    key: str
    created_at: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """Artifacts by state, and those that wait for a steward."""

    active: int
    expired: int
    revoked: int
    waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionCounts:
    """What is held under which right, and what ends next."""

    raw_held: int
    raw_expiring_soon: int
    fossil_retained: int
    fossil_residue_only: int
    next_raw_expiry_at: datetime | None
    next_fossil_expiry_at: datetime | None


class Stewards(Protocol):
    """Named stewards, found by the keyed hash of their secret."""

    def add(self, steward: Steward, *, secret_hash: str) -> bool: ...
    def by_secret(self, secret_hash: str) -> Steward | None: ...
    def all(self) -> list[Steward]: ...
    def change_secret(self, name: str, *, secret_hash: str) -> bool: ...
    def remove(self, name: str) -> bool: ...


class Sessions(Protocol):
    """Live sessions; an ended one has no row."""

    def open(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def live(self, now: datetime) -> list[Session]: ...
    def end(self, session_id: str) -> bool: ...
    def end_all(self, *, name: str | None = None) -> int: ...
    def bound(self, until: datetime) -> None: ...
    def prune(self, now: datetime) -> int: ...


class Prompts(Protocol):
    """Prompts of stewards, in the order they were written."""

    def all(self) -> list[Prompt]: ...
    def get(self, prompt_id: int) -> Prompt | None: ...
    def add(self, *, text: str, language: str, active: bool, now: datetime) -> int: ...
    def change(self, prompt: Prompt, *, expected_version: int) -> bool: ...
    def remove(self, prompt_id: int) -> bool: ...


class SensorWords(Protocol):
    """The last word of a sensor about each subject this node listens to, whether or not it still stands."""

    def all(self) -> list[Word]: ...
    def lock(self) -> list[Word]: ...
    def put(self, word: Word) -> None: ...
    def overrule(self, subject: Subject) -> None: ...
    def drop(self, subject: Subject) -> None: ...


class Devices(Protocol):
    """Open pages, as they last reported themselves."""

    def report(self, devices: Sequence[Device]) -> None: ...
    def all(self) -> list[Device]: ...
    def get(self, device_id: str) -> Device | None: ...
    def rename(self, device_id: str, name: str) -> bool: ...
    def forget(self, device_id: str) -> bool: ...
    def prune(self, before: datetime) -> int: ...


class Samples(Protocol):
    """Counts over time."""

    def add(self, sample: Sample) -> None: ...
    def last(self) -> Sample | None: ...
    def since(self, since: datetime) -> list[Sample]: ...
    def prune(self, before: datetime) -> int: ...


class Warnings(Protocol):
    """Warnings that stand, over processes and restarts."""

    def all(self) -> list[Standing]: ...
    def raise_(self, standing: Standing) -> bool: ...
    def clear(self, name: str, subject: str, now: datetime) -> bool: ...
    def tell(self, standing: Standing, now: datetime, *, unless_since: datetime) -> bool: ...
    def untell(self, standing: Standing, now: datetime) -> None: ...
    def tell_over(self, now: datetime) -> bool: ...
    def untell_over(self, now: datetime) -> None: ...
    def prune(self, before: datetime) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """So many takes that lane, density and mood do not tell apart, of one memory colour; `facts` stand for each."""

    count: int
    facts: PoolFacts
    effect: str


class Archive(Protocol):
    """Held takes as stewards look for them and change them; every change is made under the artifact's lock."""

    def search(self, query: ArchiveQuery, now: datetime) -> list[Artifact]: ...
    def rank(self, artifact: Artifact) -> int: ...
    def statuses(self, deployment: str) -> list[str]: ...
    def stations(self, now: datetime) -> list[str]: ...
    def describe(self, artifact_id: int, *, topic: str, status: str) -> None: ...
    def set_review(
        self, artifact_id: int, review: Review, *, flagged_at: datetime | None, passed_at: datetime | None
    ) -> None: ...
    def totals(self, now: datetime) -> Totals: ...
    def retention(self, now: datetime, *, soon: datetime) -> RetentionCounts: ...
    def playable(self, now: datetime, *, limit: int) -> list[tuple[PoolFacts, str]]: ...
    def alike(self, now: datetime, figures: LaneFigures) -> list[Alike]: ...
    def publishable(self, now: datetime, *, after: int, limit: int) -> list[Publishable]: ...
    def pictures(self, now: datetime, *, limit: int, publishable_only: bool = False) -> list[FossilPicture]: ...
