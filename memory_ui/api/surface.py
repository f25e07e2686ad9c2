"""The live posture, for clients without a socket."""

from typing import Any

from fastapi import APIRouter

from memory_ui.api import shapes
from memory_ui.web import AskerOf, SystemOf, in_thread

router = APIRouter(prefix="/api/v1/surface")


@router.get("/state")
async def surface_state(system: SystemOf, asker: AskerOf) -> dict[str, Any]:
    """Steward state and this station's budget."""
    state = await in_thread(system.stewardship.state)
    budgets = await in_thread(system.budgets.snapshot, "ingest", client=asker.station, address=asker.address)
    return {"operator_state": shapes.operator_state(state), "ingest_budget": shapes.ingest_budget(*budgets)}
