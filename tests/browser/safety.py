"""A kiosk that is killed under its participant, and what is held against it: shared by tests and a campaign."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from playwright.sync_api import BrowserContext, Page, Playwright
from scipy.signal import correlate, resample_poly

from tests.browser.conftest import CHROMIUM, QUIET_BROWSER, WATCH, Node, read_wav, stage, until

CHUNK_S = 0.1
LOST_S = 0.2
"""What a crash may cost."""
HELD_HZ = 12_000
"""A voice is told from another by what lies below half of it."""

PLAIN = """
// The first bytes of every chunk before it was encrypted, as a test may search for them.
window.__plain = [];
const encrypt = SubtleCrypto.prototype.encrypt;
SubtleCrypto.prototype.encrypt = function (how, key, data) {
  const voice = data instanceof Float32Array; // and no receipt
  if (voice) window.__plain.push(Array.from(new Uint8Array(data.buffer, data.byteOffset + 400, 48)));
  return encrypt.call(this, how, key, data);
};
// And the file as it is sent.
const append = FormData.prototype.append;
FormData.prototype.append = function (name, value, ...rest) {
  if (value instanceof Blob) window.__sent = value;
  return append.call(this, name, value, ...rest);
};
"""

SENT = "window.__sent.slice(1000, 81000).arrayBuffer().then((all) => Array.from(new Uint8Array(all)))"

LEFT = """
// What lies on the disk of this kiosk: how many chunks of which take.
() => new Promise((resolve) => {
  const opening = indexedDB.open("memory-engine-kiosk", 1);
  opening.onupgradeneeded = () => { opening.transaction.abort(); };
  opening.onerror = () => resolve({ takes: 0, chunks: 0 });
  opening.onsuccess = () => {
    const db = opening.result;
    const reading = db.transaction(["take", "chunks"]);
    const found = {};
    for (const [name, store] of [["takes", "take"], ["chunks", "chunks"]]) {
      reading.objectStore(store).count().onsuccess = (event) => { found[name] = event.target.result; };
    }
    reading.oncomplete = () => { db.close(); resolve(found); };
  };
})
"""


def begin(page: Page) -> None:
    """To the recording, by keys."""
    stage(page, "idle")
    page.keyboard.press("Space")
    stage(page, "armed")
    page.keyboard.press("Space")
    stage(page, "recording")


def left(page: Page) -> dict[str, int]:
    """What lies on its disk. A kiosk that is free may be just loaded anew, and is asked again."""
    found: dict[str, int] = until(lambda: page.evaluate(LEFT), what="the kiosk")
    return found


def keys(node: Node) -> int:
    """How many keys the node holds."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        count: int = database.execute("SELECT count(*) FROM take_key").fetchone()[0]
    return count


def send(page: Page) -> None:
    page.keyboard.press("1")
    page.keyboard.press("Space")
    stage(page, "complete")


def whole(node: Node, voice: Path, at_least_s: float) -> None:
    """One take, of the voice, as long as it was spoken, without a hole but for what a crash may cost: so much a made-up
    microphone may stumble on a busy machine."""
    (path,) = node.sounds()
    stored, rate_hz = read_wav(path)
    assert len(stored) / rate_hz >= at_least_s
    heard = held_against(stored, rate_hz, voice)
    assert heard.voiced > heard.stretches / 2
    # Some three in a hundred stretches are not what was spoken already as the made-up microphone gave them, and those
    # come together; that nothing else is missing is held sample by sample by the campaign.
    assert heard.unlike <= max(2, heard.voiced // 5)


def likeness(stored: np.ndarray, source: np.ndarray) -> float:
    """The best normalised correlation of `stored` with any stretch of the endlessly repeated `source`."""
    endless = np.concatenate([source, source, source[: len(stored)]]).astype(np.float64)
    products = correlate(endless, stored.astype(np.float64), mode="valid", method="fft")
    running = np.concatenate([[0.0], np.cumsum(endless**2)])
    stretches = running[len(stored) :] - running[: -len(stored)]
    return float(np.max(np.abs(products) / np.sqrt(np.maximum(stretches, 1e-12) * np.sum(stored**2.0))))


class Heard(NamedTuple):
    """Of a take's stretches, each as long as what a crash may cost: how many hold a voice, and how many another."""

    stretches: int
    voiced: int
    unlike: int


def held_against(take: np.ndarray, rate_hz: int, voice: Path) -> Heard:
    """A take, held against the voice that was spoken."""
    given, spoken = (resample_poly(one, HELD_HZ // 100, hz // 100) for one, hz in ((take, rate_hz), read_wav(voice)))
    window = int(LOST_S * HELD_HZ)
    windows = [given[at : at + window] for at in range(window, len(given) - 2 * window, window)]
    voiced = [one for one in windows if np.sqrt(np.mean(one**2)) > 0.02]
    return Heard(len(windows), len(voiced), sum(likeness(one, spoken) < 0.95 for one in voiced))


def wiped(page: Page, node: Node) -> None:
    """Nothing lies on the disk, and nothing could be read there."""
    until(lambda: left(page) == {"takes": 0, "chunks": 0}, what="an empty disk")
    until(lambda: keys(node) == 0, what="the key to go")


def at_home(playwright: Playwright, node: Node, profile: Path, voice: Path) -> BrowserContext:
    """A browser that keeps what it is given on the disk, as a kiosk's does."""
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=CHROMIUM,
        args=[
            *QUIET_BROWSER,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
            "--autoplay-policy=no-user-gesture-required",
        ],
        viewport={"width": 1280, "height": 800},
        permissions=["microphone"],
    )
    context.add_init_script(WATCH + PLAIN)
    return context


def kill(profile: Path) -> None:
    """The browser and all its children, without a word."""
    found = subprocess.run(["pgrep", "-f", str(profile)], capture_output=True, text=True, check=False)
    for pid in found.stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def readable(profile: Path, samples: Sequence[Collection[int]]) -> list[str]:
    """Files of a profile in which any of these bytes can be read."""
    wanted = [bytes(one) for one in samples if len(set(one)) > 16]
    assert len(wanted) > 10
    planted = profile / "planted"
    planted.write_bytes(b"before" + wanted[3] + b"after")
    found = [
        path.name for path in profile.rglob("*") if path.is_file() and any(one in path.read_bytes() for one in wanted)
    ]
    planted.unlink()
    assert found.pop(found.index("planted"))
    return found
