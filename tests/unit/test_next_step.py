"""How a node stands in one word, and what a steward should do next."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.device import Standing, Surface
from core.domain.sensor import NOTHING_SENSED, Sensed, Subject, Word
from core.domain.steward import SWITCHES, StewardState
from memory_ui.copy import load_copy
from memory_ui.next_step import Seen, Spoken, next_step, state_of
from tests.fakes import START

OPEN = StewardState(kiosk_max_recording_seconds=120, updated_at=START)
UNTIL = START + timedelta(minutes=20)
PAUSE = Word(subject=Subject.PLAYBACK_PAUSED, value=1, since=START, at=START, until=UNTIL)
ASKED = Sensed(words=(PAUSE,))
BOTH = (Seen(surface=Surface.KIOSK, standing=Standing.WAITING), Seen(surface=Surface.ROOM, standing=Standing.ONLINE))


def warning(name="disk", level="warning"):
    return Spoken(name=name, subject="", level=level, title=f"{name}.", detail="Do this.")


def key(state=OPEN, warnings=(), pages=BOTH, waiting=0):
    step = next_step(state, warnings, pages, waiting)
    return step.warning.name if step.warning else step.key


@pytest.mark.parametrize(
    ("warnings", "state"),
    [
        ([], "ready"),
        ([warning("intake_paused")], "ready"),
        ([warning("mood_missing")], "ready"),
        ([warning("disk")], "degraded"),
        ([warning("disk"), warning("store", "critical")], "broken"),
    ],
)
def test_the_word_is_that_of_the_gravest_thing_nobody_meant(warnings, state):
    assert state_of(warnings) == state


def test_with_everything_well_there_is_nothing_to_do():
    assert key() == "next_fine"


def test_what_is_broken_comes_before_everything():
    shut = replace(OPEN, maintenance_mode=True)
    assert key(shut, [warning("disk"), warning("store", "critical")], (), 3) == "store"


def test_a_closed_room_is_to_be_opened_before_pages_are_missed():
    assert key(replace(OPEN, intake_paused=True, playback_paused=True), pages=()) == "next_open"


def test_maintenance_is_to_be_ended():
    assert key(replace(OPEN, maintenance_mode=True)) == "next_maintenance"


def test_a_page_that_is_offline_is_missing():
    gone = (BOTH[0], Seen(surface=Surface.ROOM, standing=Standing.OFFLINE))
    assert key(pages=gone) == "next_room_page"
    assert key(pages=BOTH[1:]) == "next_kiosk_page"


def test_nobody_is_missed_where_nobody_is_wanted():
    assert key(replace(OPEN, playback_paused=True), pages=BOTH[:1]) == "next_fine"
    assert key(replace(OPEN, intake_paused=True), pages=BOTH[1:]) == "next_fine"


@pytest.mark.parametrize("pages", [BOTH, BOTH[:1], ()], ids=["both there", "no room", "none"])
@pytest.mark.parametrize("switches", [(), ("intake_paused",), ("intake_paused", "playback_paused")], ids=str)
def test_a_room_that_a_sensor_pauses_is_not_to_be_opened_but_the_sensor_named(pages, switches):
    held = replace(OPEN, sensed=ASKED, **dict.fromkeys(switches, True))
    step = next_step(held, (), pages, 0)
    assert step.key == "next_sensor"
    said = load_copy("en").t("ops.next_sensor_detail", **(step.params or {}))
    assert f"{UNTIL.astimezone():%H:%M}" in said
    assert load_copy("en").t("ops.sensor_overrule") in said


@pytest.mark.parametrize(
    "sensed",
    [
        Sensed(words=(replace(PAUSE, overruled=True),)),
        Sensed(words=(replace(PAUSE, subject=Subject.QUIETER_MODE),)),
        Sensed(words=(replace(PAUSE, subject=Subject.OCCUPANCY, value=0),)),
    ],
    ids=["overruled", "quiet", "nobody there"],
)
def test_a_sensor_that_does_not_hold_the_room_changes_nothing(sensed):
    assert key(replace(OPEN, sensed=sensed)) == "next_fine"
    assert key(replace(OPEN, sensed=sensed), pages=BOTH[:1]) == "next_room_page"


def test_what_is_broken_and_maintenance_come_before_a_sensor():
    assert key(replace(OPEN, sensed=ASKED), [warning("store", "critical")]) == "store"
    assert key(replace(OPEN, sensed=ASKED, maintenance_mode=True)) == "next_maintenance"


def test_a_stewards_own_switch_is_no_next_step():
    assert key(replace(OPEN, quieter_mode=True), [warning("quieter_mode")]) == "next_fine"


@pytest.mark.parametrize(("count", "expected"), [(1, "next_waiting_one"), (2, "next_waiting")])
def test_takes_that_wait_are_the_last_thing(count, expected):
    assert key(waiting=count) == expected
    assert key(warnings=[warning("disk")], waiting=count) == "disk"


def test_how_the_pool_lies_is_told_when_there_is_nothing_else():
    assert key(warnings=[warning("mood_missing")]) == "mood_missing"
    assert key(warnings=[warning("mood_missing")], waiting=1) == "next_waiting_one"


@given(
    switches=st.fixed_dictionaries({name: st.booleans() for name in SWITCHES}),
    warnings=st.lists(
        st.builds(warning, st.sampled_from(("disk", *SWITCHES)), st.sampled_from(("warning", "critical")))
    ),
    pages=st.lists(st.builds(Seen, surface=st.sampled_from(Surface), standing=st.sampled_from(Standing))),
    waiting=st.integers(0, 3),
    sensed=st.sampled_from((NOTHING_SENSED, ASKED)),
)
def test_there_is_always_one_next_step_and_it_has_words(switches, warnings, pages, waiting, sensed):
    step = next_step(replace(OPEN, sensed=sensed, **switches), warnings, pages, waiting)
    copy = load_copy("en")
    if step.warning is None:
        assert copy.t(f"ops.{step.key}_detail", **(step.params or {}))
    else:
        assert step.warning in warnings
