"""One visit: somebody speaks, something goes wrong, and they finish what they came for."""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from playwright.sync_api import Page, Playwright

from core.domain.consent import Mode
from tests.browser.conftest import Node, stage
from tests.browser.safety import begin, left
from tests.kiosk.machine import Machine
from tests.kiosk.plans import Plan, What, Where
from tests.kiosk.wire import Wire

DIGIT = {Mode.ROOM: "1", Mode.FOSSIL: "2", Mode.NOSAVE: "3"}
KILL_FROM_S = 1.2
"""So much is spoken before anything happens: less is no take."""
REVIEW_S = 1.5
PATIENCE_S = 150.0
"""For how long somebody tries, beside the time for which something is away."""
COMES_BACK_S = 8.0
WIPED_S = 12.0
LOOK_MS = 50
AGAIN_MS = 1_000
CHOICE_MS = 300
"""Nobody chooses and sends at once."""


@dataclass(kw_only=True, slots=True)
class Visit:
    """How a visit ended. `ended` is the outcome on the screen, or the stage or error it came to instead."""

    ended: str
    spoken: np.ndarray
    code_of: int | None
    """The id of the take that the code on the screen opens."""
    found: list[str]
    searches: int
    lies_there: bool
    """Whether anything of it is left on the disk."""
    key_held: bool
    """Whether the node still holds its key."""

    @classmethod
    def broken(cls, why: str) -> "Visit":
        """Of one that came to no end."""
        return cls(ended=why, spoken=np.zeros(0), code_of=None, found=[], searches=0, lies_there=False, key_held=False)


class Visitor:
    """Somebody at the kiosk, by keys."""

    def __init__(self, playwright: Playwright, node: Node, wire: Wire, profile: Path, voice: Path, plan: Plan) -> None:
        self._node, self._wire, self._plan = node, wire, plan
        self._machine = Machine(playwright=playwright, node=node, wire=wire, profile=profile, voice=voice)
        self._over: threading.Thread | None = None
        self._keys_before = key_rows(node)

    def visit(self) -> Visit:
        """All of it, whatever happens meanwhile."""
        try:
            page = self._finish(self._send(self._review(self._record(self._machine.open()))))
            return self._leave(page)
        finally:
            self._machine.abandon()
            if self._over is not None:
                self._over.join()

    def _record(self, page: Page) -> Page:
        plan = self._plan
        begin(page)
        if plan.where is not Where.RECORDING:
            page.wait_for_timeout(plan.speaks_s * 1000)
            return page
        at_s = KILL_FROM_S + plan.moment * (plan.speaks_s - KILL_FROM_S)
        page.wait_for_timeout(at_s * 1000)
        page = self._strike(page)
        page.wait_for_timeout((plan.speaks_s - at_s) * 1000)
        return page

    def _review(self, page: Page) -> Page:
        plan = self._plan
        if _at(page) == "recording":
            page.keyboard.press("Space")
        stage(page, "review")
        if plan.where is Where.REVIEW:
            if plan.chosen:
                page.keyboard.press(DIGIT[plan.mode])
            page.wait_for_timeout(plan.moment * REVIEW_S * 1000)
            page = self._strike(page)
        return page

    def _send(self, page: Page) -> Page:
        if self._plan.where is not Where.SENDING:
            return page
        self._wire.stop_at(self._plan.moment)
        self._choose(page)
        page.keyboard.press("Space")
        while not self._wire.met.is_set():
            page.wait_for_timeout(LOOK_MS)
        return self._strike(page)

    def _finish(self, page: Page) -> Page:
        """Until it is sent, heard or gone; whoever is asked to try again does."""
        until_s = time.monotonic() + PATIENCE_S + 2 * self._plan.lasts_s
        while (now := _at(page)) not in ("complete", "error", "idle"):
            if time.monotonic() > until_s:
                raise AssertionError(f"waited in vain in {now}")
            if now == "review":
                self._choose(page)
                page.keyboard.press("Space")
            page.wait_for_timeout(AGAIN_MS)
        return page

    def _choose(self, page: Page) -> None:
        if page.locator(".kiosk").get_attribute("data-mode") != self._plan.mode:
            page.keyboard.press(DIGIT[self._plan.mode])
            page.wait_for_timeout(CHOICE_MS)

    def _leave(self, page: Page) -> Visit:
        kiosk = page.locator(".kiosk")
        ended = kiosk.get_attribute("data-outcome") or kiosk.get_attribute("data-error") or _at(page)
        code = "-".join(page.locator(".kiosk-kept .code span").all_inner_texts())
        if self._over is not None:
            self._over.join()
        self._machine.listen(page)  # first: a page that is free may be loaded anew, and has heard nothing then
        if ended == "kept":
            # The receipt is kept as long as it is shown, and goes with its participant.
            page.keyboard.press("Escape")
            stage(page, "idle")
        lies_there, key_held = self._left(page)
        self._machine.end()
        return Visit(
            ended=ended,
            spoken=np.concatenate(self._machine.spoken) if self._machine.spoken else np.zeros(0),
            code_of=self._opens(code) if code else None,
            found=sorted(self._machine.found),
            searches=self._machine.searches,
            lies_there=lies_there,
            key_held=key_held,
        )

    def _left(self, page: Page) -> tuple[bool, bool]:
        """On the disk, and at the node, once there was time to destroy it."""
        until_s = time.monotonic() + WIPED_S
        while True:
            lies_there = left(page) != {"takes": 0, "chunks": 0}
            key_held = bool(key_rows(self._node) - self._keys_before)
            if not (lies_there or key_held) or time.monotonic() > until_s:
                return lies_there, key_held
            page.wait_for_timeout(LOOK_MS)

    def _opens(self, code: str) -> int | None:
        answer = httpx.post(f"{self._node.url}/api/v1/receipt", json={"token": code})
        return answer.json()["artifacts"][0]["id"] if answer.status_code == 200 else None

    # --- what goes wrong

    def _strike(self, page: Page) -> Page:
        """It happens now; the page that is there afterwards."""
        plan = self._plan
        if plan.what is What.BROWSER:
            self._machine.kill(page)
            self._wire.go_on(cut=True)
            time.sleep(plan.lasts_s)
            return self._opened()
        if plan.what is What.SERVER:
            self._node.kill()
            self._wire.go_on(cut=True)
            self._later(self._node.start)
        else:
            self._wire.stop()
            self._later(lambda: self._wire.go_on(cut=plan.cut))
        while plan.waits and self._over is not None and self._over.is_alive():
            page.wait_for_timeout(LOOK_MS)
        return page

    def _later(self, heal: Callable[[], object]) -> None:
        def run() -> None:
            time.sleep(self._plan.lasts_s)
            heal()

        self._over = threading.Thread(target=run)
        self._over.start()

    def _opened(self) -> Page:
        """Comes back to review, or stands at the beginning where there is nothing to come back to."""
        page = self._machine.open()
        page.wait_for_selector(".kiosk")
        until_s = time.monotonic() + COMES_BACK_S
        while _at(page) == "idle" and time.monotonic() < until_s:
            page.wait_for_timeout(LOOK_MS)
        return page


def key_rows(node: Node) -> set[str]:
    """The keys a node holds, by what they are asked for with."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        return {name for (name,) in database.execute("SELECT id FROM take_key")}


def _at(page: Page) -> str:
    return page.locator(".kiosk").get_attribute("data-stage") or ""
