"""An embedded node that serves HTTPS itself, as a process of its own: who trusts it, what it shows, how it renews."""

import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Error, Playwright
from pyrage import x25519

from memory_ui.browser_trust import trust
from tests.browser.conftest import WATCH, Visit, record, stage, until
from tests.browser.test_pages import SIZES, accessible, fits
from tests.chaos.stack import PROGRAM
from tests.fakes import wait_for
from tests.processes import LOOPBACK, PrivateServer, free_port
from tests.stack.browsers import browser_at
from tests.stack.topology import PUBLIC_NAME

SECRET = "a-steward-of-the-tests"
IDENTITY = x25519.Identity.generate()
"""Whom its copies are encrypted for: a passphrase is made to take its time."""
HEARD_S = 40


class SecureNode(PrivateServer):
    """`memory-engine serve --tls internal` in a folder of its own."""

    name = "https"

    def __init__(self) -> None:
        super().__init__()
        self.plain_port = free_port()
        self.url = f"https://{LOOPBACK}:{self.port}"
        self.plain_url = f"http://{LOOPBACK}:{self.plain_port}"

    @property
    def root(self) -> Path:
        """What its clients have to trust, as its own command prints it."""
        path = self.folder / "root.crt"
        path.write_text(self.run("certificate", "show", "--pem"))
        return path

    def run(self, *command: str) -> str:
        """Another command of the same node."""
        return subprocess.run(
            [*PROGRAM, *command], cwd=self.folder, env=self._everything(), check=True, capture_output=True, text=True
        ).stdout

    def log(self) -> str:
        return self._log().read_text()

    def end(self) -> int:
        """SIGTERM; how it ended."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(15)

    def _everything(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC", **self._environment()}

    def _environment(self) -> dict[str, str]:
        return {
            "MEMORY_DATA_DIR": str(self.folder / "data"),
            "PORT": str(self.port),
            "CERTIFICATE_PORT": str(self.plain_port),
            "TLS": "internal",
            "ALLOWED_HOSTS": PUBLIC_NAME,
            "OPS_SHARED_SECRET": SECRET,
            "BACKUP_RECIPIENTS": str(IDENTITY.to_public()),
            "NODE_NAME": "The Long Room",
        }

    def _command(self) -> list[str]:
        return [*PROGRAM, "serve", "--tls", "internal"]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.plain_url}/certificate/", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def node() -> Iterator[SecureNode]:
    made = SecureNode()
    try:
        yield made.start()
    finally:
        made.remove()


def trusting(root: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root)
    return context


def shown(node: SecureNode, root: Path, name: str) -> str:
    """The serial number of the certificate that is shown to whoever comes by `name`, which must be good for it."""
    with (
        socket.create_connection((LOOPBACK, node.port), 5) as plain,
        trusting(root).wrap_socket(plain, server_hostname=name) as secure,
    ):
        found = secure.getpeercert()
        assert found is not None
        return str(found["serialNumber"])


@pytest.mark.parametrize("name", [LOOPBACK, "localhost", PUBLIC_NAME, socket.gethostname()])
def test_whoever_trusts_the_root_reaches_it_under_each_of_its_names(node: SecureNode, name: str) -> None:
    assert shown(node, node.root, name)


def test_whoever_does_not_trust_it_or_asks_for_another_name_is_refused(node: SecureNode) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(node.url)
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(node, node.root, "another.test")


def test_beside_it_plain_http_hands_out_the_root_and_nothing_else(node: SecureNode) -> None:
    page = httpx.get(f"{node.plain_url}/certificate/")
    assert node.run("certificate", "show").split("(SHA-256)")[0].split()[1] in page.text
    root = httpx.get(f"{node.plain_url}/certificate/root.crt")
    assert (root.text, root.headers["content-type"]) == (node.root.read_text(), "application/x-x509-ca-cert")
    for path in ("/", "/kiosk/", "/ops/", "/api/v1/surface/state", "/livez", "/docs/"):
        answer = httpx.get(node.plain_url + path)
        assert answer.status_code == 307, path
        assert answer.headers["location"] == f"{node.url}{path}"
    assert httpx.post(f"{node.plain_url}/api/v1/revoke", json={"token": "x"}).status_code == 405


def test_its_cookies_are_for_https_alone_and_it_locks_nobody_out(node: SecureNode) -> None:
    with httpx.Client(base_url=node.url, verify=trusting(node.root)) as client:
        answer = client.post("/ops/", data={"secret": SECRET})
    assert answer.status_code == 303
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers


def test_a_new_certificate_is_shown_while_it_runs_and_open_connections_live_on(node: SecureNode) -> None:
    root = node.root
    before = shown(node, root, "localhost")
    with closing(httpx.Client(base_url=node.url, verify=trusting(root))) as client:
        assert client.get("/livez").status_code == 200
        node.run("certificate", "renew")
        wait_for(lambda: shown(node, root, "localhost") != before, most_s=15)
        assert client.get("/livez").status_code == 200


def test_whoever_trusts_it_trusts_the_machine_to_which_it_was_restored(node: SecureNode, tmp_path: Path) -> None:
    root, identity = node.root, tmp_path / "identity"
    node.run("backup", "--to", str(tmp_path / "copies"))
    [copy] = (tmp_path / "copies").glob("*/")
    identity.write_text(str(IDENTITY))
    other = SecureNode()
    try:
        other.run("restore", str(copy), "--identity", str(identity), "--yes")
        other.start()
        assert shown(other, root, PUBLIC_NAME) != shown(node, root, PUBLIC_NAME)
        assert other.root.read_text() == root.read_text()
    finally:
        other.remove()


def test_the_page_says_how_a_browser_comes_to_trust_it_by_hand(
    node: SecureNode, playwright: Playwright, voice: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with browser_at(playwright, home, voice) as browser:
        page = browser.new_page()
        page.goto(f"http://{PUBLIC_NAME}:{node.plain_port}/certificate/")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download root.crt").click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
        for width, height in SIZES.values():
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            fits(page)
            accessible(page)
        [command] = [text for text in page.locator("pre").all_text_contents() if "certutil -d" in text]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    subprocess.run(["/bin/sh", "-ec", command], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, check=True)
    with browser_at(playwright, home, voice) as browser:
        page = browser.new_page()
        page.goto(f"https://{PUBLIC_NAME}:{node.port}/certificate/")
        assert page.evaluate("window.isSecureContext")


def test_a_voice_is_left_and_heard_by_a_browser_that_trusts_it(
    node: SecureNode, playwright: Playwright, voice: Path, tmp_path: Path
) -> None:
    address = f"https://{PUBLIC_NAME}:{node.port}"
    stranger, kiosk = tmp_path / "stranger", tmp_path / "kiosk"
    stranger.mkdir()
    trust(node.root, kiosk)
    with browser_at(playwright, stranger, voice) as browser, pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        browser.new_page().goto(f"{address}/kiosk/")
    with browser_at(playwright, kiosk, voice) as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, service_workers="block")
        context.grant_permissions(["microphone"], origin=address)
        context.add_init_script(WATCH)
        visit = Visit(context=context, base=address)
        page = visit.open("/kiosk/")
        until(lambda: page.evaluate("window.socket?.connected && window.isSecureContext"), what="the link")
        record(page, 2)
        page.keyboard.press("1")
        page.keyboard.press("Space")
        stage(page, "complete")
        room = visit.open("/room/")
        until(lambda: room.evaluate("window.__rms()") > 0.01, what="sound in the room", timeout_s=HEARD_S)
        visit.clean()


def test_told_to_stop_it_ends_as_any_node_does() -> None:
    alone = SecureNode().start()
    try:
        assert alone.end() in (0, -signal.SIGTERM)
        assert "Traceback" not in alone.log()
    finally:
        alone.remove()
