"""Keys of takes on a kiosk's disk: given before a recording, given again after a reload, destroyed for good."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from core.services.take_keys import SECRET_SIGNS, HeldKey
from memory_ui.api.answers import Done, refusals
from memory_ui.web import AskerOf, SystemOf, in_thread

router = APIRouter(prefix="/api/v1/take-keys")


class TakeBody(BaseModel):
    """Which take is meant: what the key was given with."""

    model_config = ConfigDict(extra="forbid")
    take: Annotated[str, Field(min_length=1, max_length=SECRET_SIGNS)]


class TakeKeyAnswer(BaseModel):
    """What a take is asked for by, and its key: 32 bytes for AES-GCM in Base64."""

    take: str
    key: str


@router.post("", status_code=201, response_model=TakeKeyAnswer, responses=refusals(413, 429, 503))
async def begin(system: SystemOf, asker: AskerOf) -> dict[str, Any]:
    """A key for a take that is about to be recorded."""
    await in_thread(system.budgets.spend, "take_key", client=asker.station, address=asker.address)
    return _shape(await in_thread(system.take_keys.begin, asker.station))


@router.post("/again", response_model=TakeKeyAnswer, responses=refusals(400, 404, 413, 503))
async def again(body: TakeBody, system: SystemOf) -> dict[str, Any]:
    """The same key for whoever holds the take; 404 once its time is over, or it was destroyed."""
    return _shape(await in_thread(system.take_keys.again, body.take))


@router.post("/destroy", responses=refusals(400, 413, 503))
async def destroy(body: TakeBody, system: SystemOf) -> Done:
    """End a take on whatever disk it lies. Harmless twice."""
    await in_thread(system.take_keys.destroy, body.take)
    return Done()


def _shape(held: HeldKey) -> dict[str, Any]:
    return {"take": held.take, "key": b64encode(held.key).decode()}
