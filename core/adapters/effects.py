"""Handing effects on after a commit: a bounded queue between the threads that commit and whoever carries them out."""

import asyncio
import concurrent.futures
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from core.adapters.redis import RedisSignals, raise_if_cancelled
from core.domain.work import Job, Signal
from core.errors import MemoryEngineError, Unavailable
from core.ports.work import QueueDepth

log = logging.getLogger(__name__)

Depth = Callable[[], Awaitable[QueueDepth]]
Kick = Callable[[Job, tuple[Any, ...]], Awaitable[None]]
Listener = Callable[[Signal, dict[str, Any]], None]

QUEUE_MOST = 1_000
DEPTH_S = 5.0


class Effects:
    """See `core.ports.work.Dispatcher`. What cannot be handed on is dropped: sweeps and re-reads find it."""

    def __init__(self, signals: RedisSignals | None = None) -> None:
        self._signals = signals
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(QUEUE_MOST)
        self._kick: Kick | None = None
        self._depth: Depth | None = None
        self._listeners: list[Listener] = []
        self._waiting: set[tuple[Job, tuple[Any, ...]]] = set()

    def job(self, job: Job, args: tuple[Any, ...]) -> None:
        """Queue a job unless the same one is waiting already."""
        self._hand_over(lambda: self._enqueue_job(job, args))

    def signal(self, signal: Signal, detail: dict[str, Any]) -> None:
        """Tell every listener of this process in the event loop, and every other process."""
        self._hand_over(lambda: self._tell_all(signal, detail))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Listen to signals until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def kick_with(self, kick: Kick | None, depth: Depth | None) -> None:
        """Where jobs go, and how full it is there; None drops them."""
        self._kick = kick
        self._depth = depth

    async def depth(self) -> QueueDepth:
        """The queue as it stands. Raises `Unavailable` where it does not answer, or there is none."""
        if self._depth is None:
            raise Unavailable("There is no queue here.")
        return await self._depth()

    def depth_in_thread(self) -> QueueDepth | None:
        """The same for a thread beside the loop; None where the queue does not answer in time."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return None
        asked = asyncio.run_coroutine_threadsafe(self.depth(), loop)
        try:
            return asked.result(DEPTH_S)
        except (MemoryEngineError, TimeoutError, concurrent.futures.CancelledError):
            asked.cancel()
            return None

    async def run(self) -> None:
        """Carry effects out until cancelled."""
        self._loop = asyncio.get_running_loop()
        hearing = asyncio.create_task(self._hear_others())
        try:
            while True:
                await (await self._queue.get())()
                raise_if_cancelled()
        finally:
            self._loop = None
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            if self._signals is not None:
                await self._signals.close()

    async def _hear_others(self) -> None:
        if self._signals is not None:
            await self._signals.listen(self._tell, resumed=self._read_again)

    def _read_again(self) -> None:
        """Signals may have been missed: every page reads what it shows."""
        for signal in Signal:
            self._tell(signal, {})

    def _tell_all(self, signal: Signal, detail: dict[str, Any]) -> None:
        self._tell(signal, detail)
        signals = self._signals
        if signals is not None and not self._queue.full():
            self._queue.put_nowait(lambda: signals.publish(signal, detail))

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
        except Exception as error:
            known = isinstance(error, MemoryEngineError)
            log.warning("effects.kick_failed", extra={"job": job.value}, exc_info=not known)

    def _tell(self, signal: Signal, detail: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            try:
                listener(signal, detail)
            except Exception:
                log.exception("effects.listener_failed", extra={"signal": signal.value})
