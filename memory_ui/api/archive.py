"""Held takes over HTTP, for stewards: find, listen, describe, remove, hold, pass."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response

from core.services.access import actor_of
from memory_ui.api import media, takes
from memory_ui.api.answers import ASKING, CLASHING, LOOKING, RangeOf, answers, ranged, stewards
from memory_ui.api.published_ops import SummaryAnswer
from memory_ui.session import SessionOf, StewardOf
from memory_ui.web import SystemOf, in_store_thread, in_thread


def _fresh(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/api/v1", dependencies=[Depends(_fresh)])


@router.get("/operator/artifacts", responses=ASKING)
async def recent(
    session: SessionOf, system: SystemOf, limit: Annotated[int, Query(ge=1, le=12)] = 12
) -> takes.RecentTakes:
    """The active deployment's newest takes, and where they stand."""
    found = await in_thread(system.archive.recent, limit)
    choices = await in_thread(system.archive.choices)
    return takes.RecentTakes(
        artifacts=[takes.recent_take(take) for take in found],
        editable_fields=takes.editable_fields(choices.statuses),
    )


@router.get("/operator/archive", responses=ASKING)
async def search(session: SessionOf, system: SystemOf, asked: Annotated[takes.Search, Query()]) -> takes.FoundTakes:
    """Search what is held, newest first; what is not asked narrows nothing."""
    found = await in_thread(system.archive.search, asked.query())
    choices = await in_thread(system.archive.choices)
    return takes.FoundTakes(
        artifacts=[takes.held_take(take) for take in found],
        next_before=found[-1].id if len(found) == asked.limit else None,
        stations=choices.stations,
        statuses=choices.statuses,
    )


@router.get(
    "/operator/artifacts/{artifact_id}/audio",
    response_class=Response,
    responses={**ranged("audio/wav"), **stewards(400, 404)},
)
async def listen(artifact_id: takes.TakeId, session: SessionOf, system: SystemOf, part: RangeOf = None) -> Response:
    """The sound of a take, whatever a review says. No hearing is counted, and nothing wears."""
    found = await in_store_thread(system.media.sound_for_steward, artifact_id)
    return await media.serve(found, part)


@router.post("/operator/artifacts/{artifact_id}/metadata", responses=CLASHING)
async def describe(
    artifact_id: takes.TakeId, session: StewardOf, body: takes.DescribeBody, system: SystemOf
) -> takes.ChangedTake:
    """Give a take another topic or status."""
    changed = await in_thread(
        system.archive.describe,
        artifact_id,
        topic=body.topic_tag,
        status=body.lifecycle_status,
        actor=actor_of(session),
        version=body.version,
    )
    return takes.ChangedTake(artifact=takes.held_take(changed))


@router.post("/operator/artifacts/{artifact_id}/hold", responses=CLASHING)
async def hold(
    artifact_id: takes.TakeId, session: StewardOf, system: SystemOf, body: takes.SeenBody | None = None
) -> takes.ChangedTake:
    """Take a take out of the room until a steward has passed it."""
    version = body.version if body is not None else None
    changed = await in_thread(system.review.hold, artifact_id, actor=actor_of(session), version=version)
    return takes.ChangedTake(artifact=takes.held_take(changed))


@router.post("/operator/artifacts/{artifact_id}/pass", responses=CLASHING)
async def let_in(
    artifact_id: takes.TakeId, session: StewardOf, system: SystemOf, body: takes.SeenBody | None = None
) -> takes.ChangedTake:
    """Let the room have a take."""
    version = body.version if body is not None else None
    changed = await in_thread(system.review.let_in, artifact_id, actor=actor_of(session), version=version)
    return takes.ChangedTake(artifact=takes.held_take(changed))


@router.post("/operator/artifacts/{artifact_id}/remove", responses=CLASHING)
async def remove(artifact_id: takes.TakeId, session: StewardOf, system: SystemOf) -> takes.RemovedTake:
    """Take a take out of the room at once and for good."""
    removed = await in_store_thread(system.archive.remove, artifact_id, actor=actor_of(session))
    return takes.removed_take(removed)


@router.post("/operator/artifacts/remove", responses=stewards(400, 413))
async def remove_many(body: takes.RemoveBody, session: StewardOf, system: SystemOf) -> takes.RemovedTakes:
    """Take several takes out of the room, each for itself."""
    results = await in_store_thread(system.archive.remove_many, body.ids, actor=actor_of(session))
    told = [takes.removal(result) for result in results]
    return takes.RemovedTakes(ok=all(one.ok for one in told), results=told)


@router.get("/operator/artifact-summary", responses={**answers(SummaryAnswer, "A file of counts."), **LOOKING})
async def summary(session: SessionOf, system: SystemOf) -> JSONResponse:
    """The archive's posture as a file: counts, no ids, no codes."""
    found: dict[str, Any] = await in_thread(system.archive.summary)
    name = f"artifact-summary-{system.clock.now():%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return JSONResponse(found, headers=headers)


@router.get("/derivatives/spectrograms", responses=LOOKING)
async def spectrograms(session: SessionOf, system: SystemOf) -> takes.Pictures:
    """The newest 50 pictures of fossils."""
    found = await in_thread(system.archive.spectrograms)
    return takes.Pictures(spectrograms=[takes.picture(one) for one in found])
