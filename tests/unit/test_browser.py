"""The browser as an appliance's screen: what it is started with, and how patiently."""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.errors import BadField, Unavailable
from memory_ui.browser import (
    SOUNDS,
    Patience,
    Role,
    arguments,
    keep_open,
    origin_of,
    preferences,
    prepare_profile,
    sound_may_come_first,
)
from memory_ui.cli import app

NODE = "https://memory.example"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://Memory.Example:443/", "https://memory.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_read_as_browsers_write_it(address: str, origin: str) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    "address",
    ["", "memory.example", "ftp://memory.example", "https://", "https://a:b", "https://a:0", f"{NODE}/kiosk/"],
)
def test_what_is_no_address_of_a_node_is_refused(address: str) -> None:
    with pytest.raises(BadField):
        origin_of(address)


def test_kiosk_and_room_sound_over_the_whole_screen_and_ops_is_a_window(tmp_path: Path) -> None:
    for role in (Role.KIOSK, Role.ROOM):
        given_to = arguments(role, NODE, tmp_path)
        assert given_to[-2:] == ["--kiosk", f"{NODE}/{role}/"]
        assert SOUNDS in given_to
    ops = arguments(Role.OPS, NODE, tmp_path)
    assert ops[-1] == f"--app={NODE}/ops/"
    assert SOUNDS not in ops
    assert "--kiosk-printing" in arguments(Role.KIOSK, NODE, tmp_path, prints=True)
    assert arguments(Role.KIOSK, NODE, tmp_path, query="layout=seated")[-1] == f"{NODE}/kiosk/?layout=seated"
    every = [one for role in Role for one in arguments(role, NODE, tmp_path, prints=True)]
    assert not any("fake-ui" in one or "unsafely" in one or "no-sandbox" in one for one in every)


def test_the_microphone_is_for_the_kiosk_and_for_one_origin(tmp_path: Path) -> None:
    asked = preferences({}, Role.KIOSK, NODE)["profile"]["content_settings"]["exceptions"]
    assert asked == {"media_stream_mic": {f"{NODE}:443,*": {"setting": 1}}}
    assert preferences({}, Role.ROOM, NODE)["profile"]["content_settings"]["exceptions"] == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5
)


@given(st.dictionaries(st.text(), JSON))
def test_whatever_else_is_preferred_stays(before: dict[str, object]) -> None:
    before.pop("profile", None)
    after = preferences({**before, "profile": {"name": "Kiosk", "exit_type": "Crashed"}}, Role.KIOSK, NODE)
    assert {name: value for name, value in after.items() if name != "profile"} == before
    assert (after["profile"]["name"], after["profile"]["exit_type"]) == ("Kiosk", "Normal")


def test_a_profile_that_a_dying_browser_left_half_written_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "Default" / "Preferences"
    path.parent.mkdir()
    path.write_text('{"profile": {"exit_')
    prepare_profile(tmp_path, Role.KIOSK, NODE)
    assert json.loads(path.read_text())["profile"]["exit_type"] == "Normal"


def test_a_profile_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "Default").write_text("no folder")
    with pytest.raises(Unavailable, match="profile"):
        prepare_profile(tmp_path, Role.KIOSK, NODE)


@given(st.lists(st.floats(0, 59), max_size=30))
def test_a_browser_that_keeps_dying_is_started_ever_more_slowly_and_never_given_up(lives: list[float]) -> None:
    patience, pauses = Patience(), [Patience().first_s]
    for lived_s in lives:
        pauses.append(patience.after(pauses[-1], lived_s))
    assert all(earlier <= later <= patience.longest_s for earlier, later in pairwise(pauses))
    assert patience.after(pauses[-1], 60) == patience.first_s


def test_it_waits_for_the_node_starts_and_starts_again_until_it_is_stopped(tmp_path: Path) -> None:
    started, told, asked = tmp_path / "started", [], []

    def ready() -> bool:
        asked.append(True)
        return len(asked) > 2

    until = time.monotonic() + 20
    keep_open(
        [sys.executable, "-c", f"open({str(started)!r}, 'a').write('x'); raise SystemExit(3)"],
        ready=ready,
        prepare=lambda: None,
        stopping=lambda: (started.exists() and started.stat().st_size >= 3) or time.monotonic() > until,
        tell=told.append,
        patience=Patience(first_s=0.05, longest_s=0.1),
    )
    assert started.read_text() == "xxx"
    assert told[:3] == ["waiting for the node", "waiting for the node", "the browser ended with 3; again in 0.1 s"]


def test_a_browser_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    told: list[str] = []
    keep_open(
        [str(tmp_path / "none")],
        ready=lambda: True,
        prepare=lambda: None,
        stopping=lambda: len(told) >= 2,
        tell=told.append,
        patience=Patience(first_s=0.01, longest_s=0.01),
    )
    assert all("could not be started" in words for words in told)


def test_stopping_ends_the_browser_with_it() -> None:
    began = time.monotonic()
    keep_open(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        ready=lambda: True,
        prepare=lambda: None,
        stopping=lambda: time.monotonic() - began > 1,
        tell=lambda _words: None,
    )
    assert time.monotonic() - began < 30


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have ways of their own")
def test_whether_sound_may_come_first_is_what_the_system_says_of_a_process() -> None:
    asked = "import os; os.setpriority(os.PRIO_PROCESS, 0, -10)"
    allowed = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False).returncode == 0
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert sound_may_come_first() is allowed
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_system_that_refuses_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "setpriority", refused)
    assert sound_may_come_first() is False
    monkeypatch.setattr(sys, "platform", "darwin")
    assert sound_may_come_first() is True


@pytest.mark.parametrize(
    ("role", "first", "told"),
    [("kiosk", False, True), ("room", False, True), ("ops", False, False), ("kiosk", True, False)],
)
def test_where_sound_may_not_come_first_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, role: str, first: bool, told: bool
) -> None:
    monkeypatch.setattr("memory_ui.browser.sound_may_come_first", lambda: first)
    monkeypatch.setattr("memory_ui.browser.keep_open", lambda *_, **__: None)
    said = CliRunner().invoke(app, ["browser", "--role", role, "--program", "sh"])
    assert said.exit_code == 0
    assert ("sound may not go before other work here" in said.output) is told
