"""The certificate's page and root of a node that serves HTTPS itself, and what it answers over plain http beside it."""

import ssl
from contextlib import closing
from hashlib import sha256

import pytest
from anyio.from_thread import start_blocking_portal

from memory_ui.addresses import certified
from memory_ui.app import certificate_app
from memory_ui.plain.certificate import ROOT_TYPE
from memory_ui.tls import Secured
from memory_ui.web import STATION_COOKIE
from tests.fakes import Visits, visits_to

pytestmark = pytest.mark.engine("embedded")

PORT, PLAIN = 8443, "http://localhost:8081"
PAGES = ("/certificate/", "/certificate/root.crt")


@pytest.fixture
def node(make_node):
    """One that serves HTTPS itself."""
    node = make_node(TLS="internal", PORT=PORT)
    node.system.certificates.keep(certified(node.system.settings))
    return node


@pytest.fixture
def plain(node):
    """Somebody at its plain port."""
    with start_blocking_portal() as portal, closing(Visits(certificate_app(node.system), portal)) as visits:
        yield visits.client(base_url=PLAIN)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_node_that_does_not_serve_https_itself_has_neither_even_if_it_once_did(node, make_node, method, path):
    assert node.system.certificates.chain.exists()
    with visits_to(make_node()) as visits:
        assert visits.client().request(method, path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_root_is_handed_out_as_what_devices_know_and_without_its_key(client, plain, node, method):
    pem = node.system.certificates.standing().root.pem
    for asker in (client, plain):
        answer = asker.request(method, "/certificate/root.crt")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, ROOT_TYPE)
        assert answer.headers["Content-Length"] == str(len(pem))
        assert answer.text == (pem if method == "GET" else "")
    assert ROOT_TYPE == "application/x-x509-ca-cert"
    assert "PRIVATE" not in pem


def test_the_page_shows_the_fingerprint_in_groups_and_where_all_of_it_is(client, plain, node):
    pem = plain.get("/certificate/root.crt").text
    printed = sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    for asker, here in ((client, "http://localhost"), (plain, PLAIN)):
        text = asker.get("/certificate/").text
        groups = " ".join(f"<span>{printed[place : place + 4]}</span>" for place in range(0, len(printed), 4))
        assert groups in text
        assert f"{here}/certificate/root.crt" in text
        assert f'href="https://localhost:{PORT}/kiosk/"' in text
        sheet = text.split('<link rel="stylesheet" href="')[1].split('"')[0]
        assert asker.get(sheet).status_code == 200
        assert "<script" not in text


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_taken_in(client, plain, method, path):
    assert client.request(method, path).status_code == 405
    assert plain.request(method, path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/kiosk/", "/room/?autostart=0", "/ops/", "/revoke/?token=a-code", "/livez", "/metrics", "/nowhere"),
        *("/certificate/root.pem", "/certificate/node.pem", "/api/v1/openapi.json", "/docs/", "/_nicegui/x"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_over_plain_http_everything_else_is_led_to_https_and_nobody_is_given_a_name(plain, method, path):
    answer = plain.request(method, path)
    assert (answer.status_code, answer.headers["Location"]) == (307, f"https://localhost:{PORT}{path}")
    assert "Set-Cookie" not in answer.headers
    assert "Strict-Transport-Security" not in answer.headers


def test_over_https_a_kiosk_is_named_and_no_browser_is_held_to_it(node):
    with visits_to(node) as visits:
        answer = visits.client(base_url=f"https://localhost:{PORT}").get("/kiosk/")
    assert STATION_COOKIE in answer.cookies
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_is_found_without_its_last_slash_too_where_no_browser_warns(plain, method):
    answer = plain.request(method, "/certificate")
    assert (answer.status_code, answer.headers["Location"]) == (307, f"{PLAIN}/certificate/")


def test_whoever_asks_for_another_name_is_led_nowhere(plain):
    answer = plain.get("/kiosk/", headers={"Host": "elsewhere.test"})
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_whatever_a_look_at_the_certificate_meets_the_next_is_made(node, monkeypatch):
    secured = Secured(node.system, certificate_app(node.system), None)
    with monkeypatch.context() as broken:
        broken.setattr("memory_ui.tls.certified", lambda _settings: 1 / 0)
        secured.look(keep=True)
    chain = node.system.certificates.chain
    chain.unlink()
    secured.look(keep=True)
    assert chain.exists()
