"""A running room for pictures, and the camera: a page as it is, in few enough bytes for a document."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

from tests.browser.conftest import Node, free_port, launch, speak_all

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE = {"width": 1280, "height": 800}
WALL = {"width": 1080, "height": 1920}
PHONE = {"width": 390, "height": 844}
VOICE = "voice.wav"
SETTLED_MS = 600
COLOURS = 96


def speaking(playwright: Playwright, folder: Path) -> Browser:
    """A browser whose microphone hears a voice and which may sound by itself."""
    voice = folder / VOICE
    speak_all(voice)
    return launch(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
        "--autoplay-policy=no-user-gesture-required",
    )


def demo_room(folder: Path, **environment: str) -> Node:
    """A started node with a dozen generated sounds in it."""
    folder.mkdir(parents=True, exist_ok=True)
    node = Node(
        data_dir=folder,
        port=free_port(),
        environment={
            "NODE_NAME": "The Long Room",
            "NODE_LOCATION": "Second floor, by the stairs",
            "NODE_CONTACT": "the front desk",
            **environment,
        },
    )
    demo = [sys.executable, "-c", "from memory_ui.cli import main; main()", "demo"]
    subprocess.run([*demo, "--data-dir", str(folder / "data")], check=True, cwd=folder)
    return node.start()


def shot(page: Page, name: str, folder: Path = IMAGES, **options: Any) -> None:
    """One picture, once the page has settled; `options` go to the browser."""
    page.wait_for_timeout(SETTLED_MS)
    taken = Image.open(BytesIO(page.screenshot(**options))).convert("RGB")
    path = folder / f"{name}.png"
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{name}.png, {path.stat().st_size // 1000} kB", flush=True)
