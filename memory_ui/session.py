"""A steward's session on the web: its cookie, and what every steward's address asks for first."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie

from core.bootstrap import System
from core.errors import Forbidden, Unavailable
from core.ports.stewarding import Session
from core.services.access import Visitor
from memory_ui.middleware import origin_allowed
from memory_ui.web import SystemOf, in_thread

COOKIE = "memory_engine_steward"
READING = ("GET", "HEAD")

_PUBLISHED = APIKeyCookie(
    name=COOKIE, scheme_name="session", description="What `POST /ops/` hands over.", auto_error=False
)
"""Says in the published contract that an address needs a session; whether there is one is looked at here."""


def visitor_of(request: Request) -> Visitor:
    """Whoever sent a request."""
    address = request.client.host if request.client is not None else ""
    return Visitor(user_agent=request.headers.get("user-agent", ""), address=address)


def token_in(cookies: Mapping[str, str]) -> str:
    """What a browser shows for a session; empty where it shows nothing."""
    return cookies.get(COOKIE, "")


def session_of(system: System, cookies: Mapping[str, str], visitor: Visitor) -> Session | None:
    """The live session of a browser, if it has one; blocks for a moment."""
    return system.access.session(token_in(cookies), visitor)


async def require_session(
    request: Request, system: SystemOf, _shown: Annotated[str | None, Security(_PUBLISHED)] = None
) -> Session:
    """The live session, whatever its role; `Unavailable` where nobody can have one, else `Forbidden`."""
    if not origin_allowed(request.headers) and request.method not in READING:
        raise Forbidden("This request came from another site.")
    session = await in_thread(session_of, system, request.cookies, visitor_of(request))
    if session is not None:
        return session
    if not await in_thread(system.access.configured):
        raise Unavailable("No steward secret is set on this node.")
    raise Forbidden("This needs a steward's session.")


SessionOf = Annotated[Session, Depends(require_session)]


async def require_steward(session: SessionOf) -> Session:
    """The live session of somebody who may change things."""
    if not session.role.changes:
        raise Forbidden("You may look, not change.")
    return session


StewardOf = Annotated[Session, Depends(require_steward)]


def hand_over(response: Response, token: str, session: Session, *, secure: bool) -> None:
    """Give the browser its session, for a length of time: its clock may be another than ours."""
    age_s = int((session.until - session.opened_at).total_seconds())
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/", max_age=age_s)


def take_back(response: Response) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
