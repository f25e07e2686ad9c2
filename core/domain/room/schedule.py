"""What the hour of the day makes of a room, by the site's own clock.

A moment is turned into the site's wall clock whenever it is asked about, and only hours of that clock are compared: on
the night clocks are set forward or back nothing is skipped and nothing is stuck; the hour that comes twice counts
twice.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

from core.domain.room.rows import Daypart
from core.domain.room.tables import QuietHours, hours_of


def site_time(now: datetime, zone: tzinfo | None) -> datetime:
    """`now` by the site's clock; None takes the machine's own zone."""
    return now.astimezone(zone)


def daypart_at(now: datetime, zone: tzinfo | None, dayparts: Sequence[Daypart]) -> Daypart:
    """The part of the day; the catalog makes sure that there is exactly one."""
    hour = site_time(now, zone).hour
    return next(part for part in dayparts if hour in hours_of(part.hours))


def in_quiet_hours(now: datetime, zone: tzinfo | None, quiet: QuietHours | None) -> bool:
    """Whether quiet hours are on; they may run past midnight, and from an hour to itself they last all day."""
    if quiet is None:
        return False
    hour = site_time(now, zone).hour
    if quiet.start_hour < quiet.end_hour:
        return quiet.start_hour <= hour < quiet.end_hour
    return hour >= quiet.start_hour or hour < quiet.end_hour


def day_of(now: datetime, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """When the site's present day began and when it ends, in the zone of the site.

    A day is as long as it is there: 23 or 25 hours where clocks change.
    """
    local = site_time(now, zone)
    return _midnight(local, zone), _midnight(local + timedelta(days=1), zone)


def _midnight(local: datetime, zone: tzinfo | None) -> datetime:
    naive = datetime.combine(local.date(), time.min)
    if zone is not None:
        return naive.replace(tzinfo=zone)
    # The machine's own zone is asked for that very day, whose offset may be another than today's; and by way of the
    # timestamp, because `astimezone` of a midnight that clocks leave out is an hour early.
    return datetime.fromtimestamp(naive.timestamp(), UTC).astimezone()
