"""Whether this process answers, and whether it can do its work."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from memory_ui.web import SystemOf, in_thread

router = APIRouter()


@router.get("/livez")
async def livez() -> dict[str, Any]:
    """This process answers."""
    return {"ok": True}


@router.get("/healthz")
async def healthz(system: SystemOf) -> JSONResponse:
    """Database, queue transport and object store."""
    report = await in_thread(system.health.check)
    body = {"ok": report.ok, "components": report.components, "now": report.now.isoformat()}
    return JSONResponse(body, status_code=200 if report.ok else 503)
