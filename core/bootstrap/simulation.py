"""A simulation by the settings of a node: what would be heard if this were the installation."""

from dataclasses import dataclass
from datetime import date, datetime, time

from core.adapters.catalogs import load
from core.audio.essence import DerivativeCatalog
from core.bootstrap.figures import pool_figures, room_tables, slices
from core.domain.deployment import DeploymentCatalog, find_deployment
from core.domain.pool.facts import Mood
from core.domain.room.posture import Posture
from core.errors import Misconfigured
from core.services.simulate import Simulation
from core.services.simulated import Arrivals, Headcount, Plan
from core.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """What is simulated beside the settings: the days, their hours by the site's clock, and who comes."""

    start: date
    days: int
    seed: int
    arrivals_per_day: float
    fossils: float
    held: int
    opens_hour: int
    closes_hour: int
    quieter: bool
    mood: Mood | None
    headcount: Headcount | None = None


def simulation_of(settings: Settings) -> Simulation:
    """A simulation by these settings. Raises `Misconfigured` for a deployment there is not."""
    try:
        deployment = find_deployment(settings.ENGINE_DEPLOYMENT, load("deployments", DeploymentCatalog))
    except ValueError as error:
        raise Misconfigured([f"ENGINE_DEPLOYMENT: {error}"]) from error
    return Simulation(
        tables=room_tables(settings),
        deployment=deployment,
        figures=pool_figures(settings),
        slices=slices(settings),
        wear_per_play=settings.WEAR_EPSILON_PER_PLAY,
        residue_ms=int(load("derivatives", DerivativeCatalog).essence.duration_s * 1000),
    )


def plan_of(settings: Settings, visit: Visit) -> Plan:
    """The plan of a visit under these settings: promises are theirs, and the site's clock."""
    zone = room_tables(settings).choices.zone
    opens = datetime.combine(visit.start, time(visit.opens_hour))
    return Plan(
        start=opens.astimezone() if zone is None else opens.replace(tzinfo=zone),
        days=visit.days,
        seed=visit.seed,
        arrivals=Arrivals(
            per_day=visit.arrivals_per_day,
            longest_s=settings.KIOSK_MAX_RECORDING_SECONDS,
            fossils=visit.fossils,
            room_hours=settings.RAW_TTL_HOURS_ROOM,
            fossil_raw_hours=settings.RAW_TTL_HOURS_FOSSIL,
            fossil_hours=settings.DERIVATIVE_TTL_DAYS_FOSSIL * 24,
        ),
        opens_hour=visit.opens_hour,
        closes_hour=visit.closes_hour,
        held=visit.held,
        posture=Posture(plays=True, quieter=visit.quieter, mood=visit.mood),
        headcount=visit.headcount,
    )
