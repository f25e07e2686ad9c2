"""The jobs. Each opens nothing and decides nothing: it calls a service, and may run twice."""

from collections.abc import Callable
from functools import partial
from typing import Any

from taskiq import AsyncBroker

from core.bootstrap import System
from core.domain.work import Job
from jobs.care import LONG, Beside
from jobs.signs import Signs


def functions(system: System) -> dict[Job, Callable[..., Any]]:
    """Every job by name."""
    return {
        Job.SWEEP_TOMBSTONES: system.retention.sweep,
        Job.EXPIRE: system.retention.expire,
        Job.PRUNE: partial(_prune, system),
        Job.PRUNE_DERIVATIVES: system.retention.prune_derivatives,
        Job.DERIVE: system.derive.derive,
        Job.MEASURE: system.derive.measure,
        Job.FIND_WORK: system.derive.find_work,
        Job.CLEAR_TIMED: system.stewardship.clear_timed,
        Job.SAMPLE: system.status.sample,
        Job.WATCH: partial(_watch, system),
        Job.BACKUP: system.backup.run,
        Job.EXPORT: system.export.make,
        Job.AUDIT: system.audits.run,
    }


def _prune(system: System) -> None:
    system.retention.prune()
    system.backup.prune()
    system.export.prune()


def _watch(system: System) -> None:
    system.watch.look(system.effects.depth_in_thread())


def register(broker: AsyncBroker, system: System, signs: Signs) -> Beside:
    """Register every job on `broker` under its name; `signs` are those of the process they run in.

    What is long runs beside, and is to be stopped with the process.
    """
    beside = Beside(system)
    for job, function in functions(system).items():
        run = partial(beside.begin, job, function) if job in LONG else partial(_run, system, job, function)
        broker.register_task(_task(signs, run), task_name=job.value)
    return beside


def _run(system: System, job: Job, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    system.jobs.run(job, args, function)


def _task(signs: Signs, carry_out: Callable[[tuple[Any, ...]], None]) -> Callable[..., None]:
    def run(*args: Any) -> None:
        # Before anything else: a look must not miss whoever looks.
        signs.show()
        with signs.working():
            carry_out(args)

    return run
