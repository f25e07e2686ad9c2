"""A room over simulated days: the real pool and the real composer, on a clock that does not wait.

Takes arrive by chance, are heard, wear, and end as promised; one listening page plays through all of it. Everything is
drawn from one seed. Nothing is stored anywhere.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.deployment import Deployment
from core.domain.pool.choose import Choice
from core.domain.pool.drawing import draw_from
from core.domain.pool.facts import PoolFacts, Wish
from core.domain.pool.lanes import standing
from core.domain.pool.looked import Looked
from core.domain.pool.weights import PoolFigures
from core.domain.pool.windows import SliceFigures, slice_of
from core.domain.room.attendance import rests
from core.domain.room.posture import Posture
from core.domain.room.program import Composed, compose
from core.domain.room.schedule import site_time
from core.domain.room.state import RoomState
from core.domain.room.tables import RoomTables
from core.domain.wear import advance
from core.services.simulated import Day, MemoryRows, Plan, Played, Run, Take

NOTHING_LOOKED = Looked(size=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawn:
    choice: Choice
    sounds_ms: int
    looked: Looked = NOTHING_LOOKED


class Simulation:
    """Runs plans over the figures of one installation."""

    def __init__(
        self,
        *,
        tables: RoomTables,
        deployment: Deployment,
        figures: PoolFigures,
        slices: SliceFigures,
        wear_per_play: float,
        residue_ms: int,
    ) -> None:
        self._residue_ms = residue_ms
        self._tables = tables
        self._deployment = deployment
        self._figures = figures
        self._slices = slices
        self._wear_per_play = wear_per_play

    def run(self, plan: Plan) -> Run:
        """One simulation; the same plan gives the same run."""
        return _Room(self, plan).run()

    def draw(self, rows: MemoryRows, wish: Wish, now: datetime, rng: random.Random) -> _Drawn | None:
        """What the pool gives for a wish."""
        choice = draw_from(rows, wish, now, rng, figures=self._figures, deployment=self._deployment)
        if choice is None:
            return None
        facts = choice.facts
        raw = now < rows.takes[facts.artifact_id].raw_until
        duration_ms = facts.duration_ms if raw else min(self._residue_ms, facts.duration_ms)
        part = slice_of(facts.artifact_id, duration_ms, wish.variant, now, self._slices)
        return _Drawn(choice=choice, sounds_ms=part.duration_ms)

    def compose(
        self, state: RoomState, plan: Plan, now: datetime, rows: MemoryRows, rng: random.Random
    ) -> tuple[Composed[_Drawn], RoomState]:
        """The next program."""
        return compose(
            state,
            self.posture(plan, now),
            now,
            rng,
            lambda wish, own: self.draw(rows, wish, now, own),
            self._tables,
            self._deployment,
        )

    def posture(self, plan: Plan, now: datetime) -> Posture:
        """What shapes playing at a moment: who is there only where the room goes by that."""
        if plan.headcount is None or not self._tables.choices.follows_occupancy:
            return plan.posture
        local = site_time(now, self._tables.choices.zone)
        return replace(plan.posture, people=plan.headcount.people(local), empty_s=plan.headcount.empty_s(local))

    def heard(self, facts: PoolFacts, now: datetime) -> PoolFacts:
        """A take after one more hearing."""
        wear = advance(facts.wear, self._wear_per_play, self._deployment.row.wear)
        return replace(facts, plays=facts.plays + 1, wear=wear, heard_at=now)

    def close_day(self, day: int, rows: MemoryRows, now: datetime) -> Day:
        """What is there at the end of a day."""
        left = [take.facts for take in rows.takes.values()]
        stands = [standing(facts, now, self._figures.lanes) for facts in left]
        wears = [facts.wear for facts in left]
        return Day(
            day=day,
            playable=len(stands),
            lanes=dict(Counter(take.lane.value for take in stands)),
            moods=dict(Counter(take.mood.value for take in stands)),
            mean_wear=math.fsum(wears) / len(wears) if wears else 0.0,
        )

    @property
    def deployment(self) -> Deployment:
        """The deployment that is simulated."""
        return self._deployment

    @property
    def tables(self) -> RoomTables:
        """What the room is composed by."""
        return self._tables


class _Room:
    """One run on its way."""

    def __init__(self, simulation: Simulation, plan: Plan) -> None:
        self._simulation = simulation
        self._plan = plan
        self._rows = MemoryRows()
        self._state = RoomState()
        # Two streams of chance, so that two settings are compared on the same visitors.
        self._visitors = random.Random(f"{plan.seed} visitors")  # noqa: S311 -- to be repeated, not to be secret
        self._rng = random.Random(f"{plan.seed} room")  # noqa: S311
        self._run = Run(plan=plan)
        self._number = 0
        self._ends: list[tuple[datetime, int]] = []

    def run(self) -> Run:
        """Every day in turn."""
        plan = self._plan
        for _ in range(plan.held):
            age = timedelta(hours=self._visitors.uniform(0, plan.held_age_hours))
            self._arrive(plan.start - age, forever=True)
        for day in range(plan.days):
            opens = plan.start + timedelta(days=day)
            closes = opens + timedelta(hours=(plan.closes_hour - plan.opens_hour) % 24 or 24)
            self._day(opens, closes)
            self._expire(closes)
            self._run.open_ms += _ms(closes - opens)
            self._run.days.append(self._simulation.close_day(day, self._rows, closes))
        self._run.takes.update(self._rows.takes)
        return self._run

    def _day(self, opens: datetime, closes: datetime) -> None:
        visits = list(self._visits(opens, closes))
        now = opens
        while now < closes:
            while visits and visits[0] <= now:
                self._arrive(visits.pop(0), forever=False)
            self._expire(now)
            now += timedelta(milliseconds=self._play(now))

    def _play(self, now: datetime) -> int:
        """One program, or a rest; how long until the next is composed."""
        composed, self._state = self._simulation.compose(self._state, self._plan, now, self._rows, self._rng)
        cue = composed.cue
        if cue is None:
            self._run.rested_ms += composed.rest_ms
            if rests(self._simulation.posture(self._plan, now), self._simulation.tables.catalog.occupancy):
                self._run.alone_ms += composed.rest_ms
            return composed.rest_ms
        lengths = [part.delay_ms + voice.sounds_ms for part, voice in zip(cue.parts, composed.voices, strict=True)]
        begins = now + timedelta(milliseconds=cue.gap.ms)
        choice = composed.voices[0].choice
        self._run.played.append(
            Played(
                at=begins,
                gap_ms=cue.gap.ms,
                gap_kind=cue.gap.kind.value,
                length_ms=max(lengths),
                voices=tuple(voice.choice.facts.artifact_id for voice in composed.voices),
                lane=choice.lane.value,
                mood=choice.mood.value,
                movement=cue.movement,
                scene=self._state.scene,
                pool_size=choice.pool_size,
                thread_signal=str(choice.thread_signal),
                featured_return=choice.featured_return,
                gave_way=tuple(rung.value for rung in choice.gave_way),
            )
        )
        for voice, length in zip(composed.voices, lengths, strict=True):
            take = self._rows.takes[voice.choice.facts.artifact_id]
            take.facts = self._simulation.heard(take.facts, begins + timedelta(milliseconds=length))
        return max(1, cue.gap.ms + max(lengths))

    def _visits(self, opens: datetime, closes: datetime) -> Iterator[datetime]:
        """A Poisson process over the opening hours."""
        if self._plan.arrivals.per_day <= 0:
            return
        mean_s = (closes - opens).total_seconds() / self._plan.arrivals.per_day
        at = opens + timedelta(seconds=self._visitors.expovariate(1 / mean_s))
        while at < closes:
            yield at
            at += timedelta(seconds=self._visitors.expovariate(1 / mean_s))

    def _arrive(self, at: datetime, *, forever: bool) -> None:
        arrivals, chance = self._plan.arrivals, self._visitors
        self._number += 1
        seconds = min(max(1.0, chance.lognormvariate(math.log(arrivals.median_s), arrivals.spread)), arrivals.longest_s)
        fossil = chance.random() < arrivals.fossils
        raw_hours = arrivals.fossil_raw_hours if fossil else arrivals.room_hours
        hours = max(raw_hours, arrivals.fossil_hours) if fossil else raw_hours
        topic = f"topic {chance.randrange(arrivals.topics) + 1}" if arrivals.topics else ""
        statuses = self._simulation.deployment.row.statuses
        facts = PoolFacts(
            artifact_id=self._number,
            created_at=at,
            duration_ms=int(seconds * 1000),
            wear=0.0,
            plays=0,
            heard_at=None,
            deployment=self._simulation.deployment.name.value,
            topic=topic,
            status=statuses[chance.randrange(len(statuses))],
        )
        never = datetime.max.replace(tzinfo=at.tzinfo)
        ends_at = never if forever else at + timedelta(hours=hours)
        raw_until = never if forever else at + timedelta(hours=raw_hours)
        self._rows.add(Take(facts=facts, raw_until=raw_until, ends_at=ends_at, place=chance.random()))
        heapq.heappush(self._ends, (ends_at, self._number))

    def _expire(self, now: datetime) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, number = heapq.heappop(self._ends)
            self._run.takes[number] = self._rows.takes[number]
            self._rows.drop(number)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
