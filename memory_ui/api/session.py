"""A steward's own session, and the end of everybody's."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from core.services.access import actor_of
from memory_ui.api.answers import LOOKING, Instant, stewards
from memory_ui.session import SessionOf, StewardOf, take_back
from memory_ui.web import SystemOf, in_thread

router = APIRouter(prefix="/api/v1/operator")


class SignedIn(BaseModel):
    """Who is signed in, named as the trail names them, and until when."""

    name: str
    role: str
    signed_in_at: Instant
    until: Instant


class Ended(BaseModel):
    """How many were signed out."""

    ok: bool
    ended: int


@router.get("/session", responses=LOOKING)
async def own_session(session: SessionOf, response: Response) -> SignedIn:
    """The asker's session."""
    response.headers["Cache-Control"] = "no-store"
    return SignedIn(
        name=actor_of(session),
        role=session.role.value,
        signed_in_at=session.opened_at.isoformat(),
        until=session.until.isoformat(),
    )


@router.post("/sessions/end", responses=stewards(413))
async def end_sessions(session: StewardOf, system: SystemOf, response: Response) -> Ended:
    """Sign everyone out, the asker too."""
    ended = await in_thread(system.access.sign_everyone_out, actor=actor_of(session))
    take_back(response)
    return Ended(ok=True, ended=ended)
