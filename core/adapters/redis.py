"""What several processes of one node share through Redis: signals and budgets. Losing it loses nothing."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.adapters.budgets import BudgetFigures, WindowBudgets
from core.domain.work import Signal
from core.ports.outside import Budget, Throttle

log = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_S = 2.0
RETRY_S = 1.0
AGAIN_S = 2.0
WATCH_S = 5.0
TROUBLES = (RedisError, OSError, TimeoutError)

Tell = Callable[[Signal, dict[str, Any]], None]


def raise_if_cancelled() -> None:
    """Raise the cancellation of the running task where it got lost.

    Before Python 3.12 `asyncio.wait_for`, through which every command is sent, forgets one that comes as it ends.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class RedisSignals:
    """Carries signals between processes. A lost one is made up when a page reads again."""

    def __init__(self, url: str, *, node: str) -> None:
        self._url = url
        # Channels are not told apart by a server's databases: two nodes on one Redis must not hear each other.
        self._channel = f"memory-engine:{node}:signals"
        self._own = secrets.token_hex(8)
        self._sender: Redis | None = None

    async def publish(self, signal: Signal, detail: dict[str, Any]) -> None:
        """Tell every other process; where Redis is away, nobody."""
        message = json.dumps({"from": self._own, "signal": signal.value, "detail": detail})
        try:
            if self._sender is None:
                self._sender = Redis.from_url(self._url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
            await self._sender.publish(self._channel, message)
        except TROUBLES as error:
            log.warning("signals.unsent", extra={"reason": type(error).__name__})

    async def listen(self, tell: Tell, *, resumed: Callable[[], None]) -> None:
        """Tell what others say, until cancelled; `resumed` after every connection, for much may have been missed."""
        while True:
            try:
                async with (
                    Redis.from_url(self._url, socket_connect_timeout=ANSWER_S) as redis,
                    redis.pubsub() as pubsub,
                ):
                    await pubsub.subscribe(self._channel)
                    raise_if_cancelled()
                    resumed()
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=WATCH_S)
                        if message is not None and message["type"] == "message":
                            self._hear(message["data"], tell)
                        elif message is None:
                            # A connection that died without a word is noticed only by writing to it.
                            await pubsub.ping()
                        raise_if_cancelled()
            except TROUBLES as error:
                log.warning("signals.unheard", extra={"reason": type(error).__name__})
                await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Disconnect."""
        if self._sender is not None:
            with suppress(*TROUBLES):
                await self._sender.aclose()

    def _hear(self, data: bytes, tell: Tell) -> None:
        try:
            message = json.loads(data)
            if message["from"] != self._own:
                tell(Signal(message["signal"]), message["detail"])
        except (ValueError, KeyError, TypeError):
            log.warning("signals.unreadable")


class SharedBudgets:
    """Budgets of the whole node in Redis; while it is away they count for each process alone.

    A Redis that did not answer is left alone for a while: not every request is to wait for it.
    """

    def __init__(self, shared: WindowBudgets, alone: WindowBudgets, *, again_s: float = AGAIN_S) -> None:
        self._shared = shared
        self._alone = alone
        self._again_s = again_s
        self._away_until_s = 0.0

    def spend(self, kind: str, *, client: str, address: str) -> None:
        """See `core.ports.outside.Budgets`."""
        self._either(lambda budgets: budgets.spend(kind, client=client, address=address))

    def check(self, kind: str, *, client: str, address: str) -> None:
        """See `core.ports.outside.Budgets`."""
        self._either(lambda budgets: budgets.check(kind, client=client, address=address))

    def snapshot(self, kind: str, *, client: str, address: str) -> tuple[Budget, Budget]:
        """See `core.ports.outside.Budgets`."""
        return self._either(lambda budgets: budgets.snapshot(kind, client=client, address=address))

    def denials(self, kind: str) -> int:
        """See `core.ports.outside.Budgets`."""
        return self._either(lambda budgets: budgets.denials(kind))

    def throttles(self) -> dict[str, Throttle]:
        """See `core.ports.outside.Budgets`."""
        return self._either(WindowBudgets.throttles)

    def _either(self, ask: Callable[[WindowBudgets], T]) -> T:
        if time.monotonic() >= self._away_until_s:
            try:
                return ask(self._shared)
            except StorageError:
                self._away_until_s = time.monotonic() + self._again_s
                log.warning("budgets.alone", extra={"for_s": self._again_s})
        return ask(self._alone)


def redis_budgets(url: str, kinds: dict[str, BudgetFigures], *, low_share: float) -> SharedBudgets:
    """Budgets shared through the Redis at `url`; it need not be there yet."""
    storage = RedisStorage(
        url, wrap_exceptions=True, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, key_prefix="memory-engine"
    )
    return SharedBudgets(
        WindowBudgets(kinds, low_share=low_share, storage=storage), WindowBudgets(kinds, low_share=low_share)
    )
