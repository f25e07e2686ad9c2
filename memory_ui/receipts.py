"""What a participant is told of their promise: the words they were shown, where it stands, and its record."""

from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from core.bootstrap import System
from core.domain.consent import Manifest
from core.domain.consent_record import Controller, Frame, Json, consent_record
from core.domain.notices import NoticeCatalog, Shown, plain_figure, shown
from core.domain.receipt import Receipt, standing
from core.domain.room.schedule import site_time
from core.settings import Settings
from memory_ui.addresses import REVOKE_PATH
from memory_ui.copy import ENGLISH, Copy, load_copy
from memory_ui.languages import spoken


def day(moment: datetime, copy: Copy, zone: tzinfo | None) -> str:
    """A day by the site's clock, as people write it; None takes the machine's own zone."""
    return copy.day(site_time(moment, zone))


def day_and_time(moment: datetime, copy: Copy, zone: tzinfo | None, *, weekday: bool = False) -> str:
    """The same with its time."""
    return copy.moment(site_time(moment, zone), weekday=weekday)


def notice_of(notices: NoticeCatalog, settings: Settings, language: str) -> dict[str, Any]:
    """The notice shown now, as the kiosk fills it in: the same words that a record names, its lengths of time, and how
    a day is written by the clock of the site's `zone`."""
    words, copy = notices.find(notices.present, language), load_copy(language)
    if words is None:
        raise ValueError(f"no notice is written in {language}")
    modes = {"ROOM": words.room, "FOSSIL": words.fossil, "NOSAVE": words.nosave}
    return {
        "version": words.version,
        "backup": words.backup,
        "modes": {mode: {"name": chosen.name, "promise": chosen.promise} for mode, chosen in modes.items()},
        "spans": {
            "room_span": copy.span(plain_figure(settings.RAW_TTL_HOURS_ROOM), "hour"),
            "fossil_span": copy.span(plain_figure(settings.RAW_TTL_HOURS_FOSSIL), "hour"),
            "once_span": copy.span(plain_figure(settings.ONCE_SWEEP_MINUTES), "minute"),
        },
        "between": copy.t("language.between_sentences"),
        **copy.calendar(),
        "zone": settings.TIME_ZONE,
    }


def shown_to(system: System, given: Manifest) -> Shown | None:
    """What the participant read when they gave it; None where that notice is not kept here."""
    words = system.notices.find(given.notice_version, given.notice_language)
    if words is None:
        return None
    copy = load_copy(given.notice_language)
    copies = day(given.last_copy_until, copy, system.room.tables.choices.zone)
    between = copy.t("language.between_sentences")
    return shown(words, given, hours=partial(copy.span, unit="hour"), copies_until=copies, between=between)


def record_of(system: System, receipt: Receipt, address: str) -> Json:
    """The consent record behind a code; `address` is where this node is reached."""
    settings = system.settings
    frame = Frame(
        record_id=system.vault.digest("consent record", receipt.artifacts[0].public_id),
        controller=Controller(name=settings.NODE_NAME, location=settings.NODE_LOCATION, contact=settings.NODE_CONTACT),
        shown=shown_to(system, receipt.given),
        words=load_copy(spoken(receipt.given.notice_language) or ENGLISH).section("record"),
        withdrawal_url=f"{address}{REVOKE_PATH}",
        husk_days=settings.KEEP_HUSKS_DAYS,
    )
    return consent_record(receipt, standing(receipt, system.clock.now()), frame)
