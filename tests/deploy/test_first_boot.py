"""`memory-engine first-boot`: kept values stay, nothing known to everybody survives, and it says what to do."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.errors import BadField, Misconfigured, Unavailable
from core.settings import is_placeholder, load_settings
from memory_ui.appliance.first_boot import SECRETS, Engine, Tls, completed, next_steps, wish_of, write
from memory_ui.cli import app
from memory_ui.cli.first_boot import start

STACK = wish_of("room.example.org", Tls.INTERNAL, Engine.STACK)
NAMES = st.sampled_from([*sorted(SECRETS), "PUBLIC_HOST", "NODE_NAME", "MINIO_ENDPOINT"])
VALUES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=8, max_size=40) | st.sampled_from(
    ["change-me", "secret", "minioadmin", "password", "xxxxxxxx"]
)


@given(st.dictionaries(NAMES, VALUES))
def test_kept_values_stay_and_no_placeholder_survives(kept: dict[str, str]) -> None:
    text = "# mine\n" + "".join(f"{name}={value}\n" for name, value in kept.items())
    known = {name for name, value in kept.items() if name in SECRETS and is_placeholder(value)}
    if known:
        with pytest.raises(Misconfigured) as refused:
            completed(text, STACK)
        assert {line.split(" ", 1)[0] for line in refused.value.complaints} == known
        return
    found = completed(text, STACK)
    assert found.text.startswith(text)
    assert {name: found.values[name] for name in kept} == kept
    assert not any(is_placeholder(found.values[name]) for name in SECRETS)
    assert completed(found.text, STACK).added == ()


def test_an_address_holds_the_password_that_was_kept() -> None:
    found = completed("POSTGRES_PASSWORD=a/b@c:d-e\n", STACK)
    assert found.values["DATABASE_URL"] == "postgresql+psycopg://memory:a%2Fb%40c%3Ad-e@postgres/memory"


def test_a_second_node_shares_no_secret_with_the_first() -> None:
    one, other = completed("", STACK).values, completed("", STACK).values
    assert not {one[name] for name in SECRETS} & {other[name] for name in SECRETS}


def test_what_stands_otherwise_than_asked_is_told() -> None:
    assert completed("PUBLIC_HOST=old.example.org\n", STACK).otherwise == ("PUBLIC_HOST",)


@pytest.mark.parametrize(
    ("host", "tls"),
    [
        ("https://room.example.org", Tls.INTERNAL),
        ("room.example.org:8443", Tls.INTERNAL),
        ("room.example.org/kiosk", Tls.INTERNAL),
        ("room_one.example.org", Tls.INTERNAL),
        ("0.0.0.0", Tls.INTERNAL),
        ("300.1.2.3", Tls.INTERNAL),
        ("", Tls.OFF),
        ("192.168.1.20", Tls.AUTO),
        ("room", Tls.AUTO),
        ("room.local", Tls.AUTO),
    ],
)
def test_a_host_that_cannot_be_is_refused(host: str, tls: Tls) -> None:
    with pytest.raises(BadField, match=r"--public-host|--tls"):
        wish_of(host, tls, Engine.STACK)


@pytest.mark.parametrize(("host", "kept"), [("Room.Example.org.", "room.example.org"), ("fd00::1", "[fd00::1]")])
def test_a_host_is_kept_as_a_browser_writes_it(host: str, kept: str) -> None:
    assert wish_of(host, Tls.INTERNAL, Engine.STACK).host == kept


def test_an_embedded_node_has_no_public_authority() -> None:
    with pytest.raises(BadField, match="embedded"):
        wish_of("room.example.org", Tls.AUTO, Engine.EMBEDDED)


@pytest.mark.parametrize("tls", [Tls.INTERNAL, Tls.OFF])
def test_the_embedded_environment_is_settings(tls: Tls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in completed("", wish_of("192.168.1.20", tls, Engine.EMBEDDED)).values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    scheme = "https" if tls is Tls.INTERNAL else "http"
    assert f"{scheme}://192.168.1.20:{settings.PORT}" == settings.PUBLIC_URL
    assert settings.OPS_SHARED_SECRET


def test_the_file_is_for_its_owner_alone_and_is_there_whole(tmp_path: Path) -> None:
    place = tmp_path / "deep" / ".env"
    write(place, "A=1\n")
    place.chmod(0o644)
    write(place, "A=2\n")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.read_text() == "A=2\n"
    assert list(place.parent.iterdir()) == [place]


def test_a_place_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be written"):
        write(tmp_path / "file" / ".env", "A=1\n")


@pytest.mark.parametrize("tls", Tls)
def test_it_says_how_a_kiosk_gets_its_microphone(tls: Tls) -> None:
    wish = wish_of("room.example.org", tls, Engine.STACK)
    steps = next_steps(wish, completed("", wish).values, started=False)
    assert any(step.startswith("Microphone:") for step in steps)
    assert ("root.crt" in " ".join(steps)) is (tls is Tls.INTERNAL)


def test_the_command_writes_the_file_keeps_it_and_tells_no_secret(tmp_path: Path) -> None:
    place = tmp_path / ".env"
    command = ["first-boot", "--public-host", "room.example.org", "--env", str(place)]
    first = CliRunner().invoke(app, command)
    text = place.read_text()
    assert first.exit_code == 0
    assert "0 kept" in first.output
    again = CliRunner().invoke(app, command)
    assert (again.exit_code, place.read_text()) == (0, text)
    assert "0 values written" in again.output
    values = dotenv_values(place)
    assert not any(values[name] in first.output for name in SECRETS)


def test_starting_runs_the_command_and_says_what_is_missing_or_failed() -> None:
    ran: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> int:
        ran.append(command)
        return len(ran) - 1

    start(("docker", "compose"), found=lambda _: "/bin/docker", run=run)
    assert ran == [("docker", "compose")]
    with pytest.raises(Unavailable, match="ended with 1"):
        start(("docker", "compose"), found=lambda _: "/bin/docker", run=run)
    with pytest.raises(Unavailable, match="docker is missing here"):
        start(("docker", "compose"), found=lambda _: None, run=run)
    assert len(ran) == 2
