import pytest

from tests.fakes import visits_to

BUDGET = {"rate", "limit", "used", "remaining", "window_seconds", "reset_in_seconds", "low", "exhausted"}


def state_of(client, **headers):
    answer = client.get("/api/v1/surface/state", headers=headers)
    assert answer.status_code == 200
    return answer.json()


def test_the_state_has_exactly_the_fields_of_the_contract(client):
    body = state_of(client)
    assert set(body) == {"operator_state", "intake_door", "ingest_budget"}
    updated_at = body["operator_state"].pop("updated_at")
    assert updated_at.endswith("+00:00")
    assert body["operator_state"] == {
        "intake_paused": False,
        "playback_paused": False,
        "quieter_mode": False,
        "maintenance_mode": False,
        "mood_bias": "",
        "kiosk_language_code": "",
        "kiosk_accessibility_mode": "",
        "kiosk_force_reduced_motion": False,
        "kiosk_max_recording_seconds": 120,
        "session_theme_title": "",
        "session_theme_prompt": "",
        "kiosk_topics": "",
        "kiosk_closed_words": "",
        "deployment_focus_topic": "",
        "deployment_focus_status": "",
    }
    budget = body["ingest_budget"]
    assert set(budget) == {"client", "ip", "effective_remaining", "effective_reset_in_seconds", "low", "exhausted"}
    assert set(budget["client"]) == set(budget["ip"]) == BUDGET


def test_the_state_follows_the_steward(client, node):
    node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
    found = state_of(client)["operator_state"]
    assert (found["intake_paused"], found["updated_at"]) == (True, "2026-03-01T12:00:00+00:00")


def test_a_fresh_station_has_its_whole_budget(client):
    budget = state_of(client)["ingest_budget"]
    assert (budget["client"]["limit"], budget["client"]["used"], budget["client"]["remaining"]) == (180, 0, 180)
    assert (budget["ip"]["limit"], budget["ip"]["remaining"], budget["ip"]["window_seconds"]) == (600, 600, 3600)
    assert (budget["effective_remaining"], budget["low"], budget["exhausted"]) == (180, False, False)


def test_a_budget_is_spent_by_takes_and_not_by_looking(client):
    client.leave()
    for _ in range(3):
        budget = state_of(client)["ingest_budget"]
    assert (budget["client"]["used"], budget["ip"]["used"], budget["effective_remaining"]) == (1, 1, 179)
    assert 0 < budget["client"]["reset_in_seconds"] <= 3600


def test_a_budget_is_low_and_then_exhausted(make_node):
    with visits_to(make_node(INGEST_PER_STATION_HOUR=8)) as visits:
        client = visits.client()
        seen = []
        for _ in range(9):
            budget = state_of(client)["ingest_budget"]
            seen.append((budget["effective_remaining"], budget["low"], budget["exhausted"]))
            client.leave()
    assert seen == [(left, left <= 1, left == 0) for left in range(8, -1, -1)]


@pytest.mark.parametrize("named", ["kiosk-1", "a_B-9"])
def test_a_station_is_known_by_header_or_by_cookie(client, named):
    client.post(
        "/api/v1/artifacts/audio",
        files={"file": ("a.wav", b"", "audio/wav")},
        headers={"X-Memory-Client-Id": named},
    )
    by_header = state_of(client, **{"X-Memory-Client-Id": named})["ingest_budget"]["client"]
    by_cookie = state_of(client, Cookie=f"memory_engine_client_id={named}")["ingest_budget"]["client"]
    assert by_header == by_cookie


def test_a_cookie_and_a_header_of_the_same_name_share_one_budget(make_node):
    with visits_to(make_node(INGEST_PER_STATION_HOUR=2)) as visits:
        client = visits.client()
        upload = {"file": ("a.wav", b"", "audio/wav")}
        assert client.post("/api/v1/artifacts/audio", files=upload).status_code == 400
        client.cookies.set("memory_engine_client_id", "kiosk-1", domain="localhost.local")
        client.leave()
        left = state_of(client, **{"X-Memory-Client-Id": "kiosk-1"})["ingest_budget"]["client"]["remaining"]
    assert left == 1


@pytest.mark.parametrize("named", ["a b", "x" * 65, "../..", "é"])
def test_an_ill_formed_station_counts_as_its_address(make_node, named):
    with visits_to(make_node(INGEST_PER_STATION_HOUR=2)) as visits:
        client = visits.client()
        client.leave()
        headers = {"X-Memory-Client-Id": named.encode()}
        body = client.get("/api/v1/surface/state", headers=headers).json()
    assert body["ingest_budget"]["client"]["remaining"] == 1


class TestAmbience:
    SOUND = bytes(range(256)) * 40
    URL = "/api/v1/surface/ambience"

    @pytest.fixture
    def recording(self, tmp_path):
        """A recording of the place, of some kind."""

        def make(name="place.ogg"):
            path = tmp_path / name
            path.write_bytes(self.SOUND)
            return path

        return make

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("place.wav", "audio/wav"),
            ("place.flac", "audio/flac"),
            ("place.mp3", "audio/mpeg"),
            ("place.ogg", "audio/ogg"),
            ("Place.M4A", "audio/mp4"),
        ],
    )
    def test_the_recording_of_the_place_is_given_as_it_is(self, make_node, recording, name, kind):
        with visits_to(make_node(ROOM_TONE_FILE=recording(name))) as visits:
            answer = visits.client().get(self.URL, headers={"Accept-Encoding": "gzip, br"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        assert (answer.content, answer.headers["Cache-Control"]) == (self.SOUND, "no-cache")
        assert "Content-Encoding" not in answer.headers

    def test_a_part_of_it_can_be_asked_for(self, make_node, recording):
        with visits_to(make_node(ROOM_TONE_FILE=recording())) as visits:
            client = visits.client()
            part = client.get(self.URL, headers={"Range": "bytes=100-199"})
            beyond = client.get(self.URL, headers={"Range": "bytes=99999-"})
        assert (part.status_code, part.content) == (206, self.SOUND[100:200])
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(self.SOUND)}"
        assert beyond.status_code == 416

    def test_a_room_without_one_has_none(self, client):
        answer = client.get(self.URL)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")

    def test_one_that_was_taken_away_is_none_either(self, make_node, recording):
        path = recording()
        with visits_to(make_node(ROOM_TONE_FILE=path)) as visits:
            path.unlink()
            assert visits.client().get(self.URL).status_code == 404
