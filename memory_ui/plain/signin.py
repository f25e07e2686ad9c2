"""Signing in and out. What a steward sees afterwards is the live page of the same address."""

from threading import Lock

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from core.bootstrap import System
from core.errors import OverBudget, Unavailable
from core.ports.stewarding import Session
from core.services.access import USER_AGENT_SIGNS, Visitor
from memory_ui.middleware import PLAIN_POLICY
from memory_ui.plain.forms import read_fields
from memory_ui.plain.render import budget_page, page
from memory_ui.session import hand_over, session_of, take_back, visitor_of
from memory_ui.web import SystemOf, in_thread

router = APIRouter(include_in_schema=False)


def ask(request: Request) -> HTMLResponse:
    """The question, for whoever has no session."""
    access = request.app.state.system.access
    if not access.admits(visitor_of(request).address):
        return page(request, "signin", state="network", status_code=403)
    return _plain(page(request, "signin", state="ask"))


@router.post("/ops/")
async def enter(request: Request, system: SystemOf) -> Response:
    """Sign in. Only failures count towards a lockout, for the browser at its address and for the address alone."""
    fields = await read_fields(request)
    visitor = visitor_of(request)
    if not system.access.admits(visitor.address):
        return _plain(page(request, "signin", state="network", status_code=403))
    try:
        opened = await in_thread(_try, system, fields.get("secret", ""), visitor)
    except OverBudget as error:
        return _plain(budget_page(request, "signin", "locked", error))
    except Unavailable:
        return _plain(page(request, "signin", state="unset", status_code=503))
    if opened is None:
        return _plain(page(request, "signin", state="wrong", status_code=403))
    await _leave(request, system, visitor)
    answer = RedirectResponse("/ops/", status_code=303)
    hand_over(answer, *opened, secure=request.url.scheme == "https")
    return answer


@router.post("/ops/logout/")
async def leave(request: Request, system: SystemOf) -> Response:
    """End the session."""
    await read_fields(request)
    await _leave(request, system, visitor_of(request))
    answer = RedirectResponse("/ops/", status_code=303)
    take_back(answer)
    return answer


_TRYING = Lock()


def _try(system: System, secret: str, visitor: Visitor) -> tuple[str, Session] | None:
    """One try at a time: many at once must not all be looked at before the first failure counts."""
    scope = {"client": f"{visitor.address} {visitor.user_agent[:USER_AGENT_SIGNS]}", "address": visitor.address}
    with _TRYING:
        system.budgets.check("signin", **scope)
        opened = system.access.sign_in(secret, visitor)
        if opened is None:
            system.budgets.spend("signin", **scope)
        return opened


async def _leave(request: Request, system: SystemOf, visitor: Visitor) -> None:
    """A session this browser came with ends: nobody goes on with what somebody else may have planted."""
    session = await in_thread(session_of, system, request.cookies, visitor)
    if session is not None:
        await in_thread(system.access.sign_out, session)


def _plain(answer: HTMLResponse) -> HTMLResponse:
    """These pages share an address with live ones and need nothing of what those may do."""
    answer.headers["Content-Security-Policy"] = PLAIN_POLICY
    return answer
