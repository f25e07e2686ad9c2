"""Threads: what a take on a topic brings after it, as the tables of its signal say."""

import random
from dataclasses import dataclass

from core.domain.deployment import ThreadSignal
from core.domain.pool.choose import Choice
from core.domain.pool.facts import Density, tidy
from core.domain.room.rows import FollowStep, Step, ThreadFigures
from core.domain.room.state import Echo, Follow, RoomState, Thread
from core.domain.room.tables import RoomCatalog

LIGHTER = {Density.DENSE: Density.MEDIUM, Density.MEDIUM: Density.LIGHT, Density.LIGHT: Density.LIGHT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """A follow-on that was planned: what it goes on from, and the step of the thread."""

    follow: Follow
    step: FollowStep


def length_after(thread: Thread, topic: str) -> Thread:
    """The thread once a voice on `topic` has sounded; a voice without a topic ends it."""
    if not topic:
        return Thread()
    return Thread(topic=topic, length=thread.length + 1 if topic == thread.topic else 1)


def figures_of(choice: Choice, catalog: RoomCatalog) -> ThreadFigures | None:
    """What this choice's thread makes the room do; None without one."""
    return catalog.threads.get(ThreadSignal(choice.thread_signal)) if choice.thread_signal else None


def companions(choice: Choice, thread: Thread, catalog: RoomCatalog, rng: random.Random) -> int:
    """How many voices of the same topic sound with this one; `thread` includes it. Never with a dense one."""
    figures = figures_of(choice, catalog)
    if figures is None or choice.density is Density.DENSE:
        return 0
    count = 0
    for row in figures.companions:
        fits = choice.pool_size >= row.from_playable and thread.length >= row.from_length
        if not fits or rng.random() >= row.chance:
            break
        count += 1
    return count


def echo_of(choice: Choice, joined: int, cues: int, catalog: RoomCatalog, rng: random.Random) -> Echo | None:
    """The topic once more, some cues after voices have joined in on it."""
    figures = figures_of(choice, catalog)
    if figures is None or figures.echo_after is None or joined == 0:
        return None
    return Echo(topic=tidy(choice.facts.topic), due=cues + rng.randint(*figures.echo_after))


def follow_of(choice: Choice, thread: Thread, catalog: RoomCatalog, rng: random.Random) -> Follow | None:
    """A follow-on after this voice, if chance will have one; `thread` includes it."""
    figures = figures_of(choice, catalog)
    follow_on = figures.follow_on if figures is not None else None
    if follow_on is None or choice.pool_size < follow_on.from_playable or rng.random() >= follow_on.chance:
        return None
    return Follow(topic=thread.topic, length=thread.length)


def due_follow(state: RoomState, signal: ThreadSignal, catalog: RoomCatalog) -> Followed | None:
    """The follow-on that is to come now, if the deployment's thread still has any."""
    figures = catalog.threads.get(signal)
    if state.follow is None or figures is None or figures.follow_on is None:
        return None
    return Followed(follow=state.follow, step=figures.follow_on.step(state.follow.length))


def follow_density(step: Step, recent: tuple[Density, ...]) -> Density | None:
    """The density a follow-on wishes for, beside the voice it follows."""
    match step:
        case Step.ANY:
            return None
        case Step.LIGHT:
            return Density.LIGHT
        case Step.LIGHTER:
            return LIGHTER[recent[0]] if recent else Density.LIGHT
