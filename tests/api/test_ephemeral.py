import socket
import struct
import threading
import time

import anyio
import httpx
import pytest

from core.domain.consent import Mode
from memory_ui.api.bytes import BytesResponse
from memory_ui.app import plain_app
from tests import wavs
from tests.fakes import SHORT_TAKE, at_once, served, wait_for


@pytest.fixture
def kept(client):
    """The answer to a one-time take."""
    return client.leave("NOSAVE").json()


def swept(node):
    node.system.retention.sweep()
    return node.files() == []


def test_a_one_time_take_is_answered_as_the_contract_says(client, node):
    answer = client.leave("NOSAVE")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"artifact_id", "play_url", "consume_token"}
    assert body["artifact_id"] == 1
    assert body["play_url"].startswith("/api/v1/ephemeral/play/")
    assert node.stored()[0].startswith("ephemeral/")


def test_it_is_served_once_whole_and_never_cached(client, node, kept):
    answer = client.get(kept["play_url"])
    assert (answer.status_code, answer.content) == (200, SHORT_TAKE)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(SHORT_TAKE))
    again = client.get(kept["play_url"])
    assert (again.status_code, list(again.json())) == (404, ["error"])
    assert swept(node)


def test_asking_with_head_does_not_consume(client, kept):
    answers = [client.head(kept["play_url"]) for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 3
    assert client.get(kept["play_url"]).content == SHORT_TAKE
    assert client.head(kept["play_url"]).status_code == 404


@pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=-5", "bytes=999999-", "bytes=0-1,5-6"])
def test_a_range_gets_the_whole_body_and_consumes(client, kept, asked):
    answer = client.get(kept["play_url"], headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, SHORT_TAKE)
    assert "Content-Range" not in answer.headers
    assert client.get(kept["play_url"]).status_code == 404


def test_it_is_not_served_after_its_five_minutes(client, node, kept):
    node.clock.advance(minutes=5)
    assert client.head(kept["play_url"]).status_code == 404
    assert client.get(kept["play_url"]).status_code == 404


def test_it_is_served_until_then(client, node, kept):
    node.clock.advance(minutes=4, seconds=59)
    assert client.get(kept["play_url"]).status_code == 200


@pytest.mark.parametrize("operation", ["open", "size"])
def test_a_store_that_fails_before_the_claim_consumes_nothing(client, node, kept, operation):
    node.store.refuses.add(operation)
    assert client.get(kept["play_url"]).status_code == 503
    node.store.refuses.clear()
    assert client.get(kept["play_url"]).content == SHORT_TAKE


def test_it_is_never_in_the_pool(client, kept):
    assert client.get("/api/v1/pool/next").status_code == 204


def test_a_paused_room_still_lets_its_participant_hear_it(client, node, kept):
    node.system.stewardship.change({"playback_paused": True}, actor="t", version=0)
    assert client.get(kept["play_url"]).status_code == 200


class TestConsume:
    def consume(self, client, kept, **changed):
        body = {"artifact_id": kept["artifact_id"], "consume_token": kept["consume_token"], **changed}
        return client.post("/api/v1/ephemeral/consume", json=body)

    def test_it_disposes_of_an_unplayed_take(self, client, node, kept):
        answer = self.consume(client, kept)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert client.get(kept["play_url"]).status_code == 404
        assert swept(node)

    def test_it_finds_nothing_the_second_time(self, client, kept):
        assert [self.consume(client, kept).status_code for _ in range(2)] == [200, 404]

    def test_it_finds_nothing_after_the_hearing(self, client, kept):
        client.get(kept["play_url"])
        assert self.consume(client, kept).status_code == 404

    def test_a_wrong_token_is_403_and_disposes_of_nothing(self, client, kept):
        other = client.leave("NOSAVE").json()
        assert self.consume(client, kept, consume_token=other["consume_token"]).status_code == 403
        assert client.get(kept["play_url"]).status_code == 200

    def test_an_unknown_take_is_404(self, client, kept):
        assert self.consume(client, kept, artifact_id=99).status_code == 404

    def test_a_take_of_the_room_is_404(self, client):
        left = client.leave("ROOM").json()
        assert self.consume(client, {"artifact_id": left["artifact"]["id"], "consume_token": "x"}).status_code == 404

    @pytest.mark.parametrize("changed", [{"artifact_id": "1"}, {"consume_token": 5}, {"artifact_id": None}])
    def test_a_field_of_another_type_is_400(self, client, kept, changed):
        assert self.consume(client, kept, **changed).status_code == 400


class TestHoweverTheAnswerEnds:
    """A server may raise into an answer, or cancel it, where the listener has gone."""

    def answer(self, node, send):
        kept = node.keep(Mode.NOSAVE, wavs.take(10))
        once = node.system.once.play(node.system.once.play_token(kept.artifact.id, kept.secret))
        response = BytesResponse(once.stream, length=once.size_bytes, closed=once.closed, headers={})

        async def run():
            with anyio.move_on_after(0.2):
                await response({"type": "http"}, anyio.sleep_forever, send)

        return run, once.stream

    def test_an_answer_that_is_broken_off_lets_the_bytes_go(self, node):
        async def send(message):
            if message["type"] == "http.response.body":
                raise OSError("the listener has gone")

        answer, stream = self.answer(node, send)
        with pytest.raises(OSError, match="gone"):
            anyio.run(answer)
        assert stream.closed
        assert swept(node)

    def test_an_answer_that_is_cancelled_lets_the_bytes_go(self, node):
        async def send(message):
            if message["type"] == "http.response.body":
                await anyio.sleep_forever()

        answer, stream = self.answer(node, send)
        anyio.run(answer)
        assert stream.closed
        assert swept(node)


class TestThroughARealServer:
    @pytest.fixture
    def port(self, node):
        with served(plain_app(node.system)) as port:
            yield port

    def leave(self, port, data=SHORT_TAKE):
        upload = {"file": ("take.wav", data, "audio/wav")}
        return httpx.post(f"http://127.0.0.1:{port}/api/v1/ephemeral/audio", files=upload, timeout=30).json()

    @pytest.mark.parametrize("listeners", [2, 2, 2, 12])
    def test_of_simultaneous_fetches_exactly_one_wins(self, node, port, listeners):
        url = f"http://127.0.0.1:{port}{self.leave(port)['play_url']}"
        answers = at_once(*[lambda: httpx.get(url, timeout=30)] * listeners)
        assert sorted(answer.status_code for answer in answers) == [200] + [404] * (listeners - 1)
        assert [answer.content for answer in answers if answer.status_code == 200] == [SHORT_TAKE]
        wait_for(lambda: swept(node))

    def test_simultaneous_fetches_meet_at_the_claim(self, node, port):
        """Both have the bytes open before either claims them."""
        url = f"http://127.0.0.1:{port}{self.leave(port)['play_url']}"
        gate = threading.Barrier(2)
        node.store.before["open"] = lambda _key: gate.wait(5)
        answers = at_once(*[lambda: httpx.get(url, timeout=30)] * 2)
        assert sorted(answer.status_code for answer in answers) == [200, 404]

    def test_a_connection_that_breaks_midway_consumes_it_and_its_bytes_go(self, node, port):
        path = self.leave(port, wavs.take(150))["play_url"]
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert httpx.get(f"http://127.0.0.1:{port}{path}").status_code == 404
        wait_for(lambda: swept(node))
        assert node.row(1).gone_at is not None

    def test_a_listener_that_never_reads_on_does_not_keep_the_bytes(self, node, port):
        path = self.leave(port, wavs.take(150))["play_url"]
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            time.sleep(0.2)
            node.clock.advance(seconds=60)
            assert swept(node)
