"""Taking a memory back. A GET asks or fills in; only a POST looks up, and only its second step removes."""

from datetime import tzinfo
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from core.bootstrap import System
from core.domain.artifact import State
from core.domain.consent import Mode
from core.errors import NotFound, OverBudget
from core.services.revocation import Receipt, Revoked
from memory_ui.api.receipt import spend_code
from memory_ui.copy import Copy, load_copy
from memory_ui.plain.forms import read_fields
from memory_ui.plain.render import day_and_time, length, page
from memory_ui.web import AskerOf, SystemOf, in_store_thread, in_thread

router = APIRouter(include_in_schema=False)

CODE_SIGNS = 200


@router.get("/revoke/")
async def ask(request: Request, token: str = "") -> HTMLResponse:
    """The question; a code in the address is filled in, never acted on."""
    return page(request, "revoke", state="ask", code=token[:CODE_SIGNS].replace("\0", ""))


@router.post("/revoke/")
async def answer(request: Request, system: SystemOf, asker: AskerOf) -> HTMLResponse:
    """Look a code up, or remove what is under it."""
    fields = await read_fields(request)
    code = fields.get("token", "").strip()[:CODE_SIGNS]
    if not code:
        return page(request, "revoke", state="missing", code="")
    if system.revocation.is_typo(code):
        return page(request, "revoke", state="mistyped", code=code)
    try:
        await in_thread(spend_code, system, asker, code)
        return await _known(request, system, code, remove=fields.get("step") == "remove")
    except OverBudget as error:
        minutes = -(-error.retry_after_s // 60)
        return page(
            request, "revoke", state="budget", minutes=minutes, status_code=429, retry_after_s=error.retry_after_s
        )
    except NotFound:
        return page(request, "revoke", state="unknown", code=code, status_code=404)


async def _known(request: Request, system: System, code: str, *, remove: bool) -> HTMLResponse:
    copy, zone = load_copy("en"), system.room.tables.choices.zone
    receipt = await in_thread(system.revocation.receipt, code)
    if not receipt.held:
        return page(request, "revoke", state="already", ended=_ended(receipt, copy, zone))
    if not remove:
        return page(request, "revoke", state="found", code=code, receipt=_promise(receipt, copy, zone))
    revoked = await in_store_thread(system.revocation.revoke, code)
    return page(request, "revoke", state="removed", removed=_removed(revoked, copy, zone))


def _promise(receipt: Receipt, copy: Copy, zone: tzinfo | None) -> dict[str, Any]:
    manifest, artifact = receipt.manifest, receipt.artifacts[0]
    remains = ""
    if manifest.mode is Mode.FOSSIL and manifest.derivative_until is not None:
        remains = copy.t("revoke.remains_fossil", until=day_and_time(manifest.derivative_until, copy, zone))
    return {
        "recorded": day_and_time(manifest.given_at, copy, zone),
        "mode": copy.t(f"revoke.mode_{manifest.mode.value.lower()}"),
        "until": day_and_time(manifest.raw_until, copy, zone),
        "remains": remains,
        "length": length(artifact.duration_ms, copy),
        "heard_count": artifact.plays,
    }


def _removed(revoked: Revoked, copy: Copy, zone: tzinfo | None) -> dict[str, Any]:
    gone_at = revoked.verified_gone_at
    return {
        "verified_at": day_and_time(gone_at, copy, zone) if gone_at is not None else "",
        "derivatives": sum(count for kind, count in revoked.deleted.items() if kind != "raw"),
        "backups_until": day_and_time(revoked.copies_gone_by, copy, zone),
    }


def _ended(receipt: Receipt, copy: Copy, zone: tzinfo | None) -> dict[str, str]:
    ended = [artifact.ended_at for artifact in receipt.artifacts if artifact.ended_at is not None]
    revoked = any(artifact.state is State.REVOKED for artifact in receipt.artifacts)
    when = max(ended, default=receipt.manifest.raw_until)
    return {"how": "removed" if revoked else "expired", "when": day_and_time(when, copy, zone)}
