"""The one composition root: adapters and services from settings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from core.adapters.budgets import BudgetFigures, WindowBudgets
from core.adapters.catalogs import load
from core.adapters.effects import Effects
from core.adapters.outside import DataDisk, SystemClock
from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.pool import SqlPool
from core.adapters.sql.work import SqlUnitOfWork
from core.adapters.stores.files import FileStore
from core.adapters.vault import generated_secret, open_vault
from core.domain.consent import Notice, RetentionPolicy
from core.domain.deployment import Deployment, DeploymentCatalog, find_deployment
from core.domain.memory_color import ColorCatalog
from core.domain.pool.facts import WishLimits
from core.domain.pool.lanes import LaneFigures
from core.domain.pool.weights import PoolCatalog, PoolFigures
from core.domain.pool.windows import SliceFigures
from core.domain.room.compose import RoomFigures
from core.domain.steward import StewardState
from core.domain.work import Job
from core.errors import Misconfigured
from core.ports.outside import Budgets, ByteStore, Clock, Disk, Pool, Vault
from core.ports.work import UnitOfWork
from core.services.demo import DemoCatalog, DemoService
from core.services.grants import Grants
from core.services.health import Health
from core.services.intake import Intake, IntakeFigures
from core.services.media import MediaService
from core.services.once import OneTime
from core.services.pool import PoolService
from core.services.retention import Retention, RetentionFigures
from core.services.revocation import Revocation
from core.services.room import RoomService
from core.services.stewardship import StewardService
from core.settings import Settings, prepare_data_dir

LANGUAGES = frozenset({"en"})
NOTICE_VERSION = "1"
STEWARD_SECRET_FILE = "steward-secret.txt"  # noqa: S105 -- the name of the file, not the secret
CLAIM_S = 120
RETRY_FIRST_S = 5.0
RETRY_LONGEST_S = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """The adapters a system is built on; tests replace some of them."""

    data_dir: Path
    engine: Engine
    effects: Effects
    work: UnitOfWork
    store: ByteStore
    vault: Vault
    clock: Clock
    disk: Disk
    budgets: Budgets
    pool: Pool


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """Everything a surface or a job may call."""

    settings: Settings
    deployment: Deployment
    colours: ColorCatalog
    steward_secret: str
    wish_limits: WishLimits
    outside: Outside
    work: UnitOfWork
    clock: Clock
    vault: Vault
    effects: Effects
    budgets: Budgets
    intake: Intake
    once: OneTime
    pool: PoolService
    media: MediaService
    revocation: Revocation
    retention: Retention
    stewardship: StewardService
    room: RoomService
    health: Health
    demo: DemoService
    intervals_s: dict[Job, int] = field(default_factory=dict)

    def close(self) -> None:
        """Release the database."""
        self.outside.engine.dispose()


def build(settings: Settings, *, wrap: Callable[[Outside], Outside] = lambda outside: outside) -> System:
    """A system on the embedded engine. `wrap` lets tests put their own adapters around ours."""
    deployment = _deployment(settings)
    data_dir = prepare_data_dir(settings.MEMORY_DATA_DIR)
    outside = wrap(_embedded(settings, deployment, data_dir))
    colours = load("colours", ColorCatalog)
    grants = Grants(outside.vault, outside.clock, valid_s=settings.MEDIA_TOKEN_SECONDS)
    retention = Retention(outside.work, outside.store, outside.clock, figures=_retention_figures(settings))
    pool = PoolService(
        outside.work,
        outside.pool,
        grants,
        outside.clock,
        slices=_slices(settings),
        deployment=deployment,
        wear_per_play=settings.WEAR_EPSILON_PER_PLAY,
    )
    policy, notice = _retention_policy(settings), Notice(language="en", version=NOTICE_VERSION)
    intake = Intake(
        outside.work,
        outside.store,
        outside.vault,
        outside.clock,
        outside.disk,
        figures=_intake_figures(settings, colours),
        retention=policy,
        default_notice=notice,
    )
    return System(
        settings=settings,
        deployment=deployment,
        colours=colours,
        steward_secret=settings.OPS_SHARED_SECRET or generated_secret(data_dir / STEWARD_SECRET_FILE),
        wish_limits=load("pool", PoolCatalog).wish,
        outside=outside,
        work=outside.work,
        clock=outside.clock,
        vault=outside.vault,
        effects=outside.effects,
        budgets=outside.budgets,
        intake=intake,
        once=OneTime(outside.work, outside.store, outside.vault, outside.clock),
        pool=pool,
        media=MediaService(outside.work, outside.store, grants, outside.clock),
        revocation=Revocation(outside.work, outside.vault, outside.clock, retention),
        retention=retention,
        stewardship=StewardService(outside.work, outside.clock),
        room=RoomService(outside.work, pool, outside.clock, figures=load("room", RoomFigures), deployment=deployment),
        health=Health(outside.work, outside.store, outside.clock),
        demo=DemoService(
            outside.work,
            outside.store,
            outside.vault,
            outside.clock,
            retention,
            ready=intake.ready,
            catalog=load("demo", DemoCatalog),
            policy=policy,
            notice=notice,
            deployment=settings.ENGINE_DEPLOYMENT,
            reservation_s=settings.RESERVATION_SECONDS,
        ),
        intervals_s={
            Job.SWEEP_TOMBSTONES: settings.SWEEP_INTERVAL_SECONDS,
            Job.EXPIRE: _expire_every_s(settings),
            Job.PRUNE: settings.PRUNE_INTERVAL_SECONDS,
        },
    )


def _embedded(settings: Settings, deployment: Deployment, data_dir: Path) -> Outside:
    # The keys first: a database without them is a database whose keys were lost.
    vault = open_vault(data_dir)
    engine = open_engine(sqlite_url(data_dir))
    upgrade(engine)
    clock = SystemClock()
    effects = Effects()
    first = StewardState(
        kiosk_max_recording_seconds=settings.KIOSK_MAX_RECORDING_SECONDS, updated_at=clock.now(), version=0
    )
    return Outside(
        data_dir=data_dir,
        engine=engine,
        effects=effects,
        work=SqlUnitOfWork(engine, effects, first_steward_state=first),
        store=FileStore(data_dir / "sounds"),
        vault=vault,
        clock=clock,
        disk=DataDisk(data_dir),
        budgets=_budgets(settings),
        pool=SqlPool(engine, figures=_pool_figures(settings), deployment=deployment),
    )


def _deployment(settings: Settings) -> Deployment:
    try:
        return find_deployment(settings.ENGINE_DEPLOYMENT, load("deployments", DeploymentCatalog))
    except ValueError as error:
        raise Misconfigured([f"ENGINE_DEPLOYMENT: {error}"]) from error


def _budgets(settings: Settings) -> WindowBudgets:
    return WindowBudgets(
        {
            "ingest": BudgetFigures(
                per_station=settings.INGEST_PER_STATION_HOUR,
                per_address=settings.INGEST_PER_ADDRESS_HOUR,
                message="This station has taken in as much as it may for now. Please come back a little later.",
            ),
            "revoke": BudgetFigures(
                per_station=settings.REVOKE_PER_STATION_HOUR,
                per_address=settings.REVOKE_PER_ADDRESS_HOUR,
                message="Too many codes were tried from here. Please wait a while, or ask the steward.",
            ),
            "signin": BudgetFigures(
                per_station=settings.OPS_LOCKOUT_PER_BROWSER,
                per_address=settings.OPS_LOCKOUT_PER_ADDRESS,
                message="Too many tries. Please wait.",
                window_s=settings.OPS_LOCKOUT_SECONDS,
            ),
        },
        low_share=settings.BUDGET_LOW_SHARE,
    )


def _expire_every_s(settings: Settings) -> int:
    """Often enough that an unheard one-time take is gone by the minute its manifest names."""
    left_s = (settings.ONCE_SWEEP_MINUTES - settings.ONCE_FETCH_MINUTES) * 60 - settings.SWEEP_INTERVAL_SECONDS
    return max(1, min(settings.EXPIRE_INTERVAL_SECONDS, int(left_s)))


def _intake_figures(settings: Settings, colours: ColorCatalog) -> IntakeFigures:
    return IntakeFigures(
        max_duration_s=settings.TAKE_MAX_SECONDS,
        max_rate_hz=settings.TAKE_MAX_RATE_HZ,
        reservation_s=settings.RESERVATION_SECONDS,
        idempotency_h=settings.KEEP_IDEMPOTENCY_HOURS,
        reserve_bytes=int(settings.DISK_RESERVE_GB * 1e9),
        reserve_share=settings.DISK_RESERVE_SHARE,
        languages=LANGUAGES,
        notice_versions=frozenset({NOTICE_VERSION}),
        effects=frozenset(colour.code for colour in colours.colours),
        deployment=settings.ENGINE_DEPLOYMENT,
    )


def _retention_policy(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        raw_room_hours=settings.RAW_TTL_HOURS_ROOM,
        raw_fossil_hours=settings.RAW_TTL_HOURS_FOSSIL,
        derivative_fossil_days=settings.DERIVATIVE_TTL_DAYS_FOSSIL,
        once_fetch_minutes=settings.ONCE_FETCH_MINUTES,
        once_sweep_minutes=settings.ONCE_SWEEP_MINUTES,
        backup_days=settings.BACKUP_DAYS,
    )


def _retention_figures(settings: Settings) -> RetentionFigures:
    return RetentionFigures(
        claim_s=CLAIM_S,
        retry_first_s=RETRY_FIRST_S,
        retry_longest_s=RETRY_LONGEST_S,
        idempotency_h=settings.KEEP_IDEMPOTENCY_HOURS,
        access_event_days=settings.KEEP_ACCESS_EVENTS_DAYS,
        husk_days=settings.KEEP_HUSKS_DAYS,
    )


def _pool_figures(settings: Settings) -> PoolFigures:
    lanes = LaneFigures(
        fresh_max_age_hours=settings.POOL_FRESH_MAX_AGE_HOURS,
        fresh_max_wear=settings.POOL_FRESH_MAX_WEAR,
        fresh_max_plays=settings.POOL_FRESH_MAX_PLAY_COUNT,
        worn_min_age_hours=settings.POOL_WORN_MIN_AGE_HOURS,
        worn_min_wear=settings.POOL_WORN_MIN_WEAR,
        worn_min_plays=settings.POOL_WORN_MIN_PLAY_COUNT,
        light_max_ms=int(settings.POOL_LIGHT_MAX_SECONDS * 1000),
        dense_min_ms=int(settings.POOL_DENSE_MIN_SECONDS * 1000),
        suspended_min_age_hours=settings.POOL_SUSPENDED_MIN_AGE_HOURS,
    )
    return PoolFigures(lanes=lanes, cooldown_s=settings.POOL_COOLDOWN_SECONDS, catalog=load("pool", PoolCatalog))


def _slices(settings: Settings) -> SliceFigures:
    return SliceFigures(
        longest_ms=int(settings.POOL_SLICE_SECONDS * 1000),
        revolution_s=settings.POOL_SLICE_REVOLUTION_SECONDS,
        step_ms=settings.POOL_SLICE_STEP_MS,
    )
