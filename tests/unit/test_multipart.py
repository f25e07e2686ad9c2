import hashlib
import os
import tempfile
import threading
import time
from contextlib import contextmanager
from unittest import mock

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.errors import BadField, MemoryEngineError, NotWav, TakeTooLarge
from memory_ui.api import multipart
from tests import wavs

LIMIT_BYTES = 300_000
TYPE = "multipart/form-data; boundary=edge"
TAKE = wavs.take(0.5, sample_rate_hz=16_000)


def text_part(name, value):
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"


def file_part(data=TAKE, *, name="file", headers="Content-Type: audio/wav\r\n"):
    disposition = f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="private.wav"\r\n'
    return disposition.encode() + headers.encode() + b"\r\n" + data + b"\r\n"


def closed(*parts):
    return b"".join(parts) + b"--edge--\r\n"


class Sender:
    """An ASGI client that sends given pieces and remembers how many were asked for."""

    def __init__(self, *pieces, then_disconnect=False, then_wait=False):
        self.pieces = list(pieces)
        self.taken = 0
        self.then_disconnect = then_disconnect
        self.then_wait = then_wait

    async def receive(self):
        if self.taken < len(self.pieces):
            self.taken += 1
            more = self.taken < len(self.pieces) or self.then_disconnect or self.then_wait
            return {"type": "http.request", "body": self.pieces[self.taken - 1], "more_body": more}
        if self.then_wait:
            await anyio.sleep_forever()
        return {"type": "http.disconnect"}

    def request(self, headers):
        raw = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        return Request({"type": "http", "method": "POST", "headers": raw}, self.receive)


def read(sender, folder, *, content_type=TYPE, headers=None, **bounds):
    """What the block saw: the fields, the upload, its bytes, and whether it was closed afterwards."""

    async def run():
        request = sender.request({"content-type": content_type} | (headers or {}))
        arguments = {"spool_dir": folder, "max_file_bytes": LIMIT_BYTES} | bounds
        async with multipart.read_form(request, **arguments) as form:
            data = form.file.file.read() if form.file else None
        return form, data

    return anyio.run(run)


@contextmanager
def nothing_left_open(folder):
    """Every temporary file is closed and `folder` is empty when the block is left; gives the files opened."""
    opened = []
    make = tempfile.TemporaryFile

    def remembered(**options):
        opened.append(make(**options))
        return opened[-1]

    with mock.patch.object(tempfile, "TemporaryFile", remembered):
        yield opened
    assert all(file.closed for file in opened)
    assert list(folder.iterdir()) == []


def refused(sender, folder, error, **arguments):
    with nothing_left_open(folder), pytest.raises(error) as refusal:
        read(sender, folder, **arguments)
    assert str(refusal.value).endswith(".")
    return refusal.value


def test_a_form_is_read_with_its_fields_and_its_file(tmp_path):
    body = closed(text_part("consent_mode", b"ROOM"), file_part(), text_part("topic", "gr\u00fcn".encode()))
    with nothing_left_open(tmp_path):
        form, data = read(Sender(body), tmp_path)
    assert form.fields == {"consent_mode": "ROOM", "topic": "gr\u00fcn"}
    assert data == TAKE
    assert form.file.size_bytes == len(TAKE)
    assert form.file.sha256 == hashlib.sha256(TAKE).hexdigest()
    assert form.file.content_type == "audio/wav"
    assert form.file.file.closed


def test_the_clients_file_name_is_not_kept(tmp_path):
    form, _ = read(Sender(closed(file_part())), tmp_path)
    assert "private" not in repr(form)


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_the_form_is_the_same_however_it_is_cut_into_pieces(tmp_path, step):
    body = closed(text_part("consent_mode", b"ROOM"), file_part())
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    form, data = read(Sender(*pieces), tmp_path)
    assert (form.fields, data) == ({"consent_mode": "ROOM"}, TAKE)


def test_a_sound_that_holds_almost_boundaries_arrives_whole(tmp_path):
    sound = b"\r\n--edg\r\n--edgy\r\n--edg--\r\r\n" * 1000
    _, data = read(Sender(closed(file_part(sound))), tmp_path)
    assert data == sound


def test_a_file_of_many_batches_is_written_and_hashed_off_the_event_loop(tmp_path, monkeypatch):
    threads = set()
    write = multipart._Spool._write

    def watched(self, *arguments, **options):
        threads.add(threading.current_thread())
        return write(self, *arguments, **options)

    monkeypatch.setattr(multipart._Spool, "_write", watched)
    sound = os.urandom(2_000_000)
    form, data = read(Sender(closed(file_part(sound))), tmp_path, max_file_bytes=2_000_000)
    assert (data, form.file.sha256) == (sound, hashlib.sha256(sound).hexdigest())
    assert threads
    assert threading.main_thread() not in threads


def test_uploads_write_one_after_the_other(tmp_path, monkeypatch):
    """Many threads at it are no faster, and hold up everybody who asks for little."""
    write, inside, most = multipart._Spool._write, [], []

    def watched(self, *arguments, **options):
        inside.append(self)
        most.append(len(inside))
        time.sleep(0.02)
        write(self, *arguments, **options)
        inside.remove(self)

    async def one():
        body = closed(file_part(bytes(LIMIT_BYTES)))
        request = Sender(body[:290_000], body[290_000:]).request({"content-type": TYPE})
        async with multipart.read_form(request, spool_dir=tmp_path, max_file_bytes=LIMIT_BYTES) as form:
            assert form.file.file.read() == bytes(LIMIT_BYTES)

    async def four():
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(one)

    monkeypatch.setattr(multipart._Spool, "_write", watched)
    anyio.run(four)
    assert most == [1] * 8


def test_the_file_has_no_name_while_it_is_open(tmp_path):
    async def run():
        request = Sender(closed(file_part())).request({"content-type": TYPE})
        async with multipart.read_form(request, spool_dir=tmp_path, max_file_bytes=LIMIT_BYTES):
            assert list(tmp_path.iterdir()) == []

    anyio.run(run)


def test_a_form_without_a_file_has_none(tmp_path):
    form, _ = read(Sender(closed(text_part("a", b""))), tmp_path)
    assert (form.fields, form.file) == ({"a": ""}, None)


def test_an_empty_form_is_a_form(tmp_path):
    form, _ = read(Sender(closed()), tmp_path)
    assert (form.fields, form.file) == ({}, None)


def test_an_empty_file_is_a_file_of_no_bytes(tmp_path):
    form, data = read(Sender(closed(file_part(b""))), tmp_path)
    assert (form.file.size_bytes, data) == (0, b"")


def test_a_file_of_exactly_the_limit_is_accepted(tmp_path):
    form, _ = read(Sender(closed(file_part(bytes(LIMIT_BYTES)))), tmp_path)
    assert form.file.size_bytes == LIMIT_BYTES


def test_a_file_one_byte_over_the_limit_is_refused(tmp_path):
    refused(Sender(closed(file_part(bytes(LIMIT_BYTES + 1)))), tmp_path, TakeTooLarge)


def test_a_content_length_over_the_limit_is_refused_before_a_byte_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(multipart.MultipartParser, "write", lambda *_: pytest.fail("the body was parsed"))
    sender = Sender(closed(file_part()))
    refused(sender, tmp_path, TakeTooLarge, headers={"content-length": str(LIMIT_BYTES * 2)})


def test_an_endless_body_is_cut_off_soon_after_the_limit(tmp_path):
    piece = bytes(10_000)
    sender = Sender(file_part()[:-2], *[piece] * 1000)
    refused(sender, tmp_path, TakeTooLarge)
    assert sender.taken * len(piece) < LIMIT_BYTES + multipart.DRAIN_BYTES + 3 * len(piece)


def test_an_endless_preamble_is_cut_off_too(tmp_path):
    sender = Sender(*[b"\r\n" * 5000] * 1000)
    refused(sender, tmp_path, TakeTooLarge)
    assert sender.taken < 250


def test_the_rest_of_a_small_refused_body_is_drained_so_that_the_answer_is_read(tmp_path):
    sender = Sender(text_part("a\tb", b"x"), text_part("a", b"\0"), *[bytes(1000)] * 50)
    refused(sender, tmp_path, BadField)
    assert sender.taken == len(sender.pieces)


def test_a_client_that_stops_sending_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(multipart, "DRAIN_S", 0.05)
    refused(Sender(text_part("a", b"\0") + b"--edge\r\n", then_wait=True), tmp_path, BadField)


def test_a_client_that_leaves_after_its_refusal_is_still_refused(tmp_path):
    body = text_part("a", b"\0") + text_part("b", b"")
    refused(Sender(body, then_disconnect=True), tmp_path, BadField)


def test_a_client_that_asked_before_sending_is_refused_without_sending(tmp_path):
    sender = Sender(closed(file_part()))
    headers = {"expect": "100-continue", "content-length": str(LIMIT_BYTES * 2)}
    refused(sender, tmp_path, TakeTooLarge, headers=headers)
    assert sender.taken == 0


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "audio/wav", "multipart/mixed; boundary=edge", "multipart/form-dat; boundary=edge"],
)
def test_what_is_not_a_form_is_not_read_as_one(tmp_path, content_type):
    refused(Sender(closed(file_part())), tmp_path, NotWav, content_type=content_type)


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 71])
def test_a_form_without_a_usable_boundary_is_refused(tmp_path, boundary):
    refused(Sender(closed()), tmp_path, BadField, content_type="multipart/form-data" + boundary)


@pytest.mark.parametrize("length", ["-1", "1e3", "many", "\u00b2"])
def test_a_content_length_that_is_no_number_is_refused(tmp_path, length):
    refused(Sender(closed()), tmp_path, BadField, headers={"content-length": length})


BROKEN = {
    "another boundary": closed(file_part()).replace(b"--edge", b"--other"),
    "no boundary at all": TAKE,
    "nothing": b"",
    "no last boundary": file_part(),
    "an end within the file": closed(file_part())[:1000],
    "an end within a header": b'--edge\r\nContent-Disposition: form-data; name="a',
    "a header line without colon": b"--edge\r\nnonsense\r\n\r\nx\r\n--edge--\r\n",
    "a part without headers": b"--edge\r\n\r\nx\r\n--edge--\r\n",
    "a part without a name": b"--edge\r\nContent-Disposition: form-data\r\n\r\nx\r\n--edge--\r\n",
    "an attachment": b'--edge\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--edge--\r\n',
    "an empty name": closed(text_part("", b"x")),
    "a long name": closed(text_part("n" * 65, b"x")),
    "a zero byte in a name": closed(text_part("a\0", b"x")),
    "a zero byte in a field": closed(text_part("a", b"x\0")),
    "a field that is not UTF-8": closed(text_part("a", b"\xff\xfe")),
    "a long field": closed(text_part("a", b"x" * 4097)),
    "a long header": closed(file_part(headers=f"X-Long: {'x' * 5000}\r\n")),
    "endless headers": b"--edge\r\n" + b"".join(b"h%d: x\r\n" % i for i in range(2000)),
    "the same header twice": closed(file_part(headers="A: 1\r\na: 2\r\n")),
    "an encoded file": closed(file_part(headers="Content-Transfer-Encoding: base64\r\n")),
    "a text part named file": closed(text_part("file", TAKE[:100])),
    "a file under another name": closed(file_part(name="other")),
    "two files": closed(file_part(), file_part()),
    "the same field twice": closed(text_part("a", b"1"), text_part("a", b"2")),
    "too many fields": closed(*[text_part(f"a{i}", b"x") for i in range(25)]),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_form_is_refused(tmp_path, name):
    body = BROKEN[name]
    refused(Sender(body), tmp_path, BadField)
    refused(Sender(*[body[at : at + 11] for at in range(0, len(body), 11)] or [b""]), tmp_path, BadField)


def test_the_longest_field_and_the_most_fields_are_accepted(tmp_path):
    parts = [text_part(f"a{i}", b"x" * 4096) for i in range(24)]
    form, _ = read(Sender(closed(*parts, file_part(bytes(LIMIT_BYTES)))), tmp_path)
    assert len(form.fields) == 24


def test_a_client_that_disconnects_leaves_nothing_behind(tmp_path):
    sender = Sender(file_part(bytes(290_000))[:280_000], then_disconnect=True)
    with nothing_left_open(tmp_path) as opened, pytest.raises(ClientDisconnect):
        read(sender, tmp_path)
    assert opened


def test_a_cancelled_request_leaves_nothing_behind(tmp_path):
    async def run():
        request = Sender(file_part(bytes(290_000))[:280_000], then_wait=True).request({"content-type": TYPE})
        with anyio.move_on_after(0.2) as scope:
            async with multipart.read_form(request, spool_dir=tmp_path, max_file_bytes=LIMIT_BYTES):
                pytest.fail("half a form was taken for a whole one")
        assert scope.cancelled_caught

    with nothing_left_open(tmp_path) as opened:
        anyio.run(run)
    assert opened


def test_an_error_within_the_block_closes_the_file(tmp_path):
    async def run():
        request = Sender(closed(file_part())).request({"content-type": TYPE})
        async with multipart.read_form(request, spool_dir=tmp_path, max_file_bytes=LIMIT_BYTES):
            raise RuntimeError("the store is down")

    with nothing_left_open(tmp_path), pytest.raises(RuntimeError, match="the store is down"):
        anyio.run(run)


def test_a_write_that_comes_after_closing_opens_no_file(tmp_path):
    spool = multipart._Spool(tmp_path, LIMIT_BYTES)
    with nothing_left_open(tmp_path) as opened:
        spool.close()
        spool._write(bytearray(b"late"), rewind=False)
    assert opened == []


def test_a_missing_spool_folder_is_the_nodes_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(Sender(closed(file_part())), tmp_path / "gone")


@given(
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4),
    st.integers(0, 600),
    st.integers(1, 200),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mutated_form_is_read_or_refused(tmp_path, changes, cut, step):
    body = bytearray(closed(text_part("consent_mode", b"ROOM"), file_part(TAKE[:150]), text_part("b", b"x")))
    for at, patch in changes:
        body[at : at + len(patch)] = patch
    body = bytes(body[: len(body) - cut if cut < 20 else len(body)])
    pieces = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
    with nothing_left_open(tmp_path):
        try:
            form, data = read(Sender(*pieces), tmp_path)
        except MemoryEngineError as error:
            assert error.status in {400, 413, 415}
        else:
            assert form.file is None or form.file.size_bytes == len(data)


def test_an_ordinary_http_client_is_understood(tmp_path):
    async def endpoint(request):
        async with multipart.read_form(request, spool_dir=tmp_path, max_file_bytes=LIMIT_BYTES) as form:
            return JSONResponse({"fields": form.fields, "sha256": form.file.sha256})

    async def run():
        transport = httpx.ASGITransport(Starlette(routes=[Route("/", endpoint, methods=["POST"])]))
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.post(
                "/", data={"consent_mode": "FOSSIL"}, files={"file": ("take.wav", TAKE, "audio/wav")}
            )

    answer = anyio.run(run).json()
    assert answer == {"fields": {"consent_mode": "FOSSIL"}, "sha256": hashlib.sha256(TAKE).hexdigest()}
