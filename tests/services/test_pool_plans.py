"""Which indexes a large archive's queries go by, with the statistics a database keeps and without any."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from bench.seeding import fill
from core.adapters.sql.archive import SqlArchive
from core.adapters.sql.artifacts import SqlArtifacts
from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.migrate import upgrade
from core.domain.pool.facts import Density, Lane, Mood, Wish
from tests.pool_draws import Draws

COUNT = 3_000
NOW = datetime.now(UTC)
"""As seeding goes by it."""


@pytest.fixture(scope="module", params=["with statistics", "without"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(sqlite_url(tmp_path_factory.mktemp("plans")))
    upgrade(engine)
    fill(engine, COUNT, seed=1)
    if request.param == "without":
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
        folder = Path(str(engine.url.database)).parent
        engine.dispose()
        engine = open_engine(sqlite_url(folder))
    yield engine
    engine.dispose()


def plans(engine: Engine, act: Callable[[], object]) -> list[tuple[str, str]]:
    """Each query on artifacts that `act` makes, and how SQLite means to carry it out."""
    asked: dict[str, object] = {}

    def note(_connection: object, _cursor: object, statement: str, given: object, *_: object) -> None:
        asked.setdefault(statement, given)

    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    found = []
    with engine.connect() as connection:
        for statement, given in asked.items():
            if "FROM artifact" in statement:
                steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
                found += [(statement, step[3]) for step in steps if "artifact" in step[3] or "B-TREE" in step[3]]
    return found


def used(engine: Engine, wish: Wish) -> set[str]:
    """The indexes a draw goes by, but for the count of the pool. Fails where any of it goes through the whole table."""
    pool = Draws(engine, scan_most=10)
    pool.draw(Wish(), NOW, random.Random(1))
    found = plans(engine, lambda: pool.draw(wish, NOW, random.Random(2)))
    assert found
    assert not [asked for asked, plan in found if plan.startswith("SCAN")]
    return indexes([(statement, plan) for statement, plan in found if "count" not in statement])


def indexes(found: list[tuple[str, str]]) -> set[str]:
    """What is gone by, but for the numbers of rows themselves."""
    return {plan.split(" INDEX ")[1].split(" (")[0] for _, plan in found if " INDEX ix" in plan}


@pytest.mark.parametrize(
    ("wish", "index"),
    [
        (Wish(), "draw_id"),
        (Wish(lane=Lane.WORN), "draw_id"),
        (Wish(lane=Lane.FRESH), "created_at"),
        (Wish(mood=Mood.CLEAR), "created_at"),
        (Wish(density=Density.DENSE), "duration_ms"),
    ],
    ids=["any", "worn", "fresh", "clear", "dense"],
)
def test_a_draw_goes_by_the_index_of_what_is_asked(database: Engine, wish: Wish, index: str) -> None:
    assert used(database, wish) == {f"ix_artifact_active_{index}"}


def test_what_is_playable_is_counted_without_the_table(database: Engine) -> None:
    with Session(database) as session:
        found = plans(database, lambda: SqlArtifacts(session).count_playable(NOW, most=COUNT))
    assert indexes(found) == {"ix_artifact_active_review", "ix_artifact_active_playable_until"}


def test_what_is_due_is_found_without_the_rest(database: Engine) -> None:
    with Session(database) as session:
        found = plans(database, lambda: SqlArtifacts(session).due(NOW, limit=200))
    assert indexes(found) == {
        "ix_artifact_active_raw_held",
        "ix_artifact_active_playable_until",
        "ix_artifact_ephemeral_raw_until",
    }


def test_work_is_looked_for_among_the_takes_that_still_sound(database: Engine) -> None:
    with Session(database) as session:
        found = plans(database, lambda: SqlArtifacts(session).lacking(NOW, before=NOW, limit=50))
    assert indexes(found) == {"ix_artifact_active_raw_held"}


def test_a_part_of_the_archive_is_taken_in_the_order_of_the_draw(database: Engine) -> None:
    with Session(database) as session:
        found = plans(database, lambda: SqlArchive(session).playable(NOW, limit=100))
    assert indexes(found) <= {"ix_artifact_active_draw", "ix_artifact_active_draw_id"}
    assert not [plan for _, plan in found if "TEMP B-TREE" in plan]
