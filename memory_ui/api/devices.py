"""Open kiosk and room pages, as stewards see them and what they ask of them."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, StrictStr

from core.bootstrap import System
from core.domain.device import Command
from core.ports.stewarding import Session
from core.services.access import actor_of
from core.services.devices import SeenDevice
from memory_ui.api import shapes
from memory_ui.api.answers import CHANGING, LOOKING, Done, stewards
from memory_ui.api.published_ops import DeviceShape
from memory_ui.session import SessionOf, StewardOf
from memory_ui.web import SystemOf, in_thread

router = APIRouter(prefix="/api/v1/operator/devices")

_ASKING = stewards(404, 409, 413)


class NameBody(BaseModel):
    """What a page is to be called."""

    model_config = ConfigDict(extra="ignore")
    name: StrictStr


class DevicesBody(BaseModel):
    """Every page that is known."""

    devices: list[DeviceShape]


@router.get("", response_model=DevicesBody, responses=LOOKING)
async def devices(system: SystemOf, _session: SessionOf, response: Response) -> dict[str, Any]:
    """Open kiosk and room pages and those lately gone, kiosks first."""
    response.headers["Cache-Control"] = "no-store"
    return {"devices": [device(seen) for seen in await in_thread(system.devices.all)]}


@router.post("/{device_id}/name", response_model=Done, responses=CHANGING)
async def name_device(device_id: str, body: NameBody, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Give a page the name stewards call it by."""
    await in_thread(system.devices.rename, device_id, body.name, actor=actor_of(session))
    return {"ok": True}


@router.post("/{device_id}/forget", response_model=Done, responses=stewards(404, 413))
async def forget_device(device_id: str, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Forget a page; an open one comes back with its next report."""
    await in_thread(system.devices.forget, device_id, actor=actor_of(session))
    return {"ok": True}


@router.post("/{device_id}/identify", response_model=Done, responses=_ASKING)
async def identify_device(device_id: str, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Let a page show which one it is."""
    return await _ask(system, device_id, Command.IDENTIFY, session)


@router.post("/{device_id}/tone", response_model=Done, responses=_ASKING)
async def sound_device(device_id: str, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Let a page play a test tone."""
    return await _ask(system, device_id, Command.TONE, session)


@router.post("/{device_id}/reload", response_model=Done, responses=_ASKING)
async def reload_device(device_id: str, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """Let a page load anew."""
    return await _ask(system, device_id, Command.RELOAD, session)


@router.post("/{device_id}/wipe", response_model=Done, responses=_ASKING)
async def wipe_device(device_id: str, system: SystemOf, session: StewardOf) -> dict[str, Any]:
    """End the take a kiosk holds, also where the kiosk cannot be reached."""
    await in_thread(system.devices.wipe, device_id, actor=actor_of(session))
    return {"ok": True}


async def _ask(system: System, device_id: str, command: Command, session: Session) -> dict[str, Any]:
    await in_thread(system.devices.command, device_id, command, actor=actor_of(session))
    return {"ok": True}


def device(seen: SeenDevice) -> dict[str, Any]:
    """One page, with what is to be made of it."""
    found = seen.device
    return {
        "id": found.id,
        "surface": found.surface.value,
        "name": found.name,
        "station": found.station,
        "standing": seen.standing.value,
        "troubles": [trouble.value for trouble in seen.troubles],
        "opened_at": shapes.at(found.opened_at),
        "contact_at": shapes.at(found.contact_at),
        "closed_at": shapes.at(found.closed_at),
        "report": asdict(found.report),
    }
