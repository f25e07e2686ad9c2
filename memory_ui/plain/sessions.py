"""The steward's session: a signed cookie, bound to the browser that signed in."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from core.bootstrap import System
from core.errors import Forbidden
from memory_ui.web import Asker

COOKIE = "memory_engine_steward"


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A live session; it ends by itself."""

    until: datetime


def browser_of(request: Request) -> str:
    """What a session is bound to."""
    return request.headers.get("user-agent", "")[:400]


def sign_in(request: Request, system: System, asker: Asker, secret: str) -> bool:
    """Whether the secret is right. Raises `OverBudget` while locked out; only failures count."""
    scope = {"client": f"{asker.address} {browser_of(request)}", "address": asker.address}
    system.budgets.check("signin", **scope)
    right = hmac.compare_digest(secret.encode(), system.steward_secret.encode())
    if not right:
        system.budgets.spend("signin", **scope)
    return right


def open_session(request: Request, response: Response, system: System) -> None:
    """Hand the browser its session."""
    until = system.clock.now() + timedelta(hours=system.settings.OPS_SESSION_HOURS)
    token = system.vault.sign(
        "steward",
        int(until.timestamp()),
        system.vault.digest("browser", browser_of(request)),
        system.vault.digest("steward-secret", system.steward_secret),
    )
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/", expires=until
    )


def session_of(request: Request, system: System) -> Session | None:
    """The live session of this browser, if it has one. A changed secret ends every session."""
    browser = system.vault.digest("browser", browser_of(request))
    secret = system.vault.digest("steward-secret", system.steward_secret)
    match system.vault.read("steward", request.cookies.get(COOKIE, "")):
        case [int(until_s), str(bound), str(made_with)]:
            until = datetime.fromtimestamp(until_s, UTC)
            if until > system.clock.now() and hmac.compare_digest(bound, browser) and made_with == secret:
                return Session(until=until)
    return None


def require_session(request: Request, system: System) -> Session:
    """The live session, or `Forbidden`."""
    session = session_of(request, system)
    if session is None:
        raise Forbidden("This needs a steward's session.")
    return session
