"""A sensor at its address: with the token, without it, and where there is none."""

import pytest

from tests.fakes import visits_to

TOKEN = "a-token-for-tests-only"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
SENSOR = "/api/v1/sensor"


@pytest.fixture
def node(make_node):
    return make_node(SENSOR_TOKEN=TOKEN)


def test_without_a_setting_there_is_no_such_address(make_node):
    with visits_to(make_node()) as visits:
        assert visits.client().post(SENSOR, headers=AUTH, json={}).status_code == 404


def test_nobody_reports_without_the_token_and_guessing_locks_out(client):
    assert client.post(SENSOR, json={}).status_code == 403
    wrong = {"Authorization": "Bearer another-token-altogether"}
    assert [client.post(SENSOR, headers=wrong, json={}).status_code for _ in range(7)] == [403] * 6 + [429]
    assert client.post(SENSOR, headers=AUTH, json={}).status_code == 429


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"occupancy": -1}, "occupancy"),
        ({"occupancy": 1001}, "occupancy"),
        ({"for_seconds": 0}, "for_seconds"),
        ({"playback_paused": 1}, "playback_paused"),
        ({"intake_paused": False}, "intake_paused"),
    ],
)
def test_a_refusal_names_the_field(client, body, name):
    answer = client.post(SENSOR, headers=AUTH, json=body)
    assert answer.status_code == 400
    assert name in answer.json()["error"]


def test_a_request_is_in_force_until_its_time_is_over_and_is_noted_once(client, node):
    for _ in range(3):
        said = client.post(SENSOR, headers=AUTH, json={"playback_paused": True, "source": "desk"})
        assert said.status_code == 200
    assert client.get("/api/v1/surface/state").json()["operator_state"]["playback_paused"] is True
    assert node.counts()["steward_action"] == 1
    node.clock.advance(seconds=120)
    assert client.get("/api/v1/surface/state").json()["operator_state"]["playback_paused"] is False
    assert client.get(SENSOR, headers=AUTH).json()["playback_paused"] is None


def test_a_sensor_never_turns_off_what_a_steward_turned_on(client, node):
    node.system.stewardship.change({"playback_paused": True}, actor="Ana")
    client.post(SENSOR, headers=AUTH, json={"playback_paused": False})
    assert node.system.stewardship.state().pauses


def test_a_steward_who_resumes_decides_until_the_request_is_made_anew(client, node):
    client.post(SENSOR, headers=AUTH, json={"playback_paused": True})
    node.system.stewardship.change({"playback_paused": False}, actor="Ana")
    client.post(SENSOR, headers=AUTH, json={"playback_paused": True})
    assert not node.system.stewardship.state().pauses
    client.post(SENSOR, headers=AUTH, json={"playback_paused": False})
    client.post(SENSOR, headers=AUTH, json={"playback_paused": True})
    assert node.system.stewardship.state().pauses
