"""Where the browser's sound is tested: a small server with our modules and takes, and a Chromium that may sound."""

import base64
import io
import json
import re
import threading
import time
import tomllib
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, Playwright

import assets
from core.audio.wav import Samples
from tests.browser.conftest import launch

HERE = Path(__file__).parent
ASSETS = Path(assets.__file__).parent
SOURCES = {path.stem: path for path in [*(ASSETS / "js").rglob("*.js"), *HERE.glob("*_probe.js")]}
AUDIO = tomllib.loads((ASSETS / "catalogs" / "audio.toml").read_text())
COLOURS = tomllib.loads((ASSETS / "catalogs" / "colours.toml").read_text())["colours"]
RATE_HZ = 48_000
SHORT_FADES = {**AUDIO["level"], "fade_in_s": 0.002, "fade_out_s": 0.002}
NO_TONE = {**AUDIO["tone"], "idle": 0, "sparse": 0, "ducked": 0}
BARE = {**AUDIO, "level": SHORT_FADES, "tone": NO_TONE}
"""Short fades and no tone, so that where a voice begins and ends can be read off the tape."""
CHROMIUM_FLAGS = [
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def band_db(samples: Samples, low_hz: float, high_hz: float) -> float:
    """Energy between two frequencies in dB."""
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return 10 * float(np.log10(power[(hz >= low_hz) & (hz < high_hz)].sum()))


def centroid_hz(samples: Samples) -> float:
    """Where the energy lies in the mean: what the ear calls brightness."""
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return float((power * hz).sum() / power.sum())


def tone_wav(frequency_hz: float, seconds: float) -> bytes:
    """A WAV of a sine at half of full scale, 48 kHz."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((np.sin(2 * np.pi * frequency_hz * t) * 16_384).astype("<i2").tobytes())
    return file.getvalue()


@dataclass
class Origin:
    """What the page's server gives out, to be changed while it runs."""

    url: str = ""
    takes: dict[str, bytes] = field(default_factory=dict)
    """WAVs under `/wav/<name>`."""
    gone: set[str] = field(default_factory=set)
    """Paths that are refused when asked for by HEAD: taken back between choice and start."""
    delay_s: float = 0
    """How long every answer but that for the page and its modules is held back."""


class _Handler(BaseHTTPRequestHandler):
    """The page, our modules by stem, and takes: `/take/<seconds>` is a tone, `/wav/<name>` one of the origin's."""

    origin: Origin

    def do_GET(self) -> None:
        if self.path == "/":
            importmap = json.dumps({"imports": {stem: f"/js/{stem}.js" for stem in SOURCES}})
            page = (HERE / "audio_page.html").read_text().replace("{{ importmap }}", importmap)
            self.answer(200, "text/html", page.encode())
        elif (match := re.fullmatch(r"/js/(\w+)\.js", self.path)) and match[1] in SOURCES:
            self.answer(200, "text/javascript", SOURCES[match[1]].read_bytes())
        else:
            time.sleep(self.origin.delay_s)
            found = self.take()
            if found is None:
                self.answer(404, "application/json", b'{"error": "there is nothing here"}')
            else:
                self.answer(200, "audio/wav", found)

    def do_HEAD(self) -> None:
        time.sleep(self.origin.delay_s)
        refused = self.path in self.origin.gone or self.take() is None
        self.answer(404 if refused else 200, "audio/wav", b"")

    def take(self) -> bytes | None:
        if match := re.fullmatch(r"/take/([\d.]+)", self.path):
            return tone_wav(700, float(match[1]))
        name = self.path.removeprefix("/wav/")
        return self.origin.takes.get(name)

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Keeps quiet."""


class _Server(ThreadingHTTPServer):
    """Says nothing of a page that goes away before its answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See above."""


@contextmanager
def served() -> Iterator[Origin]:
    """A running origin."""
    origin = Origin()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"origin": origin}))
    origin.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield origin
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def opened(playwright: Playwright, origin: Origin, watch: str = "") -> Iterator[Page]:
    """The page of an origin in a browser of its own; any error in it is an error here. `watch` runs before all else."""
    browser = launch(playwright, *CHROMIUM_FLAGS)
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(watch)
    page.goto(origin.url)
    yield page
    browser.close()
    assert errors == []


def probe(page: Page, name: str, module: str = "audio_probe", **options: Any) -> Any:
    """Calls one function of a probe."""
    script = "async ([module, name, options]) => (await import(module))[name](options)"
    return page.evaluate(script, [module, name, options])


def perform(page: Page, script: str, **options: Any) -> Any:
    """Runs `script` on a stage `s` (context, engine, events, posts, heads, tape, sleep) with a few helpers in reach."""
    return page.evaluate(
        """async ([script, options]) => {
          const { stage, pause, until } = await import('audio_probe');
          const s = await stage(options);
          const item = (id, more) => ({ artifact_id: id, url: '/take/1', ack_url: `/heard/${id}`, start_ms: 0,
            duration_ms: 1000, wear: 0, colour: '', level: 0.5, gain: 1, delay_ms: 0,
            fade_in_ms: null, fade_out_ms: null, ...more });
          const program = (seq, items, more) => ({ seq, rest_ms: 0, gap_ms: 300, good_until_ms: Date.now() + 60000,
            tone: { scale: 1, resting: 'idle' }, items, ...more });
          const told = (type) => s.events.filter((event) => event.type === type);
          try {
            const run = new Function('s', 'item', 'program', 'told', 'pause', 'until',
              `return (async () => { ${script} })();`);
            return await run(s, item, program, told, pause, until);
          } finally {
            await s.close();
          }
        }""",
        [script, {"figures": BARE, "colours": COLOURS, **options}],
    )


def render(
    page: Page, origin: Origin, wav: bytes, *, colours: list[dict[str, Any]] | None = None, **item: Any
) -> Samples:
    """(frames,) of one voice as the room plays it, offline, its tail included.

    `item` is of the program's form; what is not given is an unworn, dry take at its own level.
    """
    return _rendered(page, origin, wav, "room", colours=colours or COLOURS, item=item)


def preview(page: Page, origin: Origin, wav: bytes, code: str) -> Samples:
    """(frames,) of a take as the kiosk's preview plays it, offline."""
    return _rendered(page, origin, wav, "preview", colours=COLOURS, code=code)


def turned(page: Page, origin: Origin, wav: bytes, turns: list[tuple[float, str | None]]) -> Samples:
    """(frames,) of a take as the kiosk plays it, offline, when colours are chosen on the way; None stops it."""
    return _rendered(page, origin, wav, "turned", colours=COLOURS, turns=turns)


def _rendered(page: Page, origin: Origin, wav: bytes, name: str, **options: Any) -> Samples:
    origin.takes["rendered"] = wav
    encoded = probe(page, name, "speech_probe", url="/wav/rendered", figures=AUDIO, **options)
    return np.frombuffer(base64.b64decode(encoded), dtype="<f4")


def colour(code: str) -> Mapping[str, Any]:
    """One entry of the colours' catalog."""
    return next(entry for entry in COLOURS if entry["code"] == code)
