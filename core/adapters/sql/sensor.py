"""Queries over the words of a sensor."""

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.adapters.sql.tables import SensorWordRow
from core.domain.sensor import Subject, Word


class SqlSensor:
    """See `core.ports.stewarding.SensorWords`. Words about anything that is not `heard` are as if there were none."""

    def __init__(self, session: Session, heard: Collection[Subject]) -> None:
        self._session = session
        self._heard = heard

    def all(self) -> list[Word]:
        """Every word, whether or not its time is over."""
        return self._read(select(SensorWordRow))

    def lock(self) -> list[Word]:
        """The same, and nobody else changes them before this transaction has ended."""
        return self._read(select(SensorWordRow).order_by(SensorWordRow.subject).with_for_update())

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

    def drop(self, subject: Subject) -> None:
        """Forget the word about something."""
        self._session.execute(delete(SensorWordRow).where(SensorWordRow.subject == subject.value))

    def _read(self, query: Select[SensorWordRow]) -> list[Word]:
        if not self._heard:  # most nodes have no sensor: they are asked for the posture with every voice
            return []
        heard = query.where(SensorWordRow.subject.in_([subject.value for subject in self._heard]))
        rows = self._session.execute(heard, execution_options={"populate_existing": True})
        return [_word(row) for row in rows.scalars()]


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
