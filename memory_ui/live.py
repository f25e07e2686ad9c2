"""One subscriber for this process; fans changes out to the open pages.

A page registers what to do when the posture or the pool changed; it then reads again. Signals may be lost: pages
also read when they connect.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import background_tasks

from core.adapters.effects import Effects
from core.domain.work import Signal

log = logging.getLogger(__name__)

Hook = Callable[[dict[str, Any]], Awaitable[None]]


class Live:
    """Hooks of open pages by signal; all calls happen in the event loop."""

    def __init__(self, effects: Effects) -> None:
        self._hooks: dict[Signal, list[Hook]] = {signal: [] for signal in Signal}
        self.close = effects.subscribe(self._tell)

    def on(self, signal: Signal, hook: Hook) -> Callable[[], None]:
        """Call `hook` with each signal's detail until the returned function is called."""
        self._hooks[signal].append(hook)

        def off() -> None:
            if hook in self._hooks[signal]:
                self._hooks[signal].remove(hook)

        return off

    def _tell(self, signal: Signal, detail: dict[str, Any]) -> None:
        for hook in list(self._hooks[signal]):
            background_tasks.create(self._call(signal, hook, detail), name=f"live {signal.value}")

    async def _call(self, signal: Signal, hook: Hook, detail: dict[str, Any]) -> None:
        try:
            await hook(detail)
        except Exception:
            log.exception("live.hook_failed", extra={"signal": signal.value})
