"""The pictures of the README and the docs, made from running nodes with a real voice: `make screenshots`.

`python -m tests.screenshots first-day` makes one part alone: `visitor`, `states`, `first-day`, or `ledger`.
`crowded FOLDER` makes pictures for no document: the steward's pages at their fullest, at every size, for whoever
changes how they look.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.pictures import ledger, states, visitor
from tests.pictures.camera import IMAGES, VOICE, demo_room, speaking


def main() -> None:
    """Make the pictures of the parts that were named, or of all."""
    asked = sys.argv[1:2] or list(PARTS)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = speaking(playwright, Path(folder))
        for name in asked:
            {**PARTS, "crowded": crowded}[name](browser, Path(folder) / name)
        browser.close()


def visitors(browser: Browser, folder: Path) -> None:
    """Everything a visitor sees."""
    node = demo_room(folder)
    code = visitor.kiosk(browser, node)
    visitor.room(browser, node)
    visitor.plain(browser, node, code)
    node.stop()


def of_states(browser: Browser, folder: Path) -> None:
    """Every state of the kiosk."""
    node = demo_room(folder)
    states.sheets(browser, node, folder.parent / VOICE)
    node.stop()


def first_day(browser: Browser, folder: Path) -> None:
    """A steward's first day, walked."""
    node = demo_room(folder)
    ledger.first_day(browser, node)
    node.stop()


def of_ledger(browser: Browser, folder: Path) -> None:
    """The steward's pages on a busy afternoon."""
    node = demo_room(folder)
    ledger.busy(browser, node)
    node.stop()


def crowded(browser: Browser, folder: Path) -> None:
    """The steward's pages at their fullest, into the folder that was named."""
    node = demo_room(folder)
    ledger.crowded(browser, node, Path(sys.argv[2]))
    node.stop()


PARTS = {"visitor": visitors, "states": of_states, "first-day": first_day, "ledger": of_ledger}

if __name__ == "__main__":
    main()
