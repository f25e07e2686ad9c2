"""What the database has to keep on either engine: its schema, its locks, and what a transaction saw."""

import io
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError
from sqlalchemy.orm import Session

from bench.seeding import fill
from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.tables import Base, NodeRow
from core.adapters.sql.work import SqlTransaction, SqlUnitOfWork
from core.adapters.stores.files import FileStore
from core.bootstrap.figures import retention_figures
from core.domain.artifact import NewArtifact, State
from core.domain.consent import Mode, Notice, RetentionPolicy, promise
from core.domain.pool.facts import Lane, Wish
from core.domain.steward import StewardState
from core.domain.work import Job, Signal
from core.errors import Unavailable
from core.ports.work import Remembered
from core.services.retention import Retention
from core.settings import Settings
from tests.fakes import START, FrozenClock, at_once
from tests.pool_draws import Draws
from tests.servers import private_postgres, shared_postgres

LATER = START + timedelta(hours=1)
POLICY = RetentionPolicy(
    raw_room_hours=48,
    raw_fossil_hours=48,
    derivative_fossil_days=365,
    once_fetch_minutes=5,
    once_sweep_minutes=10,
    backup_days=7,
)


_MIGRATE = """
import sys
from core.adapters.sql.engine import open_engine
from core.adapters.sql.migrate import upgrade
engine = open_engine(sys.argv[1])
upgrade(engine)
engine.dispose()
"""


class _Nobody:
    def job(self, job: Job, args: object) -> None: ...
    def signal(self, signal: Signal, detail: object) -> None: ...


class _SlowToCommit(SqlUnitOfWork):
    """Leaves every writer a moment in which others see nothing of what it did."""

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        with super().write() as tx:
            yield tx
            time.sleep(0.03)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database without tables."""
    with _database(request.param, tmp_path, migrated=False) as engine:
        yield engine


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a migrated database."""
    with _database(request.param, tmp_path, migrated=True) as made:
        yield made


@pytest.fixture
def postgres() -> Iterator[Engine]:
    """A migrated PostgreSQL database."""
    with shared_postgres().fresh_database() as url, _opened(url) as engine:
        yield engine


@pytest.fixture
def work(database: Engine) -> SqlUnitOfWork:
    """The unit of work on it."""
    return unit_of_work(database)


@contextmanager
def _database(kind: str, folder: Path, *, migrated: bool) -> Iterator[Engine]:
    if kind == "postgres":
        with shared_postgres().fresh_database(migrated=migrated) as url, _opened(url) as engine:
            yield engine
        return
    with _opened(str(sqlite_url(folder))) as engine:
        if migrated:
            upgrade(engine)
        yield engine


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def unit_of_work(engine: Engine, kind: type[SqlUnitOfWork] = SqlUnitOfWork) -> SqlUnitOfWork:
    """One that tells nobody what it committed."""
    first = StewardState(kiosk_max_recording_seconds=120, updated_at=START, version=0)
    return kind(engine, _Nobody(), first_steward_state=first)


def add(tx: SqlTransaction, name: str, *, once: bool = False) -> int:
    """Insert an artifact with everything it needs; its id."""
    mode = Mode.NOSAVE if once else Mode.ROOM
    manifest = promise(mode, POLICY, Notice(language="en", version="1"), START)
    consent_id = tx.consents.add(manifest, code_hash=None if once else name, key_id="k")
    return tx.artifacts.add(
        NewArtifact(
            public_id=name,
            consent_id=consent_id,
            state=State.EPHEMERAL if once else State.ACTIVE,
            raw_key=f"raw/{name}/audio.wav",
            sha256="0" * 64,
            duration_ms=1000,
            created_at=START,
            raw_until=manifest.raw_until,
            derivative_until=None,
            playable_until=manifest.raw_until,
            deployment="memory",
            topic="",
            status="",
            effect="",
            outline=((0.5, 0.25),) * 64,
            once_hash="h" if once else None,
        )
    )


class TestSchema:
    def test_migrations_bring_an_empty_database_to_the_models(self, empty: Engine) -> None:
        upgrade(empty)

        # SQLite writes defaults in its own words; what they are is compared where that can be done.
        options = {"compare_type": True, "compare_server_default": empty.dialect.name == "postgresql"}
        with empty.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Base.metadata) == []

    def test_migrating_again_changes_nothing(self, empty: Engine) -> None:
        upgrade(empty)
        before = inspect(empty).get_table_names()
        upgrade(empty)

        assert inspect(empty).get_table_names() == before

    def test_several_that_start_at_once_migrate_once(self, empty: Engine) -> None:
        url = empty.url.render_as_string(hide_password=False)
        starting = [subprocess.Popen([sys.executable, "-c", _MIGRATE, url], stderr=subprocess.PIPE) for _ in range(3)]

        said = [process.communicate()[1].decode() for process in starting]

        assert [process.returncode for process in starting] == [0, 0, 0], said

    def test_a_migration_leaves_no_connection_behind(self, empty: Engine) -> None:
        upgrade(empty)

        assert empty.pool.checkedout() == 0  # type: ignore[attr-defined]

    def test_every_partial_index_is_partial(self, database: Engine) -> None:
        wanted = {
            index.name
            for table in Base.metadata.tables.values()
            for index in table.indexes
            if index.dialect_options[database.dialect.name].get("where") is not None
        }
        listed = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'index'"
            if database.dialect.name == "sqlite"
            else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        )
        with database.connect() as connection:
            found = {name for name, sql in connection.execute(text(listed)) if " WHERE " in (sql or "")}
        assert wanted
        assert found == wanted


class TestTimes:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
    def test_a_time_comes_back_as_it_was_whatever_the_zone_of_the_session(self, zone: str) -> None:
        with shared_postgres().fresh_database() as url:
            there = make_url(url).update_query_dict({"options": f"-c timezone={zone}"})
            with _opened(there.render_as_string(hide_password=False)) as engine, Session(engine) as session:
                at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
                session.add(NodeRow(public_id="n", created_at=at))
                session.flush()
                session.expire_all()
                back = session.execute(select(NodeRow.created_at)).scalar_one()
                assert (back, back.utcoffset()) == (at, timedelta(0))


class TestOnce:
    def test_a_nonce_enters_once(self, work: SqlUnitOfWork) -> None:
        said = []
        for _ in range(2):
            with work.write() as tx:
                said.append(tx.events.enter(1, nonce="n", context="room", action="heard", now=START))
        assert said == [True, False]

    def test_of_many_at_once_one_enters_a_nonce(self, work: SqlUnitOfWork) -> None:
        def enter() -> bool:
            with work.write() as tx:
                return tx.events.enter(1, nonce="n", context="room", action="heard", now=START)

        assert sorted(at_once(*[enter] * 6)) == [False] * 5 + [True]

    def test_of_many_at_once_one_claims_a_slot_and_the_next_slot(self, work: SqlUnitOfWork) -> None:
        def claim(at: datetime) -> bool:
            with work.write() as tx:
                return tx.schedule.claim("expire", at, ahead_at=LATER + timedelta(hours=1))

        for at in (START, LATER):
            assert sorted(at_once(*[lambda at=at: claim(at)] * 6)) == [False] * 5 + [True]
        assert not claim(START)

    def test_an_idempotency_key_is_taken_once_and_again_after_its_day(self, work: SqlUnitOfWork) -> None:
        def remember(now: datetime) -> bool:
            answer = Remembered(request_digest="d", artifact_id=1, sealed_answer="s")
            with work.write() as tx:
                return tx.idempotency.remember("k", answer, now, since=now - timedelta(hours=24))

        assert [remember(START), remember(LATER), remember(START + timedelta(hours=25))] == [True, False, True]

    def test_of_many_at_once_one_claims_a_one_time_take(self, work: SqlUnitOfWork) -> None:
        with work.write() as tx:
            artifact_id = add(tx, "once", once=True)

        def claim() -> bool:
            with work.write() as tx:
                return tx.artifacts.claim_once(artifact_id, "h", START) is not None

        assert sorted(at_once(*[claim] * 6)) == [False] * 5 + [True]

    def test_a_steward_saves_over_nobody(self, work: SqlUnitOfWork) -> None:
        def save() -> bool:
            with work.write() as tx:
                return tx.steward.save(tx.steward.state(), expected_version=0)

        assert sorted(at_once(*[save] * 4)) == [False] * 3 + [True]


class TestLocks:
    def test_hearings_at_once_all_count(self, work: SqlUnitOfWork) -> None:
        with work.write() as tx:
            artifact_id = add(tx, "heard")

        def hear() -> bool:
            with work.write() as tx:
                return tx.artifacts.heard(artifact_id, wear_step=0.01, now=START)

        assert at_once(*[hear] * 8) == [True] * 8
        with work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
        assert artifact is not None
        assert (artifact.plays, round(artifact.wear, 6)) == (8, 0.08)

    def test_a_reservation_is_either_adopted_or_claimed(self, database: Engine) -> None:
        work = unit_of_work(database, _SlowToCommit)

        def adopt(key: str) -> bool:
            with work.write() as tx:
                return tx.tombstones.adopt(key)

        def claim(key: str) -> bool:
            with work.write() as tx:
                return bool(
                    tx.tombstones.claim(
                        LATER,
                        until=LATER + timedelta(minutes=2),
                        ahead_at=LATER + timedelta(hours=1),
                        limit=9,
                        keys=[key],
                    )
                )

        for number in range(4):
            key = f"raw/{number}/audio.wav"
            with work.write() as tx:
                tx.tombstones.reserve(key, until=START, reason="reserved")
            assert sum(at_once(lambda key=key: adopt(key), lambda key=key: claim(key))) == 1

    def test_an_artifact_whose_last_keys_go_at_once_is_stamped_gone(self, database: Engine, tmp_path: Path) -> None:
        work = unit_of_work(database, _SlowToCommit)
        store = FileStore(tmp_path / "sounds")
        figures = retention_figures(Settings(_env_file=None))  # type: ignore[call-arg]
        retention = Retention(work, store, FrozenClock(LATER), figures=figures)
        keys = ["raw/two/audio.wav", "derived/two/essence.wav"]
        with work.write() as tx:
            artifact_id = add(tx, "two")
            tx.artifacts.end(artifact_id, State.REVOKED, START)
            for key in keys:
                store.put(key, io.BytesIO(b"a"), 1)
                tx.tombstones.bury(key, artifact_id=artifact_id, reason="revoked", due_at=START)

        assert at_once(*[lambda key=key: retention.sweep(keys=[key]) for key in keys]) == [1, 1]

        with work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
        assert artifact is not None
        assert artifact.gone_at == LATER

    def test_a_key_swept_twice_at_once_is_cleared_once_and_quietly(self, database: Engine, tmp_path: Path) -> None:
        work = unit_of_work(database, _SlowToCommit)
        figures = retention_figures(Settings(_env_file=None))  # type: ignore[call-arg]
        clocks = [FrozenClock(LATER), FrozenClock(LATER + timedelta(hours=1))]
        sweepers = [Retention(work, FileStore(tmp_path / "sounds"), clock, figures=figures) for clock in clocks]
        with work.write() as tx:
            tx.tombstones.bury("raw/a/audio.wav", artifact_id=None, reason="abandoned", due_at=START)

        # The second believes that the claim of the first has run out.
        results = at_once(*[sweeper.sweep for sweeper in sweepers])

        assert [result for result in results if not isinstance(result, int)] == []
        with work.read() as tx:
            assert tx.tombstones.counts(LATER).due == 0

    def test_a_reader_sees_one_moment(self, database: Engine) -> None:
        work = unit_of_work(database)
        with work.read() as reader:
            assert reader.artifacts.count_playable(START) == 0
            with work.write() as tx:
                add(tx, "meanwhile")
            assert reader.artifacts.count_playable(START) == 0
            assert reader.artifacts.demo_ids() == []
        with work.read() as reader:
            assert reader.artifacts.count_playable(START) == 1

    def test_what_is_asked_again_and_again_stays_prepared(self, postgres: Engine) -> None:
        """At a rollback the driver forgets it, and a read ends as often as a voice is asked for."""
        work = unit_of_work(postgres)
        for _ in range(10):
            with work.read() as reader:
                reader.artifacts.get(1)
        with work.read() as reader:
            asked = text("SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements WHERE statement LIKE :s")
            assert reader.session.execute(asked, {"s": "SELECT artifact.id%"}).scalar_one() == 5

    def test_probes_find_what_they_find_on_the_embedded_engine(self, postgres: Engine, tmp_path: Path) -> None:
        """The one asks for a list of places, the other for each."""
        wishes = [Wish(), Wish(lane=Lane.WORN), Wish(exclude_ids=tuple(range(1, 51)))] * 20
        drawn = []
        with _database("sqlite", tmp_path, migrated=True) as embedded:
            for engine in (postgres, embedded):
                fill(engine, 1_000, seed=1)
                pool, rng = Draws(engine, scan_most=10), random.Random(5)
                drawn.append([pool.draw(wish, datetime.now(UTC), rng).choice.facts.artifact_id for wish in wishes])
        assert drawn[0] == drawn[1]
        assert len(set(drawn[0])) > 20

    @pytest.mark.parametrize("batch", [8, 24, 64])
    def test_one_plan_is_kept_for_every_probe(
        self, postgres: Engine, monkeypatch: pytest.MonkeyPatch, batch: int
    ) -> None:
        """However many places are looked at: planning takes longer than looking."""
        monkeypatch.setattr("core.domain.pool.drawing.BATCHES", (batch,) * 40)
        fill(postgres, 500, seed=1)
        pool, rng = Draws(postgres, scan_most=0), random.Random(1)
        for _ in range(30):
            assert pool.draw(Wish(), datetime.now(UTC), rng)
        with postgres.connect() as connection:
            asked = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%unnest%%'"
            ((kept, anew),) = connection.exec_driver_sql(asked).all()
        # The server tries five, and looks then whether the one it keeps is as good.
        assert (kept >= 20, anew) == (True, 5)

    def test_a_reader_cannot_change_anything(self, database: Engine) -> None:
        """A server refuses, the embedded engine forgets."""
        work = unit_of_work(database)
        with suppress(InternalError), work.read() as reader:
            add(reader, "smuggled")
        with work.read() as reader:
            assert reader.artifacts.count_playable(START) == 0


class TestAway:
    def test_a_killed_server_is_unavailable_and_comes_back(self) -> None:
        with private_postgres() as server, server.fresh_database() as url, _opened(url) as engine:
            work = unit_of_work(engine)
            with work.write() as tx:
                artifact_id = add(tx, "kept")
            server.kill()
            for transaction in (work.read, work.write):
                with pytest.raises(Unavailable):
                    _asks(transaction(), artifact_id)
            server.start()
            assert _asks(work.read(), artifact_id)

    def test_a_server_killed_within_a_transaction_is_unavailable(self) -> None:
        with private_postgres() as server, server.fresh_database() as url, _opened(url) as engine:
            work = unit_of_work(engine)
            with pytest.raises(Unavailable), work.write() as tx:
                add(tx, "lost")
                server.kill()
            server.start()
            with work.read() as tx:
                assert tx.artifacts.get(1) is None

    def test_a_connection_that_died_while_it_rested_is_replaced(
        self, postgres: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.adapters.sql.engine.RESTED_S", 0.0)
        work = unit_of_work(postgres)
        _asks(work.read(), 1)
        _cut_off(postgres)
        assert not _asks(work.read(), 1)

    def test_one_that_was_in_use_just_now_is_believed_to_live(self, postgres: Engine) -> None:
        """It costs an exchange to ask, and tells nothing; where it is wrong, the next one finds another."""
        work = unit_of_work(postgres)
        _asks(work.read(), 1)
        _cut_off(postgres)
        with pytest.raises(Unavailable):
            _asks(work.read(), 1)
        assert not _asks(work.read(), 1)

    def test_more_transactions_than_connections_wait_for_each_other(self, postgres: Engine) -> None:
        work = unit_of_work(postgres, _SlowToCommit)

        def one(number: int) -> int:
            with work.write() as tx:
                return add(tx, f"take-{number}")

        ids = at_once(*[lambda number=number: one(number) for number in range(40)])

        assert len(set(ids)) == 40
        assert all(isinstance(artifact_id, int) for artifact_id in ids)


def _cut_off(engine: Engine) -> None:
    """End every connection of an engine's pool, as a server that restarts does."""
    with _opened(engine.url.render_as_string(hide_password=False)) as other, other.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid, 10000) {others}").scalars().all()


def _asks(transaction: AbstractContextManager[SqlTransaction], artifact_id: int) -> bool:
    with transaction as tx:
        return tx.artifacts.get(artifact_id) is not None
