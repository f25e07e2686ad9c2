"""How the node is, for stewards and their machines."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from core.adapters.copy import Copy, load_copy
from core.adapters.warnings_text import in_words
from core.services.status import Status
from core.services.watch import Raised
from memory_ui.api import shapes
from memory_ui.api.answers import LOOKING, Instant
from memory_ui.api.health import queue_depth
from memory_ui.api.published import OperatorState
from memory_ui.api.published_ops import SoonRetention, StorageShape, ThrottleShape, WarningShape
from memory_ui.session import SessionOf
from memory_ui.web import SystemOf, in_store_thread

router = APIRouter(prefix="/api/v1/node")


class StatusBody(BaseModel):
    """Status as it is answered."""

    ok: bool
    deployment: str
    profile: str
    components: dict[str, str]
    operator_state: OperatorState
    active: int
    lanes: dict[str, int]
    moods: dict[str, int]
    memory_colors: dict[str, int]
    playable: int
    storage: StorageShape
    retention: SoonRetention
    throttles: dict[str, ThrottleShape]
    warnings: list[WarningShape]
    expired: int
    revoked: int
    counted_at: Instant
    now: Instant


@router.get("/status", response_model=StatusBody, responses=LOOKING)
async def node_status(system: SystemOf, _session: SessionOf, response: Response) -> dict[str, Any]:
    """How the node is: components, posture, counts, disk, retention, budgets and warnings."""
    response.headers["Cache-Control"] = "no-store"
    found = await in_store_thread(system.status.status, await queue_depth(system))
    profile, soon_h = system.settings.INSTALLATION_PROFILE, system.settings.RETENTION_SOON_HOURS
    return {"profile": profile, **status(found, soon_h=soon_h, copy=load_copy("en"))}


def status(found: Status, *, soon_h: float, copy: Copy) -> dict[str, Any]:
    """The shape of the contract."""
    counted = found.counted
    return {
        "ok": found.ok,
        "deployment": found.deployment,
        "components": found.components,
        "operator_state": shapes.operator_state(found.state),
        "active": counted.active,
        "lanes": counted.lanes,
        "moods": counted.moods,
        "memory_colors": counted.colours,
        "playable": counted.playable,
        "storage": asdict(found.storage),
        "retention": retention(found, soon_h),
        "throttles": {kind: asdict(throttle) for kind, throttle in found.throttles.items()},
        "warnings": [warning(one, copy) for one in found.warnings],
        "expired": counted.expired,
        "revoked": counted.revoked,
        "counted_at": shapes.at(counted.at),
        "now": shapes.at(found.now),
    }


def warning(one: Raised, copy: Copy) -> dict[str, Any]:
    """A warning in words, and what machines tell it apart by."""
    said = {"name": one.warning.name.value, "subject": one.warning.subject, "since": shapes.at(one.since)}
    return {**asdict(in_words(one.warning, copy)), **said}


def retention(found: Status, soon_h: float) -> dict[str, Any]:
    """What ends when."""
    kept = found.counted.retention
    return {
        "soon_window_hours": soon_h,
        "raw_held": kept.raw_held,
        "raw_expiring_soon": kept.raw_expiring_soon,
        "fossil_retained": kept.fossil_retained,
        "fossil_residue_only": kept.fossil_residue_only,
        "next_raw_expiry_at": shapes.at(kept.next_raw_expiry_at),
        "next_fossil_expiry_at": shapes.at(kept.next_fossil_expiry_at),
    }
