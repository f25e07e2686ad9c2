"""Codes: what was promised, and taking it back."""

from typing import Any

from fastapi import APIRouter

from core.bootstrap import System
from memory_ui.api import shapes
from memory_ui.api.answers import refusals
from memory_ui.api.published import ReceiptAnswer, RevokedAnswer
from memory_ui.web import Asker, AskerOf, SystemOf, in_store_thread, in_thread

router = APIRouter(prefix="/api/v1")

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
    found = await in_thread(system.revocation.receipt, body.token)
    return {
        "promise": found.manifest.to_json(),
        "last_copy_until": shapes.at(found.manifest.last_copy_until),
        "withdrawn_at": shapes.at(found.withdrawn_at),
        "verified_gone_at": shapes.at(found.verified_gone_at),
        "artifacts": [shapes.artifact(artifact, system.colours) for artifact in found.artifacts],
    }


def spend_code(system: System, asker: Asker, code: str) -> None:
    """Count one try. A slip of the pen is told without asking the database, so it costs nothing."""
    if not system.revocation.is_typo(code):
        system.budgets.spend("revoke", client=asker.station, address=asker.address)
