"""Whether the node's background work goes on, as a supervisor asks."""

import pytest

from core.domain.work import Job
from core.errors import Unavailable
from tests.engines import at_work
from tests.fakes import StillQueue, visits_to, wait_for

WELL = {"database": "ok", "queue": "ok", "store": "ok", "worker": "ok", "scheduler": "ok", "jobs": "ok"}


@pytest.fixture
def queue():
    """What the node kicks its jobs into."""
    return StillQueue()


@pytest.fixture
def visits(node, queue):
    """The application of a node whose worker and scheduler have just been heard of."""
    for role in ("worker", "scheduler"):
        node.system.jobs.beat(f"a {role}", role)
    with visits_to(node, queue.background) as made:
        yield made


def ready(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["components"]


def fail(node, times=1):
    def fails(*_):
        raise Unavailable("The store at 10.0.0.7 said no.")

    for _ in range(times):
        node.system.jobs.run(Job.DERIVE, (3, "essence_wav"), fails)


def test_all_is_told_where_all_is_well(client, queue):
    queue.waiting = 3
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {
        "ok": True,
        "components": WELL,
        "heartbeats": {"worker": "2026-03-01T12:00:00+00:00", "scheduler": "2026-03-01T12:00:00+00:00"},
        "queue": {"waiting": 3, "running": 0, "oldest_waiting_s": 0.0},
        "failures": [],
        "now": "2026-03-01T12:00:00+00:00",
    }


@pytest.mark.parametrize("silent", ["worker", "scheduler"])
def test_a_role_not_heard_of_for_three_minutes_is_stale(client, node, silent):
    node.clock.advance(seconds=180)
    assert ready(client) == (200, WELL)
    node.clock.advance(seconds=1)
    node.system.jobs.beat("another", "scheduler" if silent == "worker" else "worker")
    assert ready(client) == (503, {**WELL, silent: "stale"})


def test_one_worker_of_several_is_enough(client, node):
    node.clock.advance(seconds=181)
    for role in ("worker", "scheduler"):
        node.system.jobs.beat(f"another {role}", role)
    assert ready(client) == (200, WELL)


def test_a_queue_is_full_from_forty_waiting_jobs(client, queue):
    queue.waiting = 39
    assert ready(client) == (200, WELL)
    queue.waiting = 40
    assert ready(client) == (503, {**WELL, "queue": "full"})


def test_a_queue_that_does_not_answer_is_down(client, queue):
    queue.away = True
    assert ready(client) == (503, {**WELL, "queue": "down"})
    assert client.get("/readyz").json()["queue"] is None


def test_a_store_that_does_not_answer_is_down(client, node):
    node.store.refuses.add("check")
    assert ready(client) == (503, {**WELL, "store": "down"})


def test_without_its_database_it_says_so_and_nothing_of_what_it_cannot_know(client, node, ground):
    ground.take_database_away(node.system)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["components"]["database"]) == (503, "down")
    assert (answer.json()["heartbeats"], answer.json()["failures"]) == ({}, [])


def test_a_recent_failure_is_told_without_its_reason(client, node):
    fail(node, times=2)
    assert ready(client) == (503, {**WELL, "jobs": "failing"})
    answer = client.get("/readyz")
    (failure,) = answer.json()["failures"]
    assert set(failure) == {"job", "failed_at", "attempts"}
    assert (failure["job"], failure["failed_at"]) == ("derive", "2026-03-01T12:00:00+00:00")
    assert "10.0.0.7" not in answer.text


def test_a_later_success_supersedes_a_failure(client, node):
    fail(node)
    node.system.jobs.run(Job.DERIVE, (3, "essence_wav"), lambda *_: None)
    assert ready(client) == (200, WELL)


def test_a_failure_stays_a_warning_for_half_an_hour(client, node):
    fail(node)
    node.clock.advance(seconds=1800)
    for role in ("worker", "scheduler"):
        node.system.jobs.beat(f"a {role}", role)
    assert ready(client)[1]["jobs"] == "failing"
    node.clock.advance(seconds=1)
    assert ready(client) == (200, WELL)


def test_a_node_that_is_not_ready_is_alive_and_well_enough_to_serve(client, node):
    node.clock.advance(hours=1)
    assert [client.get(path).status_code for path in ("/livez", "/healthz", "/readyz")] == [200, 200, 503]


def test_thresholds_are_settings(make_node, queue):
    node = make_node(QUEUE_WARNING=1, QUEUE_CRITICAL=2, HEARTBEAT_INTERVAL_SECONDS=5, HEARTBEAT_STALE_SECONDS=10)
    for role in ("worker", "scheduler"):
        node.system.jobs.beat(role, role)
    queue.waiting = 2
    node.clock.advance(seconds=11)
    with visits_to(node, queue.background) as visits:
        assert ready(visits.client()) == (
            503,
            {**WELL, "queue": "full", "worker": "stale", "scheduler": "stale"},
        )


def test_a_node_at_work_becomes_ready_by_itself(node):
    with visits_to(node, at_work) as visits:
        client = visits.client()
        wait_for(lambda: ready(client) == (200, WELL))


def test_a_node_nobody_works_for_is_not_ready(node):
    with visits_to(node) as visits:
        status, components = ready(visits.client())
    assert status == 503
    assert {name for name, state in components.items() if state != "ok"} == {"queue", "worker", "scheduler"}
