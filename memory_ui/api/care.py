"""Long work for the sake of the promise: what is under way, how the last ended, and asking for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from core.domain.custody import Care, Report
from core.errors import BadField
from core.services.access import actor_of
from core.services.care import NOT_HERE, WANTED
from memory_ui.api import shapes
from memory_ui.api.answers import CLASHING, LOOKING
from memory_ui.api.published_ops import CareAnswer, WantedAnswer
from memory_ui.session import SessionOf, StewardOf
from memory_ui.web import SystemOf, in_thread

router = APIRouter(prefix="/api/v1/operator", responses=LOOKING)

KINDS = ", ".join(kind.value for kind in WANTED)
Kind = Annotated[str, Path(description=f"One of {KINDS}.", max_length=32)]


@router.get("/care", response_model=CareAnswer)
async def care(system: SystemOf, _session: SessionOf) -> dict[str, Any]:
    """Audits, backups and exports: what is under way, and the last of each kind that is over."""
    standing = await in_thread(system.care.standing)
    return {
        "running": [report(one) for one in standing.running],
        "last": {kind.value: report(one) for kind, one in standing.last.items()},
    }


@router.post("/care/{kind}", status_code=202, response_model=WantedAnswer, responses=CLASHING)
async def want(kind: Kind, system: SystemOf, session: StewardOf) -> dict[str, str]:
    """Ask for an audit, a backup or an export; it begins in the background."""
    if kind not in set(Care):
        raise BadField(NOT_HERE)
    await in_thread(system.care.want, Care(kind), actor=actor_of(session))
    return {"wanted": kind}


def report(one: Report) -> dict[str, Any]:
    """One report as it is answered."""
    return {
        "kind": one.kind.value,
        "state": one.state.value,
        "actor": one.actor,
        "began_at": shapes.at(one.began_at),
        "seen_at": shapes.at(one.seen_at),
        "ended_at": shapes.at(one.ended_at),
        "done": one.done,
        "total": one.total,
        "summary": one.summary,
    }
