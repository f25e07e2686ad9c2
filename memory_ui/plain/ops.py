"""The steward's ledger: how the room stands, and its switches."""

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from core.bootstrap import System
from core.domain.steward import SWITCHES
from core.errors import BadField, Conflict, OverBudget
from core.services.health import ROLES, Readiness
from core.services.stewardship import Posture
from memory_ui.api.health import queue_depth
from memory_ui.copy import Copy, load_copy
from memory_ui.plain.forms import read_fields
from memory_ui.plain.render import ago, day_and_time, page
from memory_ui.plain.sessions import COOKIE, open_session, require_session, session_of, sign_in
from memory_ui.web import AskerOf, SystemOf, in_store_thread, in_thread

router = APIRouter(include_in_schema=False)

CONTROLS = "/ops/controls/"
ACTOR = "steward"
_VERSION = re.compile("[0-9]{1,9}")


@router.get("/ops/")
async def ledger(request: Request, system: SystemOf, stale: bool = False) -> HTMLResponse:
    """The ledger with a session, the sign-in without."""
    session = session_of(request, system)
    if session is None:
        return page(request, "signin", state="ask")
    copy = load_copy("en")
    posture = await in_thread(system.stewardship.posture)
    ready = await in_store_thread(system.health.readiness, await queue_depth(system))
    return page(
        request,
        "ops",
        signed_in_until=day_and_time(session.until, copy),
        controls_url=CONTROLS,
        version=posture.state.version,
        stale=stale,
        read_only=False,
        warnings=_warnings(posture, ready, copy, system),
        switches=_switches(posture, copy, system),
        counts=_counts(posture, copy, system),
    )


@router.post("/ops/")
async def enter(request: Request, system: SystemOf, asker: AskerOf) -> Response:
    """Sign in with the shared secret."""
    fields = await read_fields(request)
    try:
        if not await in_thread(sign_in, request, system, asker, fields.get("secret", "")):
            return page(request, "signin", state="wrong", status_code=403)
    except OverBudget as error:
        minutes = -(-error.retry_after_s // 60)
        return page(
            request, "signin", state="locked", minutes=minutes, status_code=429, retry_after_s=error.retry_after_s
        )
    answer = RedirectResponse("/ops/", status_code=303)
    open_session(request, answer, system)
    return answer


@router.post("/ops/logout/")
async def leave(request: Request) -> Response:
    """End the session."""
    await read_fields(request)
    answer = RedirectResponse("/ops/", status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.post(CONTROLS)
async def change(request: Request, system: SystemOf) -> Response:
    """Turn one switch."""
    fields = await read_fields(request)
    require_session(request, system)
    names = [name for name in SWITCHES if name in fields]
    version = fields.get("version", "")
    if len(names) != 1 or fields[names[0]] not in ("true", "false") or not _VERSION.fullmatch(version):
        raise BadField("One switch is turned at a time, to true or to false.")
    try:
        await in_thread(
            system.stewardship.switch, names[0], fields[names[0]] == "true", actor=ACTOR, version=int(version)
        )
    except Conflict:
        return RedirectResponse("/ops/?stale=true", status_code=303)
    return RedirectResponse("/ops/", status_code=303)


def _switches(posture: Posture, copy: Copy, system: System) -> list[dict[str, Any]]:
    now = system.clock.now()
    since = {action.action: action.at for action in reversed(posture.actions)}
    return [
        {
            "name": name,
            "on": getattr(posture.state, name),
            "since": ago(since[name], now, copy) if name in since else "",
        }
        for name in SWITCHES
    ]


def _counts(posture: Posture, copy: Copy, system: System) -> list[dict[str, str]]:
    oldest = posture.tombstones.oldest_due_at
    disk = system.outside.disk
    return [
        {"label": copy.t("ops.playable"), "value": str(posture.playable), "note": ""},
        {
            "label": copy.t("ops.tombstones"),
            "value": str(posture.tombstones.due),
            "note": copy.t("ops.oldest_due", ago=ago(oldest, system.clock.now(), copy)) if oldest else "",
        },
        {
            "label": copy.t("ops.disk"),
            "value": copy.t("ops.gigabytes", count=f"{disk.free_bytes() / 1e9:.1f}"),
            "note": copy.t("ops.of_disk", total=copy.t("ops.gigabytes", count=f"{disk.total_bytes() / 1e9:.0f}")),
        },
    ]


def _warnings(posture: Posture, ready: Readiness, copy: Copy, system: System) -> list[dict[str, str]]:
    """What stands in the way of the promise or of the room, the gravest first."""
    found = []
    if posture.tombstones.failing:
        found.append(_warning("critical", "refused", copy, count=posture.tombstones.failing))
    found += [_warning("critical", name, copy) for name in ("store", "queue") if ready.components[name] == "down"]
    found += [_warning("warning", name, copy) for name in ROLES if ready.components[name] == "stale"]
    waiting = ready.queue.waiting if ready.queue is not None else 0
    if waiting >= system.settings.QUEUE_WARNING:
        level = "critical" if waiting >= system.settings.QUEUE_CRITICAL else "warning"
        found.append(_warning(level, "waiting", copy, count=waiting))
    if ready.failures:
        found.append(_warning("warning", "jobs", copy, count=len(ready.failures)))
    found += [_warning("warning", name, copy) for name in SWITCHES if getattr(posture.state, name)]
    if posture.playable == 0:
        found.append(_warning("warning", "empty", copy))
    return found


def _warning(level: str, name: str, copy: Copy, **params: Any) -> dict[str, str]:
    return {
        "level": level,
        "title": copy.t(f"ops.warn_{name}", **params),
        "detail": copy.t(f"ops.warn_{name}_detail", **params),
    }
