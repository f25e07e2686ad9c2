"""What one listening page remembers between cues."""

from dataclasses import dataclass, replace

from core.domain.pool.facts import Density, Mood


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """The topic of the last voices in a row, and how many they were."""

    topic: str = ""
    length: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Follow:
    """A follow-on that is due: its topic, and the length of the thread it goes on from."""

    topic: str
    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """A topic that comes once more, at cue number `due`."""

    topic: str
    due: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One program as it was: its voices, and the silence before them."""

    voiced_ms: int
    silent_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomState:
    """Every `recent_` is newest first. `left` counts the voices still to come in the movement; 0: the next begins one.

    `fade_ms` is how long the last voice fades into what follows it, `pace` a multiplier of the next gap.
    """

    seq: int = 0
    cues: int = 0
    movement: str = ""
    left: int = 0
    scene: str = ""
    step: int = 0
    pool_size: int = 0
    recent_ids: tuple[int, ...] = ()
    recent_densities: tuple[Density, ...] = ()
    recent_topics: tuple[str, ...] = ()
    recent_moods: tuple[Mood, ...] = ()
    recent_scenes: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    thread: Thread = Thread()
    follow: Follow | None = None
    echo: Echo | None = None
    fade_ms: int = 0
    pace: float = 1.0


def resumed(state: RoomState, recent_ids: list[int], most: int) -> RoomState:
    """A state that also avoids what the browser says it played before; its word only ever narrows."""
    known = (*state.recent_ids, *(number for number in recent_ids if number not in state.recent_ids))
    return replace(state, recent_ids=known[:most])


def newest(found: tuple[int, ...], known: tuple[int, ...], most: int) -> tuple[int, ...]:
    """`found` before what is known, each once, at most so many."""
    return (*found, *(number for number in known if number not in found))[:most]
