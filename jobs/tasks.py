"""The jobs. Each opens nothing and decides nothing: it calls a service, and may run twice."""

from collections.abc import Callable
from functools import partial
from typing import Any

from taskiq import AsyncBroker

from core.bootstrap import System
from core.domain.work import Job


def functions(system: System, *, name: str, role: str) -> dict[Job, Callable[..., Any]]:
    """Every job by name; `name` and `role` are those of the process they run in."""
    return {
        Job.SWEEP_TOMBSTONES: system.retention.sweep,
        Job.EXPIRE: system.retention.expire,
        Job.PRUNE: system.retention.prune,
        Job.PRUNE_DERIVATIVES: system.retention.prune_derivatives,
        Job.DERIVE: system.derive.derive,
        Job.MEASURE: system.derive.measure,
        Job.FIND_WORK: system.derive.find_work,
        Job.CLEAR_TIMED: system.stewardship.clear_timed,
        Job.HEARTBEAT: partial(system.jobs.beat, name, role),
        Job.SAMPLE: system.status.sample,
        Job.WATCH: partial(_watch, system, name, role),
    }


def _watch(system: System, name: str, role: str) -> None:
    # Whoever looks is alive, whatever its last heartbeat says.
    system.jobs.beat(name, role)
    system.watch.look(system.effects.depth_in_thread())


def register(broker: AsyncBroker, system: System, *, name: str, role: str) -> None:
    """Register every job on `broker` under its name."""
    for job, function in functions(system, name=name, role=role).items():
        broker.register_task(_task(system, job, function), task_name=job.value)


def _task(system: System, job: Job, function: Callable[..., Any]) -> Callable[..., None]:
    def run(*args: Any) -> None:
        system.jobs.run(job, args, function)

    return run
