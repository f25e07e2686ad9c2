"""Cards to be printed: one for participants in their language, one of drills for whoever looks after the room.

A participant's card says nothing of its own: its words are those of door, notice, kiosk and receipt, and
its figures are those that this node promises by today.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from core.bootstrap import System
from core.domain.consent import Mode
from core.domain.notices import plain_figure
from memory_ui.addresses import REVOKE_PATH, base_of, square
from memory_ui.copy import ENGLISH, Copy, load_copy
from memory_ui.languages import PARAMETER, visitors_language
from memory_ui.plain.render import page
from memory_ui.web import SystemOf

router = APIRouter(include_in_schema=False, prefix="/cards")

DRILLS = (
    ("drill.silent", ("drill.silent_1", "drill.silent_2", "drill.silent_3", "drill.silent_4")),
    ("drill.kiosk", ("drill.kiosk_1", "drill.kiosk_2", "drill.kiosk_3", "drill.kiosk_4")),
    ("drill.wipe", ("drill.wipe_1", "drill.wipe_2", "drill.wipe_3")),
    ("drill.power", ("drill.power_1", "drill.power_2", "drill.power_3", "drill.power_4")),
    ("drill.remove", ("drill.remove_1", "drill.remove_2", "drill.remove_3", "drill.remove_4")),
    ("drill.close", ("drill.close_1", "drill.close_2", "drill.close_3", "drill.close_4")),
)
"""What may happen, and what to do about it, in order."""


@router.get("/participant")
async def participant(request: Request, system: SystemOf, size: str = "A6") -> HTMLResponse:
    """What becomes of a voice, the three choices, and how to take it back; for a sheet of A6, or of A5."""
    language = await visitors_language(request)
    copy = load_copy(language)
    address = f"{base_of(system, request)}{REVOKE_PATH}"
    return page(
        request,
        "card",
        language=language,
        size="A5" if size.upper() == "A5" else "A6",
        what=copy.framed("door", system.deployment.name)["what"],
        limit=copy.span(plain_figure(system.settings.KIOSK_MAX_RECORDING_SECONDS), "second"),
        choices=choices(system, copy),
        backups=copy.t("spoken.backup", backup_span=copy.span(plain_figure(system.settings.BACKUP_DAYS), "day")),
        address=address.partition("://")[2],
        qr=square(f"{address}?{PARAMETER}={language}"),
    )


@router.get("/drill")
async def drill(request: Request) -> HTMLResponse:
    """Six drills on a sheet of A4, in the language of stewards."""
    return page(request, "drill", language=ENGLISH, drills=DRILLS)


def choices(system: System, copy: Copy) -> list[dict[str, Any]]:
    """Each choice by its name in the notice shown now, and what it promises by this node's settings."""
    words = system.notices.find(system.notices.present, copy.language)
    if words is None:
        raise ValueError(f"no notice is written in {copy.language}")
    settings = system.settings
    figures = {
        "room_span": copy.span(plain_figure(settings.RAW_TTL_HOURS_ROOM), "hour"),
        "fossil_span": copy.span(plain_figure(settings.RAW_TTL_HOURS_FOSSIL), "hour"),
        "fossil_days": plain_figure(settings.DERIVATIVE_TTL_DAYS_FOSSIL),
    }
    return [{"name": words.of(mode).name, "promise": words.of(mode).promise.format(**figures)} for mode in Mode]
