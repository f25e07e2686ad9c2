"""Composing the room in two pure steps.

    plan(state, posture, rng)                 -> a wish for the pool, or a rest; and the next state
    arrange(state, choice, playing, now, rng) -> the program of one cue; and the next state

Services drive both over the pool; pages, simulation and tests differ in pool, clock and `rng` only.
"""

import random
from dataclasses import dataclass, replace

from core.domain.deployment import Deployment
from core.domain.pool.choose import Choice
from core.domain.pool.facts import Density, Lane, Mood, Wish, tidy

RECENT_DENSITIES = 4
RECENT_TOPICS = 4
RECENT_MOODS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class GapFigures:
    """Silence between voices: a range for a cue, a longer one for every `pause_every`th."""

    cue_ms: tuple[int, int]
    pause_ms: tuple[int, int]
    pause_every: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QuieterFigures:
    """Multipliers while a steward has asked for quiet."""

    gap: float
    tone: float
    output: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LeanFigures:
    """How a room leans to the mood a steward set: once it stood `mood_often` times lately, only with `mood_chance`."""

    mood_often: int
    mood_chance: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomFigures:
    """`assets/catalogs/room.toml`."""

    lanes: tuple[str, ...]
    rest_when_empty_ms: int
    longest_program_age_ms: int
    strata: int
    strata_hours: float
    gap: GapFigures
    quieter: QuieterFigures
    lean: LeanFigures


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomState:
    """What one listening page remembers between cues; `recent_ids` newest first."""

    seq: int = 0
    cues: int = 0
    recent_ids: tuple[int, ...] = ()
    recent_densities: tuple[Density, ...] = ()
    recent_topics: tuple[str, ...] = ()
    recent_moods: tuple[Mood, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """The live state that shapes playing: whether the room sounds at all, how softly, and what it leans to."""

    plays: bool
    quieter: bool
    mood: Mood | None = None
    topic: str = ""
    status: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """Nothing to play; look again after this long."""

    rest_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """One program's number, and the gap before it on the audio clock."""

    seq: int
    gap_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """Multipliers of everything that sounds, and of the room tone."""

    output: float
    tone: float


def plan(
    state: RoomState, posture: Posture, rng: random.Random, figures: RoomFigures, deployment: Deployment
) -> tuple[Wish | Rest, RoomState]:
    """What to ask the pool for next."""
    if not posture.plays:
        return Rest(rest_ms=figures.rest_when_empty_ms), state
    name = figures.lanes[state.cues % len(figures.lanes)]
    wish = Wish(
        lane=Lane(name) if name in tuple(Lane) else None,
        mood=posture.mood if _leans(state, posture, rng, figures.lean) else None,
        preferred_topic=tidy(posture.topic),
        preferred_status=tidy(posture.status),
        exclude_ids=state.recent_ids[: deployment.row.anti_repetition_window],
        recent_densities=state.recent_densities,
        recent_topics=state.recent_topics,
    )
    return wish, state


def arrange(
    state: RoomState,
    choice: Choice,
    posture: Posture,
    rng: random.Random,
    figures: RoomFigures,
    deployment: Deployment,
) -> tuple[Cue, RoomState]:
    """When the chosen take plays, and what the page remembers of it."""
    held = state.cues % figures.gap.pause_every == figures.gap.pause_every - 1
    shortest, longest = figures.gap.pause_ms if held else figures.gap.cue_ms
    pace = deployment.row.pause_gap if held else deployment.row.cue_gap
    gap_ms = rng.uniform(shortest, longest) * pace * (figures.quieter.gap if posture.quieter else 1.0)
    cue = Cue(seq=state.seq + 1, gap_ms=round(gap_ms))
    topic = tidy(choice.facts.topic)
    topics = (topic, *state.recent_topics) if topic else state.recent_topics
    return cue, replace(
        state,
        seq=cue.seq,
        cues=state.cues + 1,
        recent_ids=_newest(choice.facts.artifact_id, state.recent_ids, deployment.row.anti_repetition_window),
        recent_densities=(choice.density, *state.recent_densities)[:RECENT_DENSITIES],
        recent_topics=topics[:RECENT_TOPICS],
        recent_moods=(choice.mood, *state.recent_moods)[:RECENT_MOODS],
    )


def _leans(state: RoomState, posture: Posture, rng: random.Random, figures: LeanFigures) -> bool:
    """Whether the steward's mood is wished for now: what stood often lately need not stand again."""
    often = sum(mood is posture.mood for mood in state.recent_moods) >= figures.mood_often
    return not often or rng.random() < figures.mood_chance


def levels(quieter: bool, figures: RoomFigures, deployment: Deployment) -> Levels:
    """How loud the room is right now; a change is heard at once, not with the next cue."""
    if not quieter:
        return Levels(output=1.0, tone=deployment.row.room_tone)
    return Levels(output=figures.quieter.output, tone=deployment.row.room_tone * figures.quieter.tone)


def resumed(state: RoomState, recent_ids: list[int], most: int) -> RoomState:
    """A state that also avoids what the browser says it played before; its word only ever narrows."""
    known = (*state.recent_ids, *(number for number in recent_ids if number not in state.recent_ids))
    return replace(state, recent_ids=known[:most])


def _newest(artifact_id: int, known: tuple[int, ...], most: int) -> tuple[int, ...]:
    return (artifact_id, *(number for number in known if number != artifact_id))[:most]
