"""What a room makes of how many people are there, where it goes by that."""

from enum import StrEnum

from core.domain.room.posture import Posture
from core.domain.room.rows import Intensity, OccupancyFigures

_STEPS = (Intensity.QUIET, Intensity.BALANCED, Intensity.ACTIVE)


class Attendance(StrEnum):
    """Who is there, as far as a room can tell.

    `EMPTY` is believed for a while only: a counter that is stuck must not silence a room for good. After that it is
    `DOUBTED`.
    """

    UNKNOWN = "unknown"
    SOME = "some"
    CROWD = "crowd"
    EMPTY = "empty"
    DOUBTED = "doubted"


def attendance(posture: Posture, figures: OccupancyFigures) -> Attendance:
    """Who is there; nobody counts only after a while, for whoever counts at a door is out by one now and then."""
    if posture.people is None:
        return Attendance.UNKNOWN
    if posture.people:
        return Attendance.CROWD if posture.people >= figures.crowd_from else Attendance.SOME
    if posture.empty_s < figures.empty_after_s:
        return Attendance.SOME
    rested_s = posture.empty_s - figures.empty_after_s
    return Attendance.EMPTY if rested_s < figures.rest_most_s else Attendance.DOUBTED


def rests(posture: Posture, figures: OccupancyFigures) -> bool:
    """Whether there is nobody a voice should be spent on."""
    return attendance(posture, figures) is Attendance.EMPTY


def paced(intensity: Intensity, posture: Posture, figures: OccupancyFigures, *, quiet: bool) -> tuple[Intensity, float]:
    """The intensity as people move it, and a multiplier of gaps; a crowd does not break the `quiet` somebody wants."""
    match attendance(posture, figures):
        case Attendance.CROWD if not quiet:
            row = figures.crowd
        case Attendance.EMPTY | Attendance.DOUBTED:
            row = figures.nobody
        case _:
            return intensity, 1.0
    place = _STEPS.index(intensity) + row.step
    return _STEPS[min(max(place, 0), len(_STEPS) - 1)], row.gap
