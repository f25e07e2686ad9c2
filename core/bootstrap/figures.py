"""The figures every service is given, from settings and catalogs."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from core.adapters.budgets import BudgetFigures
from core.adapters.catalogs import asset_version, load, plain
from core.adapters.sql.pool import EXACT_COUNT_MOST
from core.domain.access import Binding, networks
from core.domain.consent import RetentionPolicy
from core.domain.deployment import Deployment, DeploymentCatalog
from core.domain.device import DeviceFigures
from core.domain.level import LevelFigures
from core.domain.memory_color import ColorCatalog
from core.domain.notices import NoticeCatalog
from core.domain.pool.lanes import LaneFigures
from core.domain.pool.weights import PoolCatalog, PoolFigures
from core.domain.pool.windows import SliceFigures
from core.domain.prompt_packs import PromptPacks
from core.domain.room.rows import Intensity, Preset, QuieterFigures
from core.domain.room.tables import Overlap, QuietHours, RoomCatalog, RoomChoices, RoomTables
from core.domain.sensor import Subject
from core.domain.steward import ControlLimits
from core.domain.warnings import WarningFigures
from core.domain.work import Job
from core.ports.outside import Disk
from core.services.access import AccessFigures
from core.services.archive import ArchiveFigures
from core.services.clock import ClockFigures
from core.services.derive import DeriveFigures
from core.services.health import HealthFigures
from core.services.intake import IntakeFigures
from core.services.jobs import JobFigures
from core.services.reserve import Reserve
from core.services.retention import RetentionFigures
from core.services.sensor import SensorFigures
from core.services.snapshot import SnapshotFigures
from core.settings import BY_DAYPART, Settings

CLAIM_S = 120
RETRY_FIRST_S = 5.0
RETRY_LONGEST_S = 900.0
LATE = 2
"""An audit or a backup is late after so many intervals without one."""

DERIVE_RESERVATION_S = 600
"""Longer than any put of a derivative with all its retries; until it is settled nothing is told to be gone."""


def notices() -> NoticeCatalog:
    """What participants are shown, and ever were."""
    found: NoticeCatalog = load("notices", NoticeCatalog)
    return found


def prompt_packs() -> PromptPacks:
    """What a steward may begin with."""
    found: PromptPacks = load("prompts", PromptPacks)
    return found


TRIES_A_TAKE = 4
"""Recordings that may be begun for one that is sent."""


def budget_kinds(settings: Settings) -> dict[str, BudgetFigures]:
    """Every budget there is."""
    return {
        "ingest": BudgetFigures(
            per_station=settings.INGEST_PER_STATION_HOUR,
            per_address=settings.INGEST_PER_ADDRESS_HOUR,
            message="This station has taken in as much as it may for now. Please come back a little later.",
        ),
        "take_key": BudgetFigures(
            per_station=TRIES_A_TAKE * settings.INGEST_PER_STATION_HOUR,
            per_address=TRIES_A_TAKE * settings.INGEST_PER_ADDRESS_HOUR,
            message="Too many recordings were begun from here. Please come back a little later.",
        ),
        "revoke": BudgetFigures(
            per_station=settings.REVOKE_PER_STATION_HOUR,
            per_address=settings.REVOKE_PER_ADDRESS_HOUR,
            message="Too many codes were tried from here. Please wait a while, or ask the steward.",
        ),
        "flag": BudgetFigures(
            per_station=settings.FLAG_PER_STATION_HOUR,
            per_address=settings.FLAG_PER_ADDRESS_HOUR,
            message="Enough was pointed out from here for now. Please speak to the steward.",
        ),
        "signin": BudgetFigures(
            per_station=settings.OPS_LOCKOUT_PER_BROWSER,
            per_address=settings.OPS_LOCKOUT_PER_ADDRESS,
            message="Too many tries. Please wait.",
            window_s=settings.OPS_LOCKOUT_SECONDS,
        ),
        "sensor_token": BudgetFigures(
            per_station=settings.OPS_LOCKOUT_PER_BROWSER,
            per_address=settings.OPS_LOCKOUT_PER_ADDRESS,
            message="Too many tries. Please wait.",
            window_s=settings.OPS_LOCKOUT_SECONDS,
        ),
        "sensor": BudgetFigures(
            per_station=settings.SENSOR_CHANGES_PER_HOUR,
            per_address=settings.SENSOR_CHANGES_PER_HOUR,
            message="The sensor has changed its mind too often. Please come back a little later.",
        ),
    }


def sensor_figures(settings: Settings) -> SensorFigures:
    """How a sensor is heard."""
    return SensorFigures(hold=timedelta(seconds=settings.SENSOR_HOLD_SECONDS), heard=heard_of_sensors(settings))


def heard_of_sensors(settings: Settings) -> tuple[Subject, ...]:
    """What a sensor may speak of: nothing without a token, and of people alone where it may ask for nothing."""
    if not settings.SENSOR_TOKEN:
        return ()
    return tuple(Subject) if settings.SENSOR_MAY_PAUSE else (Subject.OCCUPANCY,)


def intervals_s(settings: Settings) -> dict[Job, int]:
    """How often every periodic job runs."""
    backups = {Job.BACKUP: _seconds(settings.BACKUP_INTERVAL_HOURS)} if settings.BACKUP_INTERVAL_HOURS else {}
    return {
        Job.SWEEP_TOMBSTONES: settings.SWEEP_INTERVAL_SECONDS,
        Job.EXPIRE: expire_every_s(settings),
        Job.PRUNE: settings.PRUNE_INTERVAL_SECONDS,
        Job.PRUNE_DERIVATIVES: settings.PRUNE_INTERVAL_SECONDS,
        Job.FIND_WORK: settings.FIND_WORK_INTERVAL_SECONDS,
        Job.SAMPLE: settings.SAMPLE_INTERVAL_SECONDS,
        Job.WATCH: settings.WATCH_INTERVAL_SECONDS,
        Job.CLEAR_TIMED: settings.CLEAR_TIMED_INTERVAL_SECONDS,
        Job.AUDIT: _seconds(settings.AUDIT_INTERVAL_HOURS),
        **backups,
    }


def _seconds(hours: float) -> int:
    return max(1, round(hours * 3600))


def derive_figures(settings: Settings) -> DeriveFigures:
    """Of derivation and the search for missing work."""
    return DeriveFigures(
        reservation_s=DERIVE_RESERVATION_S,
        grace_s=settings.FIND_WORK_GRACE_SECONDS,
        again_s=settings.FIND_WORK_AGAIN_SECONDS,
        attempts_most=settings.JOB_ATTEMPTS,
    )


def health_figures(settings: Settings) -> HealthFigures:
    """Thresholds of readiness."""
    return HealthFigures(
        stale_s=settings.HEARTBEAT_STALE_SECONDS,
        failure_recent_s=settings.JOB_FAILURE_RECENT_SECONDS,
        queue_critical=settings.QUEUE_CRITICAL,
    )


def device_figures(settings: Settings) -> DeviceFigures:
    """When an open page is gone, silent, or wrong about the time."""
    return DeviceFigures(
        offline_s=settings.DEVICE_OFFLINE_SECONDS,
        silent_s=settings.DEVICE_SILENT_SECONDS,
        skew_s=settings.CLOCK_SKEW_SECONDS,
    )


def warning_figures(settings: Settings) -> WarningFigures:
    """From where on stewards are warned."""
    return WarningFigures(
        stale_s=settings.HEARTBEAT_STALE_SECONDS,
        queue_warning=settings.QUEUE_WARNING,
        queue_critical=settings.QUEUE_CRITICAL,
        disk_warning_bytes=settings.DISK_WARNING_GB * 1e9,
        disk_warning_share=settings.DISK_WARNING_SHARE,
        disk_critical_bytes=settings.DISK_CRITICAL_GB * 1e9,
        disk_critical_share=settings.DISK_CRITICAL_SHARE,
        pool_low=settings.POOL_LOW_PLAYABLE,
        dominant_share=settings.POOL_DOMINANT_SHARE,
        overdue_s=settings.TOMBSTONE_OVERDUE_SECONDS,
        skew_s=settings.CLOCK_SKEW_SECONDS,
        audit_old_s=LATE * settings.AUDIT_INTERVAL_HOURS * 3600,
        backup_old_s=LATE * settings.BACKUP_INTERVAL_HOURS * 3600,
        ledger_behind_s=settings.LEDGER_BEHIND_SECONDS,
        devices=device_figures(settings),
        page_version=asset_version(),
    )


def snapshot_figures(settings: Settings, colours: ColorCatalog) -> SnapshotFigures:
    """What a look at the node counts."""
    return SnapshotFigures(
        lanes=lane_figures(settings),
        colours=tuple(colour.code for colour in colours.colours),
        failure_recent_s=settings.JOB_FAILURE_RECENT_SECONDS,
        soon_h=settings.RETENTION_SOON_HOURS,
        warnings=warning_figures(settings),
    )


def job_figures(settings: Settings) -> JobFigures:
    """Of attempts."""
    return JobFigures(attempts_most=settings.JOB_ATTEMPTS)


def expire_every_s(settings: Settings) -> int:
    """Often enough that an unheard one-time take is gone by the minute its manifest names."""
    left_s = (settings.ONCE_SWEEP_MINUTES - settings.ONCE_FETCH_MINUTES) * 60 - settings.SWEEP_INTERVAL_SECONDS
    return max(1, min(settings.EXPIRE_INTERVAL_SECONDS, int(left_s)))


def intake_figures(settings: Settings, colours: ColorCatalog) -> IntakeFigures:
    """Bounds of intake."""
    return IntakeFigures(
        max_duration_s=settings.TAKE_MAX_SECONDS,
        max_rate_hz=settings.TAKE_MAX_RATE_HZ,
        reservation_s=settings.RESERVATION_SECONDS,
        idempotency_h=settings.KEEP_IDEMPOTENCY_HOURS,
        notices=notices().known,
        effects=frozenset(colour.code for colour in colours.colours),
        deployment=settings.ENGINE_DEPLOYMENT,
        hold=settings.HOLD_NEW_TAKES,
    )


def clock_figures(settings: Settings) -> ClockFigures:
    """When the clock is in doubt, and what it may not prolong."""
    return ClockFigures(
        doubt_days=settings.CLOCK_DOUBT_DAYS,
        reservation_s=settings.RESERVATION_SECONDS,
        session_h=settings.OPS_SESSION_HOURS,
    )


def reserve_of(settings: Settings, disk: Disk) -> Reserve:
    """What is kept free of the disk of the data folder; the embedded engine's store lies on it, too."""
    return Reserve(
        disk,
        least_bytes=int(settings.DISK_RESERVE_GB * 1e9),
        share=settings.DISK_RESERVE_SHARE,
        copies=1 if settings.DATABASE_URL else 2,
    )


def access_figures(settings: Settings) -> AccessFigures:
    """Of stewards' sessions."""
    return AccessFigures(
        session_hours=settings.OPS_SESSION_HOURS,
        binding=Binding(settings.OPS_SESSION_BINDING),
        networks=networks(settings.OPS_ALLOWED_NETWORKS),
    )


def control_limits(settings: Settings) -> ControlLimits:
    """What stewards may set."""
    return ControlLimits(languages=notices().languages, longest_recording_s=min(300, int(settings.TAKE_MAX_SECONDS)))


def archive_figures(settings: Settings, deployment: Deployment) -> ArchiveFigures:
    """What a steward's view of the archive is worked out with."""
    return ArchiveFigures(
        deployment=deployment,
        deployments=load("deployments", DeploymentCatalog),
        lanes=pool_figures(settings).lanes,
        soon_hours=settings.RETENTION_SOON_HOURS,
        counted_most=EXACT_COUNT_MOST,
    )


def retention_policy(settings: Settings) -> RetentionPolicy:
    """What a promise made today grants."""
    return RetentionPolicy(
        raw_room_hours=settings.RAW_TTL_HOURS_ROOM,
        raw_fossil_hours=settings.RAW_TTL_HOURS_FOSSIL,
        derivative_fossil_days=settings.DERIVATIVE_TTL_DAYS_FOSSIL,
        once_fetch_minutes=settings.ONCE_FETCH_MINUTES,
        once_sweep_minutes=settings.ONCE_SWEEP_MINUTES,
        backup_days=settings.BACKUP_DAYS,
    )


def retention_figures(settings: Settings) -> RetentionFigures:
    """Pacing of deletion and pruning."""
    return RetentionFigures(
        claim_s=CLAIM_S,
        retry_first_s=RETRY_FIRST_S,
        retry_longest_s=RETRY_LONGEST_S,
        idempotency_h=settings.KEEP_IDEMPOTENCY_HOURS,
        access_event_days=settings.KEEP_ACCESS_EVENTS_DAYS,
        husk_days=settings.KEEP_HUSKS_DAYS,
        job_run_days=settings.KEEP_JOB_RUNS_DAYS,
        trail_days=settings.KEEP_TRAIL_DAYS,
        sample_days=settings.KEEP_SAMPLES_DAYS,
        report_days=settings.KEEP_REPORTS_DAYS,
        device_h=settings.DEVICE_FORGET_HOURS,
    )


def lane_figures(settings: Settings) -> LaneFigures:
    """Thresholds of lane, density and mood."""
    return LaneFigures(
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


def pool_figures(settings: Settings) -> PoolFigures:
    """Thresholds and weights of the pool."""
    lanes = lane_figures(settings)
    return PoolFigures(lanes=lanes, cooldown_s=settings.POOL_COOLDOWN_SECONDS, catalog=load("pool", PoolCatalog))


def room_tables(settings: Settings) -> RoomTables:
    """What the room is composed by: the catalog, and what this installation has chosen."""
    quiet = QuietHours(
        start_hour=settings.ROOM_QUIET_HOURS_START,
        end_hour=settings.ROOM_QUIET_HOURS_END,
        figures=QuieterFigures(
            gap=settings.ROOM_QUIET_HOURS_GAP,
            tone=settings.ROOM_QUIET_HOURS_TONE,
            output=settings.ROOM_QUIET_HOURS_OUTPUT,
        ),
    )
    choices = RoomChoices(
        zone=ZoneInfo(settings.TIME_ZONE) if settings.TIME_ZONE else None,
        intensity=None if settings.ROOM_INTENSITY == BY_DAYPART else Intensity(settings.ROOM_INTENSITY),
        preset=None if settings.ROOM_MOVEMENT_PRESET == BY_DAYPART else Preset(settings.ROOM_MOVEMENT_PRESET),
        quiet_hours=quiet if settings.ROOM_QUIET_HOURS else None,
        overlap=Overlap(
            chance=settings.ROOM_OVERLAP_CHANCE,
            from_playable=settings.ROOM_OVERLAP_MIN_PLAYABLE,
            layers=settings.ROOM_OVERLAP_LAYERS,
            delay_ms=(settings.ROOM_OVERLAP_MIN_DELAY_MS, settings.ROOM_OVERLAP_MAX_DELAY_MS),
            gain=settings.ROOM_OVERLAP_GAIN,
        ),
        scarce_low=settings.ROOM_SCARCITY_LOW,
        scarce_severe=settings.ROOM_SCARCITY_SEVERE,
        follows_occupancy=settings.ROOM_FOLLOWS_OCCUPANCY,
    )
    return RoomTables(catalog=load("room", RoomCatalog), choices=choices)


def level_figures() -> LevelFigures:
    """The one level every voice is played at; the browser is handed the same section of the catalog."""
    level = plain("audio")["level"]
    return LevelFigures(**{name: level[name] for name in ("target_lufs", "ceiling_dbtp", "lift_most_db")})


def slices(settings: Settings) -> SliceFigures:
    """How long takes are sliced."""
    return SliceFigures(
        longest_ms=int(settings.POOL_SLICE_SECONDS * 1000),
        revolution_s=settings.POOL_SLICE_REVOLUTION_SECONDS,
        step_ms=settings.POOL_SLICE_STEP_MS,
    )
