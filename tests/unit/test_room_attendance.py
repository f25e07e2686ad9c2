"""What a room makes of who is there: rest while it is empty, a step more for a crowd, and nothing without a count."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.pool.facts import Density
from core.domain.room.attendance import rests
from core.domain.room.compose import Planned, Rest, plan
from core.domain.room.rows import Intensity
from core.domain.room.state import RoomState
from core.domain.room.tempo import tempo
from tests.pool_takes import MEMORY, NOW
from tests.room_tables import (
    BALANCED,
    CATALOG,
    PLAYING,
    QUIETER,
    TABLES,
    Pool,
    quiet_hours,
    voices_of,
    walk,
    with_choices,
)

FIGURES = CATALOG.occupancy
RESTED_S = FIGURES.empty_after_s + FIGURES.rest_most_s
EMPTY = replace(PLAYING, people=0, empty_s=FIGURES.empty_after_s)
STUCK = replace(EMPTY, empty_s=RESTED_S)
CROWDED = replace(PLAYING, people=FIGURES.crowd_from)


def planned(posture):
    return plan(RoomState(), posture, NOW, random.Random(1), TABLES, MEMORY)


def at(posture, tables=BALANCED):
    """The intensity, and the multiplier of gaps beside that of the intensity itself."""
    found = tempo(posture, NOW, tables, MEMORY)
    return found.intensity, found.cue_gap / (CATALOG.intensities[found.intensity].cue_gap * MEMORY.row.cue_gap)


def always(intensity):
    return with_choices(intensity=intensity, preset=BALANCED.choices.preset)


class TestAnEmptyRoom:
    @given(st.floats(0, 3 * RESTED_S))
    def test_it_rests_once_nobody_was_there_for_a_while_and_never_longer_than_its_figure(self, empty_s):
        found, _ = planned(replace(EMPTY, empty_s=empty_s))
        assert isinstance(found, Rest) == (FIGURES.empty_after_s <= empty_s < RESTED_S)

    def test_it_asks_again_soon_and_remembers_what_it_was_at(self):
        before = RoomState(movement="arrival", left=2, scene="threshold")
        found, after = plan(before, EMPTY, NOW, random.Random(1), TABLES, MEMORY)
        assert (found, after) == (Rest(rest_ms=CATALOG.rest_when_empty_ms), before)

    def test_a_counter_that_is_stuck_makes_it_quiet_and_slow_and_no_more(self):
        assert isinstance(planned(STUCK)[0], Planned)
        assert at(STUCK) == (Intensity.QUIET, pytest.approx(FIGURES.nobody.gap))
        assert at(STUCK, always(Intensity.QUIET))[0] is Intensity.QUIET

    def test_somebody_who_comes_ends_the_rest(self):
        assert rests(EMPTY, FIGURES)
        assert not rests(replace(EMPTY, people=1, empty_s=0.0), FIGURES)


class TestACrowd:
    def test_it_makes_the_room_a_step_livelier_and_active_stays_active(self):
        assert at(CROWDED) == (Intensity.ACTIVE, pytest.approx(FIGURES.crowd.gap))
        assert at(CROWDED, always(Intensity.QUIET))[0] is Intensity.BALANCED
        assert at(CROWDED, always(Intensity.ACTIVE))[0] is Intensity.ACTIVE

    def test_one_fewer_is_none(self):
        assert at(replace(CROWDED, people=FIGURES.crowd_from - 1)) == at(PLAYING)

    def test_it_does_not_break_the_quiet_somebody_wants(self):
        crowded = replace(QUIETER, people=FIGURES.crowd_from)
        assert at(crowded) == at(QUIETER)
        by_night = with_choices(
            intensity=Intensity.BALANCED, preset=BALANCED.choices.preset, quiet_hours=quiet_hours(3, 3)
        )
        assert at(CROWDED, by_night) == at(PLAYING, by_night)


class TestWithoutACount:
    def test_nothing_is_slower_or_livelier(self):
        assert at(PLAYING) == (Intensity.BALANCED, 1.0)

    @pytest.mark.parametrize("people", [0, 1, FIGURES.crowd_from - 1])
    def test_programs_are_the_same_as_with_a_few_people_or_nobody_since_a_moment(self, people):
        pool = Pool(takes=voices_of(Density.MEDIUM, 12))
        counted = replace(PLAYING, people=people)
        assert walk(pool, 30, seed=4, posture=counted) == walk(pool, 30, seed=4)
