"""What a page in a browser fetches, and what of it came over the wire."""

import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

QUIET_S = 0.6
EVENTS = ("requestWillBeSent", "responseReceived", "loadingFinished", "loadingFailed", "webSocketFrameReceived")
OPENLY = """
// What a worklet fetches is not told to whoever watches its page: the page fetches it first, the worklet finds it kept.
const add = AudioWorklet.prototype.addModule;
AudioWorklet.prototype.addModule = async function (url, ...given) {
  await (await fetch(url)).arrayBuffer();
  return add.call(this, url, ...given);
};
"""


class Wire:
    """The bytes of one page, from before it is opened; those that come by its socket as text, before compression."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._paths: dict[str, str] = {}
        self._under_way: set[str] = set()
        self._failed: list[str] = []
        self._changed_s = time.monotonic()
        self.files: dict[str, int] = {}
        self.socket_bytes = 0
        page.add_init_script(OPENLY)
        devtools = page.context.new_cdp_session(page)
        for name in EVENTS:
            devtools.on(f"Network.{name}", partial(self._hear, name))
        devtools.send("Network.enable")

    def _hear(self, name: str, event: dict[str, Any]) -> None:
        request, self._changed_s = event["requestId"], time.monotonic()
        match name:
            case "requestWillBeSent":
                self._under_way.add(request)
            case "responseReceived":
                self._paths[request] = urlsplit(event["response"]["url"]).path
            case "loadingFinished":
                self._under_way.discard(request)
                path = self._paths[request]
                self.files[path] = self.files.get(path, 0) + int(event["encodedDataLength"])
            case "loadingFailed":
                self._under_way.discard(request)
                self._failed.append(f"{self._paths.get(request, 'a request')}: {event['errorText']}")
            case "webSocketFrameReceived":
                self.socket_bytes += len(event["response"]["payloadData"].encode())

    def settle(self) -> None:
        """Wait until nothing has been under way for a while."""
        while self._under_way or time.monotonic() - self._changed_s < QUIET_S:
            self._page.wait_for_timeout(50)
        if self._failed:
            raise RuntimeError("; ".join(self._failed))
