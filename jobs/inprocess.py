"""Worker and scheduler inside the web process: the embedded engine's background."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from taskiq import InMemoryBroker
from taskiq.kicker import AsyncKicker

from core.bootstrap import System
from core.domain.work import Job
from core.ports.work import QueueDepth
from jobs.keeping import keep
from jobs.schedule import run_schedule
from jobs.signs import Signs, show_signs
from jobs.tasks import register
from jobs.watching import stand_in

NAME = "embedded"


@asynccontextmanager
async def running(system: System) -> AsyncIterator[None]:
    """Run jobs in one thread and the schedule beside them while the context is open."""
    # One thread: heavy work never competes with itself, and the event loop stays free.
    broker = InMemoryBroker(sync_tasks_pool_size=1)
    signs = Signs(system, name=NAME, role="worker")
    long_work = register(broker, system, signs)
    await broker.startup()

    async def kick(job: Job, args: tuple[Any, ...] = ()) -> None:
        await AsyncKicker(job.value, broker, {}).kiq(*args)

    async def depth() -> QueueDepth:
        tasks = len(broker._running_tasks)
        return QueueDepth(waiting=max(0, tasks - 1), running=min(1, tasks), oldest_waiting_s=0.0)

    system.effects.kick_with(kick, depth)
    scheduling = Signs(system, name=f"scheduler-{NAME}", role="scheduler")
    living = (run_schedule(system, kick, scheduling), show_signs(signs), stand_in(system), keep(system))
    beside = [asyncio.create_task(one) for one in living]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        system.effects.kick_with(None, None)
        await broker.wait_all()
        await anyio.to_thread.run_sync(long_work.stop)
        await broker.shutdown()
        broker.executor.shutdown()
