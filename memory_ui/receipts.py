"""What a participant is told of their promise: the words they were shown, where it stands, and its record."""

from datetime import datetime, tzinfo
from typing import Any

from core.bootstrap import System
from core.domain.consent import Manifest
from core.domain.consent_record import Controller, Frame, Json, consent_record
from core.domain.notices import Shown, shown
from core.domain.receipt import Receipt, standing
from core.domain.room.schedule import site_time
from memory_ui.addresses import REVOKE_PATH
from memory_ui.copy import Copy, load_copy

MONTHS = range(1, 13)


def day(moment: datetime, copy: Copy, zone: tzinfo | None) -> str:
    """A day by the site's clock, as people write it."""
    local = site_time(moment, zone)
    return copy.t("times.day", day=local.day, month=copy.t(f"times.month_{local.month}"), year=local.year)


def notice_of(system: System, language: str) -> dict[str, Any]:
    """The notice shown now, as the kiosk fills it in: the same words that a record names, and how a day is written."""
    words, copy = system.notices.find(system.notices.present, language), load_copy(language)
    if words is None:
        raise ValueError(f"no notice is written in {language}")
    modes = {"ROOM": words.room, "FOSSIL": words.fossil, "NOSAVE": words.nosave}
    return {
        "version": words.version,
        "backup": words.backup,
        "modes": {mode: {"name": chosen.name, "promise": chosen.promise} for mode, chosen in modes.items()},
        "day": copy.texts["times.day"],
        "months": [copy.t(f"times.month_{number}") for number in MONTHS],
        "zone": system.settings.TIME_ZONE,
    }


def shown_to(system: System, given: Manifest) -> Shown | None:
    """What the participant read when they gave it; None where that notice is not kept here."""
    words = system.notices.find(given.notice_version, given.notice_language)
    if words is None:
        return None
    copies = day(given.last_copy_until, load_copy(given.notice_language), system.room.tables.choices.zone)
    return shown(words, given, copies_until=copies)


def record_of(system: System, receipt: Receipt, address: str) -> Json:
    """The consent record behind a code; `address` is where this node is reached."""
    settings = system.settings
    frame = Frame(
        record_id=system.vault.digest("consent record", receipt.artifacts[0].public_id),
        controller=Controller(name=settings.NODE_NAME, location=settings.NODE_LOCATION, contact=settings.NODE_CONTACT),
        shown=shown_to(system, receipt.given),
        words=load_copy("en").section("record"),
        withdrawal_url=f"{address}{REVOKE_PATH}",
        husk_days=settings.KEEP_HUSKS_DAYS,
    )
    return consent_record(receipt, standing(receipt, system.clock.now()), frame)
