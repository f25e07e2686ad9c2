"""Whether a voice may come in, and why not: one answer for the kiosk, for HTTP and for stewards."""

from enum import StrEnum

from core.domain.steward import StewardState


class Door(StrEnum):
    """How the way in stands; empty while it is open."""

    OPEN = ""
    CLOSED = "closed"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"
    CLOCK = "clock"
    FULL = "full"


def intake_door(state: StewardState, *, doubted: bool, full: bool) -> Door:
    """The first reason that holds: what somebody has decided before what has merely happened.

    `state` is the posture in force, `doubted` says that the clock is not believed, `full` that the disk's reserve is
    reached.
    """
    reasons = (
        (Door.CLOSED, bool(state.closed)),
        (Door.MAINTENANCE, state.maintenance_mode),
        (Door.PAUSED, state.intake_paused),
        (Door.CLOCK, doubted),
        (Door.FULL, full),
    )
    return next((door for door, holds in reasons if holds), Door.OPEN)
