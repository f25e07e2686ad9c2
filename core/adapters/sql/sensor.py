"""Queries over the words of a sensor."""

from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.adapters.sql.tables import SensorWordRow
from core.domain.sensor import Subject, Word


class SqlSensor:
    """See `core.ports.stewarding.SensorWords`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[Word]:
        """Every word, whether or not its time is over."""
        rows = self._session.execute(select(SensorWordRow), execution_options={"populate_existing": True})
        return [_word(row) for row in rows.scalars()]

    def lock(self) -> list[Word]:
        """The same, and nobody else changes them before this transaction has ended."""
        query = select(SensorWordRow).order_by(SensorWordRow.subject).with_for_update()
        rows = self._session.execute(query, execution_options={"populate_existing": True})
        return [_word(row) for row in rows.scalars()]

    def put(self, word: Word) -> None:
        """Let this be the word about its subject."""
        values = {**asdict(word), "subject": word.subject.value}
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        insert = dialect.insert(SensorWordRow).values(**values)
        self._session.execute(insert.on_conflict_do_update(index_elements=["subject"], set_=values))

    def overrule(self, subject: Subject) -> None:
        """Let the word about something count for nothing; what else it says stays."""
        about = SensorWordRow.subject == subject.value
        self._session.execute(update(SensorWordRow).where(about).values(overruled=True))

    def drop(self, subject: Subject) -> bool:
        """Forget the word about something; False where there is none."""
        dropped = self._session.execute(delete(SensorWordRow).where(SensorWordRow.subject == subject.value))
        return cast("CursorResult[Any]", dropped).rowcount == 1


def _word(row: SensorWordRow) -> Word:
    return Word(
        subject=Subject(row.subject),
        value=row.value,
        source=row.source,
        since=row.since,
        at=row.at,
        until=row.until,
        overruled=row.overruled,
    )
