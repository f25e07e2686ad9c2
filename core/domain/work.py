"""Names of everything that happens in the background, and of the signals that tell pages to read again."""

from enum import StrEnum


class Job(StrEnum):
    """A job is kicked by name; every name here must be registered by `jobs`."""

    SWEEP_TOMBSTONES = "sweep_tombstones"
    EXPIRE = "expire"
    PRUNE = "prune"
    PRUNE_DERIVATIVES = "prune_derivatives"
    DERIVE = "derive"
    MEASURE = "measure"
    FIND_WORK = "find_work"
    SAMPLE = "sample"
    WATCH = "watch"
    CLEAR_TIMED = "clear_timed"
    AUDIT = "audit"
    BACKUP = "backup"
    EXPORT = "export"


DAILY = frozenset({Job.AUDIT, Job.BACKUP})
"""What a node that was started a moment ago has no need of yet."""


class Signal(StrEnum):
    """Signals carry a name and a version, never state."""

    STEWARD = "steward"
    POOL = "pool"
    REVIEW = "review"
    SESSIONS = "sessions"
    DEVICES = "devices"
    COMMAND = "command"
    WARNINGS = "warnings"
    CARE = "care"


def subject_of(args: tuple[object, ...]) -> str:
    """What one job is about, as one short text: its attempts are counted under it."""
    return ":".join(str(arg) for arg in args)


def args_of(subject: str) -> tuple[int | str, ...]:
    """The arguments of a job, from what it is about: the inverse of `subject_of` for numbers and plain words."""
    return tuple(int(part) if part.isdecimal() else part for part in subject.split(":")) if subject else ()
