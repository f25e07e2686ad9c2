"""Codes: what was promised and where it stands, leaving less of it, and taking it back."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from core.bootstrap import System
from core.domain.receipt import Receipt, standing
from memory_ui.addresses import base_of
from memory_ui.api import shapes
from memory_ui.api.answers import refusals
from memory_ui.api.published import ReceiptAnswer, RecordAnswer, RevokedAnswer
from memory_ui.receipts import record_of
from memory_ui.web import Asker, AskerOf, SystemOf, in_store_thread, in_thread

router = APIRouter(prefix="/api/v1")

RECORD_FILE = "consent-record.json"

_CODES = refusals(400, 404, 413, 429, 503)


@router.post("/revoke", response_model=RevokedAnswer, responses=_CODES)
async def revoke(body: shapes.CodeBody, system: SystemOf, asker: AskerOf) -> dict[str, Any]:
    """Take everything under a code back."""
    await in_thread(spend_code, system, asker, body.token)
    revoked = await in_store_thread(system.revocation.revoke, body.token)
    return {
        "ok": True,
        "revoked_artifacts": revoked.revoked_artifacts,
        "deleted": revoked.deleted,
        "verified_gone_at": shapes.at(revoked.verified_gone_at),
    }


@router.post("/receipt", response_model=ReceiptAnswer, responses=_CODES)
async def receipt(body: shapes.CodeBody, system: SystemOf, asker: AskerOf) -> dict[str, Any]:
    """The promise behind a code and its present state."""
    await in_thread(spend_code, system, asker, body.token)
    return _shape(system, await in_thread(system.revocation.receipt, body.token))


@router.post("/receipt/narrow", response_model=ReceiptAnswer, responses={**_CODES, **refusals(409)})
async def narrow(body: shapes.CodeBody, system: SystemOf, asker: AskerOf) -> dict[str, Any]:
    """Take back what a fossil would leave, and only that."""
    await in_thread(spend_code, system, asker, body.token)
    return _shape(system, await in_store_thread(system.revocation.narrow, body.token))


@router.post("/receipt/record", response_model=RecordAnswer, responses=_CODES)
async def record(body: shapes.CodeBody, request: Request, system: SystemOf, asker: AskerOf) -> JSONResponse:
    """The consent record behind a code."""
    await in_thread(spend_code, system, asker, body.token)
    found = await in_thread(system.revocation.receipt, body.token)
    return record_file(system, found, request)


def record_file(system: System, found: Receipt, request: Request) -> JSONResponse:
    """The record to be kept as a file, under a name that says nothing of whose it is."""
    headers = {"Content-Disposition": f'attachment; filename="{RECORD_FILE}"', "Cache-Control": "no-store"}
    return JSONResponse(record_of(system, found, base_of(system, request)), headers=headers)


def spend_code(system: System, asker: Asker, code: str) -> None:
    """Count one try. A slip of the pen is told without asking the database, so it costs nothing."""
    if not system.revocation.is_typo(code):
        system.budgets.spend("revoke", client=asker.station, address=asker.address)


def _shape(system: System, found: Receipt) -> dict[str, Any]:
    now = standing(found, system.clock.now())
    return {
        "promise": found.manifest.to_json(),
        "given": found.given.to_json(),
        "narrowed_at": shapes.at(found.narrowed_at),
        "standing": now.stand.value,
        "ended_at": shapes.at(now.ended_at),
        "room_until": shapes.at(now.room_until),
        "fossil_until": shapes.at(now.fossil_until),
        "copies_gone_by": shapes.at(now.copies_until),
        "narrowable": now.narrowable,
        "deleted": list(now.deleted),
        "deletion_retried": now.retrying,
        "last_copy_until": shapes.at(found.manifest.last_copy_until),
        "withdrawn_at": shapes.at(found.withdrawn_at),
        "verified_gone_at": shapes.at(found.verified_gone_at),
        "artifacts": [shapes.artifact(artifact, system.colours) for artifact in found.artifacts],
    }
