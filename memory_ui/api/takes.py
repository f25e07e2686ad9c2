"""JSON of held takes as stewards see and change them."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from core.domain.artifact import Artifact, Review
from core.domain.pool.facts import LARGEST_ID
from core.ports.stewarding import ArchiveQuery
from core.services.archive import NotRemoved, Recent, Removed, Spectrogram
from core.services.intake import STATUS_SIGNS, TOPIC_SIGNS
from memory_ui.api.answers import Instant
from memory_ui.api.shapes import at, in_utc, picture_url

REMOVED_MOST = 200

TakeId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Version = Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
Words = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]*$")]


class Search(BaseModel):
    """What a steward asks of the archive; review `none` asks for takes that are not under review."""

    since: Moment | None = None
    until: Moment | None = None
    station: Words = ""
    topic: Words = ""
    status: Words = ""
    deployment: Words = ""
    review: Literal["", "none", "held", "flagged"] = ""
    waiting: bool = False
    before: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def query(self) -> ArchiveQuery:
        """The same as the archive takes it."""
        asked = {name: getattr(self, name) for name in Search.model_fields}
        review = None if not self.review else Review.NONE if self.review == "none" else Review(self.review)
        return ArchiveQuery(**{**asked, "review": review})


class DescribeBody(BaseModel):
    """New words for a take; what is missing stays as it is."""

    model_config = ConfigDict(extra="forbid")
    topic_tag: StrictStr | None = None
    lifecycle_status: StrictStr | None = None
    version: Version | None = None


class SeenBody(BaseModel):
    """Which version of a take the steward looked at."""

    model_config = ConfigDict(extra="forbid")
    version: Version | None = None


class RemoveBody(BaseModel):
    """Takes that are to leave the room."""

    model_config = ConfigDict(extra="forbid")
    ids: Annotated[list[Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]], Field(min_length=1, max_length=REMOVED_MOST)]


class HeldTake(BaseModel):
    """A take as a steward sees it; `expires_at` is when the last thing that sounds of it ends, `outline` its shadow."""

    id: int
    kind: str
    status: str
    created_at: Instant
    last_access_at: Instant | None
    expires_at: Instant | None
    duration_ms: int
    play_count: int
    wear: float
    effect_profile: str
    deployment_kind: str
    topic_tag: str
    lifecycle_status: str
    station: str
    review: str
    flagged_at: Instant | None
    passed_at: Instant | None
    version: int
    audio_url: str
    outline: list[tuple[float, float]] | None


class RecentTake(HeldTake):
    """The same with where it stands in the room."""

    stack_position: int
    lane: str
    density: str
    mood: str
    age_hours: float
    absence_hours: float
    quick_status_actions: list[str]


class EditableField(BaseModel):
    """A field a steward may write; `choices` are proposals."""

    max_length: int
    choices: list[str] = []


class RecentTakes(BaseModel):
    """The newest takes of the active deployment."""

    artifacts: list[RecentTake]
    editable_fields: dict[str, EditableField]


class FoundTakes(BaseModel):
    """Takes a search found; `next_before` continues it, null at its end."""

    artifacts: list[HeldTake]
    next_before: int | None
    stations: list[str]
    statuses: list[str]


class ChangedTake(BaseModel):
    """A take after a change."""

    ok: bool = True
    artifact: HeldTake


class RemovedTake(BaseModel):
    """A take that is out of the room; `verified_gone_at` is null while its deletion is still being retried."""

    ok: bool = True
    artifact_id: int
    status: str = "REVOKED"
    deleted_derivatives: int
    removed_stack_position: int
    verified_gone_at: Instant | None


class KeptTake(BaseModel):
    """A take that was not taken out, and why."""

    ok: bool = False
    artifact_id: int
    error: str


class RemovedTakes(BaseModel):
    """What became of each; `ok` says whether all are out."""

    ok: bool
    results: list[RemovedTake | KeptTake]


class Picture(BaseModel):
    """A fossil's spectrogram; `publishable` says whether its promise lets a room show it."""

    artifact_id: int
    created_at: Instant
    expires_at: Instant
    publishable: bool
    image_url: str


class Pictures(BaseModel):
    """The newest spectrograms."""

    spectrograms: list[Picture]


def held_take(found: Artifact) -> HeldTake:
    """A take as a steward sees it."""
    return HeldTake(**_held(found))


def recent_take(found: Recent) -> RecentTake:
    """The same with where it stands."""
    stands = found.standing
    return RecentTake(
        **_held(found.artifact),
        stack_position=found.stack_position,
        lane=stands.lane.value,
        density=stands.density.value,
        mood=stands.mood.value,
        age_hours=round(stands.age_hours, 3),
        absence_hours=round(stands.unheard_hours, 3),
        quick_status_actions=list(found.quick_statuses),
    )


def editable_fields(statuses: list[str]) -> dict[str, EditableField]:
    """What a steward may write about a take."""
    return {
        "topic_tag": EditableField(max_length=TOPIC_SIGNS),
        "lifecycle_status": EditableField(max_length=STATUS_SIGNS, choices=statuses),
    }


def removal(result: Removed | NotRemoved) -> RemovedTake | KeptTake:
    """What became of one take."""
    if isinstance(result, NotRemoved):
        return KeptTake(artifact_id=result.artifact_id, error=result.reason)
    return removed_take(result)


def removed_take(result: Removed) -> RemovedTake:
    """A take that is out of the room."""
    return RemovedTake(
        artifact_id=result.artifact_id,
        deleted_derivatives=result.deleted_derivatives,
        removed_stack_position=result.removed_stack_position,
        verified_gone_at=at(result.verified_gone_at),
    )


def picture(found: Spectrogram) -> Picture:
    """One spectrogram of the inventory."""
    return Picture(
        artifact_id=found.picture.artifact_id,
        created_at=found.picture.created_at.isoformat(),
        expires_at=found.picture.until.isoformat(),
        publishable=found.picture.publishable,
        image_url=picture_url(found.token),
    )


def _held(found: Artifact) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.mode.value,
        "status": found.state.value,
        "created_at": at(found.created_at),
        "last_access_at": at(found.heard_at),
        "expires_at": at(found.playable_until),
        "duration_ms": found.duration_ms,
        "play_count": found.plays,
        "wear": found.wear,
        "effect_profile": found.effect,
        "deployment_kind": found.deployment,
        "topic_tag": found.topic,
        "lifecycle_status": found.status,
        "station": found.station,
        "review": found.review.value,
        "flagged_at": at(found.flagged_at),
        "passed_at": at(found.passed_at),
        "version": found.version,
        "audio_url": f"/api/v1/operator/artifacts/{found.id}/audio",
        "outline": found.outline,
    }
