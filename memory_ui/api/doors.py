"""What only a steward's word ends: a clock in doubt, a node that is closed."""

from fastapi import APIRouter

from core.services.access import actor_of
from memory_ui.api.answers import LOOKING, Done, stewards
from memory_ui.session import StewardOf
from memory_ui.web import SystemOf, in_store_thread, in_thread

router = APIRouter(prefix="/api/v1/operator", responses=LOOKING)


@router.post("/clock/confirm", responses=stewards(409, 413))
async def confirm_clock(system: SystemOf, session: StewardOf) -> Done:
    """Say that what the machine's clock shows is right."""
    await in_thread(system.guard.confirm, actor=actor_of(session))
    return Done()


@router.post("/node/open", responses=stewards(409, 413))
async def open_node(system: SystemOf, session: StewardOf) -> Done:
    """Open a node that was closed; what its ledger says is applied first."""
    await in_store_thread(system.ledger.reopen, actor=actor_of(session))
    return Done()
