"""How background work fares: attempts, failures, what is missing, signs of life."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.adapters.sql.tables import ConsentRow
from core.domain.consent import Kind, Mode
from core.domain.work import Job
from core.errors import Unavailable
from core.services.derive import Outcome
from jobs.broker import make_kick
from jobs.schedule import run_schedule
from jobs.signs import Signs
from jobs.stack import stack_broker
from jobs.tasks import functions
from tests.fakes import START, at_once

SUBJECT = (7, "essence_wav")


def run(node, function, *, job=Job.DERIVE, args=SUBJECT):
    node.system.jobs.run(job, args, function)


def fails(*_):
    raise RuntimeError("with something nobody should read")


def succeeds(*_):
    return None


def job_run(node):
    (row,) = node.table("job_run")
    return row


def failures(node, *, since=START):
    with node.system.work.read() as tx:
        return tx.job_runs.failures(since)


class TestAttempts:
    def test_an_attempt_is_counted_before_the_work_begins(self, node):
        seen = []
        run(node, lambda *_: seen.append(job_run(node)))
        assert (seen[0].attempts, seen[0].began_at, seen[0].ended_at) == (1, START, None)

    def test_a_job_is_called_with_its_arguments(self, node):
        given = []
        run(node, lambda *args: given.append(args))
        assert given == [SUBJECT]

    def test_a_job_that_takes_its_process_with_it_has_been_counted(self, node):
        def die(*_):
            raise KeyboardInterrupt

        for attempt in (1, 2):
            with pytest.raises(KeyboardInterrupt):
                run(node, die)
            assert (job_run(node).attempts, job_run(node).ended_at) == (attempt, None)

    def test_after_so_many_in_a_row_it_is_left_alone(self, make_node):
        node, calls = make_node(JOB_ATTEMPTS=3), []

        def dies(*_):
            calls.append(1)
            raise KeyboardInterrupt

        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                run(node, dies)
        for _ in range(2):
            run(node, dies)
        assert len(calls) == 3
        (failure,) = failures(node)
        assert "too often" in failure.error

    def test_failures_are_noted_and_never_raised(self, node):
        run(node, fails)
        row = job_run(node)
        assert (row.attempts, row.failures, row.failed_at, row.ended_at) == (1, 1, START, START)

    def test_what_a_failure_says_of_itself_is_not_kept_unless_it_is_one_of_ours(self, node):
        run(node, fails)
        assert job_run(node).error == "RuntimeError"

        def away(*_):
            raise Unavailable("The store of this room does not answer right now.")

        run(node, away)
        assert job_run(node).error == "The store of this room does not answer right now."

    def test_a_success_forgives(self, make_node):
        node, calls = make_node(JOB_ATTEMPTS=3), []
        for _ in range(2):
            run(node, fails)
        run(node, succeeds)
        assert (job_run(node).attempts, job_run(node).error, failures(node)) == (0, "", [])
        for _ in range(3):
            run(node, lambda *_: calls.append(1) or fails())
        assert len(calls) == 3

    def test_each_subject_is_counted_by_itself(self, make_node):
        node = make_node(JOB_ATTEMPTS=1)
        run(node, fails)
        done = []
        run(node, lambda *args: done.append(args), args=(8, "essence_wav"))
        run(node, lambda *args: done.append(args), args=(7, "spectrogram_png"))
        run(node, lambda *args: done.append(args), job=Job.MEASURE, args=(7,))
        assert done == [(8, "essence_wav"), (7, "spectrogram_png"), (7,)]

    def test_a_periodic_job_is_never_given_up(self, make_node):
        node, calls = make_node(JOB_ATTEMPTS=2), []
        for _ in range(5):
            run(node, lambda: calls.append(1) or fails(), job=Job.EXPIRE, args=())
        assert len(calls) == 5

    def test_an_outage_of_the_store_uses_no_attempt_up(self, make_node):
        node = make_node(JOB_ATTEMPTS=2)
        kept = node.keep(Mode.FOSSIL).artifact
        node.store.refuses.add("open")
        for _ in range(5):
            run(node, node.system.derive.derive, args=(kept.id, "essence_wav"))
            node.clock.advance(minutes=6)
        node.store.refuses.clear()
        run(node, node.system.derive.derive, args=(kept.id, "essence_wav"))
        assert [made.kind for made in node.table("derivative")] == ["essence_wav"]

    def test_a_job_that_cost_its_worker_too_often_is_a_failure(self, node):
        with pytest.raises(KeyboardInterrupt):
            run(node, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        node.system.jobs.given_up(Job.DERIVE, SUBJECT)
        (failure,) = failures(node)
        assert (failure.job, failure.subject) == ("derive", "7:essence_wav")

    def test_many_at_once_lose_no_count(self, make_node):
        node = make_node(JOB_ATTEMPTS=100)
        at_once(*[lambda: run(node, fails)] * 8)
        assert (job_run(node).attempts, job_run(node).failures) == (8, 8)

    def test_without_its_database_a_job_is_not_begun_and_nothing_is_raised(self, node, ground):
        ground.take_database_away(node.system)
        calls = []
        run(node, lambda *_: calls.append(1))
        assert calls == []


class TestFailures:
    def test_they_are_listed_newest_first_with_their_attempts(self, node):
        run(node, fails)
        node.clock.advance(minutes=1)
        for _ in range(2):
            run(node, fails, args=(9,), job=Job.MEASURE)
        assert [(found.job, found.subject, found.attempts) for found in failures(node)] == [
            ("measure", "9", 2),
            ("derive", "7:essence_wav", 1),
        ]

    def test_a_later_success_supersedes_them(self, node):
        run(node, fails)
        run(node, succeeds)
        assert failures(node) == []

    def test_old_ones_are_not_listed(self, node):
        run(node, fails)
        assert failures(node, since=START + timedelta(seconds=1)) == []

    def test_ends_are_counted_by_job(self, node):
        for function in (fails, succeeds, succeeds):
            run(node, function)
        run(node, succeeds, args=(8, "essence_wav"))
        with node.system.work.read() as tx:
            (count,) = tx.job_runs.counts()
        assert (count.job, count.done, count.failures) == ("derive", 3, 1)


@pytest.fixture
def wanted(node):
    """Every job the node asks for from now on."""
    asked = []
    node.system.effects.job = lambda job, args: asked.append((job, *args))
    return asked


def lacks(artifact_id, *kinds, measure=True):
    return [(Job.MEASURE, artifact_id)] * measure + [(Job.DERIVE, artifact_id, kind.value) for kind in kinds]


class TestFindWork:
    def find(self, node, wanted, *, after_s=61.0, **given):
        node.clock.advance(seconds=after_s)
        wanted.clear()
        assert node.system.derive.find_work(**given) == len(wanted)
        return sorted(wanted)

    def test_a_take_asks_for_its_own_work_at_once(self, node, wanted):
        kept = node.keep(Mode.FOSSIL)
        assert sorted(wanted) == sorted(lacks(kept.artifact.id, *Kind))

    def test_everything_a_promise_grants_is_found_and_nothing_else(self, node, wanted):
        fossil, room, _once = (node.keep(mode).artifact.id for mode in (Mode.FOSSIL, Mode.ROOM, Mode.NOSAVE))
        assert self.find(node, wanted) == sorted(lacks(fossil, *Kind) + lacks(room))

    def test_a_promise_from_before_there_was_a_derivative_does_not_ask_for_it(self, node, wanted):
        old, new = (node.keep(Mode.FOSSIL).artifact.id for _ in range(2))
        with Session(node.system.outside.engine) as session, session.begin():
            consent = session.get(ConsentRow, node.row(old).consent_id)
            consent.manifest = {**consent.manifest, "derivatives": [Kind.SPECTROGRAM.value]}
        assert self.find(node, wanted) == sorted(lacks(old, Kind.SPECTROGRAM) + lacks(new, *Kind))
        assert node.system.derive.derive(old, Kind.ESSENCE) == Outcome.NOT_WANTED

    def test_only_what_is_missing_is_found(self, node, wanted):
        fossil = node.keep(Mode.FOSSIL).artifact.id
        node.system.derive.derive(fossil, Kind.ESSENCE)
        assert self.find(node, wanted) == sorted(lacks(fossil, Kind.SPECTROGRAM))
        node.system.derive.measure(fossil)
        node.system.derive.derive(fossil, Kind.SPECTROGRAM)
        assert self.find(node, wanted, after_s=301) == []

    def test_a_young_take_is_left_to_the_job_that_was_asked_for(self, node, wanted):
        node.keep(Mode.FOSSIL)
        assert self.find(node, wanted, after_s=60) == []
        assert len(self.find(node, wanted, after_s=1)) == 3

    def test_what_was_asked_for_lately_is_not_asked_for_again(self, node, wanted):
        node.keep(Mode.FOSSIL)
        assert len(self.find(node, wanted)) == 3
        assert self.find(node, wanted, after_s=299) == []
        assert len(self.find(node, wanted, after_s=1)) == 3

    def test_what_is_being_done_is_not_asked_for_again(self, node, wanted):
        kept = node.keep(Mode.ROOM)
        node.clock.advance(seconds=61)
        found = []
        run(node, lambda *_: found.append(node.system.derive.find_work()), job=Job.MEASURE, args=(kept.artifact.id,))
        assert found == [0]

    def test_what_has_failed_too_often_is_left_to_a_steward(self, make_node, node, wanted):
        kept = node.keep(Mode.ROOM)
        for _ in range(node.system.settings.JOB_ATTEMPTS):
            run(node, fails, job=Job.MEASURE, args=(kept.artifact.id,))
        assert self.find(node, wanted, after_s=1000) == []

    def test_what_failed_once_is_asked_for_again(self, node, wanted):
        kept = node.keep(Mode.ROOM)
        run(node, fails, job=Job.MEASURE, args=(kept.artifact.id,))
        assert self.find(node, wanted, after_s=301) == lacks(kept.artifact.id)

    def test_what_was_left_to_a_steward_does_not_stand_in_the_way_of_others(self, node, wanted):
        hopeless = [node.keep(Mode.ROOM).artifact.id for _ in range(3)]
        for artifact_id in hopeless:
            for _ in range(node.system.settings.JOB_ATTEMPTS):
                run(node, fails, job=Job.MEASURE, args=(artifact_id,))
        hopeful = node.keep(Mode.ROOM).artifact.id
        assert self.find(node, wanted, after_s=1000, limit=2) == lacks(hopeful)

    def test_a_backlog_is_asked_for_in_turn(self, node, wanted):
        kept = [node.keep(Mode.ROOM).artifact.id for _ in range(6)]
        found = [
            *self.find(node, wanted, limit=2),
            *self.find(node, wanted, after_s=1, limit=2),
            *self.find(node, wanted, after_s=1, limit=2),
        ]
        assert sorted(found) == [(Job.MEASURE, artifact_id) for artifact_id in kept]

    @pytest.mark.parametrize("end", ["revoked", "over", "expired"])
    def test_a_take_that_has_ended_lacks_nothing(self, node, wanted, end):
        kept = node.keep(Mode.FOSSIL)
        if end == "revoked":
            node.system.revocation.revoke(kept.secret)
        else:
            node.clock.advance(hours=48)
        if end == "expired":
            node.system.retention.expire()
        assert self.find(node, wanted) == []

    def test_many_at_once_ask_once(self, node, wanted):
        node.keep(Mode.FOSSIL)
        node.clock.advance(seconds=61)
        wanted.clear()
        assert sum(at_once(*[node.system.derive.find_work] * 4)) == 3
        assert len(wanted) == 3

    def test_a_lost_queue_loses_no_work(self, node):
        """Nothing that was kicked was ever done; what the search finds makes it whole."""
        fossil = node.keep(Mode.FOSSIL).artifact.id
        work = functions(node.system)
        node.clock.advance(seconds=61)
        node.system.effects.job = lambda job, args: node.system.jobs.run(job, args, work[job])
        node.system.derive.find_work()
        assert {made.kind for made in node.table("derivative")} == set(Kind)
        assert node.row(fossil).measured_at is not None


class TestHeartbeats:
    def test_a_process_has_one_row_and_its_last_sign_of_life(self, node):
        for _ in range(3):
            node.system.jobs.beat("one", "worker")
            node.clock.advance(minutes=1)
        (row,) = node.table("presence")
        assert (row.name, row.role, row.seen_at) == ("one", "worker", START + timedelta(minutes=2))

    def test_of_several_the_newest_counts_for_its_role(self, node):
        node.system.jobs.beat("one", "worker")
        node.clock.advance(minutes=1)
        node.system.jobs.beat("two", "worker")
        assert node.system.health.readiness(None).heartbeats == {"worker": node.clock.now()}

    def test_many_at_once_are_one(self, node):
        at_once(*[lambda: node.system.jobs.beat("one", "worker")] * 6)
        assert node.counts()["presence"] == 1


class TestPrune:
    def test_the_record_of_a_job_is_kept_for_its_days(self, node):
        run(node, succeeds)
        node.clock.advance(days=29)
        node.system.retention.prune()
        assert node.counts()["job_run"] == 1
        node.clock.advance(days=2)
        node.system.retention.prune()
        assert node.counts()["job_run"] == 0

    def test_the_counts_of_periodic_jobs_are_kept(self, node):
        run(node, succeeds, job=Job.EXPIRE, args=())
        node.clock.advance(days=100)
        node.system.retention.prune()
        assert node.counts()["job_run"] == 1

    def test_processes_nobody_has_heard_of_are_forgotten(self, node):
        node.system.jobs.beat("one", "worker")
        node.clock.advance(days=31)
        node.system.jobs.beat("two", "worker")
        node.system.retention.prune()
        assert [row.name for row in node.table("presence")] == ["two"]


@pytest.mark.engine("stack")
def test_a_scheduler_stops_when_it_is_told_to_whatever_it_is_doing(node):
    """Told at every step of a kick: before Python 3.12 a command that is being sent may forget a cancellation."""

    async def stopped(kick, steps):
        kicking, signs = asyncio.Event(), Signs(node.system, name="s", role="scheduler")

        async def watched(job):
            kicking.set()
            await kick(job)

        schedule = asyncio.create_task(run_schedule(node.system, watched, signs))
        await kicking.wait()
        for _ in range(steps):
            await asyncio.sleep(0)
        schedule.cancel()
        done, left = await asyncio.wait([schedule], timeout=2)
        while left:
            schedule.cancel()
            _, left = await asyncio.wait([schedule], timeout=0.2)
        return bool(done)

    async def live():
        broker = stack_broker(node.system)
        await broker.startup()
        found = []
        for steps in range(12):
            node.clock.advance(hours=2)
            found.append(await stopped(make_kick(broker), steps))
        await broker.shutdown()
        return found

    assert all(asyncio.run(live()))
