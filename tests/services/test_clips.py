"""`memory-engine clips`, beside a node."""

import pytest
from typer.testing import CliRunner

from core.domain.clips import prompt_name
from core.errors import BadField, BadTake, NotFound, Unavailable
from memory_ui.cli import app
from tests import wavs

pytestmark = pytest.mark.engine("embedded")


@pytest.fixture
def command(node, ground):
    """Runs `memory-engine clips` beside the node; its outcome."""

    def run(*given):
        return CliRunner().invoke(app, ["clips", *given, "--data-dir", str(ground.folder)], env=ground.environment)

    return run


@pytest.fixture
def recorded(tmp_path):
    """A recording."""
    path = tmp_path / "recorded.wav"
    path.write_bytes(wavs.take(0.5))
    return str(path)


def lines(result):
    """State by language and name, as it was printed."""
    return {tuple(line.split()[:2]): line for line in result.stdout.splitlines()}


def test_everything_is_there_on_a_node_without_settings(command):
    listed = command("list")
    assert listed.exit_code == 0
    assert "there (espeak-ng)" in lines(listed)["pt-BR", "sign-z"]
    assert len(lines(listed)) == 7 * 38


def test_a_prompt_is_missing_until_it_is_rendered(command, node):
    node.system.prompts.add(text="What did you hear?", language="en", actor="t")
    name = prompt_name("What did you hear?")
    listed = command("list", "--language", "en")
    assert listed.exit_code == 1
    assert lines(listed)["en", name].split()[2] == "missing"
    assert command("render").stdout == f"en  {name}: rendered\n"
    assert command("list").exit_code == 0
    assert command("render").stdout == "Nothing is missing.\n"


def test_kanji_are_left_to_a_recording_and_that_is_said(command, node, recorded):
    node.system.prompts.add(text="何が聞こえますか。", language="ja", actor="t")
    name = prompt_name("何が聞こえますか。")
    rendered = command("render")
    assert rendered.exit_code == 1
    assert "espeak-ng cannot read this" in rendered.stdout
    assert "何が聞こえますか。" in command("use", name, recorded, "--language", "ja").stdout
    assert command("render").exit_code == 0


def test_a_theme_counts_in_the_language_kiosks_are_set_to(command, node):
    node.system.stewardship.change({"kiosk_language_code": "de", "session_theme_prompt": "Und dann?"}, actor="t")
    assert command("render").stdout == f"de  {prompt_name('Und dann?')}: rendered\n"


def test_a_recording_is_used_and_dropped(command, recorded):
    assert "Keep it. With it" in command("use", "keep", recorded, "--language", "en").stdout
    assert "there (recording)" in lines(command("list"))["en", "keep"]
    assert command("drop", "keep", "--language", "en").stdout == "keep is deleted, in en.\n"
    assert "there (espeak-ng)" in lines(command("list"))["en", "keep"]


def test_a_recording_of_a_promise_that_changed_is_said_to_be_replaced(command, ground, recorded):
    command("use", "room", recorded, "--language", "en")
    ground.settings["RAW_TTL_HOURS_ROOM"] = "24"
    listed = command("list", "--language", "en")
    assert (listed.exit_code, "says something else" in lines(listed)["en", "room"]) == (1, True)
    assert command("render", "--language", "en").stdout == "en  room: rendered, in place of an older recording clip\n"


def test_what_cannot_be_done_is_one_clear_sentence(command, node, ground, recorded, tmp_path, monkeypatch):
    (tmp_path / "no.wav").write_bytes(wavs.take(0.5)[:-9])
    for given, error in (
        (("list", "--language", "tlh"), NotFound),
        (("use", "nothing", recorded, "--language", "en"), NotFound),
        (("use", "room", str(tmp_path / "none.wav"), "--language", "en"), BadField),
        (("use", "room", str(tmp_path / "no.wav"), "--language", "en"), BadTake),
        (("drop", "room", "--language", "en"), NotFound),
    ):
        assert isinstance(command(*given).exception, error), given
    node.system.prompts.add(text="Now?", language="en", actor="t")
    monkeypatch.setenv("PATH", "")
    found = command("render").exception
    assert isinstance(found, Unavailable)
    assert "install espeak-ng" in found.message
