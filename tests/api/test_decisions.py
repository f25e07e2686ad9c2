"""Why a voice was played, as stewards read it over HTTP."""

import json
import random
import zlib

import pytest

from core.domain.room.state import RoomState
from tests.takes import a_page, put_takes

DECISIONS = "/api/v1/operator/decisions"
REPLAY = f"{DECISIONS}/1/replay"
TOPIC, STATUS = "very secret words", "odd words"


def play(node, count=1, page="room-1"):
    state = RoomState()
    for _ in range(count):
        _, state = node.system.room.compose(state, random.Random(5), device_id=page)


@pytest.fixture
def played(node):
    """A node on which one page has played three programs of three takes."""
    node.system.devices.report([a_page(node, name="The hall")])
    put_takes(node, 3)
    play(node, 3)
    return node


class TestWhoMay:
    @pytest.mark.parametrize("path", [DECISIONS, REPLAY])
    def test_without_a_session_nothing_is_read(self, played, client, path):
        answer = client.get(path)
        assert (answer.status_code, list(answer.json())) == (403, ["error"])

    @pytest.mark.parametrize("path", [DECISIONS, REPLAY])
    def test_a_curator_reads(self, played, curator, path):
        answer = curator.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


class TestTheList:
    def test_it_is_newest_first_and_names_the_page(self, played, signed_in):
        found = signed_in.get(DECISIONS).json()["decisions"]
        assert [one["id"] for one in found] == [3, 2, 1]
        assert {(one["device_id"], one["device"]) for one in found} == {("room-1", "The hall")}
        assert {one["at"] for one in found} == {played.clock.now().isoformat()}

    def test_it_holds_the_reasons_as_they_were_noted_with_the_seed_in_digits(self, played, signed_in):
        found = signed_in.get(DECISIONS, params={"limit": 1}).json()["decisions"]
        (kept,) = played.system.decisions.newest(limit=1)
        assert [one["why"] for one in found] == [kept.why]
        assert found[0]["artifact_id"] == kept.why["voices"][0]["artifact_id"]
        assert found[0]["why"]["seed"].isdigit()

    def test_it_can_be_that_of_one_page(self, played, signed_in):
        play(played, page="room-2")
        here = signed_in.get(DECISIONS, params={"device": "room-2"}).json()["decisions"]
        assert [(one["id"], one["device"]) for one in here] == [(4, "")]
        assert signed_in.get(DECISIONS, params={"device": "nowhere"}).json() == {"decisions": []}

    @pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=x", "device=" + "x" * 65])
    def test_what_it_does_not_take_is_named(self, played, signed_in, query):
        answer = signed_in.get(f"{DECISIONS}?{query}")
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(query.split("=")[0])

    def test_asking_for_a_playback_is_no_decision(self, played, client, signed_in):
        for _ in range(3):
            assert client.get("/api/v1/pool/next").status_code == 200
        assert len(signed_in.get(DECISIONS).json()["decisions"]) == 3


class TestOnceMore:
    def test_the_same_comes_of_the_same_seed(self, played, signed_in):
        body = signed_in.get(REPLAY).json()
        assert body["same"] is True
        assert body["again"] == body["decision"]["why"]
        assert (body["decision"]["id"], body["decision"]["device"]) == (1, "The hall")

    def test_what_differs_is_told(self, played, signed_in):
        with played.system.outside.engine.begin() as connection:
            why = json.dumps({**played.table("decision")[0].why, "movement": "another"})
            connection.exec_driver_sql(f"UPDATE decision SET why = '{why}' WHERE id = 1")
        body = signed_in.get(REPLAY).json()
        assert body["same"] is False
        assert body["decision"]["why"]["movement"] == "another"
        assert body["again"]["movement"] != "another"

    def test_it_changes_nothing(self, played, signed_in):
        before = played.counts()
        signed_in.get(REPLAY)
        assert played.counts() == before

    @pytest.mark.parametrize(("number", "status"), [("4", 404), ("0", 400), ("x", 400), (str(2**63), 400)])
    def test_what_is_not_kept_is_not_there(self, played, signed_in, number, status):
        answer = signed_in.get(f"{DECISIONS}/{number}/replay")
        assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_take_that_has_ended_is_explained_by_its_number_and_by_none_of_its_words(node, client, signed_in):
    left = client.leave(topic_tag=TOPIC, lifecycle_status=STATUS).json()
    assert left["artifact"]["topic_tag"] == TOPIC
    node.system.stewardship.change({"deployment_focus_topic": TOPIC}, actor="t")
    play(node, 3)
    node.system.stewardship.change({"deployment_focus_topic": ""}, actor="t")
    assert client.post("/api/v1/revoke", json={"token": left["revocation_token"]}).status_code == 200
    listed, again = signed_in.get(DECISIONS), signed_in.get(REPLAY)
    assert [one["artifact_id"] for one in listed.json()["decisions"]] == [left["artifact"]["id"]] * 3
    assert again.json()["same"] is True
    rows = node.table("decision")
    assert len(rows) == 3
    held = [zlib.decompress(row.noted).decode() + json.dumps(row.why) for row in rows]
    assert all(f'"artifact_id":{left["artifact"]["id"]}' in text for text in held)
    for text in (listed.text, again.text, *held, repr(rows)):
        assert [word for word in ("secret", "odd word") if word in text.lower()] == []
