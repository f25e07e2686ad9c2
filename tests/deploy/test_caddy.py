"""The stack's Caddyfile, run by Caddy before two instances that say who they are."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.check_deploy import CADDY
from tests.processes import LOOPBACK, free_port

NAME = "room.example"
TOKEN = "a-token-nobody-may-read-in-a-log"


class Instance(BaseHTTPRequestHandler):
    """Answers with its port and what it was told of the visitor."""

    def do_GET(self) -> None:
        told = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"port": self.server.server_port, "headers": told}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """Says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Front:
    """A running Caddy: its ports, its log, and the instances behind it."""

    http: int
    https: int
    log: Path
    instances: list[ThreadingHTTPServer]

    def root(self) -> bytes:
        """The root certificate, as a kiosk fetches it that does not trust it yet."""
        status, headers, body = self.ask_plainly("/certificate/root.crt")
        assert (status, headers["Content-Type"]) == (200, "application/x-x509-ca-cert")
        return body

    def ask_plainly(self, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request over plain http."""
        with closing(http.client.HTTPConnection(LOOPBACK, self.http, timeout=10)) as plain:
            plain.request("GET", path, headers={"Host": NAME})
            answer = plain.getresponse()
            return answer.status, answer.headers, answer.read()

    def ask(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request over https, by a visitor who trusts that root alone."""
        trusting = ssl.create_default_context(cadata=self.root().decode())
        with (
            socket.create_connection((LOOPBACK, self.https), timeout=10) as raw,
            trusting.wrap_socket(raw, server_hostname=NAME) as secure,
            closing(http.client.HTTPConnection(NAME)) as connection,
        ):
            connection.sock = secure
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("caddy")
    instances = [ThreadingHTTPServer((LOOPBACK, 0), Instance) for _ in range(2)]
    for instance in instances:
        threading.Thread(target=instance.serve_forever, daemon=True).start()
    plain, secure, health = free_port(), free_port(), free_port()
    given = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "CADDY_DATA": str(home / "caddy"),
        "PUBLIC_HOST": NAME,
        "TLS_BY": "internal",
        "APP_UPSTREAMS": " ".join(f"{LOOPBACK}:{instance.server_port}" for instance in instances),
        "HTTP_PORT": str(plain),
        "HTTPS_PORT": str(secure),
        "HEALTH_PORT": str(health),
    }
    log = home / "log"
    with log.open("wb") as said:
        caddy = subprocess.Popen(
            ["caddy", "run", "--adapter", "caddyfile", "--config", "Caddyfile"], cwd=CADDY, env=given, stderr=said
        )
    try:
        found = Front(http=plain, https=secure, log=log, instances=instances)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with suppress(OSError, AssertionError, ssl.SSLError):
                found.ask("/livez")
                break
            time.sleep(0.1)
        yield found
    finally:
        caddy.terminate()
        caddy.wait(10)
        for instance in instances:
            instance.shutdown()
            instance.server_close()


def test_a_browser_stays_with_its_instance(front: Front) -> None:
    _, headers, body = front.ask("/room/")
    first = json.loads(body)["port"]
    cookie = headers["Set-Cookie"].split(";")[0]
    assert cookie.startswith("memory_engine_instance=")
    assert {json.loads(front.ask("/room/", Cookie=cookie)[2])["port"] for _ in range(8)} == {first}


def test_a_visitor_cannot_say_from_where_it_comes(front: Front) -> None:
    told = json.loads(front.ask("/", **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"})[2])["headers"]
    assert told["x-forwarded-for"] == LOOPBACK
    assert told["x-forwarded-proto"] == "https"
    assert told["host"] == NAME


def test_what_is_for_the_house_is_not_for_visitors(front: Front) -> None:
    assert [front.ask(path)[0] for path in ("/metrics", "/healthz", "/readyz", "/livez")] == [404, 404, 404, 200]


def test_headers_are_the_instances_own_and_said_once(front: Front) -> None:
    headers = front.ask("/")[1]
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert {"Strict-Transport-Security", "Via", "Content-Encoding"} & set(headers) == set()
    assert "Caddy" not in headers.get_all("Server", [])


def test_the_key_beside_the_root_certificate_is_given_to_nobody(front: Front) -> None:
    for path in ("/certificate/root.key", "/certificate/../root.key", "/certificate/root.crt/../root.key"):
        assert b"PRIVATE KEY" not in front.ask(path)[2]
    assert b"BEGIN CERTIFICATE" in front.ask("/certificate/root.crt")[2]


def test_plain_http_leads_to_https(front: Front) -> None:
    status, headers, _ = front.ask_plainly("/kiosk/")
    assert (status, headers["Location"]) == (308, f"https://{NAME}/kiosk/")


def test_a_log_of_a_failure_holds_no_address(front: Front) -> None:
    for instance in front.instances:
        instance.shutdown()
        instance.server_close()
    status, headers, _ = front.ask(f"/api/v1/ephemeral/{TOKEN}")
    assert status in (502, 503)
    assert headers["Cache-Control"] == "no-store"
    said = front.log.read_text("utf-8")
    assert "connection refused" in said
    assert TOKEN not in said
