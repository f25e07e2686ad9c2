"""A sensor at its address: with the token, without it, and where there is none."""

import logging
from datetime import UTC, datetime

import pytest

from core.ports.work import TrailQuery
from tests.fakes import FrozenClock, visits_to

TOKEN = "a-token-for-tests-only"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
WRONG = {"Authorization": "Bearer another-token-altogether"}
SENSOR = "/api/v1/sensor"
OVERRULE = "/api/v1/operator/sensor/overrule"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def clock():
    """Browsers believe in the real time of a cookie."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def node(make_node):
    return make_node(SENSOR_TOKEN=TOKEN, SENSOR_CHANGES_PER_HOUR=3, METRICS=True)


def say(client, **body):
    answer = client.post(SENSOR, headers=AUTH, json=body)
    assert answer.status_code == 200
    return answer.json()


def in_force(client):
    return client.get("/api/v1/surface/state").json()["operator_state"]


class TestWithoutASetting:
    @pytest.mark.parametrize("method", METHODS)
    def test_it_is_like_an_address_that_is_not_there(self, make_node, method):
        with visits_to(make_node()) as visits:
            client = visits.client()
            here, nowhere = (client.request(method, path, headers=AUTH) for path in (SENSOR, "/api/v1/nothing"))
        assert here.status_code == nowhere.status_code == 404
        assert here.content == nowhere.content

    def test_nothing_is_told_of_what_a_report_looks_like(self, make_node):
        with visits_to(make_node()) as visits:
            assert visits.client().post(SENSOR, json={"occupancy": "many"}).status_code == 404


class TestTheToken:
    @pytest.mark.parametrize(
        "headers",
        [{}, WRONG, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer \xe9"}],
    )
    def test_nobody_reads_or_reports_without_it(self, client, headers):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        assert client.get(SENSOR, headers=raw).status_code == 403
        assert client.post(SENSOR, headers=raw, json={"occupancy": "many"}).status_code == 403

    def test_it_is_taken_from_the_header_alone(self, client):
        assert client.post(f"{SENSOR}?token={TOKEN}", json={"token": TOKEN}).status_code == 403

    def test_guessing_locks_out_the_right_one_as_well_until_it_is_over(self, client, node):
        limit = node.system.settings.OPS_LOCKOUT_PER_BROWSER
        assert [client.post(SENSOR, headers=WRONG, json={}).status_code for _ in range(limit)] == [403] * limit
        refused = client.post(SENSOR, headers=AUTH, json={})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= node.system.settings.OPS_LOCKOUT_SECONDS

    def test_another_address_is_not_locked_out_with_it(self, client, visits, node):
        for _ in range(node.system.settings.OPS_LOCKOUT_PER_BROWSER):
            client.post(SENSOR, headers=WRONG, json={})
        assert visits.client(address="198.51.100.9").get(SENSOR, headers=AUTH).status_code == 200

    def test_it_is_in_no_log_and_not_in_the_database(self, client, node, caplog):
        with caplog.at_level(logging.DEBUG):
            say(client, quieter_mode=True)
            client.post(SENSOR, headers=WRONG, json={})
        assert TOKEN not in caplog.text
        assert TOKEN.encode() not in node.written()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"occupancy": -1}, "occupancy"),
        ({"occupancy": 1001}, "occupancy"),
        ({"occupancy": 2.5}, "occupancy"),
        ({"for_seconds": 0}, "for_seconds"),
        ({"for_seconds": 86_401}, "for_seconds"),
        ({"playback_paused": 1}, "playback_paused"),
        ({"quieter_mode": None}, "quieter_mode"),
        ({"source": "x" * 65}, "source"),
        ({"intake_paused": False}, "intake_paused"),
        ([], "The body"),
    ],
)
def test_a_refusal_names_the_field_and_nothing_is_kept(client, node, body, name):
    answer = client.post(SENSOR, headers=AUTH, json=body)
    assert answer.status_code == 400
    assert name in answer.json()["error"]
    assert node.counts()["sensor_word"] == 0


class TestAReport:
    def test_it_is_answered_with_what_counts_now(self, client, clock):
        now = clock.now().isoformat()
        said = say(client, occupancy=12, source="door counter", for_seconds=60)
        until = said["occupancy"].pop("until")
        assert said == {
            "occupancy": {"people": 12, "source": "door counter", "since": now, "at": now},
            "playback_paused": None,
            "quieter_mode": None,
        }
        clock.advance(seconds=59)
        assert client.get(SENSOR, headers=AUTH).json()["occupancy"]["until"] == until
        clock.advance(seconds=1)
        assert client.get(SENSOR, headers=AUTH).json()["occupancy"] is None
        assert until == clock.now().isoformat()

    def test_a_request_is_in_force_until_its_time_is_over(self, client, node):
        node.keep()
        say(client, playback_paused=True, quieter_mode=True)
        assert (in_force(client)["playback_paused"], in_force(client)["quieter_mode"]) == (True, True)
        assert client.get("/api/v1/pool/next").status_code == 204
        node.clock.advance(seconds=120)
        assert (in_force(client)["playback_paused"], in_force(client)["quieter_mode"]) == (False, False)
        assert client.get("/api/v1/pool/next").status_code == 200

    def test_it_leaves_intake_as_it_is(self, client):
        say(client, playback_paused=True, quieter_mode=True, occupancy=0)
        assert client.get("/api/v1/surface/state").json()["intake_door"] == ""

    def test_null_takes_a_count_back(self, client):
        say(client, occupancy=3)
        assert say(client, occupancy=None)["occupancy"] is None

    def test_too_many_changes_are_refused(self, client):
        for wanted in (True, False, True):
            say(client, playback_paused=wanted)
        refused = client.post(SENSOR, headers=AUTH, json={"playback_paused": False})
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert say(client, playback_paused=True, occupancy=5)["occupancy"]["people"] == 5

    def test_where_it_may_only_count_a_request_is_refused(self, make_node):
        with visits_to(make_node(SENSOR_TOKEN=TOKEN, SENSOR_MAY_PAUSE=False)) as visits:
            client = visits.client()
            assert client.post(SENSOR, headers=AUTH, json={"quieter_mode": True}).status_code == 403
            assert say(client, occupancy=2, quieter_mode=False)["occupancy"]["people"] == 2


class TestStewards:
    def test_their_controls_tell_their_own_switches_and_the_words_beside_them(self, client, ana):
        say(client, playback_paused=True, source="desk")
        told = ana.get("/api/v1/operator/controls").json()
        assert told["operator_state"]["playback_paused"] is False
        assert (told["sensor"]["playback_paused"]["source"], told["sensor"]["quieter_mode"]) == ("desk", None)

    def test_they_overrule_and_the_trail_says_who(self, client, ana, node):
        say(client, playback_paused=True, source="desk")
        assert ana.post(OVERRULE).json() == {"ok": True, "overruled": ["playback_paused"]}
        assert say(client, playback_paused=True)["playback_paused"]["overruled"] is True
        assert in_force(client)["playback_paused"] is False
        entry, *_ = node.system.stewardship.trail(TrailQuery())
        assert (entry.actor, entry.action, entry.subject) == ("Ana", "overrule_sensor", "desk")

    def test_turning_the_switch_off_overrules_as_well(self, client, ana):
        say(client, playback_paused=True)
        told = ana.post("/api/v1/operator/controls", json={"playback_paused": False}).json()
        assert told["sensor"]["playback_paused"]["overruled"] is True
        assert in_force(client)["playback_paused"] is False

    def test_nobody_else_overrules_least_of_all_a_sensor(self, client, curator, ana):
        say(client, playback_paused=True)
        assert client.post(OVERRULE, headers=AUTH).status_code == 403
        assert curator.post(OVERRULE).status_code == 403
        assert ana.post(OVERRULE, headers={"Origin": "http://evil.example"}).status_code == 403
        assert in_force(client)["playback_paused"] is True


def test_the_metrics_tell_how_many_are_there_while_that_counts(client, clock):
    def told():
        return [line for line in client.get("/metrics").text.splitlines() if line.startswith("memory_engine_occupancy")]

    assert told() == []
    say(client, occupancy=12)
    assert told() == ["memory_engine_occupancy 12.0"]
    clock.advance(seconds=120)
    assert told() == []
