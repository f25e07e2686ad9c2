"""Driving the composer over the pool for one listening page."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.artifact import Artifact
from core.domain.deployment import Deployment
from core.domain.pool.facts import Mood
from core.domain.room.attendance import rests
from core.domain.room.compose import Cue
from core.domain.room.posture import Posture
from core.domain.room.program import SEED_BITS, Composed, Noted, compose
from core.domain.room.rows import Scarcity
from core.domain.room.schedule import day_of
from core.domain.room.state import RoomState
from core.domain.room.tables import RoomTables
from core.domain.room.tempo import Levels, levels, tempo
from core.domain.sensor import Subject, Word
from core.domain.steward import StewardState
from core.ports.outside import Clock
from core.ports.work import UnitOfWork
from core.services.decisions import Decisions
from core.services.pool import Playback, PoolService


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """One cue with its playbacks, in the order of its parts, or a rest (`cue` is None); never begun after `good_until`.

    `tone` multiplies the room tone under it; `sparse` where the air is most of what there is.
    """

    seq: int
    rest_ms: int
    cue: Cue | None
    playbacks: tuple[Playback, ...]
    tone: float
    sparse: bool
    good_until: datetime

    @property
    def playback(self) -> Playback | None:
        """The first voice."""
        return self.playbacks[0] if self.playbacks else None


class RoomService:
    """Composes programs; holds no page's state itself."""

    def __init__(
        self,
        work: UnitOfWork,
        pool: PoolService,
        clock: Clock,
        decisions: Decisions,
        *,
        tables: RoomTables,
        deployment: Deployment,
    ) -> None:
        self._work = work
        self._pool = pool
        self._clock = clock
        self._decisions = decisions
        self.tables = tables
        self.deployment = deployment

    def compose(self, state: RoomState, rng: random.Random, *, device_id: str = "") -> tuple[Program, RoomState]:
        """The next program for a page in this state; why it is this one is noted."""
        now = self._clock.now()
        seed = rng.getrandbits(SEED_BITS)
        with self._work.read() as tx:
            posture = self._posture(tx.steward.state().at(now), now)
            composed, after = compose(
                state,
                posture,
                now,
                random.Random(seed),  # noqa: S311 -- the seed is drawn from the vault; what follows must be repeatable
                lambda wish, own: self._pool.choose(tx, wish, now, own),
                self.tables,
                self.deployment,
            )
        if composed.cue is not None:
            noted = Noted(seed=seed, at=now, state=state, posture=posture, looks=composed.looks)
            self._decisions.note(noted, composed, device_id=device_id)
        return self._program(composed, after, posture), after

    def levels(self, state: StewardState) -> Levels:
        """How loud the room is at this hour under this posture."""
        now = self._clock.now()
        return levels(tempo(self._posture(state, now), now, self.tables, self.deployment))

    def strata(self) -> list[Artifact]:
        """Voices heard today and still held, newest first: what a reloaded wall draws again."""
        now = self._clock.now()
        # A day's layers end with the day.
        since = max(self.day()[0], now - timedelta(hours=self.tables.catalog.strata_hours))
        with self._work.read() as tx:
            return tx.artifacts.recently_heard(since, now, limit=self.tables.catalog.strata)

    def day(self) -> tuple[datetime, datetime]:
        """When the site's present day began and when it ends."""
        return day_of(self._clock.now(), self.tables.choices.zone)

    def over(self, ids: Collection[int]) -> list[int]:
        """Which of these voices may no longer be shown or sound; pages ask, because a signal may be lost."""
        now = self._clock.now()
        with self._work.read() as tx:
            playable = tx.artifacts.playable_of(ids, now)
        return [number for number in ids if number not in playable]

    def _posture(self, state: StewardState, now: datetime) -> Posture:
        people = state.sensed.word(Subject.OCCUPANCY) if self.tables.choices.follows_occupancy else None
        return posture_of(state, people, now)

    def _program(self, composed: Composed[Playback], after: RoomState, posture: Posture) -> Program:
        catalog = self.tables.catalog
        latest = self._clock.now() + timedelta(milliseconds=catalog.longest_program_age_ms)
        severe = catalog.scarcity[Scarcity.SEVERE]
        cue = composed.cue
        # A room that is paused, or rests because nobody is there, is not short of voices.
        short = posture.plays and not rests(posture, catalog.occupancy)
        return Program(
            seq=after.seq,
            rest_ms=composed.rest_ms,
            cue=cue,
            playbacks=composed.drawn,
            tone=cue.tone if cue is not None else severe.tone if short else 1.0,
            sparse=cue.sparse if cue is not None else short,
            good_until=min([latest, *(playback.expires_at for playback in composed.drawn)]),
        )


def posture_of(state: StewardState, people: Word | None, now: datetime) -> Posture:
    """What of the posture of the node shapes playing; `people` is who is there, where the room goes by that."""
    nobody_for = now - people.since if people is not None and not people.value else timedelta()
    return Posture(
        plays=state.plays,
        quieter=state.hushes,
        people=people.value if people is not None else None,
        empty_s=nobody_for.total_seconds(),
        mood=Mood(state.mood_bias) if state.mood_bias else None,
        topic=state.deployment_focus_topic,
        status=state.deployment_focus_status,
    )
