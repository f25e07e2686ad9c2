"""How fast and how softly a room sounds at one moment: multipliers by name, and the budget of silence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.deployment import Deployment
from core.domain.room.attendance import paced
from core.domain.room.posture import Posture
from core.domain.room.rows import Intensity, Preset, Scarcity, ScarcityRow
from core.domain.room.schedule import daypart_at, in_quiet_hours
from core.domain.room.state import Span
from core.domain.room.tables import RoomTables

MOST_SILENCE = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Tempo:
    """What holds now, whatever is chosen. `quiet`: a steward, or the hour, has asked for quiet."""

    daypart: str
    intensity: Intensity
    preset: Preset
    quiet: bool
    quiet_hours: bool
    cue_gap: float
    pause_gap: float
    tone: float
    output: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """Multipliers of everything that sounds, and of the room tone; `quiet`: a steward, or the hour, asks for it."""

    output: float
    tone: float
    quiet: bool


def tempo(posture: Posture, now: datetime, tables: RoomTables, deployment: Deployment) -> Tempo:
    """The tempo by the posture, the site's hour, who is there, the installation's choices and the deployment."""
    catalog, choices = tables.catalog, tables.choices
    part = daypart_at(now, choices.zone, catalog.dayparts)
    intensity = choices.intensity or part.intensity
    preset = choices.preset or part.preset
    hushed = in_quiet_hours(now, choices.zone, choices.quiet_hours)
    asked = [catalog.quieter] if posture.quieter else []
    if hushed and choices.quiet_hours is not None:
        asked.append(choices.quiet_hours.figures)
    intensity, people_gap = paced(intensity, posture, catalog.occupancy, quiet=bool(asked))
    row = catalog.intensities[intensity]
    gap = catalog.presets[preset].gap * math.prod(figures.gap for figures in asked) * people_gap
    return Tempo(
        daypart=part.name,
        intensity=intensity,
        preset=preset,
        quiet=bool(asked),
        quiet_hours=hushed,
        cue_gap=row.cue_gap * gap * deployment.row.cue_gap,
        pause_gap=row.pause_gap * gap * deployment.row.pause_gap,
        tone=row.tone * deployment.row.room_tone * math.prod(figures.tone for figures in asked),
        output=math.prod(figures.output for figures in asked),
    )


def levels(now_tempo: Tempo) -> Levels:
    """How loud the room is right now; a change is heard at once, not with the next cue."""
    return Levels(output=now_tempo.output, tone=now_tempo.tone, quiet=now_tempo.quiet)


def scarcity_of(playable: int, tables: RoomTables) -> Scarcity:
    """Whether so many playable takes are enough."""
    if playable <= tables.choices.scarce_severe:
        return Scarcity.SEVERE
    return Scarcity.LOW if playable <= tables.choices.scarce_low else Scarcity.NORMAL


def depth_gap(playable: int, tables: RoomTables) -> float:
    """The multiplier of gaps by how much there is to hear."""
    return next(row.gap for row in tables.catalog.depth if playable >= row.from_playable)


def silence_most(intensity: Intensity, scarce: ScarcityRow, tables: RoomTables) -> float:
    """The share of silence that a room may have, 0 to 1."""
    return min(MOST_SILENCE, tables.catalog.intensities[intensity].silence_most * scarce.silence)


def within_budget(gap_ms: float, voiced_ms: int, spans: Sequence[Span], budget: float, shortest_ms: int) -> int:
    """`gap_ms`, or as much of it as keeps silence within its share of the window once the next voice has sounded.

    With V of voice and S of silence in the window, a gap g before a voice of v keeps (S + g) / (S + g + V + v) <= b as
    long as g <= b (V + v) / (1 - b) - S; whole milliseconds, rounded down, so that it does. Never under `shortest_ms`,
    even where the budget is already spent.
    """
    voiced = voiced_ms + sum(span.voiced_ms for span in spans)
    silent = sum(span.silent_ms for span in spans)
    left = budget * voiced / (1.0 - budget) - silent
    return math.floor(max(min(gap_ms, left), min(gap_ms, shortest_ms)))
