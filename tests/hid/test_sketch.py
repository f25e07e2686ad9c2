"""The sketch of the button box, compiled for a board of our own and pressed by a script."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKETCH = ROOT / "examples" / "hid-button" / "hid-button.ino"
BOARD = Path(__file__).parent / "board.cpp"
PINS = {2: "_", 3: "1", 4: "2", 5: "3", 6: "m", 7: "Esc", 8: "l", 9: "r"}
"""As docs/how-to/hands-free.md wires them; `_` is Space."""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sketch on its board; the compiler's warnings are errors."""
    built = tmp_path_factory.mktemp("board") / "board"
    strict = ["-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{BOARD.parent}", f'-DSKETCH="{SKETCH}"']
    subprocess.run(["g++", *strict, str(BOARD), "-o", str(built)], check=True)
    return built


def typed(board: Path, *presses: str) -> list[str]:
    """What the box types, and when, in ms."""
    script = "\n".join(presses) + "\n"
    done = subprocess.run([str(board)], input=script, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.splitlines()


def keys(board: Path, *presses: str) -> list[str]:
    return [line.split()[1] for line in typed(board, *presses)]


@pytest.mark.parametrize("pin", PINS)
def test_each_button_types_its_key_once(board: Path, pin: int) -> None:
    assert keys(board, f"100 {pin} 1", f"200 {pin} 0", "400 end") == [PINS[pin]]


def test_the_wiring_is_that_of_the_documentation() -> None:
    text = (ROOT / "docs" / "how-to" / "hands-free.md").read_text("utf-8")
    rows = re.findall(r"^ +\| ([\d, ]+) \| ([^|]+) \|", text, re.MULTILINE)
    wired = {int(pin): keys for pins, keys in rows for pin in pins.split(",")}
    assert wired.keys() == PINS.keys()
    assert all(key.strip("_").upper() in wired[pin].upper() for pin, key in PINS.items())


def test_a_contact_that_bounces_types_once(board: Path) -> None:
    bounces = [f"{100 + at} 3 {at % 4 // 2}" for at in range(2, 14, 2)]
    assert keys(board, *bounces, "115 3 1", "250 3 0", "252 3 1", "254 3 0", "400 end") == ["1"]


def test_a_hand_that_rests_on_a_button_does_nothing_more(board: Path) -> None:
    assert keys(board, "100 4 1", "9000 4 0", "9100 end") == ["2"]


def test_the_large_button_gives_up_where_it_is_held_and_only_then(board: Path) -> None:
    assert keys(board, "100 2 1", "1900 2 0", "2500 end") == ["_"]
    assert typed(board, "100 2 1", "5000 2 0", "5500 end") == ["2100 Esc"]
    assert keys(board, "100 2 1", "3000 2 0", "3100 2 1", "3200 2 0", "3400 end") == ["Esc", "_"]


def test_two_hands_are_two_keys(board: Path) -> None:
    assert keys(board, "100 3 1", "150 5 1", "300 3 0", "320 5 0", "500 end") == ["1", "3"]
