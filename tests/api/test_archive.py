from datetime import UTC, datetime, timedelta

import pytest

from core.domain.access import Role
from core.domain.consent import Kind, Mode
from core.domain.pool.facts import Wish
from core.domain.work import Signal
from tests import wavs
from tests.fakes import SHORT_TAKE, FrozenClock, visits_to, wait_for

TEN_SECONDS = wavs.take(10, sample_rate_hz=8000)
SIZE = len(SHORT_TAKE)
OPERATOR = "/api/v1/operator"
READS = [
    f"{OPERATOR}/artifacts",
    f"{OPERATOR}/archive",
    f"{OPERATOR}/artifact-summary",
    "/api/v1/derivatives/spectrograms",
]
WRITES = [f"{OPERATOR}/artifacts/1/{act}" for act in ("metadata", "remove", "hold", "pass")]
RECENT = {
    "id",
    "stack_position",
    "created_at",
    "last_access_at",
    "duration_ms",
    "play_count",
    "wear",
    "deployment_kind",
    "topic_tag",
    "lifecycle_status",
    "lane",
    "density",
    "mood",
    "age_hours",
    "absence_hours",
    "quick_status_actions",
}


@pytest.fixture
def clock():
    """Cookies end by the client's clock, which is the real one."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


def sign_in(client, secret):
    assert client.post("/ops/", data={"secret": secret}).status_code == 303
    return client


@pytest.fixture
def steward(client, node):
    """A client with a live session."""
    return sign_in(client, node.system.access.shared_secret())


@pytest.fixture
def curator(visits, node):
    """A client that may look and change nothing."""
    return sign_in(visits.client(), node.system.access.add("Cy", Role.CURATOR, actor="t"))


@pytest.fixture
def listener(visits):
    """Somebody in the room."""
    return visits.client(address="203.0.113.77")


@pytest.fixture
def fossil(node):
    """A fossil with its picture."""
    artifact = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
    node.system.derive.derive(artifact.id, Kind.SPECTROGRAM)
    return artifact


def refused(answer, status, *words):
    """A refusal in one sentence that names what it is about."""
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert all(word in answer.json()["error"] for word in words)
    return True


class TestWhoMay:
    @pytest.mark.parametrize("path", [*READS, f"{OPERATOR}/artifacts/1/audio"])
    def test_nobody_reads_without_a_session(self, client, node, path):
        node.keep()
        assert refused(client.get(path), 403)

    @pytest.mark.parametrize("path", [*WRITES, f"{OPERATOR}/artifacts/remove"])
    def test_nobody_changes_anything_without_a_session(self, client, node, path):
        before = node.row(node.keep().artifact.id)
        assert refused(client.post(path, json={"ids": [1]} if path.endswith("artifacts/remove") else {}), 403)
        assert node.row(1) == before

    @pytest.mark.parametrize("path", [*READS, f"{OPERATOR}/artifacts/1/audio"])
    def test_a_curator_reads(self, curator, node, path):
        node.keep()
        assert curator.get(path).status_code == 200

    @pytest.mark.parametrize("path", [*WRITES, f"{OPERATOR}/artifacts/remove"])
    def test_a_curator_changes_nothing(self, curator, node, path):
        before = node.row(node.keep().artifact.id)
        assert refused(curator.post(path, json={"ids": [1]} if path.endswith("artifacts/remove") else {}), 403)
        assert node.row(1) == before

    @pytest.mark.parametrize("path", WRITES)
    def test_a_change_from_another_site_is_refused(self, steward, node, path):
        before = node.row(node.keep().artifact.id)
        assert refused(steward.post(path, json={}, headers={"Origin": "http://evil.example"}), 403)
        assert node.row(1) == before

    @pytest.mark.parametrize("path", READS)
    def test_nothing_of_it_is_cached(self, steward, path):
        assert steward.get(path).headers["Cache-Control"] == "no-store"


class TestRecent:
    def test_it_is_answered_as_the_contract_says(self, steward, node):
        node.keep(topic="the river", status="open", station="hall")
        node.clock.advance(hours=2)
        answer = steward.get(f"{OPERATOR}/artifacts", params={"limit": 3}).json()
        (take,) = answer["artifacts"]
        assert set(take) >= RECENT
        assert (take["id"], take["stack_position"], take["topic_tag"]) == (1, 1, "the river")
        assert (take["lane"], take["density"], take["mood"]) == ("fresh", "light", "clear")
        assert (take["age_hours"], take["absence_hours"], take["last_access_at"]) == (2.0, 2.0, None)
        assert take["quick_status_actions"] == ["resolved"]
        assert answer["editable_fields"]["topic_tag"]["max_length"] == 64
        assert answer["editable_fields"]["lifecycle_status"] == {"max_length": 32, "choices": ["open", "resolved"]}

    def test_the_newest_come_first_and_no_more_than_asked(self, steward, node):
        for _ in range(3):
            node.keep()
        answer = steward.get(f"{OPERATOR}/artifacts", params={"limit": 2}).json()
        assert [take["id"] for take in answer["artifacts"]] == [3, 2]

    @pytest.mark.parametrize("limit", ["0", "13", "-1", "x", "1.5", "", "9" * 50])
    def test_a_limit_out_of_range_is_refused_by_name(self, steward, limit):
        assert refused(steward.get(f"{OPERATOR}/artifacts", params={"limit": limit}), 400, "limit")


class TestSearch:
    def test_it_finds_a_take_by_time_station_and_words(self, steward, node):
        node.keep(station="attic")
        node.clock.advance(hours=1)
        since = node.clock.now() - timedelta(minutes=5)
        node.keep(station="hall", topic="The River", status="open")
        query = {"since": since.isoformat(), "station": "hall", "topic": "river", "status": "open"}
        answer = steward.get(f"{OPERATOR}/archive", params=query).json()
        assert [take["id"] for take in answer["artifacts"]] == [2]
        assert answer["stations"] == ["attic", "hall"]

    def test_it_is_gone_through_page_by_page(self, steward, node):
        for _ in range(3):
            node.keep()
        first = steward.get(f"{OPERATOR}/archive", params={"limit": 2}).json()
        rest = steward.get(f"{OPERATOR}/archive", params={"limit": 2, "before": first["next_before"]}).json()
        assert [take["id"] for take in first["artifacts"] + rest["artifacts"]] == [3, 2, 1]
        assert rest["next_before"] is None

    @pytest.mark.parametrize(
        ("query", "ids"), [({"review": "held"}, [1]), ({"review": "none"}, [2]), ({"waiting": "true"}, [1])]
    )
    def test_it_finds_what_waits_for_a_steward(self, steward, node, query, ids):
        node.keep()
        node.keep()
        node.system.review.hold(1, actor="t")
        answer = steward.get(f"{OPERATOR}/archive", params=query).json()
        assert [take["id"] for take in answer["artifacts"]] == ids

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("since", "yesterday"),
            ("since", "2026-03-01T12:00:00"),
            ("until", "0001-01-01T00:00:00+14:00"),
            ("station", "a\0b"),
            ("topic", "\0"),
            ("topic", "x" * 65),
            ("status", "\x07"),
            ("deployment", "\0"),
            ("review", "maybe"),
            ("waiting", "perhaps"),
            ("before", "0"),
            ("before", str(2**63)),
            ("limit", "201"),
            ("limit", "0"),
        ],
    )
    def test_what_it_does_not_take_is_refused_by_name(self, steward, name, value):
        assert refused(steward.get(f"{OPERATOR}/archive", params={name: value}), 400, name)


class TestListen:
    @pytest.fixture(params=["", "held"])
    def url(self, request, node):
        """The address of a take's sound, in the room or not."""
        artifact_id = node.keep().artifact.id
        node.change(artifact_id, review=request.param)
        return f"{OPERATOR}/artifacts/{artifact_id}/audio"

    def test_the_sound_is_served_and_never_cached(self, steward, url):
        answer = steward.get(url)
        assert (answer.status_code, answer.content) == (200, SHORT_TAKE)
        assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("audio/wav", "no-store")

    def test_a_range_is_honoured(self, steward, url):
        answer = steward.get(url, headers={"Range": "bytes=5-9"})
        assert (answer.status_code, answer.content) == (206, SHORT_TAKE[5:10])
        assert answer.headers["Content-Range"] == f"bytes 5-9/{SIZE}"
        assert steward.get(url, headers={"Range": f"bytes={SIZE}-"}).status_code == 416

    def test_listening_changes_nothing(self, steward, node, url):
        before = node.row(1), node.counts()
        steward.get(url)
        assert (node.row(1), node.counts()) == before

    def test_once_it_has_ended_there_is_nothing(self, steward, node, url):
        node.clock.advance(hours=48)
        sign_in(steward, node.system.access.shared_secret())
        assert refused(steward.get(url), 404)

    @pytest.mark.parametrize("number", ["0", "-1", str(2**63), "x", "1.5"])
    def test_a_number_no_take_has_is_refused(self, steward, number):
        assert refused(steward.get(f"{OPERATOR}/artifacts/{number}/audio"), 400)

    def test_an_unknown_take_is_not_found(self, steward):
        assert refused(steward.get(f"{OPERATOR}/artifacts/7/audio"), 404)


class TestChange:
    def test_words_are_changed_and_the_take_told_as_it_is_now(self, steward, node):
        node.keep()
        answer = steward.post(
            f"{OPERATOR}/artifacts/1/metadata", json={"topic_tag": "rain", "lifecycle_status": "open", "version": 1}
        )
        assert answer.status_code == 200
        assert answer.json()["ok"] is True
        take = answer.json()["artifact"]
        assert (take["topic_tag"], take["lifecycle_status"], take["version"]) == ("rain", "open", 2)

    def test_the_trail_names_the_steward(self, visits, node):
        node.keep()
        ana = sign_in(visits.client(), node.system.access.add("Ana", Role.STEWARD, actor="t"))
        ana.post(f"{OPERATOR}/artifacts/1/metadata", json={"topic_tag": "rain"})
        ana.post(f"{OPERATOR}/artifacts/1/hold")
        named = node.rows("SELECT action, actor FROM steward_action WHERE subject = 'artifact 1' ORDER BY id")
        assert [tuple(row) for row in named] == [("metadata", "Ana"), ("hold", "Ana")]

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            ({"topic_tag": "x" * 65}, "topic_tag"),
            ({"topic_tag": 5}, "topic_tag"),
            ({"topic_tag": "a\0b"}, "topic_tag"),
            ({"lifecycle_status": "sold"}, "lifecycle_status"),
            ({"version": 0}, "version"),
            ({"version": "1"}, "version"),
            ({"version": 2**63}, "version"),
            ({"plays": 7}, "plays"),
        ],
    )
    def test_what_it_does_not_take_is_refused_by_name(self, steward, node, body, name):
        before = node.row(node.keep().artifact.id)
        assert refused(steward.post(f"{OPERATOR}/artifacts/1/metadata", json=body), 400, name)
        assert node.row(1) == before

    def test_a_stale_version_is_a_conflict(self, steward, node):
        node.keep()
        for act in ("metadata", "hold", "pass"):
            body = {"version": 2, **({"topic_tag": "x"} if act == "metadata" else {})}
            assert refused(steward.post(f"{OPERATOR}/artifacts/1/{act}", json=body), 409)

    @pytest.mark.parametrize("act", ["metadata", "remove", "hold", "pass"])
    def test_an_unknown_take_is_404_and_one_that_has_ended_409(self, steward, node, act):
        body = {"topic_tag": "x"} if act == "metadata" else {}
        node.system.revocation.revoke(node.keep().secret)
        assert refused(steward.post(f"{OPERATOR}/artifacts/1/{act}", json=body), 409)
        assert refused(steward.post(f"{OPERATOR}/artifacts/2/{act}", json=body), 404)
        assert refused(steward.post(f"{OPERATOR}/artifacts/{2**63}/{act}", json=body), 400)

    def test_a_take_is_held_and_passed(self, steward, node, listener):
        node.keep()
        held = steward.post(f"{OPERATOR}/artifacts/1/hold").json()["artifact"]
        assert held["review"] == "held"
        assert listener.get("/api/v1/pool/next").status_code == 204
        passed = steward.post(f"{OPERATOR}/artifacts/1/pass", json={"version": held["version"]}).json()["artifact"]
        assert (passed["review"], passed["passed_at"]) == ("", node.clock.now().isoformat())
        assert listener.get("/api/v1/pool/next").status_code == 200


class TestRemove:
    def test_a_take_is_removed_as_the_contract_says(self, steward, node, fossil):
        answer = steward.post(f"{OPERATOR}/artifacts/1/remove")
        assert answer.json() == {
            "ok": True,
            "artifact_id": 1,
            "status": "REVOKED",
            "deleted_derivatives": 1,
            "removed_stack_position": 1,
            "verified_gone_at": node.clock.now().isoformat(),
        }
        assert node.files() == []
        assert refused(steward.post(f"{OPERATOR}/artifacts/1/remove"), 409)

    def test_a_store_that_refuses_is_told(self, steward, node):
        node.keep()
        node.store.refuses.add("delete")
        assert steward.post(f"{OPERATOR}/artifacts/1/remove").json()["verified_gone_at"] is None

    def test_several_are_removed_each_for_itself(self, steward, node):
        node.keep()
        node.keep()
        answer = steward.post(f"{OPERATOR}/artifacts/remove", json={"ids": [1, 7, 2]}).json()
        assert answer["ok"] is False
        assert [(one["artifact_id"], one["ok"]) for one in answer["results"]] == [(1, True), (7, False), (2, True)]
        assert "error" in answer["results"][1]
        assert node.files() == []

    @pytest.mark.parametrize(
        "ids", [[], ["1"], [0], [2**63], [1.5], [True], "1", None, list(range(1, 202))], ids=lambda ids: str(ids)[:12]
    )
    def test_what_are_no_numbers_of_takes_removes_nothing(self, steward, node, ids):
        node.keep()
        assert refused(steward.post(f"{OPERATOR}/artifacts/remove", json={"ids": ids}), 400, "ids")
        assert len(node.stored()) == 1


class TestPictures:
    def test_the_inventory_shows_pictures_that_open(self, steward, fossil):
        (one,) = steward.get("/api/v1/derivatives/spectrograms").json()["spectrograms"]
        assert (one["artifact_id"], one["publishable"]) == (fossil.id, True)
        answer = steward.get(one["image_url"])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content.startswith(b"\x89PNG\r\n\x1a\n")

    @pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "%F0%9F%9C%81", "WzEsMl0.AAAA"])
    def test_a_token_that_is_not_genuine_is_not_found(self, client, token):
        assert refused(client.get(f"/api/v1/media/spectrogram/{token}"), 404)
        assert refused(client.get(f"/api/v1/surface/fossils/{token}"), 404)

    def test_a_room_that_shows_no_fossils_gives_no_address(self, client):
        assert client.get("/api/v1/surface/fossils-url").json() == {"feed_url": ""}

    def test_a_room_that_shows_them_shows_pictures_and_no_numbers(self, make_node):
        node = make_node(ROOM_FOSSIL_VISUALS=True)
        artifact = node.keep(Mode.FOSSIL, TEN_SECONDS).artifact
        node.system.derive.derive(artifact.id, Kind.SPECTROGRAM)
        with visits_to(node) as visits:
            client = visits.client()
            (one,) = client.get(client.get("/api/v1/surface/fossils-url").json()["feed_url"]).json()
            assert set(one) == {"created_at", "image_url", "title"}
            assert one["title"] == "The fossil of a memory, left just now"
            assert client.get(one["image_url"]).status_code == 200
            node.system.review.hold(artifact.id, actor="t")
            assert client.get(one["image_url"]).status_code == 404


def test_the_summary_is_a_file_of_counts(steward, node):
    kept = node.keep()
    answer = steward.get(f"{OPERATOR}/artifact-summary")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="artifact-summary-')
    assert answer.json()["artifacts"]["active"] == 1
    assert kept.artifact.public_id not in answer.text


class TestFlag:
    @pytest.fixture
    def url(self, listener, node):
        """Where what was just heard is pointed out."""
        node.keep()
        return listener.get("/api/v1/pool/next").json()["playback_ack_url"].replace("/heard/", "/flag/")

    def test_what_was_heard_is_out_of_the_room_until_a_steward_has_looked(self, listener, url):
        answer = listener.post(url)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert listener.get("/api/v1/pool/next").status_code == 204
        assert listener.post(url).json() == {"ok": True}

    @pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "%F0%9F%9C%81", "WzEsMl0.AAAA"])
    def test_a_token_that_is_not_genuine_is_not_found(self, listener, token):
        assert refused(listener.post(f"/api/v1/pool/flag/{token}"), 404)

    def test_a_stale_token_is_not_found(self, listener, node, url):
        node.clock.advance(seconds=901)
        assert refused(listener.post(url), 404)
        assert node.row(1).flagged_at is None

    def test_a_station_may_ask_six_times_an_hour(self, listener, url):
        assert [listener.post(url).status_code for _ in range(6)] == [200] * 6
        answer = listener.post(url)
        assert refused(answer, 429)
        assert int(answer.headers["Retry-After"]) > 0

    def test_an_address_may_ask_thirty_times_whatever_stations_it_names(self, listener, url):
        statuses = [listener.post(url, headers={"X-Memory-Client-Id": f"s{n}"}).status_code for n in range(31)]
        assert statuses == [200] * 30 + [429]


class TestOpenPages:
    @pytest.fixture
    def told(self, node, visits):
        """Every signal, as open pages get it."""
        heard = []
        node.system.effects.subscribe(lambda signal, detail: heard.append((signal, detail)))
        return heard

    @pytest.mark.parametrize(
        "act",
        [
            lambda node, playback: node.system.review.flag(playback.heard_token),
            lambda node, playback: node.system.review.hold(playback.artifact.id, actor="t"),
            lambda node, playback: node.system.archive.remove(playback.artifact.id, actor="t"),
        ],
        ids=["flag", "hold", "remove"],
    )
    def test_every_room_is_told_to_drop_what_it_may_not_have(self, node, told, act):
        node.keep()
        act(node, node.system.pool.next(Wish(), node.rng))
        assert wait_for(lambda: (Signal.POOL, {"dropped": [1]}) in told)

    def test_a_pass_is_told_to_rooms_and_to_stewards(self, node, told):
        node.keep()
        node.system.review.hold(1, actor="t")
        told.clear()
        node.system.review.let_in(1, actor="t")
        assert wait_for(lambda: (Signal.POOL, {"added": 1}) in told)
        assert (Signal.REVIEW, {"artifact": 1}) in told

    def test_a_flag_that_is_only_noted_takes_nothing_from_a_room(self, node, told):
        node.keep()
        node.system.review.let_in(1, actor="t")
        node.clock.advance(seconds=1)
        told.clear()
        node.system.review.flag(node.system.pool.next(Wish(), node.rng).heard_token)
        assert wait_for(lambda: (Signal.REVIEW, {"artifact": 1}) in told)
        assert Signal.POOL not in [signal for signal, _ in told]

    def test_new_words_are_told_to_stewards(self, node, told):
        node.keep()
        node.system.archive.describe(1, topic="rain", actor="t")
        assert wait_for(lambda: (Signal.REVIEW, {"described": 1}) in told)
