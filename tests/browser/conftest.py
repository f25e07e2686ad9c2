"""A real node, a real browser, and a voice in its microphone."""

import contextlib
import multiprocessing
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

from core.audio.wav import inspect, read_samples, write
from tests.browser.driver import live

ROOT = Path(__file__).parents[2]
LATE = ("uvloop", "uvicorn.loops.uvloop", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto")
FORKS = multiprocessing.get_context("forkserver")
# With what a node imports only as it starts.
FORKS.set_forkserver_preload(["tests.browser.driver", "jobs.inprocess", *LATE])
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
QUIET_BROWSER = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SENTENCES = (
    "I remember the smell of rain on the warm street in the summer when I was seven.",
    "My grandmother kept a blue radio on the kitchen shelf and it never quite found its station.",
    "There was a dog that followed us home, and nobody ever knew whose dog it had been.",
    "We used to count the ships from the window until one of us fell asleep.",
)
RATE_HZ = 48_000

WATCH = """
// What the page does to the outside, and what leaves its loudspeaker.
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
window.__taps = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode && to.context instanceof AudioContext) {
    const tap = to.context.createAnalyser();
    connect.call(this, tap);
    window.__taps.push(tap);
  }
  return connect.call(this, to, ...rest);
};
window.__rms = () => Math.max(0, ...window.__taps.map((tap) => {
  if (tap.context.state !== "running") return 0; // its samples are those of the last moment it ran
  const samples = new Float32Array(tap.fftSize);
  tap.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
}));
"""


@dataclass
class Node:
    """A running server on a data folder of its own."""

    data_dir: Path
    port: int
    environment: dict[str, str]
    process: BaseProcess | None = None
    hands: Connection | None = None
    log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Node":
        self.hands, theirs = FORKS.Pipe()
        self.process = FORKS.Process(
            target=live,
            args=(
                ("serve", "--port", str(self.port)),
                {**self.environment, "MEMORY_DATA_DIR": str(self.data_dir / "data")},
                self.data_dir,
                self.data_dir / "server.log",
                theirs,
            ),
        )
        self.process.start()
        theirs.close()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/healthz").status_code == 200:
                    return self
            time.sleep(0.1)
        raise AssertionError(f"the node did not start: {self.logged()}")

    def change(self, **controls: Any) -> None:
        """Change the posture, as a steward does."""
        self._tell("change", controls)

    def command(self, device: str, command: str) -> None:
        """Order a page about, as a steward does."""
        self._tell("command", {"device": device, "command": command})

    def become(self, **said: Any) -> None:
        """Set its clock, fill its disk, close it: `ahead_days`, `free_bytes` (0 for what really is), `closed`."""
        self._tell("become", said)

    def care(self, **said: Any) -> None:
        """Have `kind` of long work under way, `done` of `total`, until this is called with nothing."""
        self._tell("care", said)

    def _tell(self, what: str, detail: dict[str, Any]) -> None:
        assert self.hands is not None
        self.hands.send((what, detail))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self._end(self.process)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self._end(self.process)

    def _end(self, process: BaseProcess) -> None:
        process.join(15)
        assert process.exitcode is not None, "the node does not end"
        process.close()
        self.process = None
        if self.hands is not None:
            self.hands.close()

    def logged(self) -> str:
        return (self.data_dir / "server.log").read_text()

    def sounds(self) -> list[Path]:
        return sorted((self.data_dir / "data" / "sounds").rglob("*.wav"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A fresh node."""
    running = Node(
        data_dir=tmp_path,
        port=free_port(),
        environment={"NODE_NAME": "The Long Room", "NODE_LOCATION": "By the stairs", "NODE_CONTACT": "Ana at the desk"},
    ).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's microphone hears, over and over."""
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    speak_all(path)
    return path


def speak_all(path: Path) -> None:
    """Write four spoken sentences, 48 kHz mono."""
    spoken = [_speak(sentence, path.with_name(f"{number}.wav")) for number, sentence in enumerate(SENTENCES)]
    path.write_bytes(write(np.concatenate(spoken).astype(np.float32), RATE_HZ))


def _speak(sentence: str, path: Path) -> np.ndarray:
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", str(path), sentence], check=True)
    samples, rate_hz = read_wav(path)
    count = int(len(samples) * RATE_HZ / rate_hz)
    stretched = np.interp(np.arange(count) * rate_hz / RATE_HZ, np.arange(len(samples)), samples)
    return 0.7 * stretched / np.max(np.abs(stretched))


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """(samples, rate in Hz)."""
    with path.open("rb") as stream:
        wav = inspect(stream, size_bytes=path.stat().st_size, max_duration_s=600, max_rate_hz=96_000)
        return read_samples(stream, wav), wav.sample_rate_hz


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Chromium with these further arguments."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET_BROWSER, *arguments])


def launch_speaking(playwright: Playwright, voice: Path) -> Browser:
    """A browser whose microphone hears the voice and which may sound by itself."""
    return launch(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
        "--autoplay-policy=no-user-gesture-required",
    )


@pytest.fixture(scope="session")
def speaking_browser(playwright: Playwright, voice: Path) -> Iterator[Browser]:
    """One of them for all tests."""
    browser = launch_speaking(playwright, voice)
    yield browser
    browser.close()


@dataclass
class Visit:
    """One visitor's context, and everything that went wrong in it."""

    context: BrowserContext
    base: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        page = self.context.new_page()
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.goto(f"{self.base}{path}")
        return page

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.foreign.append(request.url)

    def clean(self) -> None:
        """Nothing asked of another host, no violation of the content policy, no error."""
        violations = [entry for page in self.context.pages for entry in page.evaluate("window.__violations ?? []")]
        assert self.foreign == []
        assert violations == []
        assert self.errors == []


def visit(browser: Browser, node: Node, **options: Any) -> Visit:
    """A context at 1280x800 unless told otherwise."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "service_workers": "block", **options})
    context.grant_permissions(["microphone"], origin=node.url)
    context.add_init_script(WATCH)
    return Visit(context=context, base=node.url)


@pytest.fixture
def speaker(speaking_browser: Browser, node: Node) -> Iterator[Visit]:
    """Someone with a voice."""
    opened = visit(speaking_browser, node)
    yield opened
    opened.context.close()


def stage(page: Page, name: str, timeout_s: float = 20) -> None:
    """Wait for a stage of the ritual."""
    page.wait_for_selector(f".kiosk[data-stage={name}]", timeout=timeout_s * 1000)


def record(page: Page, seconds: float) -> None:
    """From idle to review, by keys alone."""
    stage(page, "idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "countdown")
    stage(page, "recording")
    page.wait_for_timeout(seconds * 1000)
    page.keyboard.press("Space")
    stage(page, "review")


def row(node: Node) -> dict[str, Any]:
    """The newest artifact as it lies in the database."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        database.row_factory = sqlite3.Row
        return dict(database.execute("SELECT * FROM artifact ORDER BY id DESC LIMIT 1").fetchone())


def until(holds: Any, timeout_s: float = 20, what: str = "it") -> Any:
    """Poll until `holds()` is true; its value."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        try:
            if value := holds():
                return value
        except Error as error:
            if "context was destroyed" not in error.message:
                raise  # else the page is just being loaded anew
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")
