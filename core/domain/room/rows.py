"""The rows that the tables of `assets/catalogs/room.toml` are made of. Times in milliseconds."""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.pool.facts import Density, Lane, Mood

Range = tuple[int, int]
"""(least, most), both included."""


class Intensity(StrEnum):
    """How dense a room sounds."""

    QUIET = "quiet"
    BALANCED = "balanced"
    ACTIVE = "active"


class Preset(StrEnum):
    """How long movements dwell."""

    MEDITATIVE = "meditative"
    BALANCED = "balanced"
    ACTIVE = "active"


class Scarcity(StrEnum):
    """Whether there is enough to hear."""

    NORMAL = "normal"
    LOW = "low"
    SEVERE = "severe"


class Step(StrEnum):
    """The density a follow-on wishes for, beside the voice it follows."""

    ANY = "any"
    LIGHTER = "lighter"
    LIGHT = "light"


@dataclass(frozen=True, kw_only=True, slots=True)
class GapFigures:
    """Silence between voices before any multiplier; `featured` multiplies the gap before a returning voice."""

    cue_ms: Range
    pause_ms: Range
    shortest_ms: int
    featured: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """How far back a room remembers; `most_of_pool` bounds the anti-repetition window in a small pool."""

    densities: int
    topics: int
    scenes: int
    moods: int
    silence: int
    most_of_pool: float


@dataclass(frozen=True, kw_only=True, slots=True)
class IntensityRow:
    """Multipliers, and the budget of silence: its share among voices and silence together."""

    cue_gap: float
    pause_gap: float
    tone: float
    silence_most: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PresetRow:
    """A multiplier of gaps, and what is added to the fewest and the most voices of a movement."""

    gap: float
    items: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Daypart:
    """Hours of the site's clock, both included; they may run past midnight."""

    name: str
    hours: tuple[int, int]
    intensity: Intensity
    preset: Preset


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """One of the parts a room goes through, over and over."""

    name: str
    items: tuple[int, int]
    gap: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneCue:
    """What one voice of a scene should be; None asks nothing. `pause`: a held pause comes before it."""

    lane: Lane | None = None
    density: Density | None = None
    mood: Mood | None = None
    pause: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it asks for nothing, so that every take can have it."""
        return (self.lane, self.density, self.mood) == (None, None, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A row of cues, for the movements it suits."""

    name: str
    movements: tuple[str, ...]
    cues: tuple[SceneCue, ...]

    def __post_init__(self) -> None:
        if not any(cue.is_open for cue in self.cues):
            raise ValueError(f"the scene {self.name!r} has no cue that asks for nothing")


@dataclass(frozen=True, kw_only=True, slots=True)
class ScarcityRow:
    """Multipliers where there is little to hear; `silence` of the budget of silence."""

    gap: float
    pause: float
    tone: float
    silence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthRow:
    """The multiplier of gaps from so many playable takes on."""

    from_playable: int
    gap: float


@dataclass(frozen=True, kw_only=True, slots=True)
class QuieterFigures:
    """Multipliers while a steward has asked for quiet, or in quiet hours."""

    gap: float
    tone: float
    output: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OccupancyRow:
    """Steps of intensity, down or up, and a multiplier of gaps."""

    step: int
    gap: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OccupancyFigures:
    """What people who are there, or not, make of a room that goes by them.

    A room counts as empty once nobody was there for `empty_after_s`; then it rests, for at most `rest_most_s`.
    """

    empty_after_s: float
    rest_most_s: float
    crowd_from: int
    nobody: OccupancyRow
    crowd: OccupancyRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Crossfade:
    """How long two movements overlap, and at most which share of a voice."""

    ms: int
    most_of_voice: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DensityCounter:
    """What is wished for instead of a density that stood `often` times in its window."""

    often: int
    instead: dict[Density, Density]


@dataclass(frozen=True, kw_only=True, slots=True)
class MoodCounter:
    """What is wished for instead of a mood that stood `often` times in its window."""

    often: int
    instead: dict[Mood, Mood]


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterbalance:
    """What answers a density or a mood that stood too often."""

    density: DensityCounter
    mood: MoodCounter


@dataclass(frozen=True, kw_only=True, slots=True)
class LeanFigures:
    """How a room leans to the mood a steward set: once it stood `mood_often` times lately, only with `mood_chance`."""

    mood_often: int
    mood_chance: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OverlapFigures:
    """`in_quiet` multiplies the chance of overlap in quieter mode and quiet hours."""

    in_quiet: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Companion:
    """A voice of the same topic that may sound with the first; `from_length` counts the thread, this voice included."""

    chance: float
    from_playable: int
    from_length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowStep:
    """One step of a follow-on: how soon it comes, what it wishes for, and the multiplier of the gap after it."""

    delay_ms: Range
    gap: float
    density: Step


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowOn:
    """More of a topic, soon after; `steps` by the length of the thread, the last for every longer one."""

    chance: float
    from_playable: int
    steps: tuple[FollowStep, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a follow-on needs at least one step")

    def step(self, length: int) -> FollowStep:
        """The step for a thread of `length` voices."""
        return self.steps[min(max(length, 1), len(self.steps)) - 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadFigures:
    """What a thread makes the room do; `echo_after` counts cues until a chorus's topic comes once more."""

    companions: tuple[Companion, ...]
    echo_after: Range | None = None
    follow_on: FollowOn | None = None
