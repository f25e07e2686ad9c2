"""Long work for the sake of the promise: asked for, followed, and beside everything else."""

import asyncio
import threading
from datetime import timedelta

import pytest

from core.domain.consent import Mode
from core.domain.custody import Care, CareState
from core.domain.work import Job
from core.errors import BadField, Conflict, Unavailable
from core.ports.work import TrailQuery
from tests.engines import at_work
from tests.fakes import wait_for


def reports(node):
    return [(row.kind, row.state, row.actor) for row in node.table("report")]


def ask(node):
    """As the schedule and a steward do, whether or not one is under way."""
    with node.system.work.write() as tx:
        tx.want(Job.AUDIT, "ana")


class TestAsking:
    def test_it_is_wanted_and_stands_in_the_trail(self, node):
        wanted = []
        node.system.effects.job = lambda job, args: wanted.append((job, args))
        node.system.care.want(Care.BACKUP, actor="ana")
        assert wanted == [(Job.BACKUP, ("ana",))]
        (entry,) = node.system.stewardship.trail(TrailQuery(action="want_care"))
        assert (entry.actor, entry.subject) == ("ana", "backup")

    def test_of_what_is_under_way_no_second_is_wanted(self, node):
        with node.system.care.reporting(Care.AUDIT, actor="ana"):
            with pytest.raises(Conflict):
                node.system.care.want(Care.AUDIT, actor="ben")
            node.system.care.want(Care.EXPORT, actor="ben")

    def test_nobody_asks_for_a_restore_here(self, node):
        with pytest.raises(BadField):
            node.system.care.want(Care.RESTORE, actor="ana")


class TestReporting:
    def test_how_far_it_is_can_be_followed(self, node):
        with node.system.care.reporting(Care.EXPORT, actor="ana") as progress:
            for done in range(10):
                node.clock.advance(seconds=0.5)
                progress.step(done, 10)
            (report,) = node.system.care.running()
            assert (report.kind, report.done, report.total, report.state) == (Care.EXPORT, 9, 10, CareState.RUNNING)
        assert node.system.care.running() == []

    def test_a_failure_is_noted_with_its_sentence(self, node):
        with pytest.raises(Unavailable), node.system.care.reporting(Care.BACKUP, actor="ana") as progress:
            progress.summary["bytes"] = 3
            raise Unavailable("The store of this room does not answer right now.")
        report = node.system.care.last(Care.BACKUP)
        said = {"bytes": 3, "error": "The store of this room does not answer right now."}
        assert (report.state, report.summary) == (CareState.FAILED, said)

    def test_one_whose_process_died_keeps_nobody_waiting(self, node):
        with node.system.work.write() as tx:
            tx.reports.begin(Care.AUDIT, "ana", node.clock.now(), unless_since=node.clock.now())
        with pytest.raises(Conflict), node.system.care.reporting(Care.AUDIT, actor="ben"):
            pass
        node.clock.advance(minutes=5, seconds=1)
        with node.system.care.reporting(Care.AUDIT, actor="ben"):
            pass
        assert node.system.care.last(Care.AUDIT).actor == "ben"

    def test_they_are_kept_for_their_days(self, node):
        node.system.audits.run()
        node.clock.advance(days=400)
        node.system.retention.prune()
        assert node.counts()["report"] == 1
        node.clock.advance(days=1)
        node.system.retention.prune()
        assert node.counts()["report"] == 0

    def test_a_backup_counts_as_verified_by_the_report_of_its_reading(self, node):
        def done(care, **said):
            node.clock.advance(minutes=1)
            with node.system.care.reporting(care, actor="ana") as progress:
                progress.ok = said.pop("ok", True)
                progress.summary.update(said)

        done(Care.BACKUP, path="/one")
        done(Care.VERIFY, path="/one")
        done(Care.BACKUP, path="/two")
        done(Care.VERIFY, path="/two", ok=False)
        standing = node.system.care.standing()
        assert standing.verified.summary["path"] == "/one"
        assert (standing.last[Care.BACKUP].summary["path"], standing.last[Care.VERIFY].state) == ("/two", "failed")


class TestBeside:
    """In the background of either engine, while it is held up at the first take it reads."""

    @pytest.fixture
    def held_up(self, node):
        go_on, at_it = threading.Event(), threading.Event()

        def wait(_key):
            if threading.current_thread().name == Job.AUDIT:
                at_it.set()
                go_on.wait(20)

        node.store.before["open"] = wait
        yield at_it, go_on
        go_on.set()

    def live(self, node, act):
        async def living():
            effects = asyncio.create_task(node.system.effects.run())
            async with at_work(node.system):
                await asyncio.sleep(0)
                await asyncio.to_thread(act)
            effects.cancel()
            await asyncio.gather(effects, return_exceptions=True)

        asyncio.run(living())

    def test_deletions_do_not_wait_for_it_and_a_second_one_ends_calmly(self, node, held_up):
        at_it, go_on = held_up
        node.keep()
        once = node.keep(Mode.NOSAVE)

        def act():
            ask(node)
            assert at_it.wait(10)
            node.system.once.dispose(once.artifact.id, once.secret)
            wait_for(lambda: node.row(once.artifact.id).gone_at is not None)
            ask(node)
            wait_for(lambda: any(row.job == "audit" and row.ended_at for row in node.table("job_run")))
            assert [row.failures for row in node.table("job_run") if row.job == "audit"] == [0]
            assert reports(node) == [("audit", "running", "ana")]
            go_on.set()
            wait_for(lambda: reports(node) == [("audit", "ok", "ana")])

        self.live(node, act)

    def test_it_is_broken_off_with_its_process(self, node, held_up):
        at_it, go_on = held_up
        for _ in range(3):
            node.keep()

        def act():
            ask(node)
            assert at_it.wait(10)
            told = node.system.care.stop
            node.system.care.stop = lambda: (told(), go_on.set())

        self.live(node, act)
        (report,) = node.table("report")
        assert (report.state, "broken off" in report.summary["error"]) == ("failed", True)


def test_the_first_audit_is_late_after_two_intervals(make_node):
    node = make_node(AUDIT_INTERVAL_HOURS=3, BACKUP_INTERVAL_HOURS=4)

    def late():
        return [found.warning.name for found in node.system.watch.standing(None) if found.warning.name.endswith("old")]

    node.clock.advance(hours=6)
    assert late() == []
    node.clock.advance(seconds=1)
    assert late() == ["audit_old"]
    node.clock.advance(hours=2)
    assert late() == ["backup_old", "audit_old"]
    node.system.audits.run()
    assert late() == ["backup_old"]
    node.clock.advance(hours=6)
    assert node.system.care.standing().audited.ended_at == node.clock.now() - timedelta(hours=6)
