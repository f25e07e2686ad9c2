"""Names of everything that happens in the background, and of the signals that tell pages to read again."""

from enum import StrEnum


class Job(StrEnum):
    """A job is kicked by name; every name here must be registered by `jobs`."""

    SWEEP_TOMBSTONES = "sweep_tombstones"
    EXPIRE = "expire"
    PRUNE = "prune"


class Signal(StrEnum):
    """Signals carry a name and a version, never state."""

    STEWARD = "steward"
    POOL = "pool"


SLOTS_S: dict[Job, str] = {
    Job.SWEEP_TOMBSTONES: "sweep_interval_s",
    Job.EXPIRE: "expire_interval_s",
    Job.PRUNE: "prune_interval_s",
}
"""Which schedule setting paces which job."""
