"""Driving the composer over the pool for one listening page."""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.artifact import Artifact
from core.domain.deployment import Deployment
from core.domain.pool.facts import Mood, Wish
from core.domain.room.compose import Cue, Levels, Posture, Rest, RoomFigures, RoomState, arrange, levels, plan
from core.domain.steward import StewardState
from core.ports.outside import Clock
from core.ports.work import UnitOfWork
from core.services.pool import Playback, PoolService


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """One cue with its playback, or a rest (`playback` is None); never begun after `good_until`."""

    seq: int
    rest_ms: int
    cue: Cue | None
    playback: Playback | None
    good_until: datetime


class RoomService:
    """Composes programs; holds no page's state itself."""

    def __init__(
        self, work: UnitOfWork, pool: PoolService, clock: Clock, *, figures: RoomFigures, deployment: Deployment
    ) -> None:
        self._work = work
        self._pool = pool
        self._clock = clock
        self.figures = figures
        self.deployment = deployment

    def compose(self, state: RoomState, rng: random.Random) -> tuple[Program, RoomState]:
        """The next program for a page in this state."""
        with self._work.read() as tx:
            steward = tx.steward.state().at(self._clock.now())
        posture = Posture(
            plays=steward.plays,
            quieter=steward.quieter_mode,
            mood=Mood(steward.mood_bias) if steward.mood_bias else None,
            topic=steward.deployment_focus_topic,
            status=steward.deployment_focus_status,
        )
        wish, state = plan(state, posture, rng, self.figures, self.deployment)
        playback = self._pool.next(wish, rng) if isinstance(wish, Wish) else None
        if playback is None:
            return self._rest(wish, state)
        cue, state = arrange(state, playback.choice, posture, rng, self.figures, self.deployment)
        good_until = min(playback.expires_at, self._latest())
        return Program(seq=cue.seq, rest_ms=0, cue=cue, playback=playback, good_until=good_until), state

    def levels(self, state: StewardState) -> Levels:
        """How loud the room is under this posture."""
        return levels(state.quieter_mode, self.figures, self.deployment)

    def strata(self) -> list[Artifact]:
        """Voices heard today and still held, newest first: what a reloaded wall draws again."""
        now = self._clock.now()
        # A day's layers end with the day.
        midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        since = max(midnight, now - timedelta(hours=self.figures.strata_hours))
        with self._work.read() as tx:
            return tx.artifacts.recently_heard(since, now, limit=self.figures.strata)

    def over(self, ids: Collection[int]) -> list[int]:
        """Which of these voices may no longer be shown or sound; pages ask, because a signal may be lost."""
        now = self._clock.now()
        with self._work.read() as tx:
            playable = tx.artifacts.playable_of(ids, now)
        return [number for number in ids if number not in playable]

    def _rest(self, wish: Wish | Rest, state: RoomState) -> tuple[Program, RoomState]:
        rest_ms = wish.rest_ms if isinstance(wish, Rest) else self.figures.rest_when_empty_ms
        state = replace(state, seq=state.seq + 1)
        return Program(seq=state.seq, rest_ms=rest_ms, cue=None, playback=None, good_until=self._latest()), state

    def _latest(self) -> datetime:
        return self._clock.now() + timedelta(milliseconds=self.figures.longest_program_age_ms)
