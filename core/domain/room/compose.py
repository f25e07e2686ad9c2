"""Composing the room in pure steps.

    plan(state, ...)                    -> a wish for the pool, or a rest; and the next state
    layers(state, planned, choice, ...) -> wishes for voices that sound with the chosen one
    arrange(state, planned, voices, ..) -> the program of one cue; and the next state

`core.services.composer` drives them over a pool; pages, simulation and tests differ in pool, clock and `rng` only, and
whatever is left to chance comes from the one `rng`.
"""

import random
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from core.domain.deployment import Deployment, ThreadSignal
from core.domain.pool.choose import Choice
from core.domain.pool.facts import Density, Mood, Wish, tidy
from core.domain.room import threads
from core.domain.room.attendance import rests
from core.domain.room.gaps import Gap, GapKind, crossfade_ms, fade_out_ms, gap_before
from core.domain.room.movements import cue_of, entered, stepped
from core.domain.room.posture import Posture
from core.domain.room.rows import Scarcity, SceneCue
from core.domain.room.state import RoomState, Span, newest
from core.domain.room.tables import RoomCatalog, RoomTables
from core.domain.room.tempo import Tempo, scarcity_of, tempo
from core.domain.room.threads import Followed
from core.domain.room.voices import LayerKind, Part, Voice

REMEMBERED_IDS = 50
"""More than any anti-repetition window, and as many as a wish may exclude."""


class Reason(StrEnum):
    """Why a wish is not simply what the scene asks for."""

    MOOD_BIAS = "mood_bias"
    MOOD_ANSWERED = "mood_answered"
    DENSITY_ANSWERED = "density_answered"
    FOLLOW_ON = "follow_on"
    ECHO = "echo"
    FOCUS = "focus"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """Nothing to play; look again after this long."""

    rest_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What is wanted next. `opens`: the voice is the first of its movement."""

    wish: Wish
    cue: SceneCue
    tempo: Tempo
    opens: bool
    follow: Followed | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerWish:
    """A voice that may sound with the first; `topic` is what it has to be on, "" anything."""

    kind: LayerKind
    wish: Wish
    topic: str = ""

    def fits(self, choice: Choice) -> bool:
        """Whether what the pool gave is what was meant: wishes widen, layers do not."""
        return (
            choice.density is not Density.DENSE
            and choice.facts.artifact_id not in self.wish.exclude_ids
            and (not self.topic or tidy(choice.facts.topic) == self.topic)
        )

    def beside(self, artifact_id: int) -> "LayerWish":
        """The same, with one voice more that must not sound twice."""
        return replace(self, wish=replace(self.wish, exclude_ids=(artifact_id, *self.wish.exclude_ids)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """One program: its number, the gap before it on the audio clock (negative: it begins inside the one before), the
    parts of its voices in order, and the room tone under it (a multiplier, and whether air is all there is)."""

    seq: int
    gap: Gap
    parts: tuple[Part, ...]
    tone: float
    sparse: bool
    movement: str
    scene: str
    scarcity: Scarcity


def plan(
    state: RoomState,
    posture: Posture,
    now: datetime,
    rng: random.Random,
    tables: RoomTables,
    deployment: Deployment,
) -> tuple[Planned | Rest, RoomState]:
    """What to ask the pool for next."""
    catalog = tables.catalog
    if not posture.plays or rests(posture, catalog.occupancy):
        return Rest(rest_ms=catalog.rest_when_empty_ms), state
    current = tempo(posture, now, tables, deployment)
    opens = state.left == 0
    state = entered(state, catalog.presets[current.preset], catalog, rng)
    cue = cue_of(state, catalog)
    signal = deployment.row.thread.signal if deployment.row.thread else ThreadSignal.NONE
    follow = threads.due_follow(state, signal, catalog)
    wish, reasons = _wish(state, cue, follow, posture, rng, catalog)
    wish = replace(wish, exclude_ids=state.recent_ids[: _window(state, catalog, deployment)])
    if Reason.ECHO in reasons:
        state = replace(state, echo=None)
    return Planned(wish=wish, cue=cue, tempo=current, opens=opens, follow=follow, reasons=reasons), state


def layers(
    state: RoomState,
    planned: Planned,
    choice: Choice,
    rng: random.Random,
    tables: RoomTables,
    deployment: Deployment,
) -> tuple[LayerWish, ...]:
    """Which voices may sound with the chosen one. A dense voice, and one that returns, sound alone."""
    overlap = tables.choices.overlap
    if overlap.layers == 1 or choice.density is Density.DENSE or choice.featured_return:
        return ()
    topic = tidy(choice.facts.topic)
    thread = threads.length_after(state.thread, topic)
    joined = threads.companions(choice, thread, tables.catalog, rng)
    sounding = (choice.facts.artifact_id, *planned.wish.exclude_ids)
    if joined:
        wish = Wish(preferred_topic=topic, exclude_ids=sounding)
        return tuple(LayerWish(kind=LayerKind.CHORUS, wish=wish, topic=topic) for _ in range(joined))
    chance = overlap.chance * deployment.row.overlap_chance
    chance *= tables.catalog.overlap.in_quiet if planned.tempo.quiet else 1.0
    if choice.pool_size < overlap.from_playable:
        return ()
    wish = Wish(exclude_ids=sounding)
    count = 0
    while count < overlap.layers - 1 and rng.random() < chance:
        count += 1
    return (LayerWish(kind=LayerKind.OVERLAP, wish=wish),) * count


def arrange(
    state: RoomState,
    planned: Planned,
    voices: tuple[Voice, ...],
    rng: random.Random,
    tables: RoomTables,
    deployment: Deployment,
) -> tuple[Cue, RoomState]:
    """When the chosen voices play, and what the page remembers of them; the first of `voices` is the choice."""
    catalog, first = tables.catalog, voices[0]
    delays = _delays(voices, rng, tables)
    length_ms = max(delay + voice.sounds_ms for delay, voice in zip(delays, voices, strict=True))
    follows = planned.follow is not None and tidy(first.choice.facts.topic) == planned.follow.follow.topic
    gap = gap_before(state, planned.cue, planned.tempo, first, planned.follow if follows else None, rng, tables)
    joins_ms = 0 if follows else crossfade_ms(state, first, catalog, opens=planned.opens)
    if joins_ms:
        gap = Gap(ms=-joins_ms, kind=GapKind.CROSSFADE)
    closes = state.left == 1 and len(voices) == 1
    leaves_ms = fade_out_ms(first, planned.tempo, tables) if closes else 0
    scarcity = scarcity_of(first.choice.pool_size, tables)
    cue = Cue(
        seq=state.seq + 1,
        gap=gap,
        parts=_parts(voices, delays, tables, fade_in_ms=joins_ms or None, fade_out_ms=leaves_ms or None),
        tone=catalog.scarcity[scarcity].tone,
        sparse=scarcity is not Scarcity.NORMAL,
        movement=state.movement,
        scene=state.scene,
        scarcity=scarcity,
    )
    span = Span(voiced_ms=max(0, length_ms - joins_ms), silent_ms=max(0, gap.ms))
    state = _remembered(state, voices, span, catalog)
    pace = planned.follow.step.gap if follows and planned.follow is not None else 1.0
    state = replace(stepped(state), seq=cue.seq, cues=state.cues + 1, fade_ms=leaves_ms, pace=pace)
    joined = sum(voice.kind is LayerKind.CHORUS for voice in voices)
    echo = threads.echo_of(first.choice, joined, state.cues, catalog, rng)
    follow = threads.follow_of(first.choice, state.thread, catalog, rng)
    return cue, replace(state, echo=echo or state.echo, follow=follow)


def _wish(
    state: RoomState,
    cue: SceneCue,
    follow: Followed | None,
    posture: Posture,
    rng: random.Random,
    catalog: RoomCatalog,
) -> tuple[Wish, tuple[Reason, ...]]:
    """The wish, but for what is excluded, and why it is not simply the scene's."""
    plain = Wish(recent_densities=state.recent_densities, recent_topics=state.recent_topics)
    if follow is not None:
        density = threads.follow_density(follow.step.density, state.recent_densities)
        return replace(plain, density=density, preferred_topic=follow.follow.topic), (Reason.FOLLOW_ON,)
    if state.echo is not None and state.cues >= state.echo.due:
        return replace(plain, preferred_topic=state.echo.topic), (Reason.ECHO,)
    cue = cue if rng.random() < catalog.wish_chance else SceneCue(pause=cue.pause)
    density, answered = _density(cue.density, state, catalog)
    mood, why = _mood(cue.mood, state, posture, rng, catalog)
    reasons = [*([Reason.DENSITY_ANSWERED] if answered else []), *([why] if why else [])]
    topic, status = tidy(posture.topic), tidy(posture.status)
    if topic or status:
        reasons.append(Reason.FOCUS)
    wish = replace(plain, lane=cue.lane, density=density, mood=mood, preferred_topic=topic, preferred_status=status)
    return wish, tuple(reasons)


def _density(asked: Density | None, state: RoomState, catalog: RoomCatalog) -> tuple[Density | None, bool]:
    """What stood often enough is answered rather than asked for again."""
    table = catalog.counterbalance.density
    if asked is None or state.recent_densities.count(asked) < table.often:
        return asked, False
    return table.instead[asked], True


def _mood(
    asked: Mood | None, state: RoomState, posture: Posture, rng: random.Random, catalog: RoomCatalog
) -> tuple[Mood | None, Reason | None]:
    """The steward's mood first; once it stood often, by chance; else the scene's, unless that stood too often."""
    if posture.mood is not None:
        often = state.recent_moods.count(posture.mood) >= catalog.lean.mood_often
        if not often or rng.random() < catalog.lean.mood_chance:
            return posture.mood, Reason.MOOD_BIAS
    table = catalog.counterbalance.mood
    if asked is None or state.recent_moods.count(asked) < table.often:
        return asked, None
    return table.instead[asked], Reason.MOOD_ANSWERED


def _window(state: RoomState, catalog: RoomCatalog, deployment: Deployment) -> int:
    """How many takes may not come again yet: in a small pool a share of it, so that its order does not freeze."""
    window = deployment.row.anti_repetition_window
    return min(window, int(catalog.windows.most_of_pool * state.pool_size)) if state.pool_size else window


def _delays(voices: tuple[Voice, ...], rng: random.Random, tables: RoomTables) -> tuple[int, ...]:
    """When each voice begins after the first; always while the first still sounds."""
    delays = [0]
    for _ in voices[1:]:
        delay = delays[-1] + rng.randint(*tables.choices.overlap.delay_ms)
        delays.append(min(delay, voices[0].sounds_ms // 2))
    return tuple(delays)


def _parts(
    voices: tuple[Voice, ...],
    delays: tuple[int, ...],
    tables: RoomTables,
    *,
    fade_in_ms: int | None,
    fade_out_ms: int | None,
) -> tuple[Part, ...]:
    first = Part(delay_ms=0, gain=1.0, fade_in_ms=fade_in_ms, fade_out_ms=fade_out_ms)
    gain = tables.choices.overlap.gain
    return (first, *(Part(delay_ms=delay, gain=gain) for delay in delays[1 : len(voices)]))


def _remembered(state: RoomState, voices: tuple[Voice, ...], span: Span, catalog: RoomCatalog) -> RoomState:
    choice, windows = voices[0].choice, catalog.windows
    topic = tidy(choice.facts.topic)
    ids = tuple(voice.choice.facts.artifact_id for voice in reversed(voices))
    topics = (topic, *state.recent_topics) if topic else state.recent_topics
    return replace(
        state,
        pool_size=choice.pool_size,
        recent_ids=newest(ids, state.recent_ids, REMEMBERED_IDS),
        recent_densities=(choice.density, *state.recent_densities)[: windows.densities],
        recent_topics=topics[: windows.topics],
        recent_moods=(choice.mood, *state.recent_moods)[: windows.moods],
        spans=(span, *state.spans)[: windows.silence],
        thread=threads.length_after(state.thread, topic),
    )
