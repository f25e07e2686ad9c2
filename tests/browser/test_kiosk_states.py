"""Every state of the kiosk, in every language, theme and size: accessible, and nothing in another's way.

Each state is looked at once, while languages, themes and sizes take turns; with `KIOSK_STATES=all` in the environment
in each language and theme at every size.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from memory_ui.copy import languages
from tests.browser.conftest import Node, free_port, visit
from tests.browser.kiosk_states import STATES, THEMES, Kiosk, Shown
from tests.browser.test_pages import SIZES

ALL = os.environ.get("KIOSK_STATES") == "all"
AT_ONCE = ("wide", "wall")
"""On a screen of a kiosk's own whatever there is to read is there without scrolling."""

FAULTS = {
    "cut off": ".kiosk-lead { white-space: nowrap; }",
    "px of content": ".kiosk-lead { inline-size: 200vw; max-inline-size: none; }",
    "is only": ".kiosk-secondary .button { min-block-size: 2rem; }",
    "lies over": ".kiosk-choice-name { margin-block-end: -1.5rem; }",
    "stays under": ".kiosk-actions { margin-block-start: -4rem; }",
    "is not seen": "html { scroll-padding: 0; }",
    "color-contrast": ".kiosk-question { color: #7d7970; }",
}
"""What would be found, and what would cause it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One look at one state."""

    shown: Shown
    language: str
    mode: str
    size: str
    by_axe: bool

    def __str__(self) -> str:
        return f"{self.shown.name}, {self.language}, {self.mode or 'standard'}, {self.size}"


def in_turns() -> list[Look]:
    """Each state once."""
    spoken, sizes, looks = languages(), list(SIZES), []
    for number, shown in enumerate(STATES):
        language, size = spoken[number % len(spoken)], sizes[number % len(sizes)]
        mode = THEMES[number // len(sizes) % len(THEMES)]
        looks.append(Look(shown=shown, language=language, mode=mode, size=size, by_axe=True))
    return sorted(looks, key=lambda look: sizes.index(look.size))


def throughout(language: str, mode: str) -> list[Look]:
    """Each state on each screen; axe, which finds much the same on all of them, looks on one in turn."""
    return [
        Look(shown=shown, language=language, mode=mode, size=size, by_axe=(number + turn) % len(SIZES) == 0)
        for turn, size in enumerate(SIZES)
        for number, shown in enumerate(STATES)
    ]


def zoomed(language: str) -> list[Look]:
    """Each state at a zoom of 200 %."""
    return [Look(shown=shown, language=language, mode="", size="zoomed", by_axe=False) for shown in STATES]


SHORT = {"in turns": in_turns(), **{f"zoomed {language}": zoomed(language) for language in ("de", "ar")}}
WHOLE = {
    f"{language} {mode or 'standard'}": throughout(language, mode) for language, mode in product(languages(), THEMES)
}
PARTS = WHOLE if ALL else SHORT


@pytest.fixture(scope="module")
def kiosk(speaking_browser: Browser, voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiosk]:
    """One for all of them."""
    environment = {"NODE_NAME": "The Long Room", "NODE_CONTACT": "Ana at the desk"}
    node = Node(data_dir=tmp_path_factory.mktemp("node"), port=free_port(), environment=environment).start()
    visitor = visit(speaking_browser, node, reduced_motion="reduce")
    yield Kiosk(visitor, node, voice)
    visitor.clean()
    visitor.context.close()
    node.stop()


@pytest.mark.parametrize("part", PARTS)
def test_every_state_is_accessible_and_nothing_is_in_anothers_way(kiosk: Kiosk, part: str) -> None:
    found = [f"{look}: {complaint}" for look in PARTS[part] for complaint in _looked(kiosk, look)]
    assert found == []


def _looked(kiosk: Kiosk, look: Look) -> list[str]:
    kiosk.resize(*SIZES[look.size])
    kiosk.show(look.shown, look.language, look.mode)
    found = [*kiosk.amiss(), *(kiosk.violations() if look.by_axe else [])]
    below = kiosk.below()
    if below > 0 and look.size in AT_ONCE and not look.shown.crowded:
        found.append(f"{below} px are below the screen")
    return found


@pytest.mark.parametrize("what", FAULTS)
def test_what_is_amiss_is_found(kiosk: Kiosk, what: str) -> None:
    (shown,) = (shown for shown in STATES if shown.name == "review, with topics")
    kiosk.resize(*SIZES["zoomed"])
    kiosk.show(shown, "de")
    fault = kiosk.page.add_style_tag(content=FAULTS[what])
    try:
        assert what in "\n".join([*kiosk.amiss(), *kiosk.violations()])
    finally:
        fault.evaluate("(element) => element.remove()")


def seen() -> dict[str, set[str]]:
    """By its name in the ritual: every value that one of the states has."""
    states = [shown.state for shown in STATES]
    return {
        "STAGES": {shown.stage for shown in STATES},
        "DOORS": {shown.policy.get("blocked", "") for shown in STATES},
        "FLAWS": {shown.flaw for shown in STATES if shown.flaw},
        "NOTICES": {state["notice"]["kind"] for state in states if "notice" in state},
        "MODES": {state["mode"] for state in states if "mode" in state},
        "OUTCOMES": {state["outcome"] for state in states if "outcome" in state},
        "ERRORS": {state["error"] for state in states if "error" in state},
        "ENDS": {state.get("ended", "") for state in states},
        "SOUNDS": {state.get("sounding", "") for state in states},
    }


@pytest.mark.parametrize("name", seen())
def test_every_value_that_the_ritual_knows_is_among_the_states(kiosk: Kiosk, name: str) -> None:
    known = kiosk.page.evaluate("(name) => import('ritual').then((ritual) => ritual[name])", name)
    assert seen()[name] == set(known)


def test_no_two_states_have_one_name() -> None:
    assert len({shown.name for shown in STATES}) == len(STATES)
