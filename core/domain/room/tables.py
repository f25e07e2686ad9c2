"""The tables of `assets/catalogs/room.toml`, and what an installation has chosen among them. Times in milliseconds."""

from dataclasses import dataclass
from datetime import tzinfo

from core.domain.deployment import ThreadSignal
from core.domain.pool.facts import Density, Mood
from core.domain.room.rows import (
    Counterbalance,
    Crossfade,
    Daypart,
    DepthRow,
    GapFigures,
    Intensity,
    IntensityRow,
    LeanFigures,
    Movement,
    OccupancyFigures,
    OverlapFigures,
    Preset,
    PresetRow,
    QuieterFigures,
    Range,
    Scarcity,
    ScarcityRow,
    Scene,
    ThreadFigures,
    Windows,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomCatalog:
    """`assets/catalogs/room.toml`. `wish_chance` is how often what a cue asks for is asked of the pool."""

    wish_chance: float
    rest_when_empty_ms: int
    longest_program_age_ms: int
    strata: int
    strata_hours: float
    gap: GapFigures
    windows: Windows
    intensities: dict[Intensity, IntensityRow]
    presets: dict[Preset, PresetRow]
    dayparts: tuple[Daypart, ...]
    movements: tuple[Movement, ...]
    crossfade: Crossfade
    scenes: tuple[Scene, ...]
    scarcity: dict[Scarcity, ScarcityRow]
    depth: tuple[DepthRow, ...]
    quieter: QuieterFigures
    occupancy: OccupancyFigures
    counterbalance: Counterbalance
    lean: LeanFigures
    overlap: OverlapFigures
    threads: dict[ThreadSignal, ThreadFigures]

    def __post_init__(self) -> None:
        _require(self)

    def scenes_of(self, movement: str) -> tuple[Scene, ...]:
        """The scenes that suit a movement."""
        return tuple(scene for scene in self.scenes if movement in scene.movements)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """Hours of the site's clock, the first included and the last not, and their multipliers."""

    start_hour: int
    end_hour: int
    figures: QuieterFigures


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """Voices that sound together: how likely, from how many playable takes, how many at most, how late and how loud."""

    chance: float
    from_playable: int
    layers: int
    delay_ms: Range
    gain: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomChoices:
    """What the settings of an installation say. An intensity or preset of None goes by the hour of the day."""

    zone: tzinfo | None
    intensity: Intensity | None
    preset: Preset | None
    quiet_hours: QuietHours | None
    overlap: Overlap
    scarce_low: int
    scarce_severe: int
    follows_occupancy: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomTables:
    """All that composing goes by, but the deployment."""

    catalog: RoomCatalog
    choices: RoomChoices


def _require(catalog: RoomCatalog) -> None:
    """ValueError for a table with a hole that would only show in the middle of the night."""
    _require_scenes(catalog)
    _require_rows(catalog)
    hours = [hour for part in catalog.dayparts for hour in hours_of(part.hours)]
    if sorted(hours) != list(range(24)):
        raise ValueError("the dayparts must cover every hour of the day once")
    if any(least > most for least, most in _ranges(catalog)):
        raise ValueError("of every range the least comes before the most")
    counts = [row.from_playable for row in catalog.depth]
    if counts != sorted(counts, reverse=True) or counts[-1:] != [0]:
        raise ValueError("depth must go down to 0")


def _require_scenes(catalog: RoomCatalog) -> None:
    names = [movement.name for movement in catalog.movements]
    unknown = sorted({name for scene in catalog.scenes for name in scene.movements} - set(names))
    if unknown:
        raise ValueError(f"scenes for unknown movements: {', '.join(unknown)}")
    few = [name for name in names if len(catalog.scenes_of(name)) <= catalog.windows.scenes]
    if few:
        raise ValueError(f"a movement needs more scenes than the window remembers: {', '.join(few)}")


def _require_rows(catalog: RoomCatalog) -> None:
    """Every table that is read by a name has a row for every name there is."""
    instead = catalog.counterbalance
    threads = [signal for signal in ThreadSignal if signal]
    for kind, table, what in (
        (Intensity, catalog.intensities, "no row for"),
        (Preset, catalog.presets, "no row for"),
        (Scarcity, catalog.scarcity, "no row for"),
        (Density, instead.density.instead, "nothing instead of"),
        (Mood, instead.mood.instead, "nothing instead of"),
        (threads, catalog.threads, "no thread for"),
    ):
        missing = [name.value for name in kind if name not in table]
        if missing:
            raise ValueError(f"{what} {', '.join(missing)}")


def _ranges(catalog: RoomCatalog) -> list[Range]:
    threads = catalog.threads.values()
    return [
        catalog.gap.cue_ms,
        catalog.gap.pause_ms,
        *(thread.echo_after for thread in threads if thread.echo_after),
        *(step.delay_ms for thread in threads if thread.follow_on for step in thread.follow_on.steps),
    ]


def hours_of(span: tuple[int, int]) -> tuple[int, ...]:
    """The hours of a daypart, both ends included, past midnight where the end lies before the start."""
    first, last = span
    return tuple((first + step) % 24 for step in range((last - first) % 24 + 1))
