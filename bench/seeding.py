"""An archive of any size, put into a node's database at once: seeded, and shaped like one that has been running.

As many takes came for the room as for good, on each of the last `DAYS` alike: what was left for two days is there as
far as it is younger, what was left for a year is all there, and of what is older than two days only what it left. So
few of a large archive are fresh. Each was heard `PLAYS` times on average, whatever their number: sizes can be compared.
Rows only: nothing is in the store, and nothing is due.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, text

from core.adapters.sql.tables import ArtifactRow, Base, ConsentRow, DerivativeRow
from core.domain.artifact import DRAW_BITS, State
from core.domain.consent import Kind, Mode

DAYS = 360
RAW_H = 47
PLAYS = 3
FOSSILS = DAYS * 24 / (DAYS * 24 + RAW_H)
WEAR_PER_PLAY = 0.003
CHUNK = 5_000
MANY = 50_000
HASTE = ("synchronous=OFF", "secure_delete=OFF", "cache_size=-400000", "busy_timeout=60000")
TOPICS = ("", "", "", "kitchen", "garden", "harbour")
STATUSES = ("", "", "open", "resolved")
PROMISE = {"version": 1, "revocable": True, "backup_days": 7.0, "notice_language": "en", "notice_version": "1"}
OUTLINE = [[round(0.2 + 0.6 * ((step * 7) % 11) / 11, 3), 0.4] for step in range(48)]


def fill(engine: Engine, count: int, *, seed: int) -> None:
    """Add playable takes until there are `count` rows of them. The same seed makes the same takes."""
    with engine.connect() as connection:
        there: int = connection.execute(select(func.count()).select_from(ArtifactRow)).scalar_one()
        first: int = connection.execute(select(func.coalesce(func.max(ArtifactRow.id), 0))).scalar_one() + 1
        first_consent: int = connection.execute(select(func.coalesce(func.max(ConsentRow.id), 0))).scalar_one() + 1
    takes = _takes(random.Random(f"{seed}/{there}"), count - there, first, first_consent, datetime.now(UTC))
    with _connection(engine) as connection, _indexed_at_last(connection, count - there):
        while chunk := list(islice(takes, CHUNK)):
            with connection.begin():
                _put(connection, ConsentRow, [consent for consent, _, _ in chunk])
                _put(connection, ArtifactRow, [artifact for _, artifact, _ in chunk])
                _put(connection, DerivativeRow, [row for _, _, derivatives in chunk for row in derivatives])
    _settle(engine)


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """One that writes in haste: nothing that is seeded is lost that could not be seeded again."""
    with engine.execution_options(memory_writer=True).connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.detach()  # no other use gets what is said to this one
            for pragma in HASTE:
                connection.connection.cursor().execute(f"PRAGMA {pragma}")
        else:
            # Of a node that was just stopped a statement may still run, and hold what is to be dropped.
            with connection.begin():
                connection.execute(text("SET lock_timeout = '2min'"))
                connection.execute(text("SET statement_timeout = 0"))
        yield connection


@contextmanager
def _indexed_at_last(connection: Connection, adding: int) -> Iterator[None]:
    """Where much is added, its indexes are made afterwards: one by one they grow in a tenth of the time."""
    indexes = _indexes(connection) if adding >= MANY else {}
    with connection.begin():
        for name in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    try:
        yield
    finally:
        for made in indexes.values():
            with connection.begin():
                connection.exec_driver_sql(made)


def _indexes(connection: Connection) -> dict[str, str]:
    """The statement that made each index of the filled tables, but those that a constraint keeps."""
    statement = (
        "SELECT name, sql AS made FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN"
        if connection.dialect.name == "sqlite"
        else "SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE schemaname = current_schema()"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint) AND tablename IN"
    )
    with connection.begin():
        found = connection.execute(text(f"{statement} ('artifact', 'consent', 'derivative')"))
        return {one.name: one.made for one in found}


def _put(connection: Connection, model: type[Base], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(insert(model), rows)
        return
    # A tenth of the time of any other way in.
    columns = ", ".join(rows[0])
    with connection.connection.cursor().copy(f"COPY {model.__tablename__} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([json.dumps(one) if isinstance(one, (dict, list)) else one for one in row.values()])


def _settle(engine: Engine) -> None:
    """What a database would have done by itself in the meantime: its statistics, and on PostgreSQL its numbering."""
    if engine.dialect.name != "postgresql":
        with engine.execution_options(memory_writer=True).begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("artifact", "consent"):
            highest = f"(SELECT max(id) FROM {table})"  # names of ours, nothing from outside
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {highest})"))
        connection.execute(text("VACUUM ANALYZE"))
        # Else what was seeded is written to the disk for minutes beside what is measured.
        connection.execute(text("CHECKPOINT"))


def _takes(
    rng: random.Random, count: int, first: int, first_consent: int, now: datetime
) -> Iterator[tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]]:
    for at in range(count):
        yield _take(rng, first + at, first_consent + at, now)


def _take(
    rng: random.Random, artifact_id: int, consent_id: int, now: datetime
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    fossil = rng.random() < FOSSILS
    age_h = rng.random() * (DAYS * 24 if fossil else RAW_H)
    given_at = now - timedelta(hours=age_h)
    raw_until = given_at + timedelta(hours=48)
    derivative_until = given_at + timedelta(days=365) if fossil else None
    residue = raw_until <= now
    public_id = f"{rng.getrandbits(128):032x}"
    plays = int(rng.expovariate(1 / (PLAYS + 0.5)))
    mode = Mode.FOSSIL if fossil else Mode.ROOM
    manifest = {
        **PROMISE,
        "mode": mode.value,
        "given_at": given_at.isoformat(),
        "raw_until": raw_until.isoformat(),
        "swept_by": (raw_until + timedelta(minutes=10)).isoformat(),
        "derivative_until": derivative_until.isoformat() if derivative_until else None,
        "derivatives": [Kind.SPECTROGRAM.value, Kind.ESSENCE.value] if fossil else [],
        "publishable": fossil,
    }
    consent = {
        "id": consent_id,
        "mode": mode.value,
        "manifest": manifest,
        "code_hash": f"{rng.getrandbits(256):064x}",
        "key_id": "bench",
        "notice_version": PROMISE["notice_version"],
        "language": PROMISE["notice_language"],
        "created_at": given_at,
    }
    artifact = {
        "id": artifact_id,
        "public_id": public_id,
        "consent_id": consent_id,
        "state": State.ACTIVE.value,
        "raw_key": None if residue else f"raw/{public_id}/audio.wav",
        "sha256": None if residue else f"{rng.getrandbits(256):064x}",
        "duration_ms": int(min(1_500 + rng.expovariate(1 / 12_000), 120_000)),
        "draw": rng.getrandbits(DRAW_BITS),
        "plays": plays,
        "wear": min(1.0, plays * WEAR_PER_PLAY),
        "heard_at": now - timedelta(hours=rng.random() * age_h) if plays else None,
        "created_at": given_at,
        "raw_until": raw_until,
        "derivative_until": derivative_until,
        "playable_until": derivative_until or raw_until,
        "deployment": "memory",
        "topic": rng.choice(TOPICS),
        "status": rng.choice(STATUSES),
        "loudness_lufs": -23.0,
        "peak_dbtp": -3.0,
        "measured_at": given_at,
        "outline": OUTLINE,
    }
    made = [_derivative(artifact, kind, given_at, derivative_until) for kind in Kind] if derivative_until else []
    return consent, artifact, made


def _derivative(artifact: dict[str, Any], kind: Kind, given_at: datetime, until: datetime) -> dict[str, Any]:
    sounding = kind is Kind.ESSENCE
    return {
        "artifact_id": artifact["id"],
        "kind": kind.value,
        "key": f"derived/{artifact['public_id']}/{kind.value}",
        "publishable": True,
        "duration_ms": min(artifact["duration_ms"], 8_000) if sounding else None,
        "loudness_lufs": -26.0 if sounding else None,
        "peak_dbtp": -6.0 if sounding else None,
        "until": until,
        "created_at": given_at + timedelta(minutes=1),
    }
