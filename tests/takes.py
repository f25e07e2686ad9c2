"""Takes and open pages put into a node's database at once, for tests that want many or odd ones."""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.adapters.sql.tables import ArtifactRow, ConsentRow
from core.domain.device import Device, Report, Surface
from tests.fakes import Node


def put_takes(node: Node, count: int, **values: Any) -> None:
    """`count` playable takes without sound, left now; every column may be given."""
    now = node.clock.now()
    consent = {"mode": "ROOM", "manifest": {}, "notice_version": "1", "language": "en", "created_at": now}
    row = {
        "state": "ACTIVE",
        "raw_key": "raw/none/audio.wav",
        "duration_ms": 10_000,
        "draw": 1,
        "created_at": now,
        "raw_until": now + timedelta(hours=48),
        "playable_until": now + timedelta(hours=48),
        "deployment": "memory",
        **values,
    }
    with node.system.outside.engine.begin() as connection:
        consent_id = connection.execute(ConsentRow.__table__.insert().values(**consent)).inserted_primary_key[0]
        rows = [{**row, "consent_id": consent_id, "public_id": secrets.token_hex(8)} for _ in range(count)]
        connection.execute(ArtifactRow.__table__.insert(), rows)


def a_page(node: Node, surface: Surface = Surface.ROOM, *, name: str = "Hall", **said: Any) -> Device:
    """An open page with nothing wrong, or with what its report is given."""
    now = node.clock.now()
    report = Report(page_version=node.system.devices.page_version)
    return Device(
        id=f"{surface.value}-1",
        surface=surface,
        name=name,
        station="",
        opened_at=now,
        contact_at=now,
        report=replace(report, **said),
    )
