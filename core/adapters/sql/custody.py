"""Queries over the node's own row and over reports."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from core.adapters.sql.tables import NodeRow, ReportRow
from core.domain.custody import Care, CareState, Closed, NodeRecord, Report


class SqlNodes:
    """See `core.ports.custody.Nodes`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> NodeRecord | None:
        """The node; None before its first start."""
        row = self._session.execute(
            select(NodeRow).order_by(NodeRow.id).limit(1).execution_options(populate_existing=True)
        ).scalar_one_or_none()
        if row is None:
            return None
        return NodeRecord(
            public_id=row.public_id,
            created_at=row.created_at,
            clock_mark=row.clock_mark,
            ledger_id=row.ledger_id,
            ledger_length=row.ledger_length,
            closed=Closed(row.closed_reason),
        )

    def create(self, record: NodeRecord) -> None:
        """Its first start."""
        self._session.add(
            NodeRow(
                id=NODE_ROW,
                public_id=record.public_id,
                created_at=record.created_at,
                clock_mark=record.clock_mark,
                ledger_id=record.ledger_id,
                ledger_length=record.ledger_length,
                closed_reason=record.closed.value,
            )
        )
        self._session.flush()

    def mark_clock(self, at: datetime, *, unless_not: datetime | None) -> bool:
        """Note the time that is believed, where nobody has noted another since `unless_not` was read."""
        result = self._session.execute(
            update(NodeRow).where(NodeRow.clock_mark.is_not_distinct_from(unless_not)).values(clock_mark=at)
        )
        return _count(result) == 1

    def remember_ledger(self, length: int) -> None:
        """Note how long the ledger is, where it has grown."""
        self._session.execute(update(NodeRow).where(NodeRow.ledger_length < length).values(ledger_length=length))

    def set_ledger_length(self, length: int) -> None:
        """Note how long the ledger is, though it was longer: a steward has said that the rest is lost."""
        self._session.execute(update(NodeRow).values(ledger_length=length))

    def close(self, reason: Closed) -> None:
        """Close the node, or open it."""
        self._session.execute(update(NodeRow).values(closed_reason=reason.value))


NODE_ROW = 1


class SqlReports:
    """See `core.ports.custody.Reports`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, kind: Care, actor: str, now: datetime, *, unless_since: datetime) -> int | None:
        """Begin one; None where one of its kind is under way and has given a sign of life since then."""
        running = select(ReportRow.id).where(
            ReportRow.kind == kind.value,
            ReportRow.state == CareState.RUNNING.value,
            # A sign of life from the future was given by a clock that ran ahead, and holds nobody up for ever.
            ReportRow.seen_at.between(unless_since, now + (now - unless_since)),
        )
        if self._session.execute(running.limit(1)).first() is not None:
            return None
        row = ReportRow(
            kind=kind.value,
            state=CareState.RUNNING.value,
            actor=actor,
            began_at=now,
            seen_at=now,
            done=0,
            total=0,
            summary={},
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def progress(self, report_id: int, done: int, total: int, now: datetime) -> None:
        """A sign of life, and how far it is."""
        self._session.execute(
            update(ReportRow).where(ReportRow.id == report_id).values(done=done, total=total, seen_at=now)
        )

    def end(self, report_id: int, state: CareState, now: datetime, summary: dict[str, Any]) -> None:
        """It is over."""
        self._session.execute(
            update(ReportRow)
            .where(ReportRow.id == report_id)
            .values(state=state.value, ended_at=now, seen_at=now, summary=summary)
        )

    def last(self, kind: Care, *, state: CareState | None = None) -> Report | None:
        """The newest of a kind that is over, or of one state."""
        wanted = ReportRow.state == state.value if state is not None else ReportRow.ended_at.is_not(None)
        row = self._session.execute(
            select(ReportRow).where(ReportRow.kind == kind.value, wanted).order_by(ReportRow.id.desc()).limit(1)
        ).scalar_one_or_none()
        return _report(row) if row is not None else None

    def recent(self, kind: Care, *, limit: int) -> list[Report]:
        """Those of a kind that are over, newest first."""
        rows = self._session.execute(
            select(ReportRow)
            .where(ReportRow.kind == kind.value, ReportRow.ended_at.is_not(None))
            .order_by(ReportRow.id.desc())
            .limit(limit)
        ).scalars()
        return [_report(row) for row in rows]

    def running(self, since: datetime, until: datetime) -> list[Report]:
        """What is under way and has given a sign of life between then and then."""
        rows = self._session.execute(
            select(ReportRow)
            .where(ReportRow.state == CareState.RUNNING.value, ReportRow.seen_at.between(since, until))
            .order_by(ReportRow.id)
        ).scalars()
        return [_report(row) for row in rows]

    def prune(self, before: datetime) -> int:
        """Forget what began before then."""
        return _count(self._session.execute(delete(ReportRow).where(ReportRow.began_at < before)))


def _report(row: ReportRow) -> Report:
    return Report(
        id=row.id,
        kind=Care(row.kind),
        state=CareState(row.state),
        actor=row.actor,
        began_at=row.began_at,
        seen_at=row.seen_at,
        ended_at=row.ended_at,
        done=row.done,
        total=row.total,
        summary=row.summary,
    )


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
