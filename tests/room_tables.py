"""The room's tables, and a pool in memory, for the tests of the composer. The settings' figures stand here at their
defaults, but for the zone: it is UTC, so that a test's hour is the site's."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.adapters.catalogs import load
from core.domain.deployment import Deployment
from core.domain.pool.asked import Asked
from core.domain.pool.choose import Choice, describe
from core.domain.pool.drawing import SCAN_MOST, draw_from
from core.domain.pool.facts import Density, PoolFacts, Wish
from core.domain.pool.looked import Looked, Recording
from core.domain.room.posture import Posture
from core.domain.room.program import Composed, compose
from core.domain.room.rows import Intensity, Preset, QuieterFigures
from core.domain.room.state import RoomState
from core.domain.room.tables import Overlap, QuietHours, RoomCatalog, RoomChoices, RoomTables
from core.domain.room.voices import Voice
from tests.pool_takes import BASE, FIGURES, MEMORY, NOW, Cells, take

CATALOG = replace(load("room", RoomCatalog), wish_chance=1.0)
"""Here scenes are always asked for what they wish: the chance of it is a law of its own."""
QUIET_FIGURES = QuieterFigures(gap=1.2, tone=0.78, output=0.72)
CHOICES = RoomChoices(
    zone=UTC,
    intensity=None,
    preset=None,
    quiet_hours=None,
    overlap=Overlap(chance=0.1, from_playable=6, layers=2, delay_ms=(180, 520), gain=0.68),
    scarce_low=6,
    scarce_severe=3,
)
TABLES = RoomTables(catalog=CATALOG, choices=CHOICES)
PLAYING = Posture(plays=True, quieter=False)
QUIETER = Posture(plays=True, quieter=True)
PAUSED = Posture(plays=False, quieter=False)


def with_choices(**changes: object) -> RoomTables:
    """The tables of an installation that has chosen otherwise; what belongs to overlaps goes there by its own name."""
    overlap = {name: changes.pop(name) for name in tuple(changes) if name in Overlap.__dataclass_fields__}
    choices = replace(CHOICES, overlap=replace(CHOICES.overlap, **overlap), **changes)  # type: ignore[arg-type]
    return replace(TABLES, choices=choices)


BALANCED = with_choices(intensity=Intensity.BALANCED, preset=Preset.BALANCED)
"""The same at every hour, and with every multiplier of intensity and preset 1."""


def quiet_hours(start_hour: int, end_hour: int) -> QuietHours:
    """Quiet hours with the settings' figures."""
    return QuietHours(start_hour=start_hour, end_hour=end_hour, figures=QUIET_FIGURES)


def chosen(
    facts: PoolFacts = BASE, *, pool_size: int = 40, active: Deployment = MEMORY, featured: bool = False
) -> Choice:
    """The choice of one take out of so many; never a featured return unless it is said."""
    asked = Asked(Wish(), NOW, FIGURES, active, prefers=False)
    return replace(describe(facts, asked, gave_way=(), pool_size=pool_size), featured_return=featured)


def voice(sounds_ms: int = 10_000, **about: object) -> Voice:
    """One voice; see `chosen`."""
    return Voice(choice=chosen(**about), sounds_ms=sounds_ms)  # type: ignore[arg-type]


LENGTH_MS = {Density.LIGHT: 4_000, Density.MEDIUM: 10_000, Density.DENSE: 20_000}


def voices_of(density: Density, count: int, **facts: object) -> list[PoolFacts]:
    """Takes of one density, numbered from 1, that were heard a day ago and so never return from long absence."""
    about = {"unheard_hours": 24, "duration_ms": LENGTH_MS[density], **facts}
    return [take(artifact_id=number, **about) for number in range(1, count + 1)]  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What the pool below gives."""

    choice: Choice
    sounds_ms: int
    looked: Looked


@dataclass(kw_only=True)
class Pool:
    """A pool in memory; `wishes` is everything it was asked for."""

    takes: Sequence[PoolFacts]
    active: Deployment = MEMORY
    now: datetime = NOW
    scan_most: int = SCAN_MOST
    seed: int = 1
    wishes: list[Wish] = field(default_factory=list)

    def draw(self, wish: Wish, rng: random.Random) -> Drawn | None:
        """See `core.domain.room.program.Draw`; a take sounds for as long as it lasts."""
        self.wishes.append(wish)
        rows = Recording(Cells(self.takes, self.seed))
        given = {"figures": FIGURES, "deployment": self.active, "scan_most": self.scan_most}
        choice = draw_from(rows, wish, self.now, rng, **given)  # type: ignore[arg-type]
        if choice is None:
            return None
        return Drawn(choice=choice, sounds_ms=choice.facts.duration_ms, looked=rows.looked())


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One program of a walk, and the page's state on either side of it."""

    before: RoomState
    composed: Composed[Drawn]
    after: RoomState


def walk(
    pool: Pool,
    count: int,
    *,
    seed: int = 1,
    state: RoomState | None = None,
    posture: Posture | Iterable[Posture] = PLAYING,
    tables: RoomTables = TABLES,
) -> list[Step]:
    """`count` programs of one page, one after the other, at one moment; one posture for all, or one for each."""
    rng, at, steps = random.Random(seed), state or RoomState(), []
    postures = iter([posture] * count if isinstance(posture, Posture) else posture)
    for _ in range(count):
        composed, after = compose(at, next(postures), pool.now, rng, pool.draw, tables, pool.active)
        steps.append(Step(before=at, composed=composed, after=after))
        at = after
    return steps


def lies_within(count: int, draws: int, chance: float) -> bool:
    """Whether so many of so many are within five standard deviations of what the chance says."""
    return abs(count - draws * chance) <= 5 * math.sqrt(draws * chance * (1 - chance))
