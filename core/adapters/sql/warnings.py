"""Queries over warnings that stand, and over what stewards were told of them."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from core.adapters.sql.records import insert_once
from core.adapters.sql.tables import WarningRow
from core.domain.warnings import Level
from core.ports.stewarding import Standing


class SqlWarnings:
    """See `core.ports.stewarding.Warnings`. What is over keeps its row while what was told of it counts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[Standing]:
        """Everything that stands, the oldest first."""
        order = (WarningRow.since, WarningRow.name, WarningRow.subject)
        rows = self._session.execute(select(WarningRow).where(WarningRow.cleared_at.is_(None)).order_by(*order))
        return [
            Standing(
                name=row.name,
                subject=row.subject,
                level=row.level,
                since=row.since,
                told_at=row.told_at,
                told_level=row.told_level,
            )
            for row in rows.scalars()
        ]

    def raise_(self, standing: Standing) -> bool:
        """Note a warning; True where it is new, stands again, or has another level."""
        level = {"level": standing.level}
        key = {"name": standing.name, "subject": standing.subject}
        if insert_once(self._session, WarningRow, {**key, **level, "since": standing.since}):
            return True
        again = {**level, "since": standing.since, "cleared_at": None}
        if self._change(standing, [WarningRow.cleared_at.is_not(None)], again):
            return True
        return self._change(standing, [WarningRow.level != standing.level], level)

    def clear(self, name: str, subject: str, now: datetime) -> bool:
        """It stands no more; False where somebody else has noted that."""
        over = update(WarningRow).where(
            WarningRow.name == name, WarningRow.subject == subject, WarningRow.cleared_at.is_(None)
        )
        return _count(self._session.execute(over.values(cleared_at=now))) == 1

    def tell(self, standing: Standing, now: datetime, *, unless_since: datetime) -> bool:
        """Claim the telling of one that stands; False where that has happened since then, unless it has grown graver.

        Whoever claims it first tells it.
        """
        graver = (WarningRow.level == Level.CRITICAL.value) & (WarningRow.told_level != Level.CRITICAL.value)
        # As far in the future: told by a clock that ran ahead.
        ahead = now + (now - unless_since)
        due = or_(WarningRow.told_at.is_(None), WarningRow.told_at <= unless_since, WarningRow.told_at > ahead, graver)
        told = {"told_at": now, "told_level": WarningRow.level}
        return self._change(standing, [WarningRow.cleared_at.is_(None), due], told)

    def untell(self, standing: Standing, now: datetime) -> None:
        """Give a claim of `now` back: nobody could be reached."""
        before = {"told_at": standing.told_at, "told_level": standing.told_level}
        self._change(standing, [WarningRow.told_at == now], before)

    def tell_over(self, now: datetime) -> bool:
        """Claim the telling that everything told of is over; False where something of it stands, or it was told."""
        told = select(WarningRow.name).where(WarningRow.told_at.is_not(None), WarningRow.cleared_at.is_(None))
        if self._session.execute(told.limit(1)).first() is not None:
            return False
        over = update(WarningRow).where(
            WarningRow.told_at.is_not(None),
            WarningRow.cleared_at.is_not(None),
            or_(WarningRow.over_at.is_(None), WarningRow.over_at < WarningRow.told_at),
        )
        return _count(self._session.execute(over.values(over_at=now))) > 0

    def untell_over(self, now: datetime) -> None:
        """Give that claim back."""
        self._session.execute(update(WarningRow).where(WarningRow.over_at == now).values(over_at=None))

    def prune(self, before: datetime) -> int:
        """Forget what is over, and was never told, or told and over since before then."""
        told_long_ago = (WarningRow.told_at <= before) & (WarningRow.cleared_at <= before)
        forgotten = delete(WarningRow).where(
            WarningRow.cleared_at.is_not(None), or_(WarningRow.told_at.is_(None), told_long_ago)
        )
        return _count(self._session.execute(forgotten))

    def _change(self, standing: Standing, where: list[Any], values: dict[str, Any]) -> bool:
        key = (WarningRow.name == standing.name, WarningRow.subject == standing.subject)
        return _count(self._session.execute(update(WarningRow).where(*key, *where).values(**values))) == 1


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
