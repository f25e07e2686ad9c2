"""One program, from the state before it to the voices in it; and the same once more, from what was noted."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from core.domain.deployment import Deployment
from core.domain.pool.choose import Choice
from core.domain.pool.drawing import draw_from
from core.domain.pool.facts import Wish
from core.domain.pool.looked import Looked, Replaying
from core.domain.pool.weights import PoolFigures
from core.domain.room.compose import Cue, LayerWish, Planned, Rest, arrange, layers, plan
from core.domain.room.posture import Posture
from core.domain.room.state import RoomState
from core.domain.room.tables import RoomTables
from core.domain.room.voices import Voice

SEED_BITS = 63
"""Wide enough that no two programs share a seed, narrow enough for every reader that has 64-bit integers."""


class Drawn(Protocol):
    """What a pool gives for a wish."""

    @property
    def choice(self) -> Choice:
        """The take, and why it."""

    @property
    def sounds_ms(self) -> int:
        """How long it will sound: of a long take the slice, of a fossil's residue the residue."""

    @property
    def looked(self) -> Looked:
        """What was looked at for it."""


D = TypeVar("D", bound=Drawn)
Draw = Callable[[Wish, random.Random], D | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One draw as it was: what was looked at, and how long what was found would sound; None where nothing was found."""

    looked: Looked | None
    sounds_ms: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed(Generic[D]):
    """A program, or a rest (`cue` is None). `wished` are the layers that were asked for, `voices` those that are there,
    the first voice first; `looks` is every draw, in order."""

    rest_ms: int = 0
    planned: Planned | None = None
    cue: Cue | None = None
    voices: tuple[Voice, ...] = ()
    drawn: tuple[D, ...] = ()
    wished: tuple[LayerWish, ...] = ()
    looks: tuple[Look, ...] = ()


def compose(
    state: RoomState,
    posture: Posture,
    now: datetime,
    rng: random.Random,
    draw: Draw[D],
    tables: RoomTables,
    deployment: Deployment,
) -> tuple[Composed[D], RoomState]:
    """The next program of a page in this state. Everything left to chance, the pool's draw included, is `rng`'s."""
    # A rest leaves a page where it was, but for the fade of a voice that is over by then.
    rested = replace(state, seq=state.seq + 1, fade_ms=0)
    planned, state = plan(state, posture, now, rng, tables, deployment)
    if isinstance(planned, Rest):
        return Composed(rest_ms=planned.rest_ms), rested
    looks: list[Look] = []
    first = _drawn(draw, planned.wish, rng, looks)
    if first is None:
        rest_ms = tables.catalog.rest_when_empty_ms
        rest: Composed[D] = Composed(rest_ms=rest_ms, planned=planned, looks=tuple(looks))
        return rest, replace(rested, pool_size=0)
    wished = layers(state, planned, first.choice, rng, tables, deployment)
    joined = _joined(draw, wished, rng, looks)
    voices = (Voice(choice=first.choice, sounds_ms=first.sounds_ms), *(voice for voice, _ in joined))
    cue, state = arrange(state, planned, voices, rng, tables, deployment)
    composed = Composed(
        planned=planned,
        cue=cue,
        voices=voices,
        drawn=(first, *(found for _, found in joined)),
        wished=wished,
        looks=tuple(looks),
    )
    return composed, state


def _joined(
    draw: Draw[D], wished: tuple[LayerWish, ...], rng: random.Random, looks: list[Look]
) -> list[tuple[Voice, D]]:
    """The layers that can be had: a wish that widened too far is no layer, and no voice sounds twice at once."""
    joined: list[tuple[Voice, D]] = []
    for wish in wished:
        asked = wish
        for voice, _ in joined:
            asked = asked.beside(voice.choice.facts.artifact_id)
        found = _drawn(draw, asked.wish, rng, looks)
        if found is not None and asked.fits(found.choice):
            joined.append((Voice(choice=found.choice, sounds_ms=found.sounds_ms, kind=wish.kind), found))
    return joined


def _drawn(draw: Draw[D], wish: Wish, rng: random.Random, looks: list[Look]) -> D | None:
    # Each draw has a chance of its own: one that comes to nothing, because its take has just ended, bends no other.
    found = draw(wish, random.Random(rng.getrandbits(SEED_BITS)))  # noqa: S311 -- to be repeated, not to be secret
    looks.append(Look(looked=found.looked, sounds_ms=found.sounds_ms) if found is not None else Look(looked=None))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """Everything one program was composed from: with it, and the catalogs it was composed by, it is composed again."""

    seed: int
    at: datetime
    state: RoomState
    posture: Posture
    looks: tuple[Look, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Again:
    """A draw out of the record."""

    choice: Choice
    sounds_ms: int
    looked: Looked


def replay(
    noted: Noted, tables: RoomTables, deployment: Deployment, figures: PoolFigures, *, scan_most: int
) -> Composed[_Again]:
    """The program that comes of what was noted; the same one, as long as figures and settings are the same."""
    looks: Iterator[Look] = iter(noted.looks)

    def draw(wish: Wish, rng: random.Random) -> _Again | None:
        look = next(looks, Look(looked=None))
        if look.looked is None:
            return None
        rows = Replaying(look.looked)
        choice = draw_from(rows, wish, noted.at, rng, figures=figures, deployment=deployment, scan_most=scan_most)
        return None if choice is None else _Again(choice=choice, sounds_ms=look.sounds_ms, looked=look.looked)

    rng = random.Random(noted.seed)  # noqa: S311 -- what is replayed is no secret
    composed, _ = compose(noted.state, noted.posture, noted.at, rng, draw, tables, deployment)
    return composed
