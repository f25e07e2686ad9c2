"""Takes whose time is over, for sweeps to be measured by."""

import io
from datetime import timedelta

from sqlalchemy import delete, select, update

from core.adapters.sql.tables import ArtifactRow, DerivativeRow
from core.bootstrap import System

CHUNK = 500
BYTES = b"\0" * 1000


def make_due(system: System, count: int) -> None:
    """Let the right of `count` takes be over, of each of which a small object is in the store."""
    ago = system.clock.now() - timedelta(minutes=1)
    with system.outside.engine.connect() as connection:
        chosen = select(ArtifactRow.id, ArtifactRow.public_id).where(ArtifactRow.state == "ACTIVE")
        rows = connection.execute(chosen.order_by(ArtifactRow.draw).limit(count)).all()
    for at in range(0, len(rows), CHUNK):
        part = rows[at : at + CHUNK]
        for row in part:
            system.outside.store.put(_key(row.public_id), io.BytesIO(BYTES), len(BYTES))
        with system.outside.engine.execution_options(memory_writer=True).begin() as connection:
            connection.execute(delete(DerivativeRow).where(DerivativeRow.artifact_id.in_([row.id for row in part])))
            for row in part:
                values = {"raw_key": _key(row.public_id), "derivative_until": None}
                connection.execute(
                    update(ArtifactRow)
                    .where(ArtifactRow.id == row.id)
                    .values(raw_until=ago, playable_until=ago, **values)
                )


def _key(public_id: str) -> str:
    return f"raw/{public_id}/audio.wav"
