"""What Prometheus may read, and nothing a participant left."""

import re

import pytest

from core.domain import codes
from core.domain.work import Job
from tests.fakes import StillQueue, visits_to

LABEL = r'[a-z]+="[^"\\]*"'
LINE = re.compile(rf"# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{{{LABEL}(?:,{LABEL})*\}})? [0-9.e+-]+")


@pytest.fixture
def node(make_node):
    """A node whose steward turned them on."""
    return make_node(METRICS=True)


@pytest.fixture
def queue():
    """What the node kicks its jobs into."""
    return StillQueue()


@pytest.fixture
def visits(node, queue):
    """Its application with its queue."""
    with visits_to(node, queue.background) as made:
        yield made


def read(client):
    """Every sample by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def risen(client, name, act):
    """By how much a counter rose while something was done; it counts for the whole process."""
    before = read(client).get(name, 0.0)
    act()
    return read(client).get(name, 0.0) - before


def test_they_are_off_unless_a_setting_turns_them_on(make_node):
    with visits_to(make_node(METRICS=False)) as visits:
        answer = visits.client().get("/metrics")
    assert answer.status_code == 404
    assert "memory_engine_" not in answer.text


def test_they_are_text_as_prometheus_reads_it(client):
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert [line for line in answer.text.splitlines() if not LINE.fullmatch(line)] == []


def test_everything_that_is_promised_is_there(client):
    client.leave()
    client.get("/api/v1/pool/next")
    found = read(client)
    names = {sample.split("{")[0] for sample in found}
    assert names >= {
        "memory_engine_requests_total",
        "memory_engine_request_seconds_bucket",
        "memory_engine_request_seconds_count",
        "memory_engine_intake_total",
        "memory_engine_selections_total",
        "memory_engine_playable",
        "memory_engine_tombstones_due",
        "memory_engine_tombstones_failing",
        "memory_engine_tombstones_oldest_seconds",
        "memory_engine_queue_waiting",
        "memory_engine_queue_running",
        "memory_engine_queue_oldest_seconds",
        "memory_engine_disk_free_bytes",
        "memory_engine_disk_total_bytes",
        "memory_engine_open_pages",
        "memory_engine_database_up",
    }


def test_intake_is_counted_by_what_became_of_it(client, node):
    name = 'memory_engine_intake_total{mode="%s",result="%s"}'
    assert risen(client, name % ("kept", "stored"), client.leave) == 1
    assert risen(client, name % ("once", "stored"), lambda: client.leave("NOSAVE")) == 1
    assert risen(client, name % ("kept", "BadTake"), lambda: client.leave(data=b"RIFF")) == 1
    node.store.refuses.add("put")
    assert risen(client, name % ("kept", "Unavailable"), client.leave) == 1


def test_choices_and_hearings_are_counted(client, node):
    chosen, none = (f'memory_engine_selections_total{{result="{result}"}}' for result in ("chosen", "none"))
    assert risen(client, none, lambda: client.get("/api/v1/pool/next")) == 1
    client.leave()
    acks = []
    assert risen(client, chosen, lambda: acks.append(client.get("/api/v1/pool/next").json()["playback_ack_url"])) == 1
    node.clock.advance(seconds=1)
    heard = 'memory_engine_heard_total{result="%s"}'
    assert risen(client, heard % "counted", lambda: client.post(acks[0])) == 1
    assert risen(client, heard % "duplicate", lambda: client.post(acks[0])) == 1


def test_requests_are_counted_by_method_address_and_status(client):
    name = 'memory_engine_requests_total{address="/livez",method="GET",status="200"}'
    assert risen(client, name, lambda: client.get("/livez")) == 1


def test_a_method_or_address_somebody_made_up_adds_no_series(client):
    client.get("/metrics")
    before = set(read(client))
    for number in range(5):
        client.request(f"MADE{number}", "/livez")
        client.get(f"/nowhere-{number}/{number}")
        client.get(f"/api/v1/media/raw/token-{number}")
    assert len(set(read(client)) - before) <= 3 * 14


def test_gauges_tell_the_node_as_it_stands(client, node, queue):
    client.leave()
    code = client.leave().json()["revocation_token"]
    node.store.refuses.add("delete")
    client.post("/api/v1/revoke", json={"token": code})
    node.clock.advance(seconds=90)
    queue.waiting = 7
    found = read(client)
    assert found["memory_engine_playable"] == 1
    assert found["memory_engine_tombstones_due"] == found["memory_engine_tombstones_failing"] == 1
    assert found["memory_engine_tombstones_oldest_seconds"] == 90
    assert found["memory_engine_queue_waiting"] == 7
    assert found["memory_engine_disk_free_bytes"] == node.disk.free


def test_jobs_are_counted_by_result(client, node):
    node.system.jobs.run(Job.EXPIRE, (), lambda: None)
    node.system.jobs.run(Job.EXPIRE, (), lambda: 1 / 0)
    found = read(client)
    assert found['memory_engine_jobs_total{job="expire",result="done"}'] == 1
    assert found['memory_engine_jobs_total{job="expire",result="failed"}'] == 1


def test_without_its_queue_the_rest_is_still_told(client, queue):
    queue.away = True
    found = read(client)
    assert "memory_engine_queue_waiting" not in found
    assert found["memory_engine_playable"] == 0


def test_without_its_database_it_says_just_that(client, node, ground):
    ground.take_database_away(node.system)
    found = read(client)
    assert found["memory_engine_database_up"] == 0
    assert "memory_engine_playable" not in found


def test_no_code_token_secret_or_name_is_in_them(client, node):
    left = client.leave("FOSSIL", key="retry-key-of-a-kiosk", topic_tag="the river").json()
    once = client.leave("NOSAVE").json()
    playback = client.get("/api/v1/pool/next").json()
    row = node.row(left["artifact"]["id"])
    code = left["revocation_token"]
    node.clock.advance(seconds=5)
    client.get(playback["audio_url"])
    client.post(playback["playback_ack_url"])
    client.get(once["play_url"])
    client.get(f"/revoke/{code}")
    client.request(code, "/livez")
    client.post("/ops/", data={"secret": node.system.access.shared_secret()})
    client.post("/api/v1/revoke", json={"token": code})
    said = client.get("/metrics").text
    urls = (once["play_url"], playback["audio_url"], playback["playback_ack_url"])
    secrets = [
        code,
        codes.normalise(code),
        once["consume_token"],
        node.system.access.shared_secret(),
        "retry-key-of-a-kiosk",
    ]
    secrets += [*(url.rsplit("/", 1)[1] for url in urls), row.public_id, row.sha256, "the river"]
    assert [secret for secret in secrets if secret in said] == []
