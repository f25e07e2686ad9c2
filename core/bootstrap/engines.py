"""The adapters of an engine: embedded, or the stack where its settings are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from core.adapters.budgets import WindowBudgets
from core.adapters.effects import Effects
from core.adapters.ledger import FileLedger
from core.adapters.outside import ClockWatch, DataDisk, KernelTimeSource, SystemClock
from core.adapters.redis import RedisSignals, redis_budgets
from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.pool import SqlPool
from core.adapters.sql.work import SqlUnitOfWork, WriteDown
from core.adapters.stores.files import FileStore
from core.adapters.stores.s3 import S3Place, S3Store
from core.adapters.vault import KeyVault, open_vault
from core.bootstrap.figures import budget_kinds, heard_of_sensors, pool_figures
from core.domain.custody import Early, Entry
from core.domain.deployment import Deployment
from core.domain.steward import StewardState
from core.ports.custody import TimeSource
from core.ports.outside import Budgets, ByteStore, Clock, ClockDrift, Disk, Pool, Vault
from core.ports.work import UnitOfWork
from core.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """The adapters a system is built on; tests replace some of them."""

    data_dir: Path
    engine: Engine
    effects: Effects
    work: UnitOfWork
    first_state: StewardState
    store: ByteStore
    ledger: FileLedger
    vault: Vault
    clock: Clock
    drift: ClockDrift
    source: TimeSource
    disk: Disk
    budgets: Budgets
    pool: Pool


def open_outside(settings: Settings, deployment: Deployment, data_dir: Path) -> Outside:
    """The stack where `DATABASE_URL` is set (settings see to it that the rest is, too), else the embedded engine."""
    store: S3Store | FileStore
    budgets: Budgets
    if settings.DATABASE_URL:
        vault = _given_vault(settings)
        engine = open_engine(settings.DATABASE_URL)
        store = bucket_of(settings)
        store.ensure_bucket()
        effects = Effects(RedisSignals(settings.REDIS_URL, node=settings.MINIO_BUCKET))
        budgets = redis_budgets(settings.REDIS_URL, budget_kinds(settings), low_share=settings.BUDGET_LOW_SHARE)
    else:
        # The keys first: a database without them is a database whose keys were lost.
        vault = open_vault(data_dir)
        engine = open_engine(sqlite_url(data_dir))
        store = FileStore(data_dir / "sounds")
        effects = Effects()
        budgets = WindowBudgets(budget_kinds(settings), low_share=settings.BUDGET_LOW_SHARE)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    clock = SystemClock()
    ledger = FileLedger(ledger_dir(settings, data_dir), store)
    first = StewardState(
        kiosk_max_recording_seconds=settings.KIOSK_MAX_RECORDING_SECONDS, updated_at=clock.now(), version=0
    )
    return Outside(
        data_dir=data_dir,
        engine=engine,
        effects=effects,
        work=SqlUnitOfWork(
            engine,
            effects,
            first_steward_state=first,
            heard=heard_of_sensors(settings),
            write_down=writing_down(ledger, vault),
        ),
        first_state=first,
        store=store,
        ledger=ledger,
        vault=vault,
        clock=clock,
        drift=ClockWatch(),
        source=KernelTimeSource(),
        disk=DataDisk(data_dir),
        budgets=budgets,
        pool=SqlPool(figures=pool_figures(settings), deployment=deployment),
    )


def writing_down(ledger: FileLedger, vault: Vault) -> WriteDown:
    """What transactions say to the ledger, under keyed hashes."""

    def write_down(early: Sequence[tuple[Early, str, datetime]]) -> None:
        ledger.append(
            [Entry(kind=kind, subject=vault.subject_hashes(public_id)[0], at=at) for kind, public_id, at in early]
        )

    return write_down


def ledger_dir(settings: Settings, data_dir: Path) -> Path:
    """Where the ledger lies: the data folder, unless it was given a place of its own."""
    if settings.LEDGER_DIR is None:
        return data_dir
    folder = settings.LEDGER_DIR.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _given_vault(settings: Settings) -> KeyVault:
    """Several processes on several machines share their keys by settings, not by a folder."""
    return KeyVault(
        code_key=bytes.fromhex(settings.CODE_KEY),
        token_key=bytes.fromhex(settings.TOKEN_KEY),
        previous_code_keys=tuple(bytes.fromhex(key) for key in settings.PREVIOUS_CODE_KEYS.split(",") if key),
    )


def bucket_of(settings: Settings) -> S3Store:
    """The bucket of the stack, whether or not it is there."""
    place = urlsplit(settings.MINIO_ENDPOINT)
    return S3Store(
        S3Place(
            endpoint=place.netloc,
            bucket=settings.MINIO_BUCKET,
            access_key=settings.MINIO_ACCESS_KEY,
            secret_key=settings.MINIO_SECRET_KEY,
            secure=place.scheme == "https",
            region=settings.MINIO_REGION,
            ca_file=settings.MINIO_CA_FILE,
        )
    )
