"""The kiosk of one visit: a browser on a profile of its own, which remembers what its microphone gave."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from playwright.sync_api import BrowserContext, Error, Page, Playwright

from tests.browser.conftest import Node
from tests.browser.microphone import joined
from tests.browser.safety import SENT, at_home, kill, readable
from tests.kiosk.wire import Wire

SPOKEN = """
// Every chunk of a voice as it is handed to the disk, before it was encrypted, in memory alone. A receipt is no voice.
window.__chunks = [];
const seal = SubtleCrypto.prototype.encrypt;
SubtleCrypto.prototype.encrypt = function (how, key, data) {
  if (data instanceof Float32Array) window.__chunks.push(data.slice());
  return seal.call(this, how, key, data);
};
"""

SEARCHED_BYTES = 48
SEARCHED = 60
"""So many places of a take are looked for, as it was spoken and as it was sent."""


@dataclass(kw_only=True, slots=True)
class Machine:
    """Opened, killed and opened again; `spoken` and `samples` are what its pages told before they were gone."""

    playwright: Playwright
    node: Node
    wire: Wire
    profile: Path
    voice: Path
    spoken: list[np.ndarray] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    """Files of the profile in which a take could be read."""
    searches: int = 0
    _context: BrowserContext | None = None

    def open(self) -> Page:
        self._context = at_home(self.playwright, self.node, self.profile, self.voice)
        self._context.add_init_script(SPOKEN)
        page = self._context.pages[0]
        page.goto(f"{self.wire.url}/kiosk/")
        return page

    def kill(self, page: Page) -> None:
        """Without a word, and what is left of it is searched."""
        self.listen(page)
        kill(self.profile)
        self._close()
        self._search()

    def end(self) -> None:
        """In order, at the end of a visit."""
        self._close()
        self._search()

    def abandon(self) -> None:
        """However it stands."""
        if self._context is not None:
            kill(self.profile)
            self._close()

    def listen(self, page: Page) -> None:
        """What was said so far, and how it would look on a disk."""
        chunks = joined(page, "__chunks")
        if chunks:
            self.spoken.append(np.frombuffer(chunks, dtype=np.float32))
        sent = bytes(page.evaluate(f"window.__sent ? {SENT} : []"))
        self.samples += _places(chunks) + _places(sent)

    def _search(self) -> None:
        self.found.update(readable(self.profile, self.samples))
        self.searches += 1

    def _close(self) -> None:
        context, self._context = self._context, None
        with suppress(Error):
            if context is not None:
                context.close()


def _places(sound: bytes) -> list[bytes]:
    step = max(SEARCHED_BYTES, len(sound) // SEARCHED)
    return [sound[at : at + SEARCHED_BYTES] for at in range(0, len(sound) - SEARCHED_BYTES, step)]
