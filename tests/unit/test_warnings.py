"""The rules, as laws: whatever the facts, and with one fact changed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.copy import load_copy
from core.adapters.warnings_text import in_words
from core.domain.certificates import LATE_DAYS, ROOT_SOON_DAYS, Held, Span
from core.domain.clocks import Doubt
from core.domain.custody import Closed
from core.domain.device import Activity, Device, DeviceFigures, Permission, Report, Surface
from core.domain.pool.facts import Lane, Mood
from core.domain.steward import SWITCHES, StewardState
from core.domain.warnings import PATIENT, SHOWN_ONLY, Level, Name, NodeFacts, Process, WarningFigures, standing
from tests.fakes import START

FIGURES = WarningFigures(
    stale_s=180,
    queue_warning=12,
    queue_critical=40,
    disk_warning_bytes=8e9,
    disk_warning_share=0.15,
    disk_critical_bytes=3e9,
    disk_critical_share=0.08,
    pool_low=6,
    dominant_share=0.72,
    overdue_s=900,
    skew_s=60,
    audit_old_s=48 * 3600,
    backup_old_s=48 * 3600,
    ledger_behind_s=900,
    devices=DeviceFigures(offline_s=45, silent_s=15, skew_s=60),
    page_version="now",
)
STATE = StewardState(kiosk_max_recording_seconds=120, updated_at=START)
ALIVE = (Process(name="w", role="worker", seen_at=START), Process(name="s", role="scheduler", seen_at=START))
WELL = NodeFacts(
    now=START,
    processes=ALIVE,
    free_bytes=500_000_000_000,
    total_bytes=1_000_000_000_000,
    reserve_bytes=30_000_000_000,
    playable=30,
    lanes=dict.fromkeys(Lane, 10),
    moods=dict.fromkeys(Mood, 6),
    steward=STATE,
)
PAGE = Device(
    id="kiosk-1",
    surface=Surface.KIOSK,
    name="Hall",
    station="",
    opened_at=START,
    contact_at=START,
    report=Report(page_version="now"),
)


def held(*, root=3652, leaf=397, by=timedelta()):
    """What a node holds whose certificates end in so many days, and `by` more; None where there is none."""
    root, leaf = (None if days is None else until(START + timedelta(days=days) + by) for days in (root, leaf))
    return Held(root=root, leaf=leaf)


def until(end):
    """Dates that began long before."""
    return Span(begins=START - timedelta(days=400), ends=end)


DOUBT = Doubt(system_now=START + timedelta(days=730), believed_now=START, since=START)

times = st.integers(-4000, 4000).map(lambda s: START + timedelta(seconds=s))
moments = st.none() | times
reports = st.builds(
    Report,
    activity=st.sampled_from(Activity),
    since_s=st.floats(0, 100),
    sound_ago_s=st.none() | st.floats(0, 100),
    permission=st.sampled_from(Permission),
    microphone_silent=st.booleans(),
    skew_s=st.floats(-200, 200),
    page_version=st.sampled_from(["", "now", "old"]),
)
pages = st.builds(
    Device,
    id=st.text("abc", min_size=1, max_size=3),
    surface=st.sampled_from(Surface),
    name=st.sampled_from(["", "Hall", "Attic"]),
    station=st.just(""),
    opened_at=times,
    contact_at=times,
    closed_at=moments,
    report=reports,
)
processes = st.builds(
    Process,
    name=st.text("xyz", min_size=1, max_size=3),
    role=st.sampled_from(["worker", "scheduler"]),
    seen_at=times,
)
postures = st.builds(
    lambda on, until, closed: replace(
        STATE, closed=closed, **dict.fromkeys(on, True), **{f"{name}_until": until for name in on}
    ),
    st.sets(st.sampled_from(SWITCHES)),
    moments,
    st.sampled_from(Closed),
)
node_facts = st.builds(
    NodeFacts,
    now=st.just(START),
    database=st.booleans(),
    store=st.booleans(),
    waiting_jobs=st.none() | st.integers(0, 100),
    processes=st.none() | st.lists(processes, max_size=4, unique_by=lambda one: one.name).map(tuple),
    failed_jobs=st.integers(0, 3),
    free_bytes=st.none() | st.integers(0, 100_000_000_000),
    total_bytes=st.integers(0, 100_000_000_000),
    reserve_bytes=st.integers(0, 5_000_000_000),
    playable=st.none() | st.integers(0, 100),
    lanes=st.dictionaries(st.sampled_from(Lane), st.integers(0, 40)),
    moods=st.dictionaries(st.sampled_from(Mood), st.integers(0, 40)),
    deletions_failing=st.integers(0, 3),
    oldest_deletion_at=moments,
    clock_moved_s=st.floats(-1e6, 1e6),
    doubt=st.sampled_from([None, DOUBT]),
    devices=st.lists(pages, max_size=4, unique_by=lambda one: one.id).map(tuple),
    steward=st.none() | postures,
    takes_waiting=st.integers(0, 3),
    began_at=moments,
    audited_at=moments,
    audit_findings=st.integers(0, 3),
    backup_failed=st.booleans(),
    verified_at=moments,
    owed=st.integers(0, 3),
    owed_since=moments,
    certificates=st.none()
    | st.builds(held, root=st.none() | st.integers(-40, 4000), leaf=st.none() | st.integers(-40, 400)),
)


def test_where_the_clock_was_moved_others_are_not_missed_for_it():
    for moved_s in (600.0, -600.0):
        seen_at = START - timedelta(seconds=moved_s)
        others = tuple(replace(process, seen_at=seen_at) for process in ALIVE)
        seen = replace(WELL, clock_moved_s=moved_s, processes=others, devices=(replace(PAGE, contact_at=seen_at),))
        assert [one.name for one in standing(seen, FIGURES)] == [Name.CLOCK_MOVED]


def test_a_clock_in_doubt_is_told_once_and_makes_no_deletion_late():
    facts = replace(WELL, now=DOUBT.system_now, doubt=DOUBT, clock_moved_s=63_072_000.0, processes=None)
    facts = replace(facts, oldest_deletion_at=START - timedelta(seconds=60))
    [found] = standing(facts, FIGURES)
    assert found.name is Name.CLOCK_DOUBT
    title = in_words(found, load_copy("en")).title
    assert "29 February 2028" in title
    assert "1 March 2026" in title


def test_where_it_was_moved_those_who_are_silent_are_missed():
    """A clock set right by a year, as that of a machine without a battery is."""
    silent = replace(
        WELL, clock_moved_s=31_536_000.0, processes=(replace(ALIVE[0], seen_at=START - timedelta(hours=1)),)
    )
    found = [one.name for one in standing(silent, FIGURES)]
    assert found == [Name.CLOCK_MOVED, Name.WORKER_STALE, Name.SCHEDULER_STALE]


def page(**said):
    surface = said.pop("surface", Surface.KIOSK)
    return {"devices": (replace(PAGE, surface=surface, report=replace(PAGE.report, **said)),)}


def switched(name, **more):
    return {"steward": replace(STATE, **{name: True}, **more)}


LEVEL_OF = {
    (Name.DATABASE_DOWN, Level.CRITICAL): {"database": False},
    (Name.STORE_DOWN, Level.CRITICAL): {"store": False},
    (Name.QUEUE_DOWN, Level.CRITICAL): {"waiting_jobs": None},
    (Name.WORKER_STALE, Level.CRITICAL): {"processes": ALIVE[1:]},
    (Name.SCHEDULER_STALE, Level.CRITICAL): {"processes": ALIVE[:1]},
    (Name.QUEUE_FILLING, Level.WARNING): {"waiting_jobs": 12},
    (Name.QUEUE_FILLING, Level.CRITICAL): {"waiting_jobs": 40},
    (Name.JOBS_FAILED, Level.WARNING): {"failed_jobs": 1},
    (Name.DISK_LOW, Level.WARNING): {"free_bytes": 149_000_000_000},
    (Name.DISK_LOW, Level.CRITICAL): {"free_bytes": 79_000_000_000},
    (Name.DISK_RESERVE, Level.CRITICAL): {"free_bytes": 30_000_000_000},
    (Name.DELETIONS_REFUSED, Level.WARNING): {"deletions_failing": 1},
    (Name.DELETIONS_OVERDUE, Level.CRITICAL): {"oldest_deletion_at": START - timedelta(seconds=901)},
    (Name.NODE_CLOSED, Level.CRITICAL): {"steward": replace(STATE, closed=Closed.LEDGER_SHORT)},
    (Name.NODE_CLOSED, Level.WARNING): {"steward": replace(STATE, closed=Closed.EXHIBITION)},
    (Name.CLOCK_DOUBT, Level.CRITICAL): {"doubt": DOUBT},
    (Name.AUDIT_FAILED, Level.CRITICAL): {"audit_findings": 2},
    (Name.AUDIT_OLD, Level.WARNING): {"audited_at": START - timedelta(hours=48, seconds=1)},
    (Name.BACKUP_FAILED, Level.WARNING): {"backup_failed": True},
    (Name.BACKUP_OLD, Level.WARNING): {"verified_at": START - timedelta(hours=48, seconds=1)},
    (Name.LEDGER_BEHIND, Level.WARNING): {"owed": 1, "owed_since": START - timedelta(seconds=901)},
    (Name.CLOCK_MOVED, Level.CRITICAL): {"clock_moved_s": -61.0},
    (Name.CERTIFICATE_LOST, Level.CRITICAL): {"certificates": held(root=None, leaf=None)},
    (Name.CERTIFICATE_LOST, Level.WARNING): {"certificates": held(leaf=None)},
    (Name.CERTIFICATE_LATE, Level.WARNING): {"certificates": held(leaf=LATE_DAYS, by=timedelta(seconds=-1))},
    (Name.CERTIFICATE_LATE, Level.CRITICAL): {"certificates": held(leaf=-1)},
    (Name.CERTIFICATE_ROOT, Level.WARNING): {
        "certificates": held(root=ROOT_SOON_DAYS, leaf=ROOT_SOON_DAYS, by=timedelta(seconds=-1))
    },
    (Name.CERTIFICATE_ROOT, Level.CRITICAL): {"certificates": held(root=-1, leaf=-1)},
    (Name.WORKER_CLOCK, Level.WARNING): {
        "processes": (*ALIVE, Process(name="w2", role="worker", seen_at=START + timedelta(seconds=61)))
    },
    (Name.DEVICE_OFFLINE, Level.WARNING): {"devices": (replace(PAGE, contact_at=START - timedelta(seconds=46)),)},
    (Name.DEVICE_SILENT, Level.CRITICAL): page(surface=Surface.ROOM, activity=Activity.SOUNDING, since_s=16.0),
    (Name.DEVICE_BLOCKED, Level.CRITICAL): page(surface=Surface.ROOM, activity=Activity.BLOCKED),
    (Name.DEVICE_NO_MICROPHONE, Level.CRITICAL): page(permission=Permission.DENIED),
    (Name.DEVICE_MICROPHONE_SILENT, Level.WARNING): page(microphone_silent=True),
    (Name.DEVICE_SKEWED, Level.WARNING): page(skew_s=-61.0),
    (Name.DEVICE_OLD_PAGE, Level.WARNING): page(page_version="old"),
    (Name.TAKES_WAITING, Level.WARNING): {"takes_waiting": 1},
    **{(Name(name), Level.WARNING): switched(name) for name in SWITCHES},
    (Name.POOL_EMPTY, Level.WARNING): {"playable": 0},
    (Name.POOL_LOW, Level.WARNING): {"playable": 6},
    (Name.LANE_DOMINATES, Level.WARNING): {"lanes": {Lane.FRESH: 22, Lane.MID: 4, Lane.WORN: 4}},
    (Name.LANE_MISSING, Level.WARNING): {"lanes": {Lane.FRESH: 15, Lane.MID: 15}},
    (Name.MOOD_DOMINATES, Level.WARNING): {"moods": {**dict.fromkeys(Mood, 1), Mood.HUSHED: 22}},
    (Name.MOOD_MISSING, Level.WARNING): {"moods": {**dict.fromkeys(Mood, 8), Mood.CLEAR: 0}},
}
"""What alone makes each warning stand."""


def test_a_kiosk_that_may_listen_and_has_nothing_to_listen_with_has_no_microphone():
    nothing = replace(WELL, **page(permission=Permission.GRANTED, microphone=""))
    assert [warning.name for warning in standing(nothing, FIGURES)] == [Name.DEVICE_NO_MICROPHONE]


def test_a_node_where_all_is_well_warns_of_nothing():
    assert standing(WELL, FIGURES) == []
    assert standing(NodeFacts(now=START), FIGURES) == []


@pytest.mark.parametrize(("expected", "trouble"), LEVEL_OF.items(), ids=lambda value: getattr(value, "name", None))
def test_each_cause_makes_its_own_warning_and_no_other(expected, trouble):
    assert [(found.name, found.level) for found in standing(replace(WELL, **trouble), FIGURES)] == [expected]


def test_every_name_has_a_cause_here():
    assert {name for name, _ in LEVEL_OF} == set(Name)


@pytest.mark.parametrize(
    "almost",
    [
        {"waiting_jobs": 11},
        {"free_bytes": 150_000_000_000},
        {"clock_moved_s": 60.0},
        {"oldest_deletion_at": START - timedelta(seconds=900)},
        {"processes": tuple(replace(one, seen_at=START - timedelta(seconds=180)) for one in ALIVE)},
        {"audited_at": START - timedelta(hours=48), "verified_at": START - timedelta(hours=48)},
        {"began_at": START - timedelta(hours=48)},
        {"owed": 3, "owed_since": START - timedelta(seconds=900)},
        {"certificates": held(root=ROOT_SOON_DAYS, leaf=LATE_DAYS)},
        {"playable": 7},
        {"playable": 11, "lanes": {Lane.FRESH: 11}, "moods": {Mood.CLEAR: 11}},
        {"lanes": {Lane.FRESH: 21, Lane.MID: 5, Lane.WORN: 4}},
        {"devices": (replace(PAGE, contact_at=START - timedelta(hours=1), closed_at=START),)},
        switched("intake_paused", intake_paused_until=START),
    ],
)
def test_what_is_just_not_a_cause_is_no_warning(almost):
    assert standing(replace(WELL, **almost), FIGURES) == []


@given(node_facts, st.sampled_from(sorted(LEVEL_OF)))
def test_a_warning_is_gone_with_its_cause_whatever_else_stands(facts, known):
    cause = LEVEL_OF[known]
    cured = replace(facts, **{name: getattr(WELL, name) for name in cause})
    others = {"playable", "lanes", "moods"} if set(cause) & {"playable", "lanes", "moods"} else set()
    others |= {"free_bytes", "total_bytes", "reserve_bytes"} if "free_bytes" in cause else set()
    cured = replace(cured, **{name: getattr(WELL, name) for name in others})
    assert known[0] not in {found.name for found in standing(cured, FIGURES)}


@given(node_facts)
def test_no_name_and_subject_stands_twice(facts):
    keys = [(found.name, found.subject) for found in standing(facts, FIGURES)]
    assert len(keys) == len(set(keys))


@given(node_facts, st.randoms(use_true_random=False))
def test_the_order_is_one_whatever_order_the_facts_come_in(facts, rng):
    shuffled = replace(
        facts,
        devices=tuple(rng.sample(facts.devices, len(facts.devices))),
        processes=facts.processes and tuple(rng.sample(facts.processes, len(facts.processes))),
    )
    found = standing(facts, FIGURES)
    assert standing(shuffled, FIGURES) == found
    assert [one.order for one in found] == sorted({one.order for one in found})
    assert [one.level for one in found] == sorted(one.level for one in found)


@given(node_facts)
def test_whatever_stands_can_be_said(facts):
    for found in standing(facts, FIGURES):
        said = in_words(found, load_copy("en"))
        assert (said.level, bool(said.title), bool(said.detail)) == (found.level.value, True, True)


def test_a_node_that_makes_no_backups_by_itself_is_not_asked_for_them():
    long_ago = START - timedelta(days=900)
    never = replace(WELL, verified_at=long_ago, began_at=long_ago, audited_at=START)
    assert [found.name for found in standing(never, FIGURES)] == [Name.BACKUP_OLD]
    assert standing(never, replace(FIGURES, backup_old_s=0)) == []


def test_a_certificate_that_ends_with_its_root_is_no_renewal_that_was_missed():
    (found,) = standing(replace(WELL, certificates=held(root=20, leaf=20)), FIGURES)
    assert found.name is Name.CERTIFICATE_ROOT
    assert in_words(found, load_copy("en")).title.endswith("on 21 March 2026.")


def test_a_clock_in_doubt_ends_no_certificate():
    facts = replace(WELL, now=DOUBT.system_now, doubt=DOUBT, processes=None, certificates=held(root=40, leaf=35))
    assert [found.name for found in standing(facts, FIGURES)] == [Name.CLOCK_DOUBT]


def test_a_timed_switch_says_until_when():
    until = START + timedelta(minutes=20)
    (found,) = standing(replace(WELL, **switched("intake_paused", intake_paused_until=until)), FIGURES)
    assert in_words(found, load_copy("en")).title == f"Intake is paused until {until.astimezone():%H:%M}."


def test_a_page_is_called_by_its_name():
    (found,) = standing(replace(WELL, **page(skew_s=90.0)), FIGURES)
    assert (found.subject, in_words(found, load_copy("en")).title) == ("kiosk-1", "The clock of Hall is wrong.")


def test_what_is_sent_to_nobody_or_late_is_never_critical():
    assert {name for name, level in LEVEL_OF if level is Level.CRITICAL} & (SHOWN_ONLY | PATIENT) == set()
