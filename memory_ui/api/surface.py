"""The live posture and the pictures of fossils, for clients without a socket."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel

from core.errors import NotFound
from core.services.fossils import Fossil
from core.settings import TONE_TYPES
from memory_ui.api import shapes
from memory_ui.api.answers import Instant, refusals
from memory_ui.api.published import SurfaceAnswer
from memory_ui.captions import fossil_title
from memory_ui.copy import load_copy
from memory_ui.languages import surface_language
from memory_ui.web import AskerOf, SystemOf, in_thread

router = APIRouter(prefix="/api/v1/surface")

AMBIENCE_PATH = "/api/v1/surface/ambience"


class FeedAddress(BaseModel):
    """Where pictures of fossils are; empty where this room shows none."""

    feed_url: str


class FossilPicture(BaseModel):
    """A picture that may be shown; nothing says which take it was made from."""

    created_at: Instant
    image_url: str
    title: str


@router.get("/state", response_model=SurfaceAnswer, responses=refusals(503))
async def surface_state(system: SystemOf, asker: AskerOf) -> dict[str, Any]:
    """The live posture, and how much this station may still leave."""
    state = await in_thread(system.stewardship.state)
    budgets = await in_thread(system.budgets.snapshot, "ingest", client=asker.station, address=asker.address)
    return {
        "operator_state": shapes.operator_state(state),
        "intake_door": (await in_thread(system.intake.door, state)).value,
        "ingest_budget": shapes.ingest_budget(*budgets),
    }


@router.get(
    "/ambience",
    response_class=FileResponse,
    responses={200: {"content": {"audio/*": {}}, "description": "The recording."}, **refusals(404)},
)
async def ambience(system: SystemOf) -> FileResponse:
    """The recording of the place that is played between the voices, where there is one."""
    path = system.settings.ROOM_TONE_FILE
    if path is None or not path.expanduser().is_file():
        raise NotFound("This room has no recording of its own.")
    path = path.expanduser()
    return FileResponse(path, media_type=TONE_TYPES[path.suffix.lower()], headers={"Cache-Control": "no-cache"})


@router.get("/fossils-url")
async def fossils_url(system: SystemOf) -> FeedAddress:
    """Where pictures of fossils are to be had."""
    return FeedAddress(feed_url=shapes.fossils_url(system.fossils.feed_token()))


@router.get("/fossils/{token}", responses=refusals(404, 503))
async def fossils(token: str, request: Request, system: SystemOf) -> list[FossilPicture]:
    """Up to twelve pictures of fossils, newest first, their titles in the language of the room."""
    found: list[Fossil] = await in_thread(system.fossils.feed, token)
    state = await in_thread(system.stewardship.state)
    now, copy = system.clock.now(), load_copy(surface_language(request, state))
    return [
        FossilPicture(
            created_at=one.created_at.isoformat(),
            image_url=shapes.picture_url(one.token),
            title=fossil_title(one.created_at, now, copy),
        )
        for one in found
    ]
