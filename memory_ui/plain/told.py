"""A receipt in plain words: sentences and facts, ready to be shown."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core.bootstrap import System
from core.domain.consent import Mode
from core.domain.receipt import RAW, Receipt, Standing
from memory_ui.copy import Copy, load_copy
from memory_ui.plain.render import length
from memory_ui.receipts import day, day_and_time, shown_to

Facts = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """`heading` and `says` are sentences; `agreed` what was shown when it was given, its name first, `agreed_in` its
    language; `facts` pairs of a name and a value; `slip` the sentences of a printed receipt."""

    heading: str
    says: str
    agreed: tuple[str, str]
    agreed_in: str
    facts: Facts
    slip: list[str]
    until: str
    retrying: bool


def told(system: System, receipt: Receipt, now: Standing, language: str) -> Told:
    """Everything a receipt says, by the site's clock; what was agreed to stays in the words it was agreed in."""
    copy = load_copy(language)
    says = _Sayer(receipt, now, copy, system)
    shown = shown_to(system, receipt.given)
    return Told(
        heading=says.heading(),
        says=copy.joined(says.ended(), says.note()) if now.stand.over else says.alive(),
        agreed_in=receipt.given.notice_language,
        agreed=(shown.name, shown.promise) if shown is not None else ("", ""),
        facts=[*says.promised(), *says.deleted()],
        slip=says.slip(),
        until=says.when(now.room_until),
        retrying=now.retrying,
    )


class _Sayer:
    """Puts one receipt into words."""

    def __init__(self, receipt: Receipt, now: Standing, copy: Copy, system: System) -> None:
        self._receipt = receipt
        self._now = now
        self._copy = copy
        zone = system.room.tables.choices.zone
        self.when = partial(day_and_time, copy=copy, zone=zone)
        self._day = partial(day, copy=copy, zone=zone)
        self._contact = system.settings.NODE_CONTACT

    def heading(self) -> str:
        now = self._now
        if now.stand.over:
            return self._copy.t("revoke.stand_going" if now.retrying else "revoke.stand_gone")
        return self._copy.t(f"revoke.stand_{now.stand.value}")

    def alive(self) -> str:
        receipt, now = self._receipt, self._now
        kind = "residue" if self._raw_over() else "fossil" if now.fossil_until is not None else "room"
        if receipt.narrowed_at is not None:
            kind = "narrowed"
        return self._copy.t(
            f"revoke.says_{kind}",
            given=self.when(receipt.given.given_at),
            until=self.when(now.room_until),
            fossil_until=self._or_never(now.fossil_until),
            narrowed=self._or_never(receipt.narrowed_at),
        )

    def ended(self) -> str:
        return self._copy.t(f"revoke.ended_{self._now.stand.value}", when=self.when(self._now.ends_at))

    def note(self) -> str:
        return self._copy.t("revoke.going_note" if self._now.retrying else "revoke.gone_note")

    def promised(self) -> Facts:
        t, now = self._copy.t, self._now
        mode = "revoke.mode_narrowed" if self._receipt.narrowed_at else f"revoke.mode_{self._mode()}"
        found = [(t("revoke.mode"), t(mode))]
        if not now.stand.over:
            found += [(t("revoke.until"), self.when(now.room_until))] if not self._raw_over() else []
            found.append((t("revoke.remains"), self._remains()))
        found.append((t("revoke.heard"), self._heard()))
        found.append((t("revoke.length"), length(now.duration_ms, self._copy)))
        if now.copies_until is not None:
            found.append((t("revoke.backups"), self.when(now.copies_until)))
        return found

    def deleted(self) -> Facts:
        t, now = self._copy.t, self._now
        if not now.deleted:
            return []
        made = any(kind != RAW for kind in now.deleted)
        parts = t("revoke.deleted_all" if made and self._raw_over() else "revoke.deleted_made")
        parts = parts if made else t("revoke.deleted_recording")
        verified = self.when(now.verified_gone_at) if now.verified_gone_at is not None else t("revoke.verified_now")
        return [
            (t("revoke.deleting" if now.retrying else "revoke.deleted"), parts),
            (t("revoke.verified"), t("revoke.verified_waiting") if now.retrying else verified),
        ]

    def slip(self) -> list[str]:
        t, now = self._copy.t, self._now
        kind = "residue" if self._raw_over() else "fossil" if now.fossil_until is not None else "room"
        until, fossil_until = self.when(now.room_until), self._or_never(now.fossil_until)
        lines = [t(f"slip.ends_{kind}", until=until, fossil_until=fossil_until)]
        if now.copies_until is not None:
            lines.append(t("slip.backups", copies_until=self._day(now.copies_until)))
        return lines

    def _raw_over(self) -> bool:
        return RAW in self._now.deleted

    def _mode(self) -> str:
        return "fossil" if self._receipt.given.mode is Mode.FOSSIL else "room"

    def _remains(self) -> str:
        until = self._now.fossil_until
        if until is None:
            return self._copy.t("revoke.remains_nothing")
        return self._copy.t("revoke.remains_fossil", until=self.when(until))

    def _heard(self) -> str:
        t, heard = self._copy.t, self._now.heard
        if heard == 0:
            return t("revoke.never_heard" if self._now.stand.over else "revoke.heard_never")
        return t("revoke.heard_times", count=heard)

    def _or_never(self, moment: datetime | None) -> str:
        return self.when(moment) if moment is not None else ""
