"""Everything a client may send instead of what is asked: a 4xx, one clear sentence, no row, no byte."""

import json
import re

import pytest

from tests import wavs
from tests.fakes import SHORT_TAKE, new_node, visits_to

UPLOADS = ("/api/v1/artifacts/audio", "/api/v1/ephemeral/audio")
JSON_PATHS = ("/api/v1/revoke", "/api/v1/receipt", "/api/v1/ephemeral/consume")
SENTENCE = re.compile(r"[A-Za-z][^\n]{5,200}\.")


@pytest.fixture(scope="module")
def node(grounds, engine, tmp_path_factory):
    """One node for the whole module: whatever is refused changes nothing."""
    with grounds.fresh(engine, tmp_path_factory.mktemp("malformed") / "node") as ground:
        made = new_node(
            ground.folder, **ground.settings, INGEST_PER_STATION_HOUR=10_000, INGEST_PER_ADDRESS_HOUR=10_000
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def client(node):
    with visits_to(node) as visits:
        yield visits.client()


@pytest.fixture(autouse=True)
def nothing_changed(node):
    """No row in any table and no byte in any folder, once what is due has been swept."""
    yield
    node.system.retention.sweep()
    # Its own row is there from its start.
    assert not any(count for table, count in node.counts().items() if table != "node")
    assert node.files() == []


def refused(answer, *statuses):
    """A refusal as the contract wants it."""
    assert answer.status_code in statuses
    assert list(answer.json()) == ["error"]
    assert SENTENCE.fullmatch(answer.json()["error"]), answer.json()["error"]
    for inside in ("Traceback", "core.", "sqlite", "psycopg", "/tmp", "python"):
        assert inside not in answer.text
    return True


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("name", sorted(wavs.MALFORMED))
def test_a_malformed_take(client, path, name):
    data, status = wavs.MALFORMED[name]
    upload = {"file": ("take.wav", data, "audio/wav")}
    assert refused(client.post(path, files=upload, data={"consent_mode": "ROOM"}), status)


def body(*parts, boundary="edge"):
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()


def part(disposition, data):
    return f"Content-Disposition: form-data; {disposition}\r\n\r\n".encode() + data


FILE = part('name="file"; filename="a.wav"', SHORT_TAKE)
MODE = part('name="consent_mode"', b"ROOM")

FORMS = {
    "nothing": b"",
    "only the end": b"--edge--\r\n",
    "no end": body(MODE, FILE)[:-12],
    "no file": body(MODE),
    "a text part named file": body(MODE, part('name="file"', SHORT_TAKE)),
    "a file of another name": body(MODE, part('name="sound"; filename="a.wav"', SHORT_TAKE)),
    "two files": body(MODE, FILE, FILE),
    "a field twice": body(MODE, MODE, FILE),
    "NUL in a field": body(part('name="consent_mode"', b"RO\0OM"), FILE),
    "NUL in the topic": body(MODE, part('name="topic_tag"', b"a\0b"), FILE),
    "NUL in a name": body(MODE, part('name="topic\0tag"', b"a"), FILE),
    "a field that is not UTF-8": body(MODE, part('name="topic_tag"', b"\xff\xfe"), FILE),
    "a field of 5000 characters": body(MODE, part('name="topic_tag"', b"x" * 5000), FILE),
    "a hundred fields": body(*[part(f'name="f{n}"', b"x") for n in range(100)], FILE),
    "a part without a name": body(MODE, b"\r\nhello", FILE),
    "another boundary": body(MODE, FILE).replace(b"edge", b"kant"),
    "JSON": b'{"consent_mode": "ROOM"}',
    "bytes": bytes(range(256)) * 20,
}


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("name", FORMS)
def test_a_malformed_form(client, path, name):
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    assert refused(client.post(path, content=FORMS[name], headers=headers), 400)


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("audio/wav", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        ("nonsense", 415),
        ("multipart/mixed; boundary=edge", 415),
        ("multipart/form-data", 400),
        (f"multipart/form-data; boundary={'x' * 300}", 400),
    ],
)
def test_a_body_of_another_type(client, path, content_type, status):
    answer = client.post(path, content=body(MODE, FILE), headers={"Content-Type": content_type})
    assert refused(answer, status)


JSON_BODIES = {
    "a list": b"[]",
    "a list of objects": b'[{"token": "x"}]',
    "a number": b"7",
    "a text": b'"token"',
    "null": b"null",
    "true": b"true",
    "nothing": b"",
    "an open brace": b"{",
    "not JSON": b"token=ABC",
    "an empty object": b"{}",
    "a null token": b'{"token": null, "consume_token": null, "artifact_id": null}',
    "a number as token": b'{"token": 12345, "consume_token": 12345, "artifact_id": 1}',
    "a list as token": b'{"token": ["a"], "consume_token": ["a"], "artifact_id": 1}',
    "a text as id": b'{"token": [], "consume_token": "a", "artifact_id": "1"}',
    "a fraction as id": b'{"token": [], "consume_token": "a", "artifact_id": 1.5}',
    "true as id": b'{"token": [], "consume_token": "a", "artifact_id": true}',
    "not a number as id": b'{"token": [], "consume_token": "a", "artifact_id": NaN}',
    "five thousand digits": b'{"token": [], "consume_token": "a", "artifact_id": ' + b"9" * 5000 + b"}",
    "deeply nested": b"[" * 30_000 + b"]" * 30_000,
    "deeply nested objects": b'{"token":' * 6000 + b"1" + b"}" * 6000,
    "half a surrogate": b'{"token": "\\ud800", "consume_token": "\\ud800", "artifact_id": 1}',
    "bytes that are not UTF-8": b'{"token": "\xff\xfe"}',
    "NUL bytes": b"\0" * 50,
    "UTF-16": '{"token": "a"}'.encode("utf-16"),
}


@pytest.mark.parametrize("path", JSON_PATHS)
@pytest.mark.parametrize("name", JSON_BODIES)
def test_a_malformed_json_body(client, path, name):
    answer = client.post(path, content=JSON_BODIES[name], headers={"Content-Type": "application/json"})
    # A text that is one, but no code, is a code nobody has.
    assert refused(answer, *((400, 404) if name in ("UTF-16", "half a surrogate") else (400,)))


@pytest.mark.parametrize("path", ["/api/v1/revoke", "/api/v1/receipt"])
@pytest.mark.parametrize("token", ["", "\0", "a\0b", "x" * 60_000, "🜁" * 15, "' OR 1=1 --", "ABCDE-FGHJK-MNPQ2\0"])
def test_a_text_that_is_no_code_is_not_found(client, path, token):
    assert refused(client.post(path, json={"token": token}), 404)


@pytest.mark.parametrize("artifact_id", [0, -1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30])
def test_an_id_that_no_take_has_is_not_found(client, artifact_id):
    answer = client.post("/api/v1/ephemeral/consume", json={"artifact_id": artifact_id, "consume_token": "x"})
    assert refused(answer, 404)


@pytest.mark.parametrize("path", JSON_PATHS)
def test_a_json_body_over_its_bound_is_413(client, path):
    text = json.dumps({"token": "x" * 70_000})
    assert refused(client.post(path, content=text, headers={"Content-Type": "application/json"}), 413)


@pytest.mark.parametrize("path", JSON_PATHS)
def test_a_json_body_over_its_bound_without_a_length_is_413(client, path):
    async def pieces():
        yield b'{"token": "'
        for _ in range(100):
            yield b"x" * 1000

    assert refused(client.post(path, content=pieces(), headers={"Content-Type": "application/json"}), 413)


TOKENS = ["x", "a.b.c", "%00", "%ff%fe", "%F0%9F%9C%81", "x" * 4000, "..%2f..%2fetc", "WzEsMl0.AAAA"]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("path", ["/api/v1/media/raw/", "/api/v1/ephemeral/play/"])
def test_a_sound_token_that_is_not_genuine_is_not_found(client, path, token):
    assert refused(client.get(path + token), 404)


@pytest.mark.parametrize("token", TOKENS)
def test_an_acknowledgement_that_is_not_genuine_is_not_found(client, token):
    assert refused(client.post(f"/api/v1/pool/heard/{token}"), 404)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_unknown_address_below_the_api_is_a_json_404(client, method):
    assert refused(client.request(method, "/api/v2/anything"), 404)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/revoke"), ("PUT", "/api/v1/artifacts/audio"), ("POST", "/api/v1/pool/next")]
)
def test_a_method_that_is_not_taken_is_refused(client, method, path):
    assert refused(client.request(method, path), 404, 405)
