"""The stack's background: the web process only kicks, workers and schedulers run elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.bootstrap import System
from jobs.broker import BrokerFigures, StreamBroker, make_broker, make_kick
from jobs.keeping import keep
from jobs.watching import stand_in


def stack_broker(system: System) -> StreamBroker:
    """The queue of this node."""
    settings = system.settings
    figures = BrokerFigures(idle_timeout_s=settings.JOB_IDLE_SECONDS, attempts_most=settings.JOB_ATTEMPTS)
    return make_broker(settings.REDIS_URL, figures=figures, on_given_up=system.jobs.given_up)


@asynccontextmanager
async def kicking(system: System) -> AsyncIterator[None]:
    """Kick jobs into the queue while the context is open, and look at the node where no worker does."""
    broker = stack_broker(system)
    await broker.startup()
    system.effects.kick_with(make_kick(broker), broker.depth)
    beside = [asyncio.create_task(one) for one in (stand_in(system), keep(system))]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        system.effects.kick_with(None, None)
        await broker.shutdown()
