import asyncio
import threading
from datetime import timedelta

import pytest
from taskiq import InMemoryBroker

from core.adapters import effects as module
from core.adapters.effects import Effects
from core.domain.consent import Mode
from core.domain.work import DAILY, Job, Signal
from jobs.care import LONG
from jobs.schedule import run_schedule, slot
from jobs.signs import Signs
from jobs.tasks import functions, register
from tests.engines import at_work
from tests.fakes import START, at_once


def carried_out(effects, act, *, kick=None):
    """What happened while `act` ran in a thread and the effects were carried out."""

    async def run():
        if kick is not None:
            effects.kick_with(kick, None)
        running = asyncio.create_task(effects.run())
        await asyncio.sleep(0)
        await asyncio.to_thread(act)
        for _ in range(20):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_a_job_is_handed_on_with_its_arguments():
    kicked = []

    async def kick(job, args):
        kicked.append((job, args))

    effects = Effects()
    carried_out(effects, lambda: effects.job(Job.EXPIRE, (3,)), kick=kick)
    assert kicked == [(Job.EXPIRE, (3,))]


def test_the_same_waiting_job_is_handed_on_once():
    kicked = []

    async def kick(job, args):
        kicked.append((job, args))

    effects = Effects()

    def act():
        for _ in range(50):
            effects.job(Job.SWEEP_TOMBSTONES, ())

    async def run():
        effects.kick_with(kick, None)
        running = asyncio.create_task(effects.run())
        await asyncio.sleep(0)
        act()
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    assert kicked == [(Job.SWEEP_TOMBSTONES, ())]


def test_a_signal_reaches_every_listener_in_the_loop_with_its_detail():
    told, threads = [], []
    effects = Effects()
    for name in ("a", "b"):
        effects.subscribe(lambda signal, detail, name=name: told.append((name, signal, detail)))
    effects.subscribe(lambda *_: threads.append(threading.current_thread()))
    carried_out(effects, lambda: effects.signal(Signal.POOL, {"dropped": [1]}))
    assert told == [("a", Signal.POOL, {"dropped": [1]}), ("b", Signal.POOL, {"dropped": [1]})]
    assert threads == [threading.main_thread()]


def test_a_listener_that_left_hears_nothing():
    told = []
    effects = Effects()
    effects.subscribe(lambda *_: told.append(1))()
    carried_out(effects, lambda: effects.signal(Signal.POOL, {}))
    assert told == []


def test_a_listener_that_fails_does_not_keep_the_next_from_hearing(caplog):
    told = []
    effects = Effects()

    def broken(*_):
        raise RuntimeError("no")

    effects.subscribe(broken)
    effects.subscribe(lambda *_: told.append(1))
    carried_out(effects, lambda: effects.signal(Signal.POOL, {}))
    assert told == [1]
    assert "effects.listener_failed" in caplog.text


def test_a_transport_that_fails_does_not_stop_the_next_job(caplog):
    kicked = []

    async def kick(job, args):
        if job is Job.EXPIRE:
            raise ConnectionError("no transport")
        kicked.append(job)

    effects = Effects()

    def act():
        effects.job(Job.EXPIRE, ())
        effects.job(Job.PRUNE, ())

    carried_out(effects, act, kick=kick)
    assert kicked == [Job.PRUNE]


@pytest.mark.parametrize("hand_on", [lambda e: e.job(Job.EXPIRE, ()), lambda e: e.signal(Signal.POOL, {})])
def test_without_anybody_running_effects_are_dropped_in_silence(hand_on):
    hand_on(Effects())


def test_a_queue_that_is_full_drops_and_never_waits(monkeypatch):
    monkeypatch.setattr(module, "QUEUE_MOST", 3)
    kicked = []

    async def kick(job, args):
        kicked.append(args)

    effects = Effects()

    async def run():
        effects.kick_with(kick, None)
        running = asyncio.create_task(effects.run())
        await asyncio.sleep(0)
        for number in range(10):
            effects.job(Job.EXPIRE, (number,))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    assert kicked == [(0,), (1,), (2,)]


class TestAfterTheCommit:
    def test_effects_of_a_committed_transaction_are_handed_on(self, node):
        told = []
        effects = node.system.effects
        # On the stack pages are also told to read again when Redis has been reached.
        effects.subscribe(lambda signal, detail: told.append((signal, detail)) if detail else None)

        def act():
            with node.system.work.write() as tx:
                tx.signal(Signal.POOL, added=5)
                assert told == []

        carried_out(effects, act)
        assert told == [(Signal.POOL, {"added": 5})]

    def test_effects_of_a_rolled_back_transaction_are_dropped(self, node):
        told, kicked = [], []
        effects = node.system.effects
        effects.subscribe(lambda signal, detail: told.append((signal, detail)) if detail else None)

        async def kick(job, args):
            kicked.append(job)

        def act():
            with pytest.raises(RuntimeError), node.system.work.write() as tx:
                tx.signal(Signal.POOL, added=5)
                tx.want(Job.EXPIRE)
                raise RuntimeError("no")

        carried_out(effects, act, kick=kick)
        assert (told, kicked) == ([], [])


LEAVES = {Job.SAMPLE: {"sample"}, Job.WATCH: {"warning"}, **{job: {"report"} for job in LONG}}
"""What a job writes where there is nothing to do for it."""


class TestJobs:
    def test_every_name_of_a_job_is_registered(self, node):
        broker = InMemoryBroker()
        register(broker, node.system, Signs(node.system, name="w", role="worker"))
        assert set(functions(node.system)) == set(Job)
        assert set(broker.get_all_tasks()) >= {job.value for job in Job}

    def test_every_periodic_job_has_its_interval(self, node):
        assert set(node.system.intervals_s) == set(Job) - {Job.DERIVE, Job.MEASURE, Job.EXPORT}
        assert all(every_s > 0 for every_s in node.system.intervals_s.values())

    @pytest.mark.parametrize("job", Job)
    def test_a_job_may_run_twice_on_an_empty_node(self, make_node, job):
        node = make_node(BACKUP_PASSPHRASE="a passphrase of its own")
        args = {Job.DERIVE: (7, "essence_wav"), Job.MEASURE: (7,)}.get(job, ())
        for _ in range(2):
            functions(node.system)[job](*args)
        left = {name for name, count in node.counts().items() if count} - {"node"}
        assert left == LEAVES.get(job, set())

    def test_a_wanted_job_is_carried_out_in_the_same_process(self, node):
        kept = node.keep(Mode.NOSAVE)

        async def run():
            effects = asyncio.create_task(node.system.effects.run())
            async with at_work(node.system):
                await asyncio.sleep(0)
                await asyncio.to_thread(node.system.once.dispose, kept.artifact.id, kept.secret)
                for _ in range(500):
                    if node.files() == []:
                        break
                    await asyncio.sleep(0.01)
            effects.cancel()
            await asyncio.gather(effects, return_exceptions=True)

        asyncio.run(run())
        assert node.files() == []
        assert node.row(kept.artifact.id).gone_at is not None

    def test_a_slot_is_claimed_by_one_of_many_schedulers(self, node):
        def claim():
            with node.system.work.write() as tx:
                return tx.schedule.claim("expire", slot(START, 600), ahead_at=START + timedelta(hours=1))

        assert sorted(at_once(*[claim] * 6)) == [False] * 5 + [True]
        assert not claim()

    def test_a_slot_claimed_by_a_clock_that_ran_ahead_holds_nobody_up(self, node):
        def claim(at, ahead_at):
            with node.system.work.write() as tx:
                return tx.schedule.claim("expire", at, ahead_at=ahead_at)

        assert claim(START + timedelta(minutes=10), START + timedelta(minutes=20))
        assert not claim(START, START + timedelta(minutes=10))
        assert claim(START, START + timedelta(minutes=1))

    @pytest.mark.parametrize("hours", [2, 17_520, -17_520])
    def test_jobs_go_on_while_a_clock_is_wrong_and_once_it_is_right_again(self, node, hours):
        # Of the others the first slot is only noted.
        kicked, whole, periodic = [], [], node.system.intervals_s.keys() - DAILY
        node.source.right = False

        async def kick(job):
            kicked.append(job)

        async def live():
            signs = Signs(node.system, name="s", role="scheduler")
            for by in (hours, -hours):
                node.clock.advance(days=2, hours=by)
                node.drift.up += 2 * 86_400
                kicked.clear()
                schedule = asyncio.create_task(run_schedule(node.system, kick, signs))
                for _ in range(200):
                    await asyncio.sleep(0.01)
                    if periodic <= set(kicked):
                        break
                schedule.cancel()
                await asyncio.gather(schedule, return_exceptions=True)
                whole.append(periodic <= set(kicked))

        asyncio.run(live())
        assert whole == [True, True]

    def test_slots_agree_whenever_they_are_asked_for(self):
        times = [START + timedelta(seconds=number) for number in range(600)]
        assert {slot(moment, 600) for moment in times} == {START}
        assert slot(START + timedelta(seconds=600), 600) > START
