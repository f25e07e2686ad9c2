"""A node as it is run, live pages and their sockets and all: every answer carries the headers of the node."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fakes import wait_for
from tests.fuzz.cases import GUARDS
from tests.processes import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
SERVE = "from memory_ui.cli import main; main()"
ADDRESSES = (
    *("/", "/kiosk", "/kiosk/", "/kiosk/x", "/room/", "/room/?autostart=0", "/ops", "/ops/", "/ops/bench/", "/ops/x"),
    *(
        "/revoke/",
        "/nowhere",
        "/a%2f..%2fb",
        "/%00",
        "/api/v1/nowhere",
        "/livez",
        "/favicon.ico",
        "/assets/x/nothing.js",
    ),
    *("/_nicegui", "/_nicegui/x", "/_nicegui/../keys.json", "/_nicegui_ws/socket.io/", "/_nicegui_ws/x"),
)
KEPT = ("/favicon.ico", "/_nicegui")
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def node(grounds, engine, tmp_path_factory):
    """A client of a running node."""
    with grounds.fresh(engine, tmp_path_factory.mktemp("whole") / "node") as ground:
        port = free_port()
        given = {
            "MEMORY_DATA_DIR": str(ground.folder),
            "PORT": str(port),
            "PYTHONPATH": str(ROOT),
            **ground.environment,
        }
        with (ground.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", SERVE, "serve"], env={**os.environ, **given}, cwd=ROOT, stdout=log, stderr=log
            )
        try:
            with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=30) as client:
                wait_for(lambda: answers(client), most_s=30)
                yield client
        finally:
            process.terminate()
            process.wait(15)


def answers(client):
    """Whether there is a node already."""
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_every_answer_carries_the_headers_and_a_policy(node, method, address):
    answer = node.request(method, address)
    guards = {name: part for name, part in GUARDS.items() if name != "cache-control" or not address.startswith(KEPT)}
    assert [name for name, part in guards.items() if part not in answer.headers.get(name, "")] == []
    assert answer.status_code < 500


@pytest.mark.parametrize("address", ["/kiosk/", "/room/", "/ops/"])
def test_only_a_live_page_may_run_scripts_and_only_those_it_names(node, address):
    policy = node.get(address).headers["Content-Security-Policy"]
    assert ("script-src 'self' 'nonce-" in policy) == (address != "/ops/")
    assert "'unsafe-inline'" not in policy.split("script-src")[-1].split(";")[0]


@pytest.mark.parametrize("named", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
@pytest.mark.parametrize("path", ["/_nicegui_ws/socket.io/?transport=websocket&EIO=99", "/kiosk/", "/nowhere"])
def test_a_socket_that_is_refused_carries_them_too(node, path, named):
    answer = node.get(path, headers={**UPGRADE, **named})
    assert answer.status_code == 403
    assert [name for name, part in GUARDS.items() if part not in answer.headers.get(name, "")] == []


def test_a_page_that_takes_no_more_says_so_in_a_page(node):
    answer = node.post("/ops/", content=b"x" * 70_000)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
