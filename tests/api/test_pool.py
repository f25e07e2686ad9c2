import pytest

from tests import wavs
from tests.fakes import at_once

FOUR_SECONDS = wavs.take(4, sample_rate_hz=8000)
FIELDS = {
    "artifact_id",
    "requested_lane",
    "requested_density",
    "requested_mood",
    "lane",
    "density",
    "mood",
    "duration_ms",
    "effect_profile",
    "effect_metadata",
    "playback_start_ms",
    "playback_duration_ms",
    "playback_windowed",
    "playback_revolution_index",
    "playback_revolution_seconds",
    "age_hours",
    "wear",
    "featured_return",
    "play_count",
    "deployment_kind",
    "topic_tag",
    "lifecycle_status",
    "thread_signal",
    "pool_size",
    "playback_ack_url",
    "audio_url",
    "expires_at",
}


def ask(client, **query):
    return client.get("/api/v1/pool/next", params=query)


def test_an_empty_pool_is_204_without_a_body(client):
    answer = ask(client)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["playback_paused", "maintenance_mode"])
def test_a_paused_room_is_204(client, node, name):
    client.leave()
    node.system.stewardship.change({name: True}, actor="t", version=0)
    assert ask(client).status_code == 204


def test_a_paused_intake_does_not_stop_playback(client, node):
    client.leave()
    node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
    assert ask(client).status_code == 200


def test_a_playback_is_answered_as_the_contract_says(client, node):
    client.leave("ROOM", FOUR_SECONDS, effect_profile="radio", topic_tag="Rain", lifecycle_status="open")
    node.clock.advance(hours=2)
    answer = ask(client, lane="fresh", density="light", mood="clear")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == FIELDS
    assert body.pop("playback_ack_url").startswith("/api/v1/pool/heard/")
    assert body.pop("audio_url").startswith("/api/v1/media/raw/")
    assert body == {
        "artifact_id": 1,
        "requested_lane": "fresh",
        "requested_density": "light",
        "requested_mood": "clear",
        "lane": "fresh",
        "density": "light",
        "mood": "clear",
        "duration_ms": 4000,
        "effect_profile": "radio",
        "effect_metadata": {"code": "radio", "topology": "driven"},
        "playback_start_ms": 0,
        "playback_duration_ms": 4000,
        "playback_windowed": False,
        "playback_revolution_index": int(node.clock.now().timestamp()) // 300,
        "playback_revolution_seconds": 300,
        "age_hours": 2.0,
        "wear": 0.0,
        "featured_return": False,
        "play_count": 0,
        "deployment_kind": "memory",
        "topic_tag": "Rain",
        "lifecycle_status": "open",
        "thread_signal": "",
        "pool_size": 1,
        "expires_at": "2026-03-01T14:15:00+00:00",
    }


def test_a_long_take_plays_as_a_slice_on_the_grid(client):
    client.leave("ROOM", wavs.take(100, sample_rate_hz=8000))
    body = ask(client).json()
    assert (body["playback_windowed"], body["playback_duration_ms"]) == (True, 45_000)
    assert 0 <= body["playback_start_ms"] <= 55_000
    assert body["playback_start_ms"] % 250 == 0


@pytest.mark.parametrize(
    "query",
    [
        {"lane": "worn"},
        {"density": "dense"},
        {"mood": "weathered"},
        {"lane": "worn", "density": "dense", "mood": "weathered", "preferred_topic": "x"},
    ],
)
def test_an_unmet_wish_widens(client, query):
    client.leave()
    body = ask(client, **query).json()
    assert (body["artifact_id"], body["lane"]) == (1, "fresh")
    assert body["requested_lane"] == query.get("lane", "any")


@pytest.mark.parametrize(
    "query",
    [
        {"lane": "sideways"},
        {"density": "7", "mood": "\0"},
        {"exclude_ids": "a,,-1,99999999999999999999999,1e3,\0"},
        {"recent_densities": "x,y", "recent_topics": ",,,"},
        {"segment_variant": "v" * 500, "preferred_topic": "t" * 500, "preferred_lifecycle_status": "s" * 500},
        {"nonsense": "1"},
    ],
)
def test_an_unknown_value_means_any(client, query):
    client.leave()
    body = ask(client, **query).json()
    assert (body["requested_lane"], body["requested_density"], body["requested_mood"]) == ("any", "any", "any")


def test_a_met_wish_is_met(client, node):
    client.leave("ROOM", FOUR_SECONDS)
    client.leave("ROOM", wavs.take(20, sample_rate_hz=8000))
    assert {ask(client, density="dense").json()["artifact_id"] for _ in range(6)} == {2}
    assert {ask(client, density="light").json()["artifact_id"] for _ in range(6)} == {1}


def test_excluded_takes_are_not_chosen_while_there_is_another(client):
    for _ in range(4):
        client.leave()
    assert {ask(client, exclude_ids="1,2,4").json()["artifact_id"] for _ in range(6)} == {3}


def test_exclusions_give_way_when_the_pool_is_small_the_oldest_first(client):
    for _ in range(3):
        client.leave()
    assert {ask(client, exclude_ids="3,1,2").json()["artifact_id"] for _ in range(6)} == {2}


def test_asking_changes_nothing(client, node):
    client.leave()
    before = node.row(1), node.counts()
    for _ in range(5):
        ask(client)
    assert (node.row(1), node.counts()) == before


class TestHeard:
    @pytest.fixture
    def playback(self, client):
        client.leave("ROOM", FOUR_SECONDS)
        return ask(client).json()

    def test_it_counts_wears_and_says_so(self, client, node, playback):
        node.clock.advance(seconds=4)
        answer = client.post(playback["playback_ack_url"])
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        node.clock.advance(seconds=91)
        after = ask(client).json()
        assert (after["play_count"], after["wear"]) == (1, pytest.approx(0.003))

    def test_again_is_a_duplicate(self, client, node, playback):
        node.clock.advance(seconds=4)
        client.post(playback["playback_ack_url"])
        assert client.post(playback["playback_ack_url"]).json() == {"ok": True, "duplicate": True}
        assert node.row(1).plays == 1

    def test_too_early_is_ignored_and_the_grant_is_not_spent(self, client, node, playback):
        assert client.post(playback["playback_ack_url"]).json() == {"ok": True, "ignored": True}
        node.clock.advance(seconds=2)
        assert client.post(playback["playback_ack_url"]).json() == {"ok": True}

    def test_stale_is_404(self, client, node, playback):
        node.clock.advance(seconds=901)
        answer = client.post(playback["playback_ack_url"])
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
        assert node.row(1).plays == 0

    def test_at_once_it_counts_once(self, client, node, playback):
        node.clock.advance(seconds=4)
        answers = at_once(*[lambda: client.post(playback["playback_ack_url"])] * 5)
        assert sorted(len(answer.json()) for answer in answers) == [1, 2, 2, 2, 2]
        assert node.row(1).plays == 1
