"""The site's clock: parts of the day, quiet hours and the length of a day, on the nights clocks change too."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.room.schedule import day_of, daypart_at, in_quiet_hours, site_time
from core.domain.room.tables import hours_of
from tests.room_tables import CATALOG, quiet_hours

BERLIN, SANTIAGO, LORD_HOWE = (ZoneInfo(name) for name in ("Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"))
KIRITIMATI, HAVANA = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Havana")
ZONES = (BERLIN, SANTIAGO, LORD_HOWE, KIRITIMATI, HAVANA)
"""Of full hours, at midnight from either side, of half an hour, and of none at the far end of the date line."""

HOURS_OF_DAY = {
    (BERLIN, date(2026, 3, 29)): 23,
    (BERLIN, date(2026, 10, 25)): 25,
    (SANTIAGO, date(2026, 4, 4)): 25,
    (SANTIAGO, date(2026, 9, 6)): 23,
    (LORD_HOWE, date(2026, 4, 5)): 24.5,
    (LORD_HOWE, date(2026, 10, 4)): 23.5,
    (HAVANA, date(2026, 3, 8)): 23,
    (HAVANA, date(2026, 11, 1)): 25,
}
"""Every day of 2026 that is not 24 hours long there."""

NO_SUCH_HOUR = {
    (BERLIN, date(2026, 3, 29)): 2,
    (SANTIAGO, date(2026, 9, 6)): 0,
    (HAVANA, date(2026, 3, 8)): 0,
}
"""The hour of the clock that is left out; Lord Howe leaves out but half of one."""

HALF_HOURS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * step) for step in range(365 * 48)]
moments = st.integers(0, 365 * 86_400 - 1).map(lambda second: HALF_HOURS[0] + timedelta(seconds=second))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


def length_h(now: datetime, zone: tzinfo | None) -> float:
    # Within one zone Python subtracts clock readings, not moments.
    begins, ends = (edge.astimezone(UTC) for edge in day_of(now, zone))
    return (ends - begins).total_seconds() / 3600


class TestDayparts:
    def test_every_hour_has_one_and_it_holds_to_the_hours_last_minute(self) -> None:
        for hour in range(24):
            (part,) = [part for part in CATALOG.dayparts if hour in hours_of(part.hours)]
            assert (
                daypart_at(at(hour), UTC, CATALOG.dayparts) == daypart_at(at(hour, 59), UTC, CATALOG.dayparts) == part
            )

    @pytest.mark.parametrize(
        ("hour", "name"),
        [
            (6, "morning"),
            (11, "morning"),
            (12, "afternoon"),
            (17, "evening"),
            (21, "evening"),
            (22, "night"),
            (5, "night"),
        ],
    )
    def test_it_goes_by_the_clock_of_the_site(self, hour: int, name: str) -> None:
        local = datetime(2026, 7, 1, hour, 30, tzinfo=SANTIAGO)
        assert daypart_at(local.astimezone(UTC), SANTIAGO, CATALOG.dayparts).name == name

    def test_hours_run_past_midnight_and_an_hour_alone_is_one(self) -> None:
        assert hours_of((22, 1)) == (22, 23, 0, 1)
        assert hours_of((7, 7)) == (7,)
        assert hours_of((0, 23)) == tuple(range(24))


class TestQuietHours:
    def test_without_any_no_hour_is_quiet(self) -> None:
        assert not any(in_quiet_hours(at(hour), UTC, None) for hour in range(24))

    @given(st.integers(0, 23), st.integers(0, 23), st.integers(0, 23), st.integers(0, 59))
    def test_they_last_from_their_first_hour_until_just_before_their_last(
        self, start: int, end: int, hour: int, minute: int
    ) -> None:
        lasts_h = (end - start) % 24 or 24
        expected = (hour - start) % 24 < lasts_h
        assert in_quiet_hours(at(hour, minute), UTC, quiet_hours(start, end)) == expected

    def test_from_an_hour_to_itself_they_last_all_day(self) -> None:
        assert all(in_quiet_hours(at(hour), UTC, quiet_hours(start, start)) for hour in range(24) for start in (0, 9))

    @pytest.mark.parametrize("zone", ZONES, ids=str)
    @pytest.mark.parametrize(("start", "end"), [(22, 6), (20, 8), (6, 22), (0, 7), (18, 0), (2, 3), (3, 2), (0, 1)])
    def test_over_a_year_they_begin_and_end_once_a_day(self, zone: ZoneInfo, start: int, end: int) -> None:
        quiet = quiet_hours(start, end)
        changes: Counter[date] = Counter()
        before = in_quiet_hours(HALF_HOURS[0] - timedelta(minutes=30), zone, quiet)
        for now in HALF_HOURS:
            after = in_quiet_hours(now, zone, quiet)
            changes[site_time(now, zone).date()] += after is not before
            before = after
        whole_days = sorted(changes)[1:-1]
        unusual = {day: changes[day] for day in whole_days if changes[day] != 2}
        # Quiet, or loud, in one hour only: on the day that leaves it out, nothing changes.
        alone = start if (end - start) % 24 == 1 else end if (start - end) % 24 == 1 else None
        assert unusual == {day: 0 for (where, day), hour in NO_SUCH_HOUR.items() if where is zone and hour == alone}

    @pytest.mark.parametrize(
        ("now", "is_quiet"),
        [
            (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), False),  # 1:59
            (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), True),  # 3:00, an hour of 2 there is not
            (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), True),  # 2:00
            (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True),  # 2:30 once more
            (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), False),  # 1:59
        ],
    )
    def test_on_the_night_clocks_change_they_begin_with_the_first_hour_there_is(
        self, now: datetime, is_quiet: bool
    ) -> None:
        assert in_quiet_hours(now, BERLIN, quiet_hours(2, 5)) is is_quiet

    def test_half_an_hour_of_clock_change_moves_them_by_half_an_hour(self) -> None:
        first = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)  # where the clock goes from 2:00 to 2:30
        assert not in_quiet_hours(first - timedelta(minutes=1), LORD_HOWE, quiet_hours(2, 3))
        assert in_quiet_hours(first, LORD_HOWE, quiet_hours(2, 3))
        assert in_quiet_hours(first + timedelta(minutes=29), LORD_HOWE, quiet_hours(2, 3))
        assert not in_quiet_hours(first + timedelta(minutes=30), LORD_HOWE, quiet_hours(2, 3))


class TestTheDay:
    @pytest.mark.parametrize("zone", ZONES, ids=str)
    def test_it_is_as_long_as_it_is_there(self, zone: ZoneInfo) -> None:
        noon = datetime(2026, 1, 1, 12, tzinfo=zone)
        days = [noon + timedelta(days=step) for step in range(365)]
        unusual = {(zone, day.date()): length_h(day.astimezone(UTC), zone) for day in days}
        expected = {of: hours for of, hours in HOURS_OF_DAY.items() if of[0] is zone}
        assert {of: hours for of, hours in unusual.items() if hours != 24} == expected

    @given(moments, st.sampled_from(ZONES))
    def test_it_contains_the_moment_and_is_of_its_date(self, now: datetime, zone: ZoneInfo) -> None:
        begins, ends = (edge.astimezone(UTC) for edge in day_of(now, zone))
        assert begins <= now < ends
        last = ends - timedelta(microseconds=1)
        assert {moment.astimezone(zone).date() for moment in (begins, now, last)} == {site_time(now, zone).date()}

    @given(moments, st.sampled_from(ZONES))
    def test_it_ends_where_the_next_begins(self, now: datetime, zone: ZoneInfo) -> None:
        ends = day_of(now, zone)[1].astimezone(UTC)
        assert day_of(ends, zone)[0].astimezone(UTC) == ends

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
            (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ],
    )
    def test_before_and_after_the_change_it_is_the_same_day(self, first: datetime, second: datetime) -> None:
        assert day_of(first, BERLIN) == day_of(second, BERLIN)


class TestTheMachinesOwnZone:
    @pytest.fixture(params=["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/Havana"])
    def zone(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoneInfo]:
        monkeypatch.setenv("TZ", request.param)
        time.tzset()
        yield ZoneInfo(request.param)
        monkeypatch.undo()
        time.tzset()

    def test_counts_where_none_is_set(self, zone: ZoneInfo) -> None:
        quiet = quiet_hours(2, 5)
        for now in HALF_HOURS[::7]:
            assert in_quiet_hours(now, None, quiet) == in_quiet_hours(now, zone, quiet), now
            assert daypart_at(now, None, CATALOG.dayparts) == daypart_at(now, zone, CATALOG.dayparts), now

    def test_its_days_are_as_long_as_they_are_there(self, zone: ZoneInfo) -> None:
        for now in HALF_HOURS[::7]:
            own, named = ([edge.astimezone(UTC) for edge in day_of(now, where)] for where in (None, zone))
            assert own == named, now
