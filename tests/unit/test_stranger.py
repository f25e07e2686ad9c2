"""A stranger's path: a README is read, a terminal is told as it looks, a page tells what was typed and seen."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from scripts.bare_machine import Machine, Typed
from scripts.readme_commands import Commands, commands_of
from scripts.rehearse_stranger import parts, said_where
from scripts.stranger_report import abridged, page, scrubbed, trouble, write
from scripts.terminal import Line, Terminal, shown

README = Path(__file__).parents[2] / "README.md"
SECTION = """# A program

## Two commands

It lacks something.

<!-- not run: installs -->
```sh
sudo apt-get update
sudo apt-get install -y git    # and more
```

```sh
make run             # opens it on http://127.0.0.1:9090
make test
```

```sh
make run DEMO=1
```

## More

```sh
make other
```
"""


def test_the_readme_says_what_to_install_two_commands_and_where_the_room_is() -> None:
    said = commands_of(README.read_text("utf-8"))
    assert (said.run, said.test, said.address) == ("make run", "make test", "http://127.0.0.1:8080")
    assert said.needs[-1].startswith("sudo apt-get install -y ")


def test_commands_are_read_without_their_comments() -> None:
    assert commands_of(SECTION) == Commands(
        needs=("sudo apt-get update", "sudo apt-get install -y git"),
        run="make run",
        test="make test",
        address="http://127.0.0.1:9090",
    )
    assert commands_of(SECTION).port == 9090


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("## Two commands", "## Three commands", "no section"),
        ("sudo apt-get", "brew", "what a bare Debian has to install"),
        ("make test\n", "", "1 commands instead of two: make run"),
        ("make test\n", "make test\nmake more\n", "3 commands instead of two"),
        ("http://127.0.0.1:9090", "a port", "where the room is"),
    ],
)
def test_a_readme_that_cannot_be_followed_is_refused(written: str, instead: str, said: str) -> None:
    assert written in SECTION
    with pytest.raises(ValueError, match=said):
        commands_of(SECTION.replace(written, instead))


def test_a_line_that_was_written_over_is_told_as_it_looks_in_the_end() -> None:
    heard = [
        (0.5, b"Receiving: 1%\rRece"),
        (0.9, b"iving: 100%, done.\r\n"),
        (1.0, b"\x1b[32mgreen\x1b[0m\r\n\r\nlast"),
    ]
    assert shown(heard) == [
        Line(text="Receiving: 100%, done.", at_s=0.5),
        Line(text="green", at_s=1.0),
        Line(text="", at_s=1.0),
        Line(text="last", at_s=1.0),
    ]


def test_titles_and_signs_that_print_nothing_are_left_out() -> None:
    assert [line.text for line in shown([(0.0, b"\x1b]0;a title\x07one\x1b(B two\x07\n")])] == ["one two"]


def test_a_terminal_has_a_command_with_its_environment_and_its_status() -> None:
    terminal = Terminal.opened(["/bin/sh", "-c", 'test -t 0 -a -t 1 && echo "$WORD"; exit 3'], {"WORD": "hello"})
    assert terminal.ended(10) == 3
    terminal.close()
    assert [line.text for line in terminal.lines] == ["hello"]


@pytest.mark.parametrize("inherited", [signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"])
def test_ctrl_c_reaches_what_runs_in_front(inherited: Any) -> None:
    before = signal.signal(signal.SIGINT, inherited)
    try:
        terminal = Terminal.opened(["/bin/sh", "-c", "echo ready; exec sleep 60"], {"PATH": "/usr/bin:/bin"})
    finally:
        signal.signal(signal.SIGINT, before)
    while not terminal.lines:
        assert terminal.ended(0) is None
    terminal.press_ctrl_c()
    assert terminal.ended(10) == -signal.SIGINT
    terminal.close()


def test_what_does_not_end_is_ended_with_the_terminal() -> None:
    terminal = Terminal.opened(["/bin/sh", "-c", "trap '' INT HUP; echo ready; sleep 60"], {"PATH": "/usr/bin:/bin"})
    while not terminal.lines:
        assert terminal.ended(0) is None
    terminal.press_ctrl_c()
    terminal.close()
    assert terminal.status == -signal.SIGKILL


def test_a_line_is_told_without_the_home_and_cannot_end_its_block() -> None:
    assert scrubbed("secret   /homes/one/memory-engine/data ```", "/homes/one") == "secret   ~/memory-engine/data '''"


def test_a_long_output_is_told_by_its_beginning_and_its_end() -> None:
    lines = [str(number) for number in range(10)]
    assert abridged(lines, 2, 3) == ["0", "1", "[5 more lines]", "7", "8", "9"]
    assert abridged(lines[:6], 2, 3) == lines[:6]


def typed(name: str, command: str, *lines: str) -> dict[str, Any]:
    return {
        "name": name,
        "command": command,
        "status": 0,
        "seconds": 1.5,
        "stopped_s": 0.4,
        "lines": [[0.1, line] for line in lines],
    }


@pytest.fixture
def facts() -> dict[str, Any]:
    return {
        "at": "2026-01-02", "release": "bookworm", "python": "Python 3.11.2", "home": "/homes/one",
        "clone_mib": 20, "bare_mib": 200, "fetched_mib": 100, "venv_mib": 500,
        "parts_s": {"environment": 3.0, "fetching": 10.0, "installing": 40.0, "site": 6.0, "answering": 1.0},
        "pages_s": {"/": 59.9, "/kiosk/": 60.0}, "secret_mode": "600", "tests": "none",
        "ritual": ["recorded: 201"],
        "typed": [
            typed("needs", "sudo apt-get update", *(f"Warning: line {number}" for number in range(50))),
            typed("first", "make run", *(f"line {number} in /homes/one" for number in range(50)), "^C"),
        ],
    }  # fmt: skip


def test_the_page_tells_what_was_typed_and_seen(facts: dict[str, Any]) -> None:
    said = page(facts)
    assert "$ sudo apt-get update\nWarning: line 0\n" in said
    assert "Warning: line 25" not in said
    assert "line 25 in ~\n" in said
    assert "/homes/one" not in said
    assert "| First `make run`, until every page had answered | 1.5 s |" in said
    assert "left out of this rehearsal" in said


def test_the_figures_hold_no_home(facts: dict[str, Any], tmp_path: Path) -> None:
    write(facts, tmp_path)
    text = (tmp_path / "stranger.json").read_text("utf-8")
    assert "/homes/one" not in text
    assert json.loads(text)["parts_s"]["fetching"] == 10.0
    assert (tmp_path / "stranger.md").read_text("utf-8").endswith("\n")


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "x.py:1: DeprecationWarning: old",
        "^Cmake: *** [Makefile:40: run] Error 130",
        "docs: /docs/ is not up to date; make docs says why",
        "2026-01-02T00:00:00.000+00:00 warning clock unsynchronised",
    ],
)
def test_a_line_somebody_would_stumble_on_is_found(line: str, facts: dict[str, Any]) -> None:
    assert trouble(facts) == []
    facts["typed"].append(typed("second", "make run", "fine", line))
    assert trouble(facts) == [f"make run: {line}"]


def test_the_time_of_a_first_start_is_parted_by_what_was_printed() -> None:
    lines = [
        Line(text="setup: making .venv", at_s=0.1),
        Line(text="setup: installing what is pinned", at_s=3.0),
        Line(text="docs: building the site", at_s=50.0),
        Line(text="  This room is open.", at_s=57.0),
    ]
    first = Typed(name="first", command="make run", status=0, seconds=58.0, lines=lines)
    assert parts(first, 10.0) == {
        "environment": 3.0,
        "fetching": 10.0,
        "installing": 37.0,
        "site": 7.0,
        "answering": 1.0,
    }
    with pytest.raises(SystemExit, match="did not say"):
        parts(Typed(name="first", command="make run", status=0, seconds=58.0, lines=lines[:3]), 10.0)


def test_what_is_printed_is_where_it_is_said_to_be(tmp_path: Path) -> None:
    made = Machine(root=tmp_path, settings={})
    made.at("/data").mkdir()
    made.at("/data/secret.txt").write_text("x")
    made.at("/data/secret.txt").chmod(0o600)
    address = "http://127.0.0.1:9090"
    said = [f"  {name}    {address}/{name}/" for name in ("kiosk", "room", "ops")] + ["  secret   /data/secret.txt"]
    lines = [Line(text=text, at_s=0.0) for text in ["  This room is open.", *said]]
    assert said_where(lines, address, made) == "600"
    with pytest.raises(SystemExit, match="kiosk is said to be at"):
        said_where(lines, "http://127.0.0.1:8080", made)
    made.at("/data/secret.txt").unlink()
    with pytest.raises(SystemExit, match="where it is not"):
        said_where(lines, address, made)
