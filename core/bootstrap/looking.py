"""A node looked at from beside it: nothing is made, migrated, compared into it or noted on the way.

`build` makes what is missing and brings what is old up to date, because a node is about to run. Whoever only wants to
know how one stands must find it as it is, running or not.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from core.adapters.catalogs import load
from core.adapters.certificates import FOLDER, FolderAuthority
from core.adapters.effects import Effects
from core.adapters.ledger import FileLedger
from core.adapters.outside import ClockWatch, DataDisk, KernelTimeSource, SystemClock
from core.adapters.sql.engine import DATABASE_FILE, open_engine
from core.adapters.sql.schema import Schema, schema_of
from core.adapters.sql.work import SqlUnitOfWork
from core.adapters.stores.files import FileStore
from core.bootstrap.engines import bucket_of
from core.bootstrap.figures import reserve_of, snapshot_figures
from core.domain.certificates import Held
from core.domain.clocks import Belief, Doubt, Reading, read
from core.domain.custody import Care, NodeRecord, Report
from core.domain.memory_color import ColorCatalog
from core.domain.steward import StewardState
from core.domain.warnings import NodeWarning, standing
from core.errors import MemoryEngineError, Unavailable
from core.ports.custody import TimeSource
from core.ports.outside import ByteStore, Clock, ClockDrift, Disk
from core.ports.work import JobFailure, QueueDepth, UnitOfWork
from core.services.certificates import held
from core.services.snapshot import Snapshot, Snapshots
from core.settings import Settings

REPORTS_MOST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What a node is looked at through; tests replace some of it."""

    store: ByteStore
    clock: Clock
    drift: ClockDrift
    source: TimeSource
    disk: Disk


class Onlooker:
    """Everything there is to see of a node. What does not answer raises `Unavailable`."""

    def __init__(self, settings: Settings, data_dir: Path, engine: Engine, around: Around) -> None:
        self.settings = settings
        self.data_dir = data_dir
        self.around = around
        self._engine = engine
        first = StewardState(
            kiosk_max_recording_seconds=settings.KIOSK_MAX_RECORDING_SECONDS, updated_at=around.clock.now(), version=0
        )
        self.work: UnitOfWork = SqlUnitOfWork(engine, Effects(), first_steward_state=first)
        folder = settings.LEDGER_DIR.expanduser() if settings.LEDGER_DIR is not None else data_dir
        self.ledger = FileLedger(folder, around.store)
        self.figures = snapshot_figures(settings, load("colours", ColorCatalog))

    def schema(self) -> Schema:
        """The schema of the database, against the one of this version."""
        return schema_of(self._engine)

    def node(self) -> NodeRecord | None:
        """The node's own row; None before its first start."""
        with self.work.read() as tx:
            return tx.nodes.read()

    def snapshot(self, queue: QueueDepth | None) -> Snapshot:
        """How the node is now, as its own pages would be told; `queue` is None where it does not answer."""
        ledger_known = self._read_ledger()
        taken = Snapshots(
            self.work,
            self.around.store,
            _Glance(self.around, self._mark(), timedelta(days=self.settings.CLOCK_DOUBT_DAYS)),
            self.around.disk,
            self.around.drift,
            self.ledger,
            reserve_bytes=reserve_of(self.settings, self.around.disk).bytes,
            certificates=self._certificates,
            figures=self.figures,
        ).take(queue)
        # Of a store that does not answer nobody knows what it lacks.
        return taken if ledger_known else replace(taken, facts=replace(taken.facts, owed=0, owed_since=None))

    def warnings(self, snapshot: Snapshot) -> list[NodeWarning]:
        """What stands by a snapshot, the gravest first."""
        return standing(snapshot.facts, self.figures.warnings)

    def failures(self) -> list[JobFailure]:
        """Jobs that failed lately."""
        since = self.around.clock.now() - timedelta(seconds=self.settings.JOB_FAILURE_RECENT_SECONDS)
        with self.work.read() as tx:
            return tx.job_runs.failures(since)

    def reports(self) -> list[Report]:
        """The newest reports of every kind of care."""
        with self.work.read() as tx:
            return [report for kind in Care for report in tx.reports.recent(kind, limit=REPORTS_MOST)]

    def _certificates(self) -> Held | None:
        # Whoever may not look into the folder knows nothing of it.
        if self.settings.TLS == "off" or not os.access(self.data_dir / FOLDER, os.R_OK | os.X_OK):
            return None
        return held(FolderAuthority(self.data_dir))

    def _read_ledger(self) -> bool:
        try:
            self.ledger.entries()
        except MemoryEngineError:
            return False
        return True

    def _mark(self) -> datetime | None:
        try:
            node = self.node()
        except MemoryEngineError:
            return None
        return node.clock_mark if node is not None else None


class _Glance:
    """See `core.ports.outside.NodeClock`: the clock guard's rule, without a note of what it found."""

    def __init__(self, around: Around, mark: datetime | None, most: timedelta) -> None:
        self._around = around
        self._belief = Belief(at=mark or around.clock.now(), up_s=around.drift.up_s())
        self._most = most

    def now(self) -> datetime:
        """The system's time; in doubt the later of both."""
        return self._read().later

    def earlier(self) -> datetime:
        """The system's time; in doubt the earlier of both."""
        return self._read().earlier

    def doubt(self) -> Doubt | None:
        """What each clock says, where they disagree."""
        found = self._read()
        if not found.doubted:
            return None
        return Doubt(system_now=found.system, believed_now=found.believed, since=found.believed)

    def _read(self) -> Reading:
        around = self._around
        return read(around.clock.now(), self._belief, around.drift.up_s(), self._most, around.source.synchronised)


@contextmanager
def looking_at(settings: Settings, *, wrap: Callable[[Around], Around] = lambda around: around) -> Iterator[Onlooker]:
    """A node that is there, whatever state it is in. Raises `Unavailable` without a folder to read."""
    data_dir = settings.MEMORY_DATA_DIR.expanduser().resolve()
    # Not `Path.is_dir`: it raises where a folder above may not be entered.
    if not os.path.isdir(data_dir):  # noqa: PTH112
        raise Unavailable(f"There is no data folder at {data_dir}.")
    stack = bool(settings.DATABASE_URL)
    engine = open_engine(settings.DATABASE_URL if stack else read_only_url(data_dir))
    around = Around(
        store=bucket_of(settings) if stack else FileStore(data_dir / "sounds", make=False),
        clock=SystemClock(),
        drift=ClockWatch(),
        source=KernelTimeSource(),
        disk=DataDisk(data_dir),
    )
    try:
        yield _onlooker(settings, data_dir, engine, wrap(around))
    finally:
        engine.dispose()


def _onlooker(settings: Settings, data_dir: Path, engine: Engine, around: Around) -> Onlooker:
    try:
        return Onlooker(settings, data_dir, engine, around)
    except OSError as error:
        raise Unavailable(f"The data folder at {data_dir} cannot be read: {error.strerror}.") from error


def read_only_url(data_dir: Path) -> URL:
    """The embedded database, opened so that it cannot be written, nor made where there is none.

    Without a write-ahead log nobody has it open, and SQLite would leave one behind, and an index of it: it is then told
    that the file will not change while it is read. A node that starts just then makes this one look wrong at worst.
    """
    database = f"file:{quote(str(data_dir / DATABASE_FILE))}"
    # Not `Path.exists`, for the same reason as above.
    alone = {} if os.path.exists(data_dir / f"{DATABASE_FILE}-wal") else {"immutable": "1"}  # noqa: PTH110
    return URL.create("sqlite", database=database, query={"mode": "ro", "uri": "true", **alone})
