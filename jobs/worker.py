"""A worker: one job at a time, in one thread, until it is told to stop.

Whoever starts the process sets `OPENBLAS_NUM_THREADS=1` before anything imports numpy (`memory_ui.cli.background` does,
in its first lines): the library reads it once, and one thread of heavy work is what the web process beside it can bear.
"""

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor

import anyio.to_thread
from taskiq.receiver import Receiver

from core.bootstrap import System
from jobs.broker import StreamBroker, make_kick
from jobs.keeping import keep
from jobs.signs import Signs, show_signs
from jobs.tasks import register

log = logging.getLogger(__name__)

GRACE_S = 30.0


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT; called in the running loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def run_worker(
    system: System, broker: StreamBroker, *, stop: asyncio.Event, name: str = "", grace_s: float = GRACE_S
) -> bool:
    """Work until `stop` is set; then read nothing more and let the running job end, for `grace_s` seconds at most.

    True where nothing was left behind. False where the job is still running: its entry stays pending for another
    worker, and its thread lives on, so the process must end without waiting for threads (`os._exit`).
    Closes `broker`. The grace must lie under the broker's idle timeout and under what the supervisor allows.
    `name` is this worker's among the node's processes, by default the one it has at the queue.
    """
    broker.is_worker_process = True
    signs = Signs(system, name=name or broker.consumer_name, role="worker")
    long_work = register(broker, system, signs)
    executor = ThreadPoolExecutor(1, thread_name_prefix="job")
    receiver = Receiver(broker, executor, max_async_tasks=1, max_prefetch=0, wait_tasks_timeout=grace_s)
    ending = asyncio.Event()
    listening = asyncio.create_task(receiver.listen(ending))
    beside = [
        asyncio.create_task(_hand_on(system, broker)),
        asyncio.create_task(show_signs(signs)),
        asyncio.create_task(keep(system)),
    ]
    stopping = asyncio.create_task(stop.wait())
    log.info("worker.started", extra={"consumer": broker.consumer_name})
    try:
        await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        # In this order: a receiver told to end cancels a read, and what that read was bringing would wait for the
        # idle timeout.
        await broker.stop_listening()
        ending.set()
        await listening
    finally:
        for task in (stopping, listening, *beside):
            task.cancel()
        await asyncio.gather(stopping, listening, *beside, return_exceptions=True)
        finished = not broker.busy
        await broker.shutdown()
        await anyio.to_thread.run_sync(long_work.stop)
        executor.shutdown(wait=False, cancel_futures=True)
        log.info("worker.stopped", extra={"finished": finished})
    return finished


async def _hand_on(system: System, broker: StreamBroker) -> None:
    """What jobs want after their commits, missing work above all, goes back into the queue; pages are told."""
    system.effects.kick_with(make_kick(broker), broker.depth)
    await system.effects.run()
