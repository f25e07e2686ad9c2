"""Queries over stewards, their sessions and prompts, open pages and samples."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session as SqlSession

from core.adapters.sql.records import insert_once
from core.adapters.sql.tables import DeviceRow, PromptRow, SampleRow, StewardRow, StewardSessionRow
from core.domain.access import Role
from core.domain.device import Device, Report, Surface
from core.ports.stewarding import Prompt, Sample, Session, Steward


class SqlStewards:
    """See `core.ports.stewarding.Stewards`."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def add(self, steward: Steward, *, secret_hash: str) -> bool:
        """Add one; False where the name is taken."""
        values = {**asdict(steward), "role": steward.role.value, "secret_hash": secret_hash}
        return insert_once(self._session, StewardRow, values)

    def by_secret(self, secret_hash: str) -> Steward | None:
        """Whose secret this is the hash of."""
        row = self._session.execute(
            select(StewardRow).where(StewardRow.secret_hash == secret_hash)
        ).scalar_one_or_none()
        return _steward(row) if row is not None else None

    def all(self) -> list[Steward]:
        """Every one, by name."""
        return [_steward(row) for row in self._session.execute(select(StewardRow).order_by(StewardRow.name)).scalars()]

    def change_secret(self, name: str, *, secret_hash: str) -> bool:
        """Give a steward another secret; False where there is none of that name."""
        changed = update(StewardRow).where(StewardRow.name == name).values(secret_hash=secret_hash)
        return _count(self._session.execute(changed)) == 1

    def remove(self, name: str) -> bool:
        """Forget one; False where there is none of that name."""
        return _count(self._session.execute(delete(StewardRow).where(StewardRow.name == name))) == 1


class SqlSessions:
    """See `core.ports.stewarding.Sessions`."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def open(self, session: Session) -> None:
        """Remember a signed-in browser."""
        self._session.add(StewardSessionRow(**{**asdict(session), "role": session.role.value}))

    def get(self, session_id: str) -> Session | None:
        """A session, whether or not its time is over."""
        row = self._session.get(StewardSessionRow, session_id, populate_existing=True)
        return _session(row) if row is not None else None

    def live(self, now: datetime) -> list[Session]:
        """Sessions whose time is not over, the newest first."""
        rows = self._session.execute(
            select(StewardSessionRow).where(StewardSessionRow.until > now).order_by(StewardSessionRow.opened_at.desc())
        ).scalars()
        return [_session(row) for row in rows]

    def end(self, session_id: str) -> bool:
        """Forget one; False where it has ended already."""
        return _count(self._session.execute(delete(StewardSessionRow).where(StewardSessionRow.id == session_id))) == 1

    def end_all(self, *, name: str | None = None) -> int:
        """Forget all, or all of one steward; how many."""
        ended = delete(StewardSessionRow)
        if name is not None:
            ended = ended.where(StewardSessionRow.name == name)
        return _count(self._session.execute(ended))

    def bound(self, until: datetime) -> None:
        """Let none last longer than `until`: they were opened by a clock that has gone back since."""
        later = StewardSessionRow.until > until
        self._session.execute(update(StewardSessionRow).where(later).values(until=until))

    def prune(self, now: datetime) -> int:
        """Forget sessions whose time is over."""
        return _count(self._session.execute(delete(StewardSessionRow).where(StewardSessionRow.until <= now)))


class SqlPrompts:
    """See `core.ports.stewarding.Prompts`."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def all(self) -> list[Prompt]:
        """Every prompt, in the order they were written."""
        return [_prompt(row) for row in self._session.execute(select(PromptRow).order_by(PromptRow.id)).scalars()]

    def get(self, prompt_id: int) -> Prompt | None:
        """One prompt."""
        row = self._session.get(PromptRow, prompt_id, populate_existing=True)
        return _prompt(row) if row is not None else None

    def add(self, *, text: str, language: str, active: bool, now: datetime) -> int:
        """Write one; its id."""
        row = PromptRow(text=text, language=language, active=active, updated_at=now)
        self._session.add(row)
        self._session.flush()
        return row.id

    def change(self, prompt: Prompt, *, expected_version: int) -> bool:
        """Change one where nobody else has since `expected_version`."""
        values = {
            "text": prompt.text,
            "language": prompt.language,
            "active": prompt.active,
            "updated_at": prompt.updated_at,
            "version": expected_version + 1,
        }
        where = (PromptRow.id == prompt.id, PromptRow.version == expected_version)
        return _count(self._session.execute(update(PromptRow).where(*where).values(**values))) == 1

    def remove(self, prompt_id: int) -> bool:
        """Delete one; False where it is gone already."""
        return _count(self._session.execute(delete(PromptRow).where(PromptRow.id == prompt_id))) == 1


class SqlDevices:
    """See `core.ports.stewarding.Devices`."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def report(self, devices: Sequence[Device]) -> None:
        """Write what pages said of themselves; the name a steward gave one stays."""
        for device in devices:
            values = {
                "surface": device.surface.value,
                "station": device.station,
                "report": asdict(device.report),
                "opened_at": device.opened_at,
                "contact_at": device.contact_at,
                "closed_at": device.closed_at,
            }
            row = {"id": device.id, "name": device.name, **values}
            if not insert_once(self._session, DeviceRow, row):
                self._session.execute(update(DeviceRow).where(DeviceRow.id == device.id).values(**values))

    def all(self) -> list[Device]:
        """Every page that is known, kiosks first, in the order of names."""
        order = (DeviceRow.surface, DeviceRow.name, DeviceRow.id)
        return [_device(row) for row in self._session.execute(select(DeviceRow).order_by(*order)).scalars()]

    def get(self, device_id: str) -> Device | None:
        """One page."""
        row = self._session.get(DeviceRow, device_id, populate_existing=True)
        return _device(row) if row is not None else None

    def rename(self, device_id: str, name: str) -> bool:
        """Give a page the name stewards call it by."""
        return _count(self._session.execute(update(DeviceRow).where(DeviceRow.id == device_id).values(name=name))) == 1

    def forget(self, device_id: str) -> bool:
        """Forget a page; an open one comes back with its next report."""
        return _count(self._session.execute(delete(DeviceRow).where(DeviceRow.id == device_id))) == 1

    def prune(self, before: datetime) -> int:
        """Forget pages nobody has heard of since."""
        return _count(self._session.execute(delete(DeviceRow).where(DeviceRow.contact_at < before)))


class SqlSamples:
    """See `core.ports.stewarding.Samples`."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session

    def add(self, sample: Sample) -> None:
        """Keep counts; a second set of the same moment is dropped."""
        insert_once(self._session, SampleRow, {"at": sample.at, "counts": sample.counts})

    def last(self) -> Sample | None:
        """The newest."""
        row = self._session.execute(select(SampleRow).order_by(SampleRow.at.desc()).limit(1)).scalar_one_or_none()
        return Sample(at=row.at, counts=row.counts) if row is not None else None

    def since(self, since: datetime) -> list[Sample]:
        """Everything since then, oldest first."""
        rows = self._session.execute(select(SampleRow).where(SampleRow.at >= since).order_by(SampleRow.at)).scalars()
        return [Sample(at=row.at, counts=row.counts) for row in rows]

    def prune(self, before: datetime) -> int:
        """Forget what is older."""
        return _count(self._session.execute(delete(SampleRow).where(SampleRow.at < before)))


def _steward(row: StewardRow) -> Steward:
    return Steward(name=row.name, role=Role(row.role), created_at=row.created_at)


def _session(row: StewardSessionRow) -> Session:
    return Session(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        bound=row.bound,
        made_with=row.made_with,
        opened_at=row.opened_at,
        until=row.until,
    )


def _prompt(row: PromptRow) -> Prompt:
    return Prompt(
        id=row.id,
        text=row.text,
        language=row.language,
        active=row.active,
        updated_at=row.updated_at,
        version=row.version,
    )


def _device(row: DeviceRow) -> Device:
    return Device(
        id=row.id,
        surface=Surface(row.surface),
        name=row.name,
        station=row.station,
        opened_at=row.opened_at,
        contact_at=row.contact_at,
        closed_at=row.closed_at,
        report=Report.from_json(row.report),
    )


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
