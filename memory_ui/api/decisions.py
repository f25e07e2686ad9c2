"""Why a voice was played, for stewards: the newest programs with their reasons, and each composed once more."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from core.bootstrap import System
from core.ports.deciding import Decision
from memory_ui.api import shapes
from memory_ui.api.answers import ASKING, stewards
from memory_ui.api.published_why import DecisionsAnswer, ReplayAnswer
from memory_ui.api.takes import Words
from memory_ui.devices import called
from memory_ui.session import SessionOf
from memory_ui.web import SystemOf, in_thread

router = APIRouter(prefix="/api/v1/operator/decisions")

SHOWN_MOST = 50


@router.get("", response_model=DecisionsAnswer, responses=ASKING)
async def decisions(
    system: SystemOf,
    _session: SessionOf,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=SHOWN_MOST)] = SHOWN_MOST,
    device: Annotated[Words, Query()] = "",
) -> dict[str, Any]:
    """What rooms played last and why, newest first; of one page where it is named."""
    response.headers["Cache-Control"] = "no-store"
    found = await in_thread(system.decisions.newest, limit=limit, device_id=device)
    names = await in_thread(_names, system)
    return {"decisions": [_decision(one, names) for one in found]}


@router.get("/{decision_id}/replay", response_model=ReplayAnswer, responses=stewards(400, 404))
async def replay(
    decision_id: shapes.RowId, system: SystemOf, _session: SessionOf, response: Response
) -> dict[str, Any]:
    """Compose one once more from its seed. Nothing is played and nothing is changed."""
    response.headers["Cache-Control"] = "no-store"
    found = await in_thread(system.decisions.replay, decision_id)
    names = await in_thread(_names, system)
    return {"same": found.same, "decision": _decision(found.decision, names), "again": found.why or None}


def _names(system: System) -> dict[str, str]:
    return {seen.device.id: called(seen.device) for seen in system.devices.all()}


def _decision(found: Decision, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": found.id,
        "at": shapes.at(found.at),
        "device_id": found.device_id,
        "device": names.get(found.device_id, ""),
        "artifact_id": found.artifact_id,
        "why": found.why,
    }
