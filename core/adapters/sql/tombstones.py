"""Reservations and deletions: one table, so that no key can be forgotten between two."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from core.adapters.sql.tables import TombstoneRow
from core.ports.work import Tombstone, TombstoneCounts

RESERVED = "reserved"


class SqlTombstones:
    """See `core.ports.work.Tombstones`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def reserve(self, key: str, *, until: datetime, reason: str, artifact_id: int | None = None) -> None:
        """Promise to delete a fresh key at `until`, unless it is adopted before.

        One made for an artifact keeps it from being stamped gone until it is settled.
        """
        self._session.add(TombstoneRow(key=key, artifact_id=artifact_id, reason=reason, due_at=until))
        self._session.flush()

    def hold(self, key: str, *, until: datetime) -> None:
        """Reserve a key that may have been used before: what waited to be deleted is about to be put again."""
        known = self._session.get(TombstoneRow, key)
        if known is None:
            self.reserve(key, until=until, reason=RESERVED)
            return
        known.artifact_id, known.reason, known.due_at = None, RESERVED, until
        known.claimed_until, known.attempts, known.error = None, 0, ""
        self._session.flush()

    def adopt(self, key: str) -> bool:
        """Take a reservation back; False where a sweep has claimed it meanwhile, and the take must start over."""
        result = self._session.execute(
            delete(TombstoneRow).where(
                TombstoneRow.key == key,
                TombstoneRow.reason == RESERVED,
                TombstoneRow.claimed_until.is_(None),
            )
        )
        return cast("CursorResult[Any]", result).rowcount == 1

    def bury(self, key: str, *, artifact_id: int | None, reason: str, due_at: datetime) -> None:
        """Name a key that may not outlive `due_at`; naming it twice keeps the earlier due time.

        A sweep's claim on it ends: bytes may have landed after that sweep had looked.
        """
        known = self._session.get(TombstoneRow, key)
        if known is not None:
            known.artifact_id = artifact_id if artifact_id is not None else known.artifact_id
            known.due_at = min(known.due_at, due_at)
            known.reason = reason
            known.claimed_until = None
        else:
            self._session.add(TombstoneRow(key=key, artifact_id=artifact_id, reason=reason, due_at=due_at))
        self._session.flush()

    def hasten(self, key: str, due_at: datetime) -> None:
        """Bring a deletion forward."""
        self._session.execute(
            update(TombstoneRow).where(TombstoneRow.key == key, TombstoneRow.due_at > due_at).values(due_at=due_at)
        )

    def bound_reservations(self, until: datetime) -> None:
        """Let none last longer than `until`: they were made by a clock that has gone back since."""
        self._session.execute(
            update(TombstoneRow)
            .where(TombstoneRow.reason == RESERVED, TombstoneRow.due_at > until)
            .values(due_at=until)
        )

    def claim(
        self, now: datetime, *, until: datetime, ahead_at: datetime, limit: int, keys: Sequence[str] | None = None
    ) -> list[Tombstone]:
        """Take due tombstones for one sweep (all, or of `keys` only); others leave them alone until `until`.

        What was named, or claimed, for a time beyond `ahead_at` was so by another clock: nothing but a reservation is
        ever named so long before, and it was due then. Bytes that have to go do not wait for that clock's time.
        """
        beyond = (TombstoneRow.reason != RESERVED) & (TombstoneRow.due_at > ahead_at)
        claimed = TombstoneRow.claimed_until
        query = (
            select(TombstoneRow)
            .where(
                or_(TombstoneRow.due_at <= now, beyond),
                or_(claimed.is_(None), claimed <= now, claimed > ahead_at),
            )
            .order_by(TombstoneRow.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if keys is not None:
            query = query.where(TombstoneRow.key.in_(keys))
        rows = list(self._session.execute(query).scalars())
        for row in rows:
            row.claimed_until = until
        self._session.flush()
        return [
            Tombstone(
                key=row.key,
                artifact_id=row.artifact_id,
                reason=row.reason,
                due_at=row.due_at,
                attempts=row.attempts,
                error=row.error,
                claimed_until=until,
            )
            for row in rows
        ]

    def release(self, claimed: Sequence[Tombstone]) -> None:
        """Let others have what was claimed and not reached."""
        for tombstone in claimed:
            self._session.execute(
                update(TombstoneRow)
                .where(TombstoneRow.key == tombstone.key, TombstoneRow.claimed_until == tombstone.claimed_until)
                .values(claimed_until=None)
            )

    def clear(self, claimed: Tombstone) -> int | None:
        """Drop a tombstone whose key is verifiably absent, unless it was named anew since it was claimed.

        The artifact it belonged to.
        """
        return self._session.execute(
            delete(TombstoneRow)
            .where(TombstoneRow.key == claimed.key, TombstoneRow.claimed_until == claimed.claimed_until)
            .returning(TombstoneRow.artifact_id)
        ).scalar_one_or_none()

    def failed(self, key: str, error: str, *, again_at: datetime) -> None:
        """Count a failed deletion and let it rest until `again_at`."""
        self._session.execute(
            update(TombstoneRow)
            .where(TombstoneRow.key == key)
            .values(attempts=TombstoneRow.attempts + 1, error=error[:500], claimed_until=again_at)
        )

    def named_keys(self) -> set[str]:
        """Every key named here."""
        return set(self._session.execute(select(TombstoneRow.key)).scalars())

    def names(self, key: str) -> bool:
        """Whether this key is named here."""
        return self._session.execute(select(exists().where(TombstoneRow.key == key))).scalar_one()

    def untried(self, keys: Sequence[str]) -> bool:
        """Whether any of these is still to be deleted, and its deletion has not failed yet.

        Not asked by its claim: one that is about to be committed is not seen.
        """
        waits = exists().where(TombstoneRow.key.in_(keys), TombstoneRow.attempts == 0)
        return self._session.execute(select(waits)).scalar_one()

    def unclaim(self, keys: Sequence[str]) -> None:
        """Let the next sweep have these at once, whoever has claimed them and however long they were to rest."""
        self._session.execute(update(TombstoneRow).where(TombstoneRow.key.in_(keys)).values(claimed_until=None))

    def overdue(self, before: datetime) -> list[str]:
        """Keys that were due before then and are still here."""
        return list(self._session.execute(select(TombstoneRow.key).where(TombstoneRow.due_at < before)).scalars())

    def open_for(self, artifact_ids: Sequence[int]) -> int:
        """How many keys of these artifacts are not verified gone."""
        return self._session.execute(
            select(func.count()).select_from(TombstoneRow).where(TombstoneRow.artifact_id.in_(artifact_ids))
        ).scalar_one()

    def counts(self, now: datetime) -> TombstoneCounts:
        """Waiting deletions and reservations."""
        due, oldest, failing = self._session.execute(
            select(
                func.count(),
                func.min(TombstoneRow.due_at, type_=TombstoneRow.due_at.type),
                func.count().filter(TombstoneRow.attempts > 0),
            ).where(TombstoneRow.due_at <= now)
        ).one()
        waiting = self._session.execute(
            select(func.count()).select_from(TombstoneRow).where(TombstoneRow.due_at > now)
        ).scalar_one()
        return TombstoneCounts(due=due, reserved=waiting, failing=failing, oldest_due_at=oldest)
