"""`memory-engine worker` and `memory-engine scheduler`: the stack's background processes."""

import os
import secrets
import socket
from typing import TYPE_CHECKING

import typer

from core.errors import Misconfigured

# Read once by the library when numpy is imported, so it is set before anything of ours is.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from core.bootstrap import System


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("worker")(worker)
    app.command("scheduler")(scheduler)


def worker() -> None:
    """Carry out background jobs of the stack until stopped."""
    import asyncio

    from jobs.stack import stack_broker
    from jobs.worker import run_worker, stop_on_signals

    system = _stack()

    async def work() -> bool:
        stop = asyncio.Event()
        stop_on_signals(stop)
        return await run_worker(system, stack_broker(system), stop=stop, name=process_name())

    finished = asyncio.run(work())
    system.close()
    if not finished:
        # A job is still running in a thread nobody can stop; its entry is pending and another worker will do it.
        os._exit(0)


def scheduler() -> None:
    """Kick the periodic jobs of the stack until stopped; any number of schedulers may run."""
    import asyncio

    from jobs.broker import make_kick
    from jobs.keeping import keep
    from jobs.schedule import run_schedule
    from jobs.signs import Signs
    from jobs.stack import stack_broker
    from jobs.worker import stop_on_signals

    system = _stack()

    async def schedule() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        broker = stack_broker(system)
        await broker.startup()
        signs = Signs(system, name=f"scheduler-{process_name()}", role="scheduler")
        beside = [asyncio.create_task(one) for one in (run_schedule(system, make_kick(broker), signs), keep(system))]
        await stop.wait()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await broker.shutdown()

    asyncio.run(schedule())
    system.close()


def process_name() -> str:
    """This process among the node's: host, and something of its own."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(2)}"


def _stack() -> "System":
    from core.bootstrap import build
    from core.settings import load_settings
    from memory_ui.cli.allocator import give_back
    from memory_ui.cli.logs import set_up

    settings = load_settings()
    if not settings.DATABASE_URL:
        raise Misconfigured(["DATABASE_URL: without the stack's settings jobs run inside `memory-engine serve`"])
    set_up(settings.LOG_LEVEL)
    give_back()
    return build(settings)
