"""Signing in and out. What a steward sees afterwards is the live page of the same address."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from core.bootstrap import System
from core.domain.access import counted_as
from core.errors import OverBudget
from core.ports.stewarding import Session
from core.services.access import USER_AGENT_SIGNS, Visitor
from memory_ui.api.answers import pages
from memory_ui.copy import ENGLISH
from memory_ui.middleware import PLAIN_POLICY
from memory_ui.plain.forms import read_fields
from memory_ui.plain.render import budget_page, page
from memory_ui.session import hand_over, take_back, token_in, visitor_of
from memory_ui.web import SystemOf, in_thread

router = APIRouter()

_LEADS_ON = {303: {"description": "On to `GET /ops/`.", "headers": {"Location": {"schema": {"type": "string"}}}}}


def _form(*names: str) -> dict[str, Any]:
    fields = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": fields, "required": list(names)}
    form = {"schema": schema} if names else {}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": form}}}


def ask(request: Request) -> HTMLResponse:
    """The question, for whoever has no session."""
    if not request.app.state.system.access.admits(visitor_of(request).address):
        return _plain(page(request, "signin", language=ENGLISH, state="network", status_code=403))
    return _plain(page(request, "signin", language=ENGLISH, state="ask"))


@router.post(
    "/ops/",
    status_code=303,
    response_class=Response,
    responses={**_LEADS_ON, **pages(400, 403, 413, 415, 429, 503)},
    openapi_extra=_form("secret"),
)
async def enter(request: Request, system: SystemOf) -> Response:
    """Sign in. Only failures count towards a lockout, for the browser at its address and for the address alone."""
    fields = await read_fields(request)
    visitor = visitor_of(request)
    if not system.access.admits(visitor.address):
        return _plain(page(request, "signin", language=ENGLISH, state="network", status_code=403))
    if not await in_thread(system.access.configured):
        return _plain(page(request, "signin", language=ENGLISH, state="unset", status_code=503))
    try:
        # One at a time: many at once must not all be looked at before the first failure counts. They wait without a
        # thread, so that whoever guesses keeps nobody else waiting.
        async with request.app.state.signing_in:
            opened = await in_thread(_try, system, fields.get("secret", "").strip(), visitor)
    except OverBudget as error:
        return _plain(budget_page(request, "signin", "locked", error, language=ENGLISH))
    if opened is None:
        return _plain(page(request, "signin", language=ENGLISH, state="wrong", status_code=403))
    # Nobody goes on with a session that somebody else may have planted.
    await in_thread(system.access.leave, token_in(request.cookies))
    answer = RedirectResponse("/ops/", status_code=303)
    hand_over(answer, *opened, secure=request.url.scheme == "https")
    return answer


@router.post(
    "/ops/logout/",
    status_code=303,
    response_class=Response,
    responses={**_LEADS_ON, **pages(400, 403, 413, 415, 503)},
    openapi_extra=_form(),
)
async def leave(request: Request, system: SystemOf) -> Response:
    """End the session."""
    await read_fields(request)
    await in_thread(system.access.leave, token_in(request.cookies))
    answer = RedirectResponse("/ops/", status_code=303)
    take_back(answer)
    return answer


def _try(system: System, secret: str, visitor: Visitor) -> tuple[str, Session] | None:
    place = counted_as(visitor.address)
    scope = {"client": f"{place} {visitor.user_agent[:USER_AGENT_SIGNS]}", "address": place}
    system.budgets.check("signin", **scope)
    opened = system.access.sign_in(secret, visitor)
    if opened is None:
        system.budgets.spend("signin", **scope)
    return opened


def _plain(answer: HTMLResponse) -> HTMLResponse:
    """These pages share an address with live ones and need nothing of what those may do."""
    answer.headers["Content-Security-Policy"] = PLAIN_POLICY
    return answer
