"""Jobs over a Redis stream: a killed worker, an emptied Redis or a deadly job costs no other job.

An entry is *waiting* until a worker reads it, *running* (pending, as Redis calls it) until it is acknowledged, and
deleted with its acknowledgement. One whose worker is silent for the idle timeout is claimed by another, and given up
once it has outlived too many workers. A job may run twice; jobs are made for that.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import anyio.to_thread
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from taskiq import AckableMessage, AsyncBroker
from taskiq.exceptions import SendTaskError
from taskiq.kicker import AsyncKicker
from taskiq_redis import RedisStreamBroker

from core.domain.work import Job
from core.errors import Unavailable
from core.ports.work import QueueDepth

log = logging.getLogger(__name__)

STREAM = "memory-engine:jobs"
GROUP = "workers"
_TROUBLES = (RedisError, OSError)
_START = b"0-0"

OnGivenUp = Callable[[Job, tuple[Any, ...]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerFigures:
    """How patient a broker is.

    `idle_timeout_s` must exceed the longest job, or a second worker begins what the first has not ended.
    `attempts_most` counts deliveries: a job that has cost so many workers is given up by the next one.
    """

    idle_timeout_s: float
    attempts_most: int = 3
    claim_every_s: float = 5.0
    block_s: float = 1.0
    answer_s: float = 3.0
    retry_first_s: float = 0.1
    retry_longest_s: float = 5.0


@dataclass(frozen=True, slots=True)
class _Entry:
    id: bytes
    fields: dict[bytes, bytes]
    attempt: int

    @property
    def data(self) -> bytes:
        # An entry that is none of ours goes the way of one that cannot be read: the receiver drops it.
        return self.fields.get(b"data", b"")


class Kick(Protocol):
    """Queues a job. Raises `Unavailable` where the queue does not answer."""

    def __call__(self, job: Job, args: tuple[Any, ...] = ()) -> Awaitable[None]: ...


def make_broker(
    redis_url: str, *, figures: BrokerFigures, on_given_up: OnGivenUp | None = None, stream: str = STREAM
) -> "StreamBroker":
    """A broker for either side; nothing is connected before it is used.

    `on_given_up` is called in a thread, at least once per job given up, before its entry is deleted.
    """
    return StreamBroker(redis_url, stream, figures, on_given_up)


def make_kick(broker: AsyncBroker) -> Kick:
    """Jobs are kicked by name, so that whoever kicks imports no job."""

    async def kick(job: Job, args: tuple[Any, ...] = ()) -> None:
        try:
            await AsyncKicker(job.value, broker, {}).kiq(*args)
        except SendTaskError as error:
            raise Unavailable("The queue of this node does not answer right now.") from error

    return kick


class StreamBroker(RedisStreamBroker):
    """See the module. Feed it to a receiver that takes one message at a time and none ahead."""

    def __init__(self, url: str, stream: str, figures: BrokerFigures, on_given_up: OnGivenUp | None) -> None:
        super().__init__(
            url,
            queue_name=stream,
            consumer_group_name=GROUP,
            # A group declared anew, after Redis was emptied, begins with what was kicked before it.
            consumer_id="0",
            idle_timeout=round(figures.idle_timeout_s * 1000),
            # The shapes of answers below are those of this version of the protocol.
            protocol=2,
            socket_connect_timeout=figures.answer_s,
            socket_timeout=figures.block_s + figures.answer_s,
            # Patience is ours: a kick fails at once, a worker tries until it is stopped.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Any = Redis(connection_pool=self.connection_pool)
        self._figures = figures
        self._on_given_up = on_given_up
        self._patience = _Patience(figures.retry_first_s, figures.retry_longest_s)
        self._cursor = _START
        self._claim_at_s = 0.0
        self._in_hand: bytes | None = None
        self._reading = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a job that was begun here is not yet acknowledged."""
        return self._in_hand is not None

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Entries one by one, each read when the one before is done with; ends after `stop_listening`."""
        while not self._stopping.is_set():
            async with self._reading:
                entry = await self._read()
                if entry is not None and self._stopping.is_set():
                    await self._hand_back(entry)
                    return
            if entry is not None:
                self._in_hand = entry.id
                yield AckableMessage(data=entry.data, ack=self._ack_generator(entry.id, self.queue_name))
                self._in_hand = None

    async def stop_listening(self) -> None:
        """Read no more. Returns when no read is under way, so that nothing is delivered to nobody."""
        self._stopping.set()
        async with self._reading:
            pass

    async def shutdown(self) -> None:
        """Disconnect. What is not acknowledged by now stays pending, whatever becomes of it in this process."""
        self._closed.set()
        if self._stopping.is_set():
            await self._leave_group()
        await super().shutdown()

    async def depth(self) -> QueueDepth:
        """The queue as it stands. Raises `Unavailable` where Redis does not answer."""
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xlen(self.queue_name).xinfo_groups(self.queue_name).time()
                length, groups, (now_s, now_us) = await pipe.execute(raise_on_error=False)
            # Before the first worker, and after Redis was emptied, there is no group, or not even a stream.
            known = {} if isinstance(groups, ResponseError) else {group["name"]: group for group in groups}
            group = known.get(GROUP.encode(), {"pending": 0, "last-delivered-id": b"0-0"})
            running, unread_from = group["pending"], b"(" + group["last-delivered-id"]
            oldest = await self._redis.xrange(self.queue_name, min=unread_from, count=1) if length > running else []
        except _TROUBLES as error:
            raise Unavailable("The queue of this node does not answer right now.") from error
        # An entry's id begins with the millisecond, by Redis' clock, it was kicked in.
        waited_s = now_s + now_us / 1e6 - int(oldest[0][0].split(b"-")[0]) / 1e3 if oldest else 0.0
        return QueueDepth(waiting=max(0, length - running), running=running, oldest_waiting_s=max(0.0, waited_s))

    async def _declare_consumer_group(self) -> None:
        # Neither a web instance nor a worker needs Redis to start; the listener declares again.
        with suppress(*_TROUBLES):
            await super()._declare_consumer_group()

    async def _read(self) -> _Entry | None:
        """The next entry; None where none came within the blocking time or Redis does not answer."""
        try:
            entry = await self._claim() if time.monotonic() >= self._claim_at_s else None
            entry = entry or await self._fresh()
        except _TROUBLES as error:
            await self._patience.rest(error, self._stopping)
            await self._declare_consumer_group()
            return None
        self._patience.well()
        return entry

    async def _claim(self) -> _Entry | None:
        """An entry whose worker has been silent too long, however quiet the stream is."""
        while not self._stopping.is_set():
            self._cursor, found, *_ = await self._redis.xautoclaim(
                self.queue_name, GROUP, self.consumer_name, self.idle_timeout, start_id=self._cursor, count=1
            )
            for entry_id, fields in found:
                pending = await self._redis.xpending_range(self.queue_name, GROUP, entry_id, entry_id, 1)
                if not pending:  # its first worker has ended it after all
                    continue
                entry = _Entry(entry_id, fields, attempt=pending[0]["times_delivered"])
                if entry.attempt <= self._figures.attempts_most:
                    log.info("jobs.reclaimed", extra={"job": self._named(entry)[0], "attempt": entry.attempt})
                    return entry
                await self._give_up(entry)
            if self._cursor == _START:
                self._claim_at_s = time.monotonic() + self._figures.claim_every_s
                break
        return None

    async def _fresh(self) -> _Entry | None:
        block_s = min(self._figures.block_s, self._claim_at_s - time.monotonic())
        found = await self._redis.xreadgroup(
            GROUP,
            self.consumer_name,
            {self.queue_name: ">"},
            count=1,
            block=max(1, round(block_s * 1000)),  # 0 would mean: for ever
        )
        for _, entries in found:
            for entry_id, fields in entries:
                return _Entry(entry_id, fields, attempt=1)
        return None

    async def _give_up(self, entry: _Entry) -> None:
        """Tell, then delete: whoever dies between the two is followed by one who tells again."""
        name, args = self._named(entry)
        log.error("jobs.given_up", extra={"job": name, "job_args": args, "attempts": entry.attempt - 1})
        if self._on_given_up is not None and name in set(Job):
            try:
                await anyio.to_thread.run_sync(self._on_given_up, Job(name), args)
            except Exception:
                log.exception("jobs.given_up_untold", extra={"job": name})
        await self._drop(entry.id)

    def _named(self, entry: _Entry) -> tuple[str, tuple[Any, ...]]:
        """The name and arguments of a job; an empty name where the entry cannot be read."""
        with suppress(ValueError):
            message = self.formatter.loads(entry.data)
            return message.task_name, tuple(message.args)
        return "", ()

    async def _hand_back(self, entry: _Entry) -> None:
        """Let the next worker that looks have an entry nobody began, as though it had not been delivered."""
        with suppress(*_TROUBLES):
            undone = {"idle": self.idle_timeout, "retrycount": entry.attempt - 1, "justid": True}
            await self._redis.xclaim(self.queue_name, GROUP, self.consumer_name, 0, [entry.id], **undone)

    def _ack_generator(self, id: Any, queue_name: str) -> Callable[[], Awaitable[None]]:  # noqa: A002 -- as inherited
        async def ack() -> None:
            # A receiver acknowledges what it had to abandon, too; by then this broker is closed.
            while not self._closed.is_set():
                try:
                    await self._drop(id)
                except _TROUBLES as error:
                    await self._patience.rest(error, self._closed)
                else:
                    self._patience.well()
                    self._in_hand = None
                    return
            log.warning("jobs.left_pending", extra={"entry": id.decode()})

        return ack

    async def _drop(self, entry_id: bytes) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.xack(self.queue_name, GROUP, entry_id).xdel(self.queue_name, entry_id).execute()

    async def _leave_group(self) -> None:
        """Forget this consumer, unless something is left in its name: that would be lost with it."""
        with suppress(*_TROUBLES):
            if not await self._redis.xpending_range(self.queue_name, GROUP, "-", "+", 1, self.consumer_name):
                await self._redis.xgroup_delconsumer(self.queue_name, GROUP, self.consumer_name)


class _Patience:
    """How long to rest while Redis does not answer; says once that it does not, and once that it does again."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = 0.0

    async def rest(self, error: Exception, unless: asyncio.Event) -> None:
        """Let some time pass before the next try, longer each time, `unless` there is not to be one."""
        if not self._next_s:
            log.warning("jobs.redis_unavailable", extra={"error": str(error)})
        rest_s = self._next_s or self._first_s
        self._next_s = min(rest_s * 2, self._longest_s)
        with suppress(TimeoutError):
            await asyncio.wait_for(unless.wait(), rest_s)

    def well(self) -> None:
        """Redis has answered."""
        if self._next_s:
            log.info("jobs.redis_back")
        self._next_s = 0.0
