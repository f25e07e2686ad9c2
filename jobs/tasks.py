"""The jobs. Each opens nothing and decides nothing: it calls a service, and may run twice."""

from collections.abc import Callable
from typing import Any

from taskiq import AsyncBroker

from core.bootstrap import System
from core.domain.work import Job


def functions(system: System) -> dict[Job, Callable[..., Any]]:
    """Every job by name."""
    return {
        Job.SWEEP_TOMBSTONES: system.retention.sweep,
        Job.EXPIRE: system.retention.expire,
        Job.PRUNE: system.retention.prune,
    }


def register(broker: AsyncBroker, system: System) -> None:
    """Register every job on `broker` under its name."""
    for job, function in functions(system).items():
        broker.register_task(_plain(function), task_name=job.value)


def _plain(function: Callable[..., Any]) -> Callable[..., None]:
    def run(*args: Any) -> None:
        function(*args)

    return run
