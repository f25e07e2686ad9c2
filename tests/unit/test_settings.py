import re
from pathlib import Path

import pytest

from core.bootstrap import build
from core.errors import Misconfigured
from core.settings import Settings, load_settings, prepare_data_dir

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_from_the_folder(monkeypatch, tmp_path):
    """No `.env` of the working folder is read."""
    monkeypatch.chdir(tmp_path)


def complaints(**given):
    with pytest.raises(Misconfigured) as refusal:
        load_settings(**given)
    return refusal.value.complaints


def test_the_defaults_are_the_figures_of_the_node():
    settings = load_settings()
    assert (settings.HOST, settings.PORT) == ("127.0.0.1", 8080)
    assert (settings.RAW_TTL_HOURS_ROOM, settings.RAW_TTL_HOURS_FOSSIL) == (48, 48)
    assert (settings.DERIVATIVE_TTL_DAYS_FOSSIL, settings.BACKUP_DAYS) == (365, 7)
    assert (settings.UPLOAD_MAX_MIB, settings.TAKE_MAX_SECONDS, settings.TAKE_MAX_RATE_HZ) == (32, 300, 96_000)


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("NODE_NAME", "The attic")
    monkeypatch.setenv("RAW_TTL_HOURS_ROOM", "0.5")
    settings = load_settings()
    assert (settings.NODE_NAME, settings.RAW_TTL_HOURS_ROOM) == ("The attic", 0.5)


def test_the_env_file_is_read_and_the_environment_beats_it(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("NODE_NAME=From the file\nNODE_LOCATION=Upstairs\n")
    monkeypatch.setenv("NODE_NAME", "From the environment")
    settings = load_settings()
    assert (settings.NODE_NAME, settings.NODE_LOCATION) == ("From the environment", "Upstairs")


def test_a_given_value_beats_the_environment(monkeypatch):
    monkeypatch.setenv("PORT", "9000")
    assert (load_settings(PORT=9001).PORT, load_settings(PORT=None).PORT) == (9001, 9000)


def test_an_empty_variable_counts_as_not_given(monkeypatch):
    monkeypatch.setenv("PORT", "")
    assert load_settings().PORT == 8080


def test_settings_cannot_be_changed_once_read():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().PORT = 1


def test_everything_wrong_is_reported_at_once():
    found = complaints(PORT=0, UPLOAD_MAX_MIB=-1, LOG_LEVEL="LOUD", POOL_FRESH_MAX_WEAR=2)
    assert {line.split(":")[0] for line in found} == {"PORT", "UPLOAD_MAX_MIB", "LOG_LEVEL", "POOL_FRESH_MAX_WEAR"}


@pytest.mark.parametrize(
    "given",
    [
        {"ONCE_FETCH_MINUTES": 11},
        {"POOL_FRESH_MAX_WEAR": 0.4},
        {"POOL_FRESH_MAX_AGE_HOURS": 18},
        {"POOL_FRESH_MAX_PLAY_COUNT": 5},
        {"POOL_LIGHT_MAX_SECONDS": 18},
        {"TAKE_MAX_SECONDS": 100},
    ],
)
def test_values_that_contradict_each_other_are_refused_by_name(given):
    (line,) = complaints(**given)
    assert next(iter(given)) in line


def test_several_contradictions_are_reported_at_once():
    said = " ".join(complaints(ONCE_FETCH_MINUTES=11, POOL_LIGHT_MAX_SECONDS=20))
    assert "ONCE_FETCH_MINUTES" in said
    assert "POOL_LIGHT_MAX_SECONDS" in said


def test_a_wrong_value_does_not_hide_a_contradiction():
    said = " ".join(complaints(PORT=0, ONCE_FETCH_MINUTES=11))
    assert "PORT" in said
    assert "ONCE_FETCH_MINUTES" in said


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "soon"])
def test_a_length_of_time_is_a_positive_number(monkeypatch, value):
    monkeypatch.setenv("RAW_TTL_HOURS_ROOM", value)
    assert complaints()[0].startswith("RAW_TTL_HOURS_ROOM:")


@pytest.mark.parametrize("name", ["NODE_NAME", "NODE_CONTACT", "HOST"])
def test_a_line_is_one_line(name):
    assert complaints(**{name: "one\ntwo"})[0].startswith(f"{name}:")


def test_an_unknown_name_in_the_env_file_is_refused(tmp_path):
    (tmp_path / ".env").write_text("NODE_NAMES=A slip\n")
    assert "NODE_NAMES" in complaints()[0]


def test_an_unknown_deployment_refuses_to_start_and_lists_the_known(tmp_path):
    with pytest.raises(Misconfigured, match=r"ENGINE_DEPLOYMENT.*oracle"):
        build(load_settings(ENGINE_DEPLOYMENT="choir", MEMORY_DATA_DIR=tmp_path / "d"))


def test_a_data_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="MEMORY_DATA_DIR: cannot write to"):
        prepare_data_dir(tmp_path / "file" / "data")


def test_a_data_folder_is_made_with_its_parents_and_left_empty(tmp_path):
    made = prepare_data_dir(tmp_path / "a" / "b")
    assert list(made.iterdir()) == []


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
class TestEverySetting:
    def test_has_a_description_in_a_sentence(self, name):
        description = Settings.model_fields[name].description or ""
        assert re.fullmatch(r"\S.{10,}\.", description)

    def test_is_in_the_example_file(self, name):
        assert re.search(rf"^#? ?{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    def test_is_in_the_reference(self, name):
        assert f"`{name}`" in (ROOT / "docs" / "reference" / "settings.md").read_text()

    def test_is_read_somewhere(self, name):
        source = "\n".join(
            path.read_text() for folder in ("core", "jobs", "memory_ui") for path in (ROOT / folder).rglob("*.py")
        )
        assert re.search(rf"settings\.{name}\b", source)
