"""The repository of decisions."""

import zlib

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, defer

from core.adapters.sql.tables import DecisionRow
from core.domain.room.program import Noted
from core.ports.deciding import Decision

_NOTED = TypeAdapter(Noted)


class SqlDecisions:
    """See `core.ports.deciding.Decisions`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, decision: Decision, noted: Noted, *, keep: int) -> int:
        """Keep one, and forget all but the newest `keep`; its number."""
        row = DecisionRow(
            at=decision.at,
            device_id=decision.device_id,
            artifact_id=decision.artifact_id,
            why=decision.why,
            noted=zlib.compress(_NOTED.dump_json(noted)),
        )
        self._session.add(row)
        self._session.flush()
        self._session.execute(delete(DecisionRow).where(DecisionRow.id <= row.id - keep))
        return row.id

    def newest(self, *, limit: int, device_id: str = "") -> list[Decision]:
        """Newest first; of one page where it is named."""
        # Without what they were composed from: of a large pool that is a thousand takes each.
        query = select(DecisionRow).options(defer(DecisionRow.noted)).order_by(DecisionRow.id.desc()).limit(limit)
        if device_id:
            query = query.where(DecisionRow.device_id == device_id)
        return [_decision(row) for row in self._session.execute(query).scalars()]

    def get(self, decision_id: int) -> tuple[Decision, Noted] | None:
        """One of them, and what it was composed from."""
        row = self._session.get(DecisionRow, decision_id)
        return (_decision(row), _NOTED.validate_json(zlib.decompress(row.noted))) if row is not None else None


def _decision(row: DecisionRow) -> Decision:
    return Decision(id=row.id, at=row.at, device_id=row.device_id, artifact_id=row.artifact_id, why=row.why)
