"""The queue, against a real Redis and workers that really die."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import accumulate
from unittest.mock import MagicMock

import pytest
from redis.asyncio import Redis
from taskiq.kicker import AsyncKicker

from core.domain.work import Job
from core.errors import Unavailable
from jobs.broker import STREAM, BrokerFigures, StreamBroker, make_broker, make_kick
from jobs.worker import run_worker
from tests.fakes import wait_for
from tests.jobs.conftest import FIGURES, RedisServer, any_system, read, with_notes

PATIENT = replace(FIGURES, idle_timeout_s=30.0)


@asynccontextmanager
async def kicking(server: RedisServer) -> AsyncIterator[StreamBroker]:
    """A broker that only kicks and counts, as a web instance has."""
    broker = make_broker(server.url, figures=FIGURES)
    await broker.startup()
    try:
        yield broker
    finally:
        await broker.shutdown()


@asynccontextmanager
async def working(broker: StreamBroker, system: MagicMock | None = None) -> AsyncIterator[asyncio.Event]:
    """A worker in this process; yields what stops it."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(system or any_system(), broker, stop=stop, grace_s=3))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def note(broker: StreamBroker, name: str, seconds: float = 0.0) -> None:
    """Kick the job that leaves notes."""
    await AsyncKicker("note", broker, {}).kiq(name, seconds)


async def until(condition: Callable[[], object], *, most_s: float = 30.0) -> None:
    """Wait in a thread, for the workers of this process need the loop."""
    await asyncio.to_thread(wait_for, condition, most_s=most_s)


def kick_notes(server: RedisServer, *names: str, seconds: float = 0.0) -> None:
    """Kick from outside of any loop."""

    async def run() -> None:
        async with kicking(server) as broker:
            for name in names:
                await note(broker, name, seconds)

    asyncio.run(run())


class TestAKilledWorker:
    def test_a_job_is_reclaimed_from_a_killed_worker_without_any_new_traffic(self, server, spawn, tmp_path):
        kick_notes(server, "long", seconds=0.8)
        victim = spawn()
        wait_for(lambda: read(tmp_path / "begun"), most_s=20)
        os.kill(victim.pid, signal.SIGKILL)
        killed_at = time.monotonic()

        async def other_worker() -> None:
            async with working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)):
                await until(lambda: read(tmp_path / "done") and server.client.xlen(STREAM) == 0)

        asyncio.run(other_worker())
        assert read(tmp_path / "done") == [["long", str(os.getpid())]]
        assert time.monotonic() - killed_at < 6

    def test_a_job_that_always_kills_its_worker_is_given_up(self, server, spawn, tmp_path):
        given_up = []

        async def kick() -> None:
            async with kicking(server) as broker:
                await make_kick(broker)(Job.MEASURE, (7,))

        async def survivor() -> None:
            figures = replace(FIGURES, attempts_most=1)
            broker = make_broker(server.url, figures=figures, on_given_up=lambda *told: given_up.append(told))
            system = any_system()
            async with working(broker, system):
                await until(lambda: given_up and server.client.xlen(STREAM) == 0)
            assert not system.derive.measure.called

        asyncio.run(kick())
        spawn().join(60)
        asyncio.run(survivor())
        assert given_up == [(Job.MEASURE, (7,))]
        assert len(read(tmp_path / "died")) == FIGURES.attempts_most - 1

    def test_a_job_gets_as_many_attempts_as_it_may(self, server, tmp_path):
        async def run() -> None:
            async with kicking(server) as broker:
                await note(broker, "unlucky")
                await _read_and_die(server, times=FIGURES.attempts_most - 1)
                async with working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)):
                    await until(lambda: read(tmp_path / "done"))

        asyncio.run(run())

    def test_a_job_nobody_can_be_told_of_is_still_deleted(self, server, caplog):
        def fail(*_: object) -> None:
            raise RuntimeError("the database is away")

        async def run() -> None:
            async with kicking(server) as broker:
                await make_kick(broker)(Job.EXPIRE)
                await _read_and_die(server, times=1)
                async with working(
                    make_broker(server.url, figures=replace(FIGURES, attempts_most=1), on_given_up=fail)
                ):
                    await until(lambda: server.client.xlen(STREAM) == 0)

        asyncio.run(run())
        assert {"jobs.given_up", "jobs.given_up_untold"} <= {record.getMessage() for record in caplog.records}


async def _read_and_die(server: RedisServer, *, times: int) -> None:
    """Deliver what waits to workers that are never heard of again; the last one has just died."""
    async with Redis.from_url(server.url, protocol=2) as client:
        await client.xreadgroup("workers", "dead", {STREAM: ">"})
        for _ in range(times - 1):
            await client.xautoclaim(STREAM, "workers", "dead", 0)


class TestSharing:
    def test_a_busy_worker_holds_no_other_job_back(self, server, tmp_path):
        async def run() -> None:
            async with kicking(server) as kicker, AsyncExitStack() as workers:
                for _ in range(2):
                    broker = with_notes(make_broker(server.url, figures=PATIENT), tmp_path)
                    await workers.enter_async_context(working(broker))
                await note(kicker, "long", 1.5)
                await until(lambda: read(tmp_path / "begun"))
                for number in range(5):
                    await note(kicker, f"short-{number}", 0.05)
                await until(lambda: len(read(tmp_path / "done")) == 6)

        asyncio.run(run())
        done = [name for name, _ in read(tmp_path / "done")]
        assert done == [*(f"short-{number}" for number in range(5)), "long"]

    def test_two_workers_never_have_more_than_two_jobs_in_hand(self, server, tmp_path):
        async def run() -> None:
            async with kicking(server) as kicker, AsyncExitStack() as workers:
                for number in range(8):
                    await note(kicker, str(number), 0.1)
                for _ in range(2):
                    broker = with_notes(make_broker(server.url, figures=PATIENT), tmp_path)
                    await workers.enter_async_context(working(broker))
                while len(read(tmp_path / "done")) < 8:
                    assert (await kicker.depth()).running <= 2
                    await asyncio.sleep(0.01)

        asyncio.run(run())
        assert sorted(name for name, _ in read(tmp_path / "begun")) == [str(number) for number in range(8)]

    def test_what_is_acknowledged_is_deleted(self, server, tmp_path):
        async def run() -> None:
            async with kicking(server) as kicker:
                for number in range(3):
                    await note(kicker, str(number))
                async with working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)):
                    await until(lambda: server.client.xlen(STREAM) == 0)

        asyncio.run(run())
        assert len(read(tmp_path / "done")) == 3
        assert server.client.xpending(STREAM, "workers")["pending"] == 0

    def test_a_job_that_fails_is_not_tried_again(self, server):
        system = any_system()
        system.retention.expire.side_effect = RuntimeError("no")

        async def run() -> None:
            async with kicking(server) as kicker:
                await make_kick(kicker)(Job.EXPIRE)
                async with working(make_broker(server.url, figures=FIGURES), system):
                    await until(lambda: system.retention.expire.called and server.client.xlen(STREAM) == 0)

        asyncio.run(run())
        assert system.retention.expire.call_count == 1


class TestWhatCannotBeRun:
    def test_a_job_of_an_unknown_name_is_dropped_and_logged(self, server, tmp_path, caplog):
        async def run() -> None:
            async with kicking(server) as kicker:
                await AsyncKicker("unheard_of", kicker, {}).kiq()
                await note(kicker, "known")
                async with working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)):
                    await until(lambda: read(tmp_path / "done") and server.client.xlen(STREAM) == 0)

        asyncio.run(run())
        assert any("unheard_of" in record.getMessage() for record in caplog.records)

    @pytest.mark.parametrize("fields", [{"data": b"\xff not a job"}, {"something": b"else"}])
    def test_an_entry_that_is_no_job_is_dropped_and_logged(self, server, caplog, fields):
        async def run() -> None:
            server.client.xadd(STREAM, fields)
            async with working(make_broker(server.url, figures=FIGURES)):
                await until(lambda: server.client.xlen(STREAM) == 0)

        asyncio.run(run())
        assert [record for record in caplog.records if record.levelno == logging.WARNING]


class TestAnUnreliableRedis:
    def test_workers_go_on_when_redis_was_killed_and_emptied(self, server, tmp_path, caplog):
        caplog.set_level(logging.INFO, "jobs")

        def away() -> list[int]:
            """How many workers had said that it is away and not yet that it is back, after each word of theirs."""
            words = {"jobs.redis_unavailable": 1, "jobs.redis_back": -1}
            return list(accumulate(words.get(record.getMessage(), 0) for record in caplog.records))

        async def run() -> None:
            async with kicking(server) as kicker, AsyncExitStack() as workers:
                for _ in range(2):
                    broker = with_notes(make_broker(server.url, figures=FIGURES), tmp_path)
                    await workers.enter_async_context(working(broker))
                await note(kicker, "before")
                await until(lambda: read(tmp_path / "done"))
                await asyncio.to_thread(server.kill)
                with pytest.raises(Unavailable):
                    await make_kick(kicker)(Job.EXPIRE)
                with pytest.raises(Unavailable):
                    await kicker.depth()
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.start)
                await note(kicker, "after")
                await until(lambda: len(read(tmp_path / "done")) == 2)
                await until(lambda: server.client.xlen(STREAM) == 0)
                # Whichever has not got the job may come back later.
                await until(lambda: away()[-1] == 0)

        asyncio.run(run())
        assert [name for name, _ in read(tmp_path / "done")] == ["before", "after"]
        # Each says it once, and once that it is back; one that met it while it was still starting says both again.
        assert (min(away()), max(away())) == (0, 2)

    def test_a_stream_that_vanishes_under_a_listening_worker_is_made_anew(self, server, tmp_path):
        async def run() -> None:
            async with (
                kicking(server) as kicker,
                working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)),
            ):
                await note(kicker, "before")
                await until(lambda: read(tmp_path / "done"))
                server.client.flushall()
                await note(kicker, "after")
                await until(lambda: len(read(tmp_path / "done")) == 2)

        asyncio.run(run())

    def test_a_worker_that_starts_before_redis_finds_it(self, server, tmp_path):
        async def run() -> None:
            server.kill()
            async with working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(server.start)
                async with kicking(server) as kicker:
                    await note(kicker, "late")
                    await until(lambda: read(tmp_path / "done"))

        asyncio.run(run())

    def test_workers_and_kicks_outlive_a_redis_that_hangs(self, server, tmp_path):
        figures = replace(FIGURES, answer_s=0.2)

        async def run() -> None:
            web = make_broker(server.url, figures=figures)
            await web.startup()
            async with working(with_notes(make_broker(server.url, figures=figures), tmp_path)):
                server.hang()
                with pytest.raises(Unavailable):
                    await make_kick(web)(Job.EXPIRE)
                await asyncio.sleep(0.5)
                server.go_on()
                await note(web, "after")
                await until(lambda: read(tmp_path / "done"))
                await until(lambda: server.client.xlen(STREAM) == 0)
            await web.shutdown()

        asyncio.run(run())

    def test_a_job_that_ends_while_redis_is_away_is_acknowledged_when_it_is_back(self, server, tmp_path):
        async def run() -> None:
            async with (
                kicking(server) as kicker,
                working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)),
            ):
                await note(kicker, "slow", 0.4)
                await until(lambda: read(tmp_path / "begun"))
                await asyncio.to_thread(server.kill)
                await until(lambda: read(tmp_path / "done"))
                await asyncio.to_thread(server.start)
                await note(kicker, "next")
                await until(lambda: len(read(tmp_path / "done")) == 2)

        asyncio.run(run())


class TestStopping:
    def test_sigterm_lets_the_running_job_end_and_takes_no_other(self, server, spawn, tmp_path):
        kick_notes(server, "running", "waiting", seconds=0.8)
        worker = spawn()
        wait_for(lambda: read(tmp_path / "begun"), most_s=20)
        os.kill(worker.pid, signal.SIGTERM)
        worker.join(10)
        assert worker.exitcode == 0
        assert [name for name, _ in read(tmp_path / "done")] == ["running"]
        assert [name for name, _ in read(tmp_path / "begun")] == ["running"]
        assert server.client.xlen(STREAM) == 1
        assert server.client.xpending(STREAM, "workers")["pending"] == 0

    def test_an_idle_worker_stops_at_once_and_leaves_no_consumer_behind(self, server, tmp_path):
        async def run() -> bool:
            stop = asyncio.Event()
            broker = with_notes(make_broker(server.url, figures=FIGURES), tmp_path)
            worker = asyncio.create_task(run_worker(any_system(), broker, stop=stop))
            async with kicking(server) as kicker:
                await note(kicker, "first")
            await until(lambda: read(tmp_path / "done") and server.client.xlen(STREAM) == 0)
            assert server.client.xinfo_consumers(STREAM, "workers")
            stop.set()
            return await asyncio.wait_for(worker, 3)

        assert asyncio.run(run())
        assert server.client.xinfo_consumers(STREAM, "workers") == []

    def test_a_job_that_outlasts_the_grace_stays_pending(self, server, tmp_path):
        async def run() -> bool:
            stop = asyncio.Event()
            broker = with_notes(make_broker(server.url, figures=FIGURES), tmp_path)
            worker = asyncio.create_task(run_worker(any_system(), broker, stop=stop, grace_s=0.2))
            async with kicking(server) as kicker:
                await note(kicker, "long", 0.8)
            await until(lambda: read(tmp_path / "begun"))
            stop.set()
            finished = await worker
            # Long enough for the job to end in its thread: it is not acknowledged any more.
            await until(lambda: read(tmp_path / "done"))
            await asyncio.sleep(0.1)
            return finished

        assert not asyncio.run(run())
        assert server.client.xpending(STREAM, "workers")["pending"] == 1

    def test_an_entry_read_while_stopping_goes_to_the_next_worker_unspent(self, server, tmp_path):
        class Late(StreamBroker):
            """Is told to stop while Redis is answering it."""

            async def _fresh(self):
                entry = await super()._fresh()
                if entry:
                    self._stopping.set()
                return entry

        async def run() -> None:
            figures: BrokerFigures = replace(PATIENT, attempts_most=1)
            async with kicking(server) as kicker:
                await note(kicker, "handed back")
            async with working(with_notes(Late(server.url, STREAM, figures, None), tmp_path)):
                await until(lambda: server.client.xpending(STREAM, "workers")["pending"])
            assert not read(tmp_path / "begun")
            async with working(with_notes(make_broker(server.url, figures=figures), tmp_path)):
                await until(lambda: read(tmp_path / "done"))

        asyncio.run(run())


class TestDepth:
    def test_an_empty_queue_has_no_depth(self, server):
        async def run() -> None:
            broker = make_broker(server.url, figures=FIGURES)
            before_any_group = await broker.depth()
            await broker.startup()
            assert before_any_group == await broker.depth()
            assert (before_any_group.waiting, before_any_group.running, before_any_group.oldest_waiting_s) == (0, 0, 0)
            await broker.shutdown()

        asyncio.run(run())

    def test_jobs_wait_then_run_then_are_gone(self, server, tmp_path):
        async def run() -> None:
            async with kicking(server) as kicker:
                for number in range(3):
                    await note(kicker, str(number), 0.6)
                await asyncio.sleep(0.3)
                waiting = await kicker.depth()
                assert (waiting.waiting, waiting.running) == (3, 0)
                assert 0.3 <= waiting.oldest_waiting_s < 2
                async with working(with_notes(make_broker(server.url, figures=FIGURES), tmp_path)) as stop:
                    await until(lambda: read(tmp_path / "begun"))
                    stop.set()
                    running = await kicker.depth()
                    assert (running.waiting, running.running) == (2, 1)
                ended = await kicker.depth()
                assert (ended.waiting, ended.running) == (2, 0)

        asyncio.run(run())

    def test_jobs_kicked_into_an_emptied_redis_count_before_a_worker_comes(self, server):
        async def run() -> None:
            async with kicking(server) as kicker:
                server.client.flushall()
                await note(kicker, "early")
                assert (await kicker.depth()).waiting == 1

        asyncio.run(run())
