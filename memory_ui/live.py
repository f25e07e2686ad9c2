"""One subscriber for this process; fans changes out to the open pages.

A page registers what to do when something changed; it then reads again. Signals may be lost: pages also read when they
connect, and the posture's version is looked at now and then.

However many pages are open, the posture is read once for all of them.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from nicegui import background_tasks

from core.bootstrap import System
from core.domain.sensor import ASKS, Subject
from core.domain.steward import StewardState
from core.domain.work import Signal
from core.errors import MemoryEngineError
from memory_ui.web import in_thread

log = logging.getLogger(__name__)

Hook = Callable[[dict[str, Any]], Awaitable[None]]

FRESH_S = 0.25
"""Pages that ask within this time of each other share one reading; a change makes it stale at once."""

LOOK_S = 3.0
TOGETHER = 8


class Live:
    """Hooks of open pages by signal; all calls happen in the event loop."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._hooks: dict[Signal, list[Hook]] = {signal: [] for signal in Signal}
        self._reading: asyncio.Task[StewardState] | None = None
        self._read_at_s = 0.0
        self._told: tuple[int, tuple[Subject, ...]] | None = None
        self.close = system.effects.subscribe(self.tell)

    def on(self, signal: Signal, hook: Hook) -> Callable[[], None]:
        """Call `hook` with each signal's detail until the returned function is called."""
        self._hooks[signal].append(hook)

        def off() -> None:
            if hook in self._hooks[signal]:
                self._hooks[signal].remove(hook)

        return off

    async def posture(self) -> StewardState:
        """The posture in force, read once for everybody who asks at about the same time."""
        now_s = time.monotonic()
        if self._reading is None or now_s - self._read_at_s > FRESH_S:
            self._reading = asyncio.create_task(in_thread(self._system.stewardship.state))
            self._read_at_s = now_s
        # Shielded: a page that goes away must not take the reading from the others.
        return await asyncio.shield(self._reading)

    def tell(self, signal: Signal, detail: dict[str, Any]) -> None:
        """Call every hook of a signal."""
        if signal is Signal.STEWARD:
            self._reading = None
        background_tasks.create(self._tell_all(signal, detail), name=f"live {signal.value}")

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """While open, notice what nobody signals: a switch whose time is over, a signal that was lost."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            self.close()

    async def _look(self) -> None:
        own = asyncio.current_task()
        while own is None or not own.cancelling():
            rest_s = LOOK_S
            try:
                state = await in_thread(self._system.stewardship.state)
                told = (state.version, tuple(subject for subject in ASKS if state.sensed.asks(subject)))
                if self._told not in (None, told):
                    self.tell(Signal.STEWARD, {"version": state.version})
                self._told = told
                if state.next_end is not None:
                    left_s = (state.next_end - self._system.clock.now()).total_seconds()
                    rest_s = max(0.0, min(LOOK_S, left_s))
            except MemoryEngineError:
                log.debug("live.unavailable")
            await asyncio.sleep(rest_s)
            if rest_s < LOOK_S:
                self.tell(Signal.STEWARD, {})

    async def _tell_all(self, signal: Signal, detail: dict[str, Any]) -> None:
        # A few at a time: two hundred pages that are told at once would keep everybody else's answer waiting.
        hooks = list(self._hooks[signal])
        for start in range(0, len(hooks), TOGETHER):
            for hook in hooks[start : start + TOGETHER]:
                background_tasks.create(self._call(signal, hook, detail), name=f"live {signal.value}")
            await asyncio.sleep(0)

    async def _call(self, signal: Signal, hook: Hook, detail: dict[str, Any]) -> None:
        try:
            await hook(detail)
        except Exception:
            log.exception("live.hook_failed", extra={"signal": signal.value})
