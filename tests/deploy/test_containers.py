"""`memory-engine prepare` and `memory-engine alive`, on a stack of real servers."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from core.adapters.sql.engine import open_engine
from core.adapters.sql.running import SqlPresences
from core.adapters.stores.s3 import S3Place, S3Store
from memory_ui.cli import app
from tests.servers import fresh_place, fresh_redis, shared_postgres

__all__ = ["fresh_place", "fresh_redis"]


@pytest.fixture
def empty_database() -> Iterator[str]:
    with shared_postgres().fresh_database(migrated=False) as url:
        yield url


@pytest.fixture
def environment(
    empty_database: str, fresh_redis: str, fresh_place: S3Place, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    return {
        "DATABASE_URL": empty_database,
        "REDIS_URL": fresh_redis,
        "MINIO_ENDPOINT": f"http://{fresh_place.endpoint}",
        "MINIO_BUCKET": f"{fresh_place.bucket}-new",
        "MINIO_ACCESS_KEY": fresh_place.access_key,
        "MINIO_SECRET_KEY": fresh_place.secret_key,
        "CODE_KEY": "0123456789abcdef" * 4,
        "TOKEN_KEY": "fedcba9876543210" * 4,
        "OPS_SHARED_SECRET": "a-word-of-the-house",
        "MEMORY_DATA_DIR": str(tmp_path_factory.mktemp("node")),
    }


def test_tables_and_bucket_are_made_once_and_a_sign_of_life_is_heard(
    environment: dict[str, str], fresh_place: S3Place
) -> None:
    for _ in range(2):
        prepared = CliRunner().invoke(app, ["prepare"], env=environment)
        assert (prepared.exit_code, prepared.output) == (0, "tables and store are there\n")
    store = S3Store(
        S3Place(
            endpoint=fresh_place.endpoint,
            bucket=environment["MINIO_BUCKET"],
            access_key=fresh_place.access_key,
            secret_key=fresh_place.secret_key,
            secure=False,
        )
    )
    store.check()
    store.close()

    def alive(role: str) -> int:
        return CliRunner().invoke(app, ["alive", role], env=environment).exit_code

    now, here = datetime.now(UTC), socket.gethostname()[:40]
    assert alive("worker") == 1
    _beat(environment["DATABASE_URL"], "elsewhere-1-ab", "worker", now)
    _beat(environment["DATABASE_URL"], f"{here}-1-ab", "worker", now - timedelta(hours=1))
    assert alive("worker") == 1
    _beat(environment["DATABASE_URL"], f"{here}-1-ab", "worker", now)
    assert (alive("worker"), alive("scheduler")) == (0, 1)
    _beat(environment["DATABASE_URL"], f"scheduler-{here}-1-ab", "scheduler", now)
    assert alive("scheduler") == 0


def test_an_embedded_node_has_no_worker_to_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    refused = CliRunner().invoke(app, ["alive", "worker"])
    assert "memory-engine serve" in str(refused.exception)


def _beat(url: str, name: str, role: str, at: datetime) -> None:
    from sqlalchemy.orm import Session

    engine = open_engine(url)
    with Session(engine) as session:
        SqlPresences(session).beat(name, role, at)
        session.commit()
    engine.dispose()
