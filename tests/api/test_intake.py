import time
import tracemalloc

import httpx
import pytest

from core.domain import codes
from memory_ui.app import plain_app
from tests import wavs
from tests.fakes import OTHER_TAKE, SHORT_TAKE, at_once, served, visits_to

MIB = 1 << 20


def test_a_kept_take_is_answered_as_the_contract_says(client, node):
    answer = client.leave(
        "FOSSIL", duration_ms="999999", effect_profile="warm", topic_tag=" the  river ", lifecycle_status="open"
    )
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    code, receipt = body.pop("revocation_token"), body.pop("receipt")
    assert codes.grouped(codes.normalise(code)) == code
    assert body == {
        "artifact": {
            "id": 1,
            "kind": "FOSSIL",
            "status": "ACTIVE",
            "created_at": "2026-03-01T12:00:00+00:00",
            "expires_at": "2026-03-03T12:00:00+00:00",
            "wear": 0.0,
            "play_count": 0,
            "duration_ms": 250,
            "effect_profile": "warm",
            "effect_metadata": {"code": "warm", "topology": "compressed"},
            "deployment_kind": "memory",
            "topic_tag": "the river",
            "lifecycle_status": "open",
        },
        "revocation_url": "/revoke/",
    }
    assert receipt.pop("qr").startswith("<svg ")
    assert receipt == {
        "url": f"http://localhost/revoke/?token={code}&language=en",
        "room_until": "2026-03-03T12:00:00+00:00",
        "fossil_until": "2027-03-01T12:00:00+00:00",
        "copies_gone_by": "2027-03-08T12:00:00+00:00",
        "words": {
            "room_until": "Tuesday, 3 March 2026, 12:00",
            "fossil_until": "1 March 2027",
            "copies_gone_by": "8 March 2027",
        },
    }
    assert len(node.stored()) == 1


@pytest.mark.parametrize("name", ["topic_tag", "topic", "category"])
def test_a_topic_has_aliases(client, name):
    assert client.leave(**{name: "rain"}).json()["artifact"]["topic_tag"] == "rain"


@pytest.mark.parametrize("name", ["lifecycle_status", "status"])
def test_a_status_has_an_alias(client, name):
    assert client.leave(**{name: "open"}).json()["artifact"]["lifecycle_status"] == "open"


def test_a_dry_take_has_no_effect(client):
    artifact = client.leave().json()["artifact"]
    assert (artifact["effect_profile"], artifact["effect_metadata"]) == ("", {})


def test_what_was_shown_may_be_said_and_is_kept_with_the_promise(client, node):
    code = client.leave(language="en", notice_version="1").json()["revocation_token"]
    manifest = node.system.revocation.receipt(code).manifest
    assert (manifest.notice_language, manifest.notice_version) == ("en", "1")


@pytest.mark.parametrize(
    "fields",
    [
        {"effect_profile": "sepia"},
        {"topic_tag": "x" * 65},
        {"lifecycle_status": "x" * 33},
        {"language": "tlh"},
        {"notice_version": "0"},
    ],
)
def test_a_wrong_field_is_named_in_one_sentence(client, node, fields):
    answer = client.leave(**fields)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(next(iter(fields)))
    assert node.counts()["artifact"] == 0
    assert node.files() == []


@pytest.mark.parametrize("mode", ["", "NOSAVE", "ALL", "room\0", "ROOM,FOSSIL"])
def test_a_mode_that_is_not_room_or_fossil_is_refused(client, node, mode):
    assert client.leave(mode if mode != "NOSAVE" else "", consent_mode=mode).status_code == 400
    assert node.files() == []


def test_a_form_without_a_mode_is_refused(client):
    answer = client.post("/api/v1/artifacts/audio", files={"file": ("a.wav", SHORT_TAKE, "audio/wav")})
    assert answer.status_code == 400
    assert "consent_mode" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/v1/artifacts/audio", "/api/v1/ephemeral/audio"])
class TestBothUploads:
    def form(self):
        return {"files": {"file": ("a.wav", SHORT_TAKE, "audio/wav")}, "data": {"consent_mode": "ROOM"}}

    def test_a_paused_intake_is_423(self, client, node, path):
        node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        answer = client.post(path, **self.form())
        assert answer.status_code == 423
        assert answer.json()["error"].endswith(".")

    def test_maintenance_is_423(self, client, node, path):
        node.system.stewardship.change({"maintenance_mode": True}, actor="t", version=0)
        assert client.post(path, **self.form()).status_code == 423

    def test_a_full_disk_is_507(self, client, node, path):
        node.disk.free = 0
        assert client.post(path, **self.form()).status_code == 507
        assert node.files() == []

    def test_a_store_that_does_not_answer_is_503_and_leaves_nothing(self, client, node, path):
        node.store.refuses.add("put")
        answer = client.post(path, **self.form())
        assert (answer.status_code, list(answer.json())) == (503, ["error"])
        node.clock.advance(hours=1, seconds=1)  # what such a store was given may still arrive
        node.system.retention.sweep()
        assert (node.counts()["artifact"], node.counts()["tombstone"], node.files()) == (0, 0, [])

    def test_a_paused_intake_reads_no_body(self, client, node, path):
        node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        read = 0

        async def pieces():
            nonlocal read
            for _ in range(32):
                read += 1
                yield bytes(MIB)

        headers = {"Content-Type": "multipart/form-data; boundary=edge"}
        assert client.post(path, content=pieces(), headers=headers).status_code == 423
        assert read <= 2

    def test_an_upload_over_the_limit_is_refused_while_it_streams(self, client, node, path):
        read = 0

        async def pieces():
            nonlocal read
            head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
            yield head + wavs.riff(wavs.form(sample_rate_hz=96_000), claims=2**31)
            block = bytes(MIB)
            for _ in range(200):
                read += 1
                yield block

        headers = {"Content-Type": "multipart/form-data; boundary=edge"}
        tracemalloc.start()
        began = time.perf_counter()
        answer = client.post(path, content=pieces(), headers=headers)
        took_s, (_, peak_bytes) = time.perf_counter() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert answer.status_code == 413
        assert read <= 35, "it was read on long after it was too much"
        assert peak_bytes < 16 * MIB, "it was gathered in memory"
        assert took_s < 10
        assert (node.counts()["tombstone"], node.files()) == (0, [])

    def test_a_station_over_its_budget_is_429_and_told_when_to_come_back(self, make_node, path):
        with visits_to(make_node(INGEST_PER_STATION_HOUR=2)) as visits:
            client = visits.client()
            headers = {"X-Memory-Client-Id": "kiosk-1"}
            answers = [client.post(path, headers=headers, **self.form()) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [201, 201, 429]
            assert 0 < int(answers[2].headers["Retry-After"]) <= 3600
            assert answers[2].json()["error"].endswith(".")
            other = client.post(path, headers={"X-Memory-Client-Id": "kiosk-2"}, **self.form())
            assert other.status_code == 201

    def test_an_address_over_its_budget_is_429_whatever_it_calls_itself(self, make_node, path):
        with visits_to(make_node(INGEST_PER_ADDRESS_HOUR=2)) as visits:
            client = visits.client()
            codes_ = [
                client.post(path, headers={"X-Memory-Client-Id": f"k{number}"}, **self.form()).status_code
                for number in range(3)
            ]
            assert codes_ == [201, 201, 429]
            assert visits.client(address="203.0.113.77").post(path, **self.form()).status_code == 201

    def test_takes_that_arrive_at_once_do_not_pass_a_budget_together(self, make_node, path):
        node = make_node(INGEST_PER_STATION_HOUR=2)
        with visits_to(node) as visits:
            client = visits.client()
            answers = at_once(*[lambda: client.post(path, **self.form())] * 6)
        assert sorted(answer.status_code for answer in answers) == [201, 201, 429, 429, 429, 429]
        assert len(node.stored()) == 2

    def test_a_form_without_a_take_costs_no_budget(self, make_node, path):
        with visits_to(make_node(INGEST_PER_STATION_HOUR=1)) as visits:
            client = visits.client()
            empty = {"files": {"consent_mode": (None, "ROOM")}}
            assert [client.post(path, **empty).status_code for _ in range(3)] == [400] * 3
            assert client.post(path, **self.form()).status_code == 201


@pytest.mark.parametrize("mode", ["ROOM", "NOSAVE"])
class TestIdempotencyKey:
    def test_the_same_bytes_get_the_same_body_and_are_stored_once(self, client, node, mode):
        first, again = (client.leave(mode, key="key-1") for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert (len(node.stored()), node.counts()["artifact"]) == (1, 1)

    def test_other_bytes_are_409(self, client, node, mode):
        client.leave(mode, key="key-1")
        assert client.leave(mode, OTHER_TAKE, key="key-1").status_code == 409
        assert len(node.stored()) == 1

    def test_a_removed_take_is_410(self, client, node, mode):
        body = client.leave(mode, key="key-1").json()
        if mode == "ROOM":
            client.post("/api/v1/revoke", json={"token": body["revocation_token"]})
        else:
            client.get(body["play_url"])
        answer = client.leave(mode, key="key-1")
        assert answer.status_code == 410
        assert answer.json()["error"].endswith(".")
        node.system.retention.sweep()
        assert node.stored() == []

    def test_an_expired_take_is_410(self, client, node, mode):
        client.leave(mode, key="key-1")
        node.clock.advance(hours=23)
        if mode == "ROOM":
            node.change(1, raw_until=node.clock.now(), playable_until=node.clock.now())
        node.system.retention.expire()
        assert client.leave(mode, key="key-1").status_code == 410

    def test_two_at_once_are_one_take(self, client, node, mode):
        answers = at_once(*[lambda: client.leave(mode, key="key-1")] * 3)
        assert [answer.status_code for answer in answers] == [201] * 3
        assert len({answer.text for answer in answers}) == 1
        node.system.retention.sweep()
        assert (len(node.stored()), node.counts()["artifact"]) == (1, 1)

    def test_a_retry_is_answered_while_paused(self, client, node, mode):
        first = client.leave(mode, key="key-1")
        node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        again = client.leave(mode, key="key-1")
        assert (again.status_code, again.json()) == (201, first.json())

    def test_a_retry_costs_no_budget(self, make_node, mode):
        with visits_to(make_node(INGEST_PER_STATION_HOUR=1)) as visits:
            client = visits.client()
            assert [client.leave(mode, key="key-1").status_code for _ in range(3)] == [201] * 3
            assert client.leave(mode, key="key-2").status_code == 429

    def test_a_key_that_is_too_long_is_refused(self, client, mode):
        assert client.leave(mode, key="k" * 201).status_code == 400
        assert client.leave(mode, key="k" * 200).status_code == 201


def test_a_key_used_for_a_room_take_is_a_conflict_for_a_one_time_take(client):
    client.leave("ROOM", key="key-1")
    assert client.leave("NOSAVE", key="key-1").status_code == 409


def test_an_upload_through_a_real_server_is_stored_bit_for_bit(node):
    take = wavs.take(3)
    with served(plain_app(node.system)) as port:
        answer = httpx.post(
            f"http://127.0.0.1:{port}/api/v1/artifacts/audio",
            files={"file": ("t.wav", take, "audio/wav")},
            data={"consent_mode": "ROOM"},
        )
    assert answer.status_code == 201
    (key,) = node.stored()
    with node.store.inner.open(key) as file:
        assert file.read() == take


def test_an_upload_that_breaks_off_leaves_nothing(node):
    import socket

    with served(plain_app(node.system)) as port:
        head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                b"POST /api/v1/artifacts/audio HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n"
                b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n" + head + bytes(2 * MIB)
            )
        time.sleep(0.3)
    assert (node.counts()["artifact"], node.counts()["tombstone"], node.files()) == (0, 0, [])
