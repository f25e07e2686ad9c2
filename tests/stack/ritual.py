"""The path of a voice through the whole stack, in a browser that comes by HTTPS: spoken, heard, taken back."""

import time
from dataclasses import dataclass, field

import httpx
from playwright.sync_api import Browser, Page, expect

from core.bootstrap import System
from core.domain.artifact import Artifact, Kind
from tests.browser.conftest import WATCH, Visit, record, stage, until
from tests.chaos.stack import INSTANCE_COOKIE, WEB
from tests.stack.topology import PUBLIC_NAME, SecureStack

SPOKEN_S = 4
CLIENTS = 12
HEARD_S = 60.0
"""A composed room takes its time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What was done, what was seen, and how long it took."""

    name: str
    seen: str
    took_s: float


@dataclass
class Ritual:
    """One kiosk, one room, one steward and one participant; `walk` raises at the first step that fails."""

    stack: SecureStack
    system: System
    client: httpx.Client
    browser: Browser
    steps: list[Step] = field(default_factory=list)
    code: str = ""
    artifact_id: int = 0
    kiosk: Page = field(init=False)
    room: Page = field(init=False)
    visits: list[Visit] = field(default_factory=list)

    def walk(self) -> list[Step]:
        """Every step in its order."""
        try:
            for name, step in (
                ("Plain http is sent on to HTTPS", self._sent_on),
                ("A client stays with its web instance", self._stay),
                ("The kiosk opens under a name of the house", self._open),
                ("A voice is recorded, and kept as a fossil", self._keep),
                ("The room plays it, and the hearing is counted", self._hear),
                ("A worker leaves its murmur and its picture", self._derive),
                ("A steward signs in and stops intake at the kiosk", self._steward),
                ("Its code takes it back", self._take_back),
            ):
                began = time.monotonic()
                seen = step()
                self.steps.append(Step(name=name, seen=seen, took_s=round(time.monotonic() - began, 1)))
        finally:
            for opened in self.visits:
                opened.context.close()
        return self.steps

    def _visit(self) -> Visit:
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, service_workers="block")
        context.grant_permissions(["microphone"], origin=self.stack.url)
        context.add_init_script(WATCH)
        self.visits.append(Visit(context=context, base=self.stack.url))
        return self.visits[-1]

    def _sent_on(self) -> str:
        answer = httpx.get(f"{self.stack.caddy.plain_url}/kiosk/")
        assert answer.status_code in (301, 308), answer
        assert answer.headers["location"].startswith(f"https://{PUBLIC_NAME}/"), answer.headers
        root = httpx.get(f"{self.stack.caddy.plain_url}/certificate/root.crt")
        assert root.content == self.stack.caddy.root.read_bytes(), root
        return f"{answer.status_code}; only the root certificate is handed out without it"

    def _stay(self) -> str:
        seen: set[str] = set()
        for _ in range(CLIENTS):
            with httpx.Client(base_url=self.stack.url, verify=self.stack.caddy.verify, timeout=30) as client:
                values = {self._instance(client) for _ in range(5)}
            assert len(values) == 1, values
            seen |= values
        assert len(seen) == len(WEB), seen
        return f"{CLIENTS} clients, {len(seen)} instances, each client always with the same"

    def _instance(self, client: httpx.Client) -> str:
        assert client.get("/livez").status_code == 200
        (value,) = (cookie.value for cookie in client.cookies.jar if cookie.name == INSTANCE_COOKIE)
        return str(value)

    def _open(self) -> str:
        self.kiosk = self._visit().open("/kiosk/")
        stage(self.kiosk, "idle")
        assert self.kiosk.evaluate("window.isSecureContext")
        until(lambda: self.kiosk.evaluate("window.socket?.connected"), what="the link")
        return "a secure context; its socket is open"

    def _keep(self) -> str:
        record(self.kiosk, SPOKEN_S)
        self.kiosk.keyboard.press("2")
        self.kiosk.keyboard.press("Space")
        stage(self.kiosk, "complete")
        self.code = "-".join(self.kiosk.locator(".kiosk-kept .code span").all_inner_texts())
        told = self._receipt()
        self.artifact_id = told["artifacts"][0]["id"]
        return f"{self._artifact().duration_ms / 1000:.1f} s, with a code that opens its receipt"

    def _hear(self) -> str:
        self.room = self._visit().open("/room/")
        until(lambda: self.room.evaluate("window.__rms()") > 0.01, what="sound in the room", timeout_s=HEARD_S)
        until(lambda: self._artifact().plays > 0, what="the hearing", timeout_s=HEARD_S)
        return f"{self._artifact().plays} hearing, wear {self._artifact().wear:.3f}"

    def _derive(self) -> str:
        wanted = {Kind.ESSENCE.value, Kind.SPECTROGRAM.value}
        until(lambda: self._derivatives() == wanted, what="derivatives", timeout_s=HEARD_S)
        return " and ".join(sorted(wanted))

    def _steward(self) -> str:
        opened = self._visit()
        ops = opened.open("/ops/")
        ops.fill("#secret", str(self.stack.settings["OPS_SHARED_SECRET"]))
        ops.keyboard.press("Enter")
        ops.wait_for_selector(".ops-state")
        cookies = [
            cookie for cookie in opened.context.cookies() if cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        ]
        assert cookies
        assert all(cookie["secure"] for cookie in cookies), cookies
        expect(ops.locator(".ops-devices")).to_contain_text("online", timeout=20_000)
        self._switch(ops, True)
        until(lambda: not self._asks(), what="a kiosk that takes nothing in")
        self._switch(ops, False)
        stage(self.kiosk, "idle")
        until(self._asks, what="a kiosk that takes in again")
        return "a session cookie for HTTPS alone; the kiosk followed through Redis"

    def _asks(self) -> bool:
        """Whether the kiosk offers anything to do."""
        if self.kiosk.locator(".kiosk").get_attribute("data-stage") == "complete":
            self.kiosk.keyboard.press("Escape")
        return self.kiosk.locator(".kiosk-primary button").count() > 0

    def _switch(self, ops: Page, paused: bool) -> None:
        asked = ops.evaluate(
            """(paused) => fetch("/api/v1/operator/controls", {
                method: "POST", headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ intake_paused: paused }),
            }).then((answer) => answer.status)""",
            paused,
        )
        assert asked == 200, asked

    def _take_back(self) -> str:
        page = self._visit().open("/revoke/")
        page.fill("#token", self.code)
        for name in ("Look it up", "Remove it for good"):
            with page.expect_navigation():
                page.get_by_role("button", name=name).click()
        husk = self._artifact()
        assert husk.gone_at is not None, husk
        left = [key for key in list(self.system.outside.store.keys()) if husk.public_id in key]
        assert left == [], left
        self._clean()
        return "gone, looked for in the store and not found"

    def _clean(self) -> None:
        for opened in self.visits:
            opened.clean()

    def _receipt(self) -> dict:  # type: ignore[type-arg]
        answer = self.client.post("/api/v1/receipt", json={"token": self.code})
        assert answer.status_code == 200, answer
        return answer.json()

    def _artifact(self) -> Artifact:
        with self.system.work.read() as tx:
            found = tx.artifacts.get(self.artifact_id)
        assert found is not None
        return found

    def _derivatives(self) -> set[str]:
        with self.system.work.read() as tx:
            return {derivative.kind for derivative in tx.derivatives.of(self.artifact_id)}
