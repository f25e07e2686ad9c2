"""Handing effects on after a commit: a bounded queue between the threads that commit and whoever carries them out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from core.domain.work import Job, Signal

log = logging.getLogger(__name__)

Kick = Callable[[Job, tuple[Any, ...]], Awaitable[None]]
Listener = Callable[[Signal, dict[str, Any]], None]

QUEUE_MOST = 1_000


class Effects:
    """See `core.ports.work.Dispatcher`. What cannot be handed on is dropped: sweeps and re-reads find it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(QUEUE_MOST)
        self._kick: Kick | None = None
        self._listeners: list[Listener] = []
        self._waiting: set[tuple[Job, tuple[Any, ...]]] = set()

    def job(self, job: Job, args: tuple[Any, ...]) -> None:
        """Queue a job unless the same one is waiting already."""
        self._hand_over(lambda: self._enqueue_job(job, args))

    def signal(self, signal: Signal, detail: dict[str, Any]) -> None:
        """Tell every listener, in the event loop."""
        self._hand_over(lambda: self._tell(signal, detail))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Listen to signals until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def kick_with(self, kick: Kick | None) -> None:
        """Where jobs go; None drops them."""
        self._kick = kick

    async def run(self) -> None:
        """Carry effects out until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                await (await self._queue.get())()
        finally:
            self._loop = None

    def _hand_over(self, callback: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(callback)
        except RuntimeError:
            log.debug("effects.loop_closed")

    def _enqueue_job(self, job: Job, args: tuple[Any, ...]) -> None:
        if (job, args) in self._waiting or self._queue.full():
            return
        self._waiting.add((job, args))
        self._queue.put_nowait(lambda: self._carry_out(job, args))

    async def _carry_out(self, job: Job, args: tuple[Any, ...]) -> None:
        self._waiting.discard((job, args))
        if self._kick is None:
            return
        try:
            await self._kick(job, args)
        except Exception:
            log.warning("effects.kick_failed", extra={"job": job.value}, exc_info=True)

    def _tell(self, signal: Signal, detail: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            try:
                listener(signal, detail)
            except Exception:
                log.exception("effects.listener_failed", extra={"signal": signal.value})
