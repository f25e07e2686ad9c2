"""The receipt of a memory. A GET asks or fills in; only a POST looks up, only a step of its own changes anything."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from core.bootstrap import System
from core.domain import codes
from core.domain.receipt import RAW, Receipt, standing
from core.errors import Conflict, NotFound, OverBudget
from memory_ui.addresses import REVOKE_PATH, base_of, receipt_url, square
from memory_ui.api.receipt import record_file, spend_code
from memory_ui.languages import PARAMETER, visitors_language
from memory_ui.plain.forms import read_fields
from memory_ui.plain.render import budget_page, page
from memory_ui.plain.told import told
from memory_ui.web import AskerOf, SystemOf, in_store_thread, in_thread

router = APIRouter(include_in_schema=False)

CODE_SIGNS = 200


@router.get("/revoke/")
async def ask(request: Request, token: str = "") -> HTMLResponse:
    """The question; a code in the address is filled in, never acted on."""
    return page(
        request,
        "revoke",
        language=await visitors_language(request),
        state="ask",
        code=token[:CODE_SIGNS].replace("\0", ""),
    )


@router.post("/revoke/")
async def answer(request: Request, system: SystemOf, asker: AskerOf) -> Response:
    """Look a code up; or take a step: remove what is under it, narrow it, hand its record over."""
    fields = await read_fields(request)
    language = await visitors_language(request, fields.get(PARAMETER, ""))
    code = fields.get("token", "").strip()[:CODE_SIGNS]
    if not code:
        return page(request, "revoke", language=language, state="missing", code="")
    if system.revocation.is_typo(code):
        return page(request, "revoke", language=language, state="mistyped", code=code)
    try:
        await in_thread(spend_code, system, asker, code)
        return await _STEPS.get(fields.get("step", ""), _look)(request, system, code, language)
    except OverBudget as error:
        return budget_page(request, "revoke", "budget", error, language=language)
    except NotFound:
        return page(request, "revoke", language=language, state="unknown", code=code, status_code=404)


async def _look(request: Request, system: System, code: str, language: str) -> Response:
    return _page(request, system, code, language, await in_thread(system.revocation.receipt, code))


async def _remove(request: Request, system: System, code: str, language: str) -> Response:
    receipt = await in_thread(system.revocation.receipt, code)
    if receipt.held:
        await in_store_thread(system.revocation.revoke, code)
        receipt = await in_thread(system.revocation.receipt, code)
    return _page(request, system, code, language, receipt)


async def _narrow(request: Request, system: System, code: str, language: str) -> Response:
    try:
        receipt = await in_store_thread(system.revocation.narrow, code)
    except Conflict as error:
        receipt = await in_thread(system.revocation.receipt, code)
        return _page(request, system, code, language, receipt, problem="revoke.not_narrowed", status_code=error.status)
    return _page(request, system, code, language, receipt, done="revoke.narrowed")


async def _record(request: Request, system: System, code: str, _language: str) -> Response:
    return record_file(system, await in_thread(system.revocation.receipt, code), request)


_STEPS = {"remove": _remove, "narrow": _narrow, "record": _record}


def _page(
    request: Request, system: System, code: str, language: str, receipt: Receipt, *, status_code: int = 200, **said: str
) -> Response:
    now = standing(receipt, system.clock.now())
    given: dict[str, Any] = {
        "language": language,
        "done": "",
        "problem": "",
        **said,
        "code": code,
        "told": told(system, receipt, now, language),
    }
    if now.stand.over:
        return page(request, "revoke", status_code=status_code, state="ended", **given)
    signs = codes.grouped(codes.normalise(code))
    slip = {
        "groups": signs.split("-"),
        "qr": square(receipt_url(system, request, signs, language)),
        "address": f"{base_of(system, request)}{REVOKE_PATH}".split("://")[-1],
    }
    # Where only the fossil is left, taking it back is taking all back: one button is enough.
    narrowable = now.narrowable and RAW not in now.deleted
    return page(request, "revoke", status_code=status_code, state="receipt", narrowable=narrowable, slip=slip, **given)
