import logging
import re

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from core.domain import codes
from memory_ui.app import ROUTES
from memory_ui.cli.logs import Lines
from tests.fakes import visits_to
from tests.fuzz.cases import GUARDS
from tests.fuzz.place import Who

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT = ("default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'")

ANSWERS = {
    "a page": lambda c: c.get("/"),
    "a form": lambda c: c.get("/revoke/"),
    "a missing page": lambda c: c.get("/nowhere"),
    "a method that is not taken": lambda c: c.request("DELETE", "/"),
    "JSON": lambda c: c.get("/api/v1/surface/state"),
    "a missing address": lambda c: c.get("/api/nowhere"),
    "nothing": lambda c: c.get("/api/v1/pool/next"),
    "a refusal": lambda c: c.post("/api/v1/revoke", json=[]),
    "too much": lambda c: c.post("/api/v1/revoke", content=b"x" * 70_000),
    "a kept take": lambda c: c.leave(),
    "a one-time sound": lambda c: c.get(c.leave("NOSAVE").json()["play_url"]),
    "health": lambda c: c.get("/healthz"),
    "a script": lambda c: c.get("/assets/x/js/scope.js"),
    "a redirect": lambda c: c.post("/ops/logout/", data={"x": ""}),
    "another host": lambda c: c.get("/", headers={"Host": "evil.example"}),
}


ADDRESSES = sorted(
    {route.path for module in ROUTES for route in module.router.routes if isinstance(route, APIRoute)}
    | {"/api/v1/nowhere", "/nowhere", "/docs"}
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
STEWARDS = [path for path in ADDRESSES if path.startswith(("/api/v1/operator/", "/api/v1/node/", "/ops/"))]
PERMANENT = ("/assets/", "/favicon.ico")


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_carries_the_headers_whatever_the_method_and_whoever_asks(place, address):
    path = re.sub(r"\{\w+(:path)?\}", "1", address)
    guards = {name: part for name, part in GUARDS.items() if name != "cache-control" or not path.startswith(PERMANENT)}
    for method in METHODS:
        for who in Who:
            answer = place.ask(who, method, path)
            missing = [name for name, part in guards.items() if part not in answer.headers.get(name, "")]
            assert (method, who, answer.status_code, missing) == (method, who, answer.status_code, [])
            assert answer.status_code < 500 or path == "/readyz"


@pytest.mark.parametrize("address", STEWARDS)
def test_nothing_a_steward_is_told_may_be_stored(place, address):
    path = re.sub(r"\{\w+\}", "1", address)
    for method in ("GET", "POST"):
        assert place.ask(Who.STEWARD, method, path).headers["Cache-Control"] == "no-store"


def test_a_socket_that_is_refused_carries_the_headers(place):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    handshake = {**upgrade, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    for named in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        for path in ("/_nicegui_ws/socket.io/", "/api/v1/surface/state", "/nowhere"):
            status, headers, _ = place.ask_exactly("GET", path, **handshake, **named)
            assert (status, [name for name, part in GUARDS.items() if part not in headers.get(name, "")]) == (403, [])


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_carries_the_headers_of_the_node(client, name):
    answer = ANSWERS[name](client)
    assert {header: answer.headers.get(header) for header in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert all(part in policy for part in STRICT)
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "server" not in answer.headers


def test_a_fault_of_ours_carries_them_too_and_tells_nothing(client, node, monkeypatch, caplog):
    def broken():
        raise RuntimeError("the inside of the node")

    monkeypatch.setattr(node.system.outside.clock, "now", broken)
    answer = client.get("/healthz")
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert list(answer.json()) == ["error"]
    assert {header: answer.headers.get(header) for header in HEADERS} == HEADERS


def test_a_fault_of_ours_is_logged_with_its_status(client, node, monkeypatch, caplog):
    caplog.set_level(logging.INFO)

    def broken():
        raise RuntimeError("the inside of the node")

    monkeypatch.setattr(node.system.outside.clock, "now", broken)
    client.get("/healthz")
    (line,) = [record for record in caplog.records if record.getMessage() == "request"]
    assert line.status == 500


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", ""])
@pytest.mark.parametrize("path", ["/", "/api/v1/surface/state", "/livez"])
def test_a_foreign_host_is_refused(client, host, path):
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.20"])
def test_the_nodes_own_names_and_addresses_are_answered(client, host):
    assert client.get("/livez", headers={"Host": host}).status_code == 200


def test_a_configured_host_is_answered(make_node):
    with visits_to(make_node(ALLOWED_HOSTS="memory.example, other.example")) as visits:
        assert visits.client().get("/livez", headers={"Host": "Memory.Example:443"}).status_code == 200


def test_pages_that_hold_codes_are_never_cached(client, node):
    code = client.leave().json()["revocation_token"]
    for answer in (
        client.get("/revoke/", params={"token": code}),
        client.post("/revoke/", data={"token": code, "step": "look"}),
        client.leave(),
        client.leave("NOSAVE"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/redoc", "/openapi.json", "/api/docs"])
def test_the_framework_describes_nothing(client, path):
    assert client.get(path).status_code == 404


def test_every_request_is_logged_with_an_id_that_the_answer_carries(client, caplog):
    caplog.set_level(logging.INFO)
    answer = client.get("/livez")
    (line,) = [record for record in caplog.records if record.getMessage() == "request"]
    assert (line.method, line.path, line.status) == ("GET", "/livez", 200)
    assert line.request_id == answer.headers["X-Request-Id"]


def logged(caplog):
    """Everything the node and its libraries would write, as it would be written; not what the test's client says."""
    lines = Lines()
    return "\n".join(lines.format(record) for record in caplog.records if not record.name.startswith("http"))


def test_no_code_token_or_secret_reaches_a_log_in_a_whole_round(client, node, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = [node.system.access.shared_secret(), "retry-key-of-a-kiosk"]
    left = client.leave("FOSSIL", key="retry-key-of-a-kiosk").json()
    once = client.leave("NOSAVE").json()
    playback = client.get("/api/v1/pool/next").json()
    code = left["revocation_token"]
    tokens = [
        address.rsplit("/", 1)[1] for address in (once["play_url"], playback["audio_url"], playback["playback_ack_url"])
    ]
    secrets += [code, codes.normalise(code), once["consume_token"], *tokens]
    client.get(playback["audio_url"])
    client.get(playback["audio_url"] + "/")
    client.get(playback["audio_url"] + "?again=1")
    node.clock.advance(seconds=5)
    client.post(playback["playback_ack_url"])
    client.head(once["play_url"])
    client.get(once["play_url"])
    client.get(once["play_url"])
    client.post(
        "/api/v1/ephemeral/consume", json={"artifact_id": once["artifact_id"], "consume_token": once["consume_token"]}
    )
    client.get("/revoke/", params={"token": code})
    client.post("/revoke/", data={"token": code, "step": "look"})
    client.post("/api/v1/receipt", json={"token": code})
    client.post("/ops/", data={"secret": node.system.access.shared_secret()})
    client.post("/ops/", data={"secret": node.system.access.shared_secret() + "x"})
    node.store.refuses.add("delete")
    client.post("/api/v1/revoke", json={"token": code})
    node.store.refuses.update({"size", "open", "put"})
    client.leave("FOSSIL", key="retry-key-of-a-kiosk")
    node.system.retention.expire()
    node.system.retention.sweep()
    written = logged(caplog)
    assert written.count(" request ") >= 15
    assert [secret for secret in secrets if secret in written] == []


@pytest.mark.parametrize(
    "path", ["/revoke/{}", "/revoke/{}/", "/{}", "/api/v1/revoke/{}", "/kiosk/{}", "/api/v1/receipt/{}"]
)
def test_a_code_typed_into_the_address_does_not_reach_a_log(client, caplog, path):
    caplog.set_level(logging.DEBUG)
    code = client.leave().json()["revocation_token"]
    client.get(path.format(code))
    client.post(path.format(code.lower().replace("-", "")))
    written = logged(caplog).upper()
    assert code not in written
    assert codes.normalise(code) not in written


def test_a_fault_of_the_database_names_no_values(node):
    with node.system.outside.engine.connect() as connection, pytest.raises(StatementError) as fault:
        connection.execute(text("SELECT * FROM nowhere WHERE code = :code"), {"code": "ABCDE-FGHJK"})
    assert "ABCDE-FGHJK" not in str(fault.value)


def test_a_line_of_the_log_is_one_line_whatever_was_asked_for(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/a%0d%0ab%00%1b[31m")
    assert all("\n" not in Lines().format(record) and "\x1b" not in Lines().format(record) for record in caplog.records)


def test_answers_tell_nothing_of_public_ids_or_keys(client, node):
    answer = client.leave()
    playback = client.get("/api/v1/pool/next")
    row = node.row(1)
    for said in (answer.text, playback.text, client.get("/healthz").text, client.get("/api/v1/surface/state").text):
        assert row.public_id not in said
        assert row.sha256 not in said
