"""Signs of life: whose they are, when they are given, and what does not keep them from being given."""

import asyncio

import pytest

from jobs.signs import Signs
from jobs.stack import stack_broker
from jobs.worker import run_worker
from tests.fakes import START
from tests.servers import shared_redis


def shown(node):
    return [(row.name, row.role, row.seen_at) for row in node.table("presence")]


@pytest.fixture
def signs(node):
    return Signs(node.system, name="one", role="worker")


def go_on(node, seconds):
    node.clock.advance(seconds=seconds)
    node.drift.up += seconds


def test_the_first_is_given_at_once(node, signs):
    signs.show()
    assert shown(node) == [("one", "worker", START)]


def test_one_is_given_once_an_interval(node, signs):
    seen = []
    for _ in range(4):
        signs.show()
        seen.append((node.table("presence")[0].seen_at - START).total_seconds())
        go_on(node, 30)
    assert seen == [0, 0, 60, 60]


@pytest.mark.parametrize("by_s", [600, -600])
def test_one_is_given_at_once_where_the_clock_was_moved(node, signs, by_s):
    signs.show()
    node.clock.advance(seconds=by_s)
    node.drift.moved += by_s
    signs.show()
    assert shown(node) == [("one", "worker", node.clock.now())]


def test_a_process_that_never_ends_its_job_gives_none(node, signs):
    signs.show()
    with signs.working():
        go_on(node, 301)
        signs.show()
    assert shown(node) == [("one", "worker", START)]


def test_a_process_between_two_jobs_gives_one(node, signs):
    with signs.working():
        go_on(node, 301)
    signs.show()
    assert shown(node) == [("one", "worker", node.clock.now())]


@pytest.mark.engine("stack")
def test_a_worker_without_scheduler_and_queue_is_alive(node):
    shared_redis().kill()

    async def lives():
        stop = asyncio.Event()
        working = asyncio.create_task(run_worker(node.system, stack_broker(node.system), stop=stop, name="one"))
        for _ in range(400):
            await asyncio.sleep(0.02)
            if node.table("presence"):
                break
        stop.set()
        await working

    try:
        asyncio.run(lives())
    finally:
        shared_redis()
    assert shown(node) == [("one", "worker", START)]
