"""What a sensor's words do to the posture of a node, and what they never do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.sensor import ASKS, LONGEST, Sensed, Subject, Told, Word, said
from core.domain.steward import SWITCHES, StewardState
from tests.fakes import START

MINUTE = timedelta(minutes=1)
NEAR = st.integers(-3, 26).map(lambda hours: START + timedelta(hours=hours))


@st.composite
def words(draw):
    """At most one word about each subject; some have ended, some come from a clock that has gone back."""
    subjects = draw(st.sets(st.sampled_from(Subject)))
    return tuple(
        Word(
            subject=subject,
            value=1 if subject in ASKS else draw(st.integers(0, 1000)),
            since=START,
            at=START,
            until=draw(NEAR),
            overruled=draw(st.booleans()),
        )
        for subject in sorted(subjects)
    )


@st.composite
def postures(draw):
    """Any switches, for good or for a time."""
    on = {name: draw(st.booleans()) for name in SWITCHES}
    ends = {f"{name}_until": draw(st.none() | NEAR) for name in SWITCHES if on[name]}
    return StewardState(kiosk_max_recording_seconds=120, updated_at=START, **on, **ends)


def asking(subject=Subject.QUIETER_MODE, **about):
    return Word(**{"subject": subject, "value": 1, "since": START, "at": START, "until": START + MINUTE, **about})


def told(value, *, lasts=MINUTE, source=""):
    return Told(values={Subject.QUIETER_MODE: value}, lasts=lasts, source=source)


def next_word(known, value, at, subject=Subject.QUIETER_MODE):
    return said(known, subject, value, told(value), at)


class TestThePosture:
    @given(postures(), words(), NEAR)
    def test_no_word_turns_off_what_a_steward_turned_on(self, own, spoken, now):
        with_words, without = replace(own, sensed=Sensed(words=spoken)).at(now), own.at(now)
        assert with_words.pauses >= without.playback_paused
        assert with_words.hushes >= without.quieter_mode
        assert with_words.plays <= without.plays

    @given(postures(), words(), NEAR)
    def test_no_word_touches_a_switch_or_the_door(self, own, spoken, now):
        with_words = replace(own, sensed=Sensed(words=spoken)).at(now)
        assert replace(with_words, sensed=Sensed()) == own.at(now)
        assert with_words.takes_in == own.at(now).takes_in

    @given(postures(), words(), NEAR)
    def test_one_whose_time_is_over_is_as_if_it_had_never_been_said(self, own, spoken, now):
        left = tuple(word for word in spoken if now < word.until <= now + LONGEST)
        assert replace(own, sensed=Sensed(words=spoken)).at(now) == replace(own, sensed=Sensed(words=left)).at(now)

    @given(words())
    def test_what_is_in_force_is_what_is_asked_for_and_not_overruled(self, spoken):
        state = StewardState(kiosk_max_recording_seconds=120, updated_at=START, sensed=Sensed(words=spoken))
        wanted = {word.subject for word in spoken if not word.overruled}
        assert state.pauses == (Subject.PLAYBACK_PAUSED in wanted)
        assert state.hushes == (Subject.QUIETER_MODE in wanted)

    def test_the_next_end_is_the_first_of_a_switch_or_a_request(self):
        own = StewardState(
            kiosk_max_recording_seconds=120,
            updated_at=START,
            quieter_mode=True,
            quieter_mode_until=START + 3 * MINUTE,
        )
        people = asking(Subject.OCCUPANCY)
        request = asking(Subject.PLAYBACK_PAUSED, until=START + 2 * MINUTE)
        assert replace(own, sensed=Sensed(words=(people, request))).next_end == START + 2 * MINUTE
        overruled = replace(request, overruled=True)
        assert replace(own, sensed=Sensed(words=(people, overruled))).next_end == START + 3 * MINUTE


class TestAWord:
    def test_it_stands_until_its_end_and_not_at_it(self):
        word = next_word(None, 1, START)
        assert word.stands(START + MINUTE - timedelta(seconds=1))
        assert not word.stands(START + MINUTE)

    def test_none_lasts_longer_than_a_day_whoever_says_so_and_whatever_the_clock_does(self):
        word = said(None, Subject.QUIETER_MODE, 1, told(1, lasts=timedelta(days=30)), START)
        assert word.until == START + LONGEST
        assert word.stands(START)
        assert not word.stands(START - MINUTE)

    @given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 90)), min_size=1, max_size=8))
    def test_of_several_the_last_counts(self, reports):
        word, now = None, START
        for people, later_s in reports:
            now += timedelta(seconds=later_s)
            word = next_word(word, people, now, Subject.OCCUPANCY)
        assert (word.value, word.at, word.until) == (reports[-1][0], now, now + MINUTE)

    @pytest.mark.parametrize(("before", "after", "kept"), [(3, 9, True), (0, 0, True), (3, 0, False), (0, 3, False)])
    def test_it_begins_when_somebody_came_or_the_last_one_went(self, before, after, kept):
        first = next_word(None, before, START, Subject.OCCUPANCY)
        later = next_word(first, after, START + MINUTE / 2, Subject.OCCUPANCY)
        assert later.since == (START if kept else START + MINUTE / 2)

    def test_said_again_it_lasts_longer_and_stays_overruled(self):
        again = next_word(asking(overruled=True), 1, START + MINUTE / 2)
        assert (again.since, again.until, again.overruled) == (START, START + 1.5 * MINUTE, True)

    def test_said_again_after_its_end_it_is_a_new_one(self):
        anew = next_word(asking(overruled=True), 1, START + MINUTE)
        assert (anew.since, anew.overruled) == (START + MINUTE, False)
