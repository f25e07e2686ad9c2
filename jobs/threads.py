"""Threads beside an event loop that nobody leaves behind: they may hold a connection while the database is closed."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio.to_thread

T = TypeVar("T")
Given = TypeVarTuple("Given")

END_S = 5.0
"""How long whoever is cancelled waits for a thread: a server that hangs must not hold up a process that ends."""


async def in_thread(function: Callable[[*Given], T], *args: *Given) -> T:
    """What `function` gives, called in a thread. Who is cancelled meanwhile goes only once it has ended."""
    work = asyncio.ensure_future(anyio.to_thread.run_sync(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # How it ended concerns nobody any more.
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([work], timeout=END_S)
        raise
