"""Status and open pages over HTTP."""

from datetime import UTC, datetime

import pytest

from core.domain.access import Role
from tests.fakes import FrozenClock, StillQueue, visits_to
from tests.takes import a_page, put_takes

STATUS = "/api/v1/node/status"
DEVICES = "/api/v1/operator/devices"


@pytest.fixture
def clock():
    """Cookies end by the client's clock, which is the real one."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def visits(node):
    """The node's application, with a queue nobody works on."""
    with visits_to(node, StillQueue().background) as made:
        yield made


@pytest.fixture
def steward(client, node):
    """A client with a live session."""
    assert client.post("/ops/", data={"secret": node.system.access.shared_secret()}).status_code == 303
    return client


@pytest.fixture
def curator(visits, node):
    """A client who may look only."""
    client = visits.client()
    secret = node.system.access.add("Ben", Role.CURATOR, actor="t")
    assert client.post("/ops/", data={"secret": secret}).status_code == 303
    return client


class TestStatus:
    def test_it_has_every_field_of_the_contract(self, steward):
        answer = steward.get(STATUS)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        body = answer.json()
        assert set(body) == {
            *(
                "ok",
                "deployment",
                "profile",
                "components",
                "operator_state",
                "active",
                "lanes",
                "moods",
                "memory_colors",
                "playable",
            ),
            *("storage", "retention", "throttles", "warnings", "expired", "revoked", "counted_at", "now"),
        }
        assert set(body["retention"]) == {
            *("soon_window_hours", "raw_held", "raw_expiring_soon", "fossil_retained", "fossil_residue_only"),
            *("next_raw_expiry_at", "next_fossil_expiry_at"),
        }
        assert set(body["storage"]) == {"free_bytes", "total_bytes", "reserve_bytes", "level"}
        throttle = {"per_station", "per_address", "window_seconds", "denied_last_hour"}
        assert all(set(found) == throttle for found in body["throttles"].values())

    def test_it_says_how_the_node_is(self, steward, node):
        put_takes(node, 8, effect="warm")
        for role in ("worker", "scheduler"):
            node.system.jobs.beat(role, role)
        body = steward.get(STATUS).json()
        assert (body["ok"], body["deployment"], body["warnings"]) == (True, "memory", [])
        assert (body["active"], body["playable"], body["memory_colors"]["warm"]) == (8, 8, 8)
        assert body["lanes"] == {"fresh": 8, "mid": 0, "worn": 0}
        assert body["counted_at"] == body["now"] == node.clock.now().isoformat()
        assert body["retention"]["soon_window_hours"] == 24

    def test_warnings_are_in_words_with_a_remedy(self, steward):
        gravest = steward.get(STATUS).json()["warnings"][0]
        assert (gravest["name"], gravest["level"], gravest["subject"]) == ("worker_stale", "critical", "")
        assert gravest["title"] == "No worker has been heard of lately."
        assert gravest["detail"].startswith("Start a worker")

    def test_a_curator_may_look(self, curator):
        assert curator.get(STATUS).status_code == 200

    def test_nobody_else_may(self, client):
        assert (client.get(STATUS).status_code, client.get(DEVICES).status_code) == (403, 403)

    def test_a_lockout_is_a_count_of_denials_and_no_warning(self, visits, steward):
        stranger = visits.client(address="203.0.113.77")
        for _ in range(8):
            stranger.post("/ops/", data={"secret": "wrong"})
        body = steward.get(STATUS).json()
        assert body["throttles"]["signin"]["denied_last_hour"] == 2
        assert "203.0.113.77" not in str(body)


class TestDevices:
    @pytest.fixture(autouse=True)
    def open_page(self, node):
        """A room page is open."""
        node.system.devices.report([a_page(node)])

    def test_they_are_listed_with_what_is_to_be_made_of_them(self, steward, node):
        answer = steward.get(DEVICES)
        assert answer.status_code == 200
        (found,) = answer.json()["devices"]
        assert (found["id"], found["name"], found["standing"], found["troubles"]) == ("room-1", "Hall", "waiting", [])
        assert found["contact_at"] == node.clock.now().isoformat()
        assert found["report"]["activity"] == "idle"

    def test_a_steward_names_one(self, steward, node):
        assert steward.post(f"{DEVICES}/room-1/name", json={"name": "Attic"}).json() == {"ok": True}
        assert node.system.devices.all()[0].device.name == "Attic"

    @pytest.mark.parametrize("asked", ["identify", "tone", "reload"])
    def test_a_steward_asks_something_of_one(self, steward, node, asked):
        assert steward.post(f"{DEVICES}/room-1/{asked}").json() == {"ok": True}
        node.clock.advance(seconds=46)
        assert steward.post(f"{DEVICES}/room-1/{asked}").status_code == 409

    def test_a_steward_forgets_one(self, steward, node):
        assert steward.post(f"{DEVICES}/room-1/forget").json() == {"ok": True}
        assert node.system.devices.all() == []

    @pytest.mark.parametrize("act", ["name", "forget", "identify", "tone", "reload"])
    def test_a_curator_changes_nothing(self, curator, node, act):
        answer = curator.post(f"{DEVICES}/room-1/{act}", json={"name": "Attic"})
        assert (answer.status_code, answer.json()["error"]) == (403, "You may look, not change.")
        assert node.system.devices.all()[0].device.name == "Hall"

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("room-2/forget", None, 404),
            ("room-2/tone", None, 404),
            ("a%00b/forget", None, 404),
            ("room-1/explode", None, 404),
            ("room-1/name", {"name": 4}, 400),
            ("room-1/name", {"name": ""}, 400),
            ("room-1/name", None, 400),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, steward, path, body, status):
        answer = steward.post(f"{DEVICES}/{path}", json=body)
        assert answer.status_code == status
        assert answer.json()["error"]
