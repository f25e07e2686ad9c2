"""Asking for the next voice, and saying that it was heard."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from core.domain.pool.facts import Wish
from core.services.pool import Heard
from memory_ui.api import shapes
from memory_ui.api.answers import Done, refusals
from memory_ui.metrics import HEARD, SELECTIONS
from memory_ui.web import AskerOf, SystemOf, in_thread

router = APIRouter(prefix="/api/v1/pool")

_FRESH = {"Cache-Control": "no-store"}


@router.get("/next")
async def pool_next(request: Request, system: SystemOf) -> Response:
    """One granted playback, or 204. Asking changes nothing."""
    wish = Wish.parse(request.query_params, system.wish_limits)
    found = await in_thread(system.pool.next, wish, system.vault.rng())
    SELECTIONS.labels("chosen" if found is not None else "none").inc()
    if found is None:
        return Response(status_code=204, headers=_FRESH)
    return JSONResponse(shapes.playback(found, wish, system.colours), headers=_FRESH)


@router.post("/heard/{token}")
async def pool_heard(token: str, system: SystemOf) -> dict[str, Any]:
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


@router.post("/flag/{token}", responses=refusals(404, 429, 503))
async def pool_flag(token: str, system: SystemOf, asker: AskerOf) -> Done:
    """Ask for a check of what was just heard, by its acknowledgement token."""
    await in_thread(system.budgets.spend, "flag", client=asker.station, address=asker.address)
    await in_thread(system.review.flag, token)
    return Done()
