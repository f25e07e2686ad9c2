"""The repository of decisions."""

import zlib

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.adapters.sql.tables import DecisionRow
from core.domain.room.program import Noted
from core.ports.deciding import Decision

_NOTED = TypeAdapter(Noted)


class SqlDecisions:
    """See `core.ports.deciding.Decisions`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, decision: Decision, *, keep: int) -> int:
        """Keep one, and forget all but the newest `keep`; its number."""
        row = DecisionRow(
            at=decision.at,
            device_id=decision.device_id,
            artifact_id=decision.artifact_id,
            why=decision.why,
            noted=zlib.compress(_NOTED.dump_json(decision.noted)),
        )
        self._session.add(row)
        self._session.flush()
        self._session.execute(delete(DecisionRow).where(DecisionRow.id <= row.id - keep))
        return row.id

    def newest(self, *, limit: int) -> list[Decision]:
        """Newest first."""
        rows = self._session.execute(select(DecisionRow).order_by(DecisionRow.id.desc()).limit(limit)).scalars()
        return [_decision(row) for row in rows]

    def get(self, decision_id: int) -> Decision | None:
        """One of them."""
        row = self._session.get(DecisionRow, decision_id)
        return _decision(row) if row is not None else None


def _decision(row: DecisionRow) -> Decision:
    return Decision(
        id=row.id,
        at=row.at,
        device_id=row.device_id,
        artifact_id=row.artifact_id,
        why=row.why,
        noted=_NOTED.validate_json(zlib.decompress(row.noted)),
    )
