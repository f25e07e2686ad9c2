"""Whether this process answers, and whether it can do its work."""

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from core.bootstrap import System
from core.errors import MemoryEngineError
from core.ports.work import QueueDepth
from memory_ui.api.answers import Done, Responses, answers
from memory_ui.api.published import HealthAnswer, ReadyAnswer
from memory_ui.web import SystemOf, in_store_thread

router = APIRouter()

_FRESH = {"Cache-Control": "no-store"}


def _states(model: type[HealthAnswer]) -> Responses:
    return {**answers(model, "All is well."), **answers(model, "Something is not.", status=503)}


@router.get("/livez")
async def livez() -> Done:
    """This process answers."""
    return Done()


@router.get("/healthz", responses=_states(HealthAnswer))
async def healthz(system: SystemOf) -> JSONResponse:
    """Whether database, queue transport and object store answer."""
    report = await in_store_thread(system.health.check, await queue_depth(system))
    body = {"ok": report.ok, "components": report.components, "now": report.now.isoformat()}
    return JSONResponse(body, status_code=200 if report.ok else 503, headers=_FRESH)


@router.get("/readyz", responses=_states(ReadyAnswer))
async def readyz(system: SystemOf) -> JSONResponse:
    """Whether the background work goes on, too: heartbeats of worker and scheduler, queue depth, failures of jobs."""
    found = await in_store_thread(system.health.readiness, await queue_depth(system))
    queue = found.queue
    body = {
        "ok": found.ok,
        "components": found.components,
        "heartbeats": {role: seen_at.isoformat() for role, seen_at in found.heartbeats.items()},
        "queue": asdict(queue) if queue is not None else None,
        "failures": [
            {"job": failure.job, "failed_at": failure.failed_at.isoformat(), "attempts": failure.attempts}
            for failure in found.failures
        ],
        "now": found.now.isoformat(),
    }
    return JSONResponse(body, status_code=200 if found.ok else 503, headers=_FRESH)


async def queue_depth(system: System) -> QueueDepth | None:
    """The queue as it stands, None where it does not answer."""
    try:
        return await system.effects.depth()
    except MemoryEngineError:
        return None
