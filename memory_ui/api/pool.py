"""Asking for the next voice, and saying that it was heard."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from core.domain.pool.facts import Wish
from core.services.pool import Heard
from memory_ui.api import shapes
from memory_ui.api.answers import Done, answers, parameter, refusals
from memory_ui.api.published import HeardAnswer, PlaybackAnswer
from memory_ui.metrics import HEARD, SELECTIONS
from memory_ui.web import AskerOf, SystemOf, in_thread

router = APIRouter(prefix="/api/v1/pool")

_FRESH = {"Cache-Control": "no-store"}
_WISHES = {
    "lane": "`fresh`, `mid` or `worn`; anything else means any.",
    "density": "`light`, `medium` or `dense`; anything else means any.",
    "mood": "`clear`, `hushed`, `suspended`, `weathered` or `gathering`; anything else means any.",
    "exclude_ids": "Numbers of takes, separated by commas, newest first; the first 50 count.",
    "recent_densities": "Densities lately heard, separated by commas, newest first; the first 6 count.",
    "recent_topics": "Topics lately heard, separated by commas, newest first; the first 4 count.",
    "preferred_topic": "A topic to stay with.",
    "preferred_lifecycle_status": "A status to stay with.",
    "segment_variant": "Shifts the slice of a long take.",
}


@router.get(
    "/next",
    responses={
        **answers(PlaybackAnswer, "A playback."),
        204: {"description": "Nothing is playable, or playback is paused."},
        **refusals(503),
    },
    openapi_extra={"parameters": [parameter(name, "query", what) for name, what in _WISHES.items()]},
)
async def pool_next(request: Request, system: SystemOf) -> Response:
    """One granted playback, or 204. Asking changes nothing."""
    wish = Wish.parse(request.query_params, system.wish_limits)
    found = await in_thread(system.pool.next, wish, system.vault.rng())
    SELECTIONS.labels("chosen" if found is not None else "none").inc()
    if found is None:
        return Response(status_code=204, headers=_FRESH)
    return JSONResponse(shapes.playback(found, wish, system.colours), headers=_FRESH)


@router.post(
    "/heard/{token}",
    response_model=HeardAnswer,
    response_model_exclude_unset=True,
    responses=refusals(404, 413, 503),
)
async def pool_heard(token: str, system: SystemOf) -> dict[str, bool]:
    """Count an audible playback, once per grant."""
    heard = await in_thread(system.pool.heard, token)
    HEARD.labels(heard.value).inc()
    match heard:
        case Heard.COUNTED:
            return {"ok": True}
        case Heard.DUPLICATE:
            return {"ok": True, "duplicate": True}
        case Heard.IGNORED:
            return {"ok": True, "ignored": True}


@router.post("/flag/{token}", responses=refusals(404, 413, 429, 503))
async def pool_flag(token: str, system: SystemOf, asker: AskerOf) -> Done:
    """Ask for a check of what was just heard, by its acknowledgement token."""
    await in_thread(system.budgets.spend, "flag", client=asker.station, address=asker.address)
    await in_thread(system.review.flag, token)
    return Done()
