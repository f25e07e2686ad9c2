"""The one composition root: adapters and services from settings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from core.adapters.behind import one_behind
from core.adapters.catalogs import asset_version, load
from core.adapters.certificates import FolderAuthority
from core.adapters.effects import Effects
from core.adapters.vault import generated_secret, read_secret
from core.bootstrap.clips import clip_service
from core.bootstrap.custody import backup_dir, backup_figures, export_dir, export_readme, rows_of, shelf_in, unpacking
from core.bootstrap.engines import Outside, open_outside
from core.bootstrap.figures import (
    access_figures,
    archive_figures,
    clock_figures,
    control_limits,
    derive_figures,
    device_figures,
    health_figures,
    intake_figures,
    intervals_s,
    job_figures,
    level_figures,
    notices,
    pool_figures,
    prompt_packs,
    reserve_of,
    retention_figures,
    retention_policy,
    room_tables,
    sensor_figures,
    slices,
    snapshot_figures,
)
from core.bootstrap.makers import makers
from core.bootstrap.messengers import messengers, wording
from core.domain.consent import Notice
from core.domain.deployment import Deployment, DeploymentCatalog, find_deployment
from core.domain.memory_color import ColorCatalog
from core.domain.notices import NoticeCatalog
from core.domain.pool.drawing import SCAN_MOST
from core.domain.pool.facts import WishLimits
from core.domain.pool.weights import PoolCatalog
from core.domain.work import Job
from core.errors import Misconfigured
from core.ports.archiving import Rows
from core.ports.outside import Budgets, NodeClock, Vault
from core.ports.work import UnitOfWork
from core.services.access import Access
from core.services.archive import Archive
from core.services.audit import Audit
from core.services.auditing import AuditService
from core.services.backup import BackupService
from core.services.care import CareService
from core.services.certificates import CertificateService, held
from core.services.clips import ClipService
from core.services.clock import ClockGuard
from core.services.closing import ClosingService
from core.services.decisions import Decisions
from core.services.demo import DemoCatalog, DemoService
from core.services.derive import DeriveService
from core.services.devices import DeviceService
from core.services.export import ExportService
from core.services.fossils import Fossils
from core.services.grants import Grants
from core.services.health import Health
from core.services.intake import Intake
from core.services.jobs import JobService
from core.services.ledger import LedgerService
from core.services.media import MediaService
from core.services.once import OneTime
from core.services.pool import PoolService
from core.services.prompts import Prompts
from core.services.repair import Repair
from core.services.reserve import Reserve
from core.services.restore import RestoreService
from core.services.retention import Retention
from core.services.review import ReviewService
from core.services.revocation import Revocation
from core.services.room import RoomService
from core.services.sensor import SensorService
from core.services.snapshot import Snapshots
from core.services.status import StatusService
from core.services.stewardship import StewardService
from core.services.take_keys import TakeKeys
from core.services.watch import Watch
from core.settings import Settings, prepare_data_dir

__all__ = ["Outside", "System", "build", "spool_dir"]

STEWARD_SECRET_FILE = "steward-secret.txt"  # noqa: S105 -- the name of the file, not the secret


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """Everything a surface or a job may call."""

    settings: Settings
    deployment: Deployment
    colours: ColorCatalog
    notices: NoticeCatalog
    wish_limits: WishLimits
    outside: Outside
    work: UnitOfWork
    clock: NodeClock
    guard: ClockGuard
    reserve: Reserve
    vault: Vault
    effects: Effects
    budgets: Budgets
    intake: Intake
    once: OneTime
    pool: PoolService
    media: MediaService
    revocation: Revocation
    retention: Retention
    access: Access
    stewardship: StewardService
    sensor: SensorService
    prompts: Prompts
    clips: ClipService
    take_keys: TakeKeys
    archive: Archive
    review: ReviewService
    fossils: Fossils
    room: RoomService
    decisions: Decisions
    health: Health
    demo: DemoService
    derive: DeriveService
    jobs: JobService
    audit: Audit
    audits: AuditService
    devices: DeviceService
    ledger: LedgerService
    care: CareService
    backup: BackupService
    restore: RestoreService
    rows: Rows
    export: ExportService
    closing: ClosingService
    status: StatusService
    watch: Watch
    certificates: CertificateService
    intervals_s: dict[Job, int] = field(default_factory=dict)

    def close(self) -> None:
        """Release the database."""
        self.outside.engine.dispose()


def build(settings: Settings, *, wrap: Callable[[Outside], Outside] = lambda outside: outside) -> System:
    """A system on the engine its settings ask for. `wrap` lets tests put their own adapters around ours."""
    deployment = _deployment(settings)
    data_dir = prepare_data_dir(settings.MEMORY_DATA_DIR)
    outside = wrap(open_outside(settings, deployment, data_dir))
    clock = ClockGuard(
        outside.clock,
        outside.drift,
        outside.source,
        outside.work,
        figures=clock_figures(settings),
    )
    # Before anything else: what a start compares and ends, it does by a time that is believed.
    clock.look()
    colours = load("colours", ColorCatalog)
    grants = Grants(outside.vault, clock, valid_s=settings.MEDIA_TOKEN_SECONDS)
    retention = Retention(outside.work, outside.store, clock, figures=retention_figures(settings))
    pool = PoolService(
        outside.work,
        outside.pool,
        grants,
        clock,
        slices=slices(settings),
        level=level_figures(),
        deployment=deployment,
        wear_per_play=settings.WEAR_EPSILON_PER_PLAY,
    )
    tables = room_tables(settings)
    decisions = Decisions(
        outside.work, tables=tables, deployment=deployment, figures=pool_figures(settings), scan_most=SCAN_MOST
    )
    reserve = reserve_of(settings, outside.disk)
    policy, notice = retention_policy(settings), Notice(language="en", version=notices().present)
    intake = Intake(
        outside.work,
        outside.store,
        outside.vault,
        clock,
        reserve,
        figures=intake_figures(settings, colours),
        retention=policy,
        default_notice=notice,
        behind=one_behind("take"),
    )
    rows, authority = rows_of(outside), FolderAuthority(outside.data_dir)
    snapshots = Snapshots(
        outside.work,
        outside.store,
        clock,
        outside.disk,
        outside.drift,
        outside.ledger,
        reserve_bytes=reserve.bytes,
        certificates=lambda: held(authority) if settings.TLS != "off" else None,
        figures=snapshot_figures(settings, colours),
    )
    shelf = shelf_in(backup_dir(settings, outside.data_dir), settings, outside, reserve.bytes)
    ledger = LedgerService(outside.work, outside.ledger, outside.vault, clock)
    ledger.compare()
    care = CareService(outside.work, clock)
    audit = Audit(
        outside.work,
        outside.store,
        outside.ledger,
        outside.vault,
        clock,
        overdue_s=settings.AUDIT_OVERDUE_SECONDS,
    )
    repair = Repair(outside.work, outside.ledger, outside.vault, clock, retention)
    archive = Archive(outside.work, clock, retention, grants, figures=archive_figures(settings, deployment))
    backup = BackupService(
        outside.work,
        outside.store,
        outside.ledger,
        clock,
        care,
        shelf=shelf,
        rows=rows,
        secrets=lambda: {**outside.vault.secrets(), **authority.secrets()},
        unpack=unpacking(settings, outside, shelf, build),
        figures=backup_figures(settings),
    )
    export = ExportService(
        outside.work,
        outside.store,
        outside.vault,
        clock,
        care,
        archive,
        shelf=shelf,
        place=export_dir(settings, outside.data_dir),
        readme=export_readme,
        figures=backup_figures(settings),
    )
    return System(
        settings=settings,
        deployment=deployment,
        colours=colours,
        notices=notices(),
        access=Access(
            outside.work,
            outside.vault,
            clock,
            shared_secret=_shared_secret(settings, data_dir),
            figures=access_figures(settings),
        ),
        wish_limits=load("pool", PoolCatalog).wish,
        outside=outside,
        work=outside.work,
        clock=clock,
        guard=clock,
        reserve=reserve,
        vault=outside.vault,
        effects=outside.effects,
        budgets=outside.budgets,
        intake=intake,
        once=OneTime(outside.work, outside.store, outside.vault, clock),
        pool=pool,
        media=MediaService(outside.work, outside.store, grants, clock),
        revocation=Revocation(outside.work, outside.vault, clock, retention),
        retention=retention,
        stewardship=StewardService(outside.work, clock, limits=control_limits(settings)),
        sensor=SensorService(
            outside.work, clock, outside.budgets, token=settings.SENSOR_TOKEN, figures=sensor_figures(settings)
        ),
        prompts=Prompts(outside.work, clock, languages=notices().languages, packs=prompt_packs()),
        clips=clip_service(settings, data_dir),
        take_keys=TakeKeys(outside.work, clock, outside.vault, held_for=timedelta(minutes=settings.TAKE_KEY_MINUTES)),
        archive=archive,
        review=ReviewService(outside.work, clock, grants, flag_holds=settings.FLAG_HOLDS),
        fossils=Fossils(
            outside.work,
            clock,
            grants,
            shown=settings.ROOM_FOSSIL_VISUALS,
            feed_s=settings.ROOM_FOSSIL_FEED_SECONDS,
        ),
        room=RoomService(outside.work, pool, clock, decisions, tables=tables, deployment=deployment),
        decisions=decisions,
        health=Health(outside.work, outside.store, clock, figures=health_figures(settings)),
        demo=DemoService(
            outside.work,
            outside.store,
            outside.vault,
            clock,
            retention,
            ready=intake.ready,
            catalog=load("demo", DemoCatalog),
            policy=policy,
            notice=notice,
            deployment=settings.ENGINE_DEPLOYMENT,
            reservation_s=settings.RESERVATION_SECONDS,
        ),
        derive=DeriveService(
            outside.work,
            outside.store,
            clock,
            makers(),
            figures=derive_figures(settings),
            spool=spool_dir(data_dir),
            reserve=reserve,
        ),
        jobs=JobService(outside.work, clock, figures=job_figures(settings)),
        audit=audit,
        audits=AuditService(audit, repair, care),
        devices=DeviceService(outside.work, clock, figures=device_figures(settings), page_version=asset_version()),
        ledger=ledger,
        care=care,
        backup=backup,
        rows=rows,
        export=export,
        closing=ClosingService(
            outside.work,
            outside.store,
            clock,
            care,
            retention,
            audit,
            backup,
            export,
            node_name=settings.NODE_NAME,
        ),
        restore=RestoreService(
            outside.work,
            outside.store,
            outside.ledger,
            outside.vault,
            clock,
            care,
            rows=rows,
            retention=retention,
            audit=audit,
        ),
        status=StatusService(
            outside.work,
            snapshots,
            outside.budgets,
            clock,
            deployment=settings.ENGINE_DEPLOYMENT,
            sample_every_s=settings.SAMPLE_INTERVAL_SECONDS,
        ),
        watch=Watch(
            outside.work,
            snapshots,
            messengers(settings),
            wording(),
            node=settings.NODE_NAME,
            quiet_minutes=settings.WARN_QUIET_MINUTES,
        ),
        certificates=CertificateService(authority, clock, node_name=settings.NODE_NAME, used=settings.TLS != "off"),
        intervals_s=intervals_s(settings),
    )


def _shared_secret(settings: Settings, data_dir: Path) -> Callable[[], str]:
    """The setting, or the file in the data folder: read each time, so that a new one counts without a restart."""
    if settings.OPS_SHARED_SECRET:
        return lambda: settings.OPS_SHARED_SECRET
    path = data_dir / STEWARD_SECRET_FILE
    generated_secret(path)
    return lambda: read_secret(path)


def spool_dir(data_dir: Path) -> Path:
    """Where takes lie for a moment, without a name, on the node's own disk."""
    folder = data_dir / "incoming"
    folder.mkdir(exist_ok=True)
    return folder


def _deployment(settings: Settings) -> Deployment:
    try:
        return find_deployment(settings.ENGINE_DEPLOYMENT, load("deployments", DeploymentCatalog))
    except ValueError as error:
        raise Misconfigured([f"ENGINE_DEPLOYMENT: {error}"]) from error
