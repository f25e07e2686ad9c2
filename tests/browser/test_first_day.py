"""A steward's first day goes as its document says, in the document's own words."""

import re
from pathlib import Path

from playwright.sync_api import Browser

from memory_ui.copy import load_copy
from tests.browser.conftest import ROOT, Node
from tests.first_day import Day

DOCUMENT = ROOT / "docs" / "how-to" / "first-day.md"


def quoted(path: Path) -> list[str]:
    """Everything a document says stands on a page: in quotes or bold, lines joined."""
    text = re.sub(r"\s+", " ", path.read_text())
    return re.findall(r"“([^”]+)”", text) + re.findall(r"\*\*([^*]+)\*\*", text)


def test_a_first_day_goes_as_its_document_says(speaking_browser: Browser, node: Node) -> None:
    seen: list[str] = []
    day = Day(browser=speaking_browser, node=node, look=lambda _page, name: seen.append(name))
    day.walk()
    day.steward.clean()
    day.machine.clean()
    day.end()
    pictures = re.findall(r"first-day-([a-z-]+)\.png", DOCUMENT.read_text())
    assert seen == [name for name in pictures if not name.endswith("-phone")]


def test_every_button_and_sentence_the_document_quotes_is_in_the_copy() -> None:
    """Whole texts, or whole sentences of them; a number is a switch's minutes."""
    texts = [text for text in load_copy("en").texts.values() if isinstance(text, str)]
    sayings = [one for text in texts for one in (text, *re.split(r"(?<=[.?!]) ", text))]
    found = quoted(DOCUMENT)
    assert found
    assert [one for one in found if one not in sayings and not one.isdigit()] == []
